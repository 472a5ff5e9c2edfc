"""Servers that files are shown to and kept in: a scanner that speaks as clamd does, an S3 store over HTTP."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import boto3
import pytest
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from marketplace import settings as site

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""What every scanner takes for a virus, and is none; in two pieces, so that this file is not taken for one."""


_buckets = count(1)


@dataclass
class Clamd:
    """Answers INSTREAM; finds EICAR wherever it is. `says` replaces its answer; None hangs up without one."""

    port: int = 0
    most: int = 25 * 1024**2
    seen: list[bytes] = field(default_factory=list)
    says: list[bytes | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def answer(self, content: bytes) -> bytes | None:
        self.seen.append(content)
        if self.says:
            return self.says.pop(0)
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    scanner = Clamd()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            assert self.rfile.read(10) == b"zINSTREAM\0"
            content = b""
            while length := struct.unpack("!I", self.rfile.read(4))[0]:
                if len(content) + length > scanner.most:
                    self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                    return
                content += self.rfile.read(length)
            if said := scanner.answer(content):
                self.wfile.write(said)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    with Server(("127.0.0.1", 0), Session) as server:
        scanner.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield scanner
        server.shutdown()


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """Host and port of an S3 store."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def s3(store: str) -> Iterator[str]:
    """The address of an empty bucket of the store."""
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{store}",
        aws_access_key_id="llave",
        aws_secret_access_key="secreto",
        region_name="eu-south-2",
    )
    bucket = f"trastienda-{next(_buckets)}"
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-south-2"})
    yield f"s3://llave:secreto@{store}/{bucket}?region=eu-south-2&tls=no"
    client.close()


def kept_in(settings: Settings, url: str) -> None:
    """Keep files where an address says, for the rest of a test."""
    kept: dict[str, Any] = site._blobs(url)
    settings.STORAGES = settings.STORAGES | {"default": kept}
    assert storages["default"].__class__.__name__ in str(kept["BACKEND"])
