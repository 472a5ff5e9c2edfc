"""Ask clamd whether a file has a virus: its INSTREAM command, over TCP or a Unix socket (MSG-13).

A scanner that is configured and does not answer lets nothing through.
"""

import re
import socket
import struct
from typing import BinaryIO
from urllib.parse import urlsplit

CHUNK = 64 * 1024
CONNECT_S = 5
ANSWER_S = 30
LONGEST_ANSWER = 1024

_FOUND = re.compile(r"stream: (.+) FOUND")


class NoAnswer(Exception):
    """The scanner cannot be reached, or says something else than yes or no."""


def virus_in(file: BinaryIO, url: str) -> str:
    """The name of the virus in a file, read from where it stands; empty when it has none.

    Raises NoAnswer. `url` is `tcp://host:port` or `unix:///path`.
    """
    try:
        with _reached(url) as scanner:
            scanner.settimeout(ANSWER_S)
            answer = _asked(scanner, file)
    except OSError as error:
        raise NoAnswer(str(error)) from error
    if answer == "stream: OK":
        return ""
    found = _FOUND.fullmatch(answer)
    if found is None:
        raise NoAnswer(answer)
    return found[1]


def _reached(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        scanner = socket.socket(socket.AF_UNIX)
        scanner.settimeout(CONNECT_S)
        try:
            scanner.connect(parts.path)
        except OSError:
            scanner.close()
            raise
        return scanner
    return socket.create_connection((parts.hostname or "localhost", parts.port or 3310), CONNECT_S)


def _asked(scanner: socket.socket, file: BinaryIO) -> str:
    """Send a file in pieces, each with its length before it, and read the answer to its end."""
    try:
        scanner.sendall(b"zINSTREAM\0")
        while chunk := file.read(CHUNK):
            scanner.sendall(struct.pack("!I", len(chunk)) + chunk)
        scanner.sendall(struct.pack("!I", 0))
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has had enough of it before the end, and has said why
    answer = b""
    while len(answer) < LONGEST_ANSWER and b"\0" not in answer and (piece := scanner.recv(LONGEST_ANSWER)):
        answer += piece
    return answer.split(b"\0")[0].decode("utf-8", "replace").strip()
