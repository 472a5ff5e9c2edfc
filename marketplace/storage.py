"""Where blobs are kept: in a folder or in an S3 store, private either way, under names that say nothing (MSG-13).

A key is made of the day, the hash and chance, never of what a file was called. A blob whose row was never written
harms nobody, and is found by its day (`keys_of`).
"""

import hashlib
import logging
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, BinaryIO

from django.core.files.base import File
from django.core.files.storage import default_storage

logger = logging.getLogger(__name__)

ROOM = "attachments"


class Unreachable(Exception):
    """The storage does not answer, or cannot do what it is asked."""


class Missing(Exception):
    """There is no blob under this key."""


@contextmanager
def _asking(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Missing(what) from error
    except Exception as error:  # each storage has errors of its own
        logger.error("the storage of files failed at %s: %s", what, error)
        raise Unreachable(what) from error


def new_key(sha256: str, day: date) -> str:
    """A key that nobody can guess, under the day that it is of."""
    return f"{ROOM}/{day:%Y/%m/%d}/{sha256[:16]}-{secrets.token_hex(16)}"


def put(key: str, content: BinaryIO) -> None:
    """Keep a blob. Raises Unreachable."""
    try:
        with _asking(f"put {key}"):
            content.seek(0)
            if default_storage.save(key, File(content)) != key:
                raise OSError("the key is taken")
    except Missing as error:  # of the folder, not of the blob
        raise Unreachable(str(error)) from error


def opened(key: str) -> "File[Any]":
    """A blob, to be read and closed. Raises Missing, Unreachable."""
    with _asking(f"open {key}"):
        return default_storage.open(key)


def drop(keys: Iterable[str]) -> int:
    """Delete blobs, as many as can be, and answer how many; one that is not there counts as deleted."""
    done = 0
    for key in keys:
        try:
            with _asking(f"delete {key}"):
                default_storage.delete(key)
        except (Unreachable, Missing):
            continue
        done += 1
    return done


def keys_of(day: date) -> list[str]:
    """Every key of a day. Raises Unreachable."""
    folder = f"{ROOM}/{day:%Y/%m/%d}"
    try:
        with _asking(f"list {folder}"):
            return [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]
    except Missing:
        return []


def days() -> Iterator[date]:
    """The days that have blobs. Raises Unreachable."""
    for year in _folders(ROOM):
        for month in _folders(f"{ROOM}/{year}"):
            for day in _folders(f"{ROOM}/{year}/{month}"):
                yield date(int(year), int(month), int(day))


def _folders(folder: str) -> list[str]:
    try:
        with _asking(f"list {folder}"):
            return sorted(name for name in default_storage.listdir(folder)[0] if name.isdigit())
    except Missing:
        return []


def size_of(key: str) -> int:
    """How many bytes a blob has. Raises Missing, Unreachable."""
    with _asking(f"size of {key}"):
        return default_storage.size(key)


def hash_of(key: str) -> str:
    """The SHA-256 of a blob, read through. Raises Missing, Unreachable."""
    with _asking(f"read {key}"), default_storage.open(key) as blob:
        digest = hashlib.sha256()
        for chunk in blob.chunks(256 * 1024):
            digest.update(chunk)
        return digest.hexdigest()
