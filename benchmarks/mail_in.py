"""`./run bench mail_in`: how much memory a process takes for a mail of 10 MB, and how long, by what the mail is made of.

Each mail is read in a process of its own, from its bytes to the text and the files that are to be checked.
"""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Callable

MB = 1_000_000

CHILD = """
import os, sys
import django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
django.setup()
from messaging.inbound import reading, receiving
raw = sys.stdin.buffer.read()
try:
    envelope = reading.envelope_of(reading.headers_of(raw))
    assert envelope.tokens
    letter = reading.read(reading.opened(raw), envelope)
    outcome = "read"
except reading.Unreadable as unreadable:
    outcome = unreadable.reason.value
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(outcome, peak)
"""

type Encode = Callable[[bytes], bytes]


def _mail(to: str, *parts: bytes) -> bytes:
    head = f'To: {to}\r\nMessage-ID: <1@x.example>\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'.encode()
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def _file(content: bytes, encode: Encode) -> bytes:
    return b"Content-Type: image/jpeg; name=foto.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encode(
        content
    )


_SAID = b"Content-Type: text/plain\r\n\r\nMira\r\n"

KINDS: dict[str, Callable[[str, Encode], bytes]] = {
    "one photo": lambda to, encode: _mail(to, _SAID, _file(os.urandom(7_350_000), encode)),
    "five photos": lambda to, encode: _mail(to, _SAID, *(_file(os.urandom(1_470_000), encode) for _ in range(5))),
    "text": lambda to, encode: _mail(to, b"Content-Type: text/plain\r\n\r\n" + b"una frase de alguien\r\n" * 450_000),
    "a page": lambda to, encode: _mail(to, b"Content-Type: text/html\r\n\r\n" + b"<p>una frase de alguien</p>\n" * 370_000),
    "one line": lambda to, encode: _mail(to, b"Content-Type: text/plain\r\n\r\n" + "ñ".encode() * 5_000_000),
    "empty lines": lambda to, encode: _mail(to, b"Content-Type: text/plain\r\n\r\n" + b"\n" * 10_000_000),
    "headers of parts": lambda to, encode: _mail(to, b"X-A: " + b"b" * 25 + b"\r\n" + b"X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n" * 300_000),
    "parts": lambda to, encode: _mail(to, *([_SAID] * 250_000)),
}  # fmt: skip
"""What a mail of 10 MB is made of."""


def main() -> None:
    address = f"reply+{'a' * 33}@{os.environ.get('TRASTIENDA_MAIL_REPLY_DOMAIN') or 'respuestas.trastienda.example'}"
    for kind, build in KINDS.items():
        raw = build(address, base64.encodebytes)
        started = time.perf_counter()
        child = subprocess.run([sys.executable, "-c", CHILD], input=raw, capture_output=True, check=True)
        seconds = time.perf_counter() - started
        outcome, peak = child.stdout.decode().split()
        told = f"{len(raw) / MB:>5.1f} MB  {outcome:<7} {int(peak) / 1024:>6.0f} MB  {seconds:>5.1f} s"
        print(f"{kind:<18} {told} with the start of the process", flush=True)


if __name__ == "__main__":
    main()
