"""The files of messages: kept with them, listed, handed out after a check, gone with them (MSG-13, DOC-04)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet

from marketplace import storage
from marketplace.files import Checked, Preview
from marketplace.policy import FileType
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging.models import Attachment, AttachmentDownload, Message
from sellers.desk import Actor


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A file that somebody is given: what a browser is told of it, and its blob, to be closed."""

    name: str
    content_type: str
    size: int
    blob: "File[Any]"


def keep(message: Message, files: Sequence[Checked], *, at: datetime) -> list[Attachment]:
    """Keep the files of a message that is being written; a blob without its row harms nobody, and is swept up.

    Raises MoveRefused (`files_not_kept`).
    """
    rows, written = [], []
    try:
        for file in files:
            key = storage.new_key(file.sha256, at.date())
            written.append(key)
            storage.put(key, file.content)
            row = _row(message, file, key)
            if file.preview is not None:
                written.append(row.preview_key)
                storage.put(row.preview_key, file.preview.content)
            rows.append(row)
    except storage.Unreachable as error:
        storage.drop(written)
        raise MoveRefused(Refusal(message.thread_id, Code.FILES_NOT_KEPT)) from error
    return Attachment.objects.bulk_create(rows)


def _row(message: Message, file: Checked, key: str) -> Attachment:
    return Attachment(
        shop_id=message.shop_id,
        message=message,
        name=file.name,
        kind=file.kind.value,
        content_type=file.content_type,
        size=file.size,
        sha256=file.sha256,
        key=key,
        preview_width=file.preview.width if file.preview else 0,
        preview_height=file.preview.height if file.preview else 0,
    )


def let_go(message: Message) -> None:
    """Delete the blobs of a message that is being taken back, once it is."""
    keys = [key for one in message.attachments.all() for key in keys_of(one)]
    if keys:
        transaction.on_commit(partial(storage.drop, keys))


@contextmanager
def copies_of(message: Message) -> Iterator[list[Checked]]:
    """The files of a message once more, to be kept with another meanwhile. Raises MoveRefused (`files_not_kept`)."""
    with ExitStack() as opened:

        def blob(key: str) -> BinaryIO:
            return cast("BinaryIO", opened.enter_context(storage.opened(key)))

        try:
            copies = [_copy(one, blob) for one in message.attachments.order_by("id")]
        except (storage.Missing, storage.Unreachable) as error:
            raise MoveRefused(Refusal(message.thread_id, Code.FILES_NOT_KEPT)) from error
        yield copies


def _copy(one: Attachment, blob: Callable[[str], BinaryIO]) -> Checked:
    preview = None
    if one.has_preview:
        preview = Preview(one.preview_width, one.preview_height, blob(one.preview_key))
    kind = FileType(one.kind)
    return Checked(one.name, kind, one.content_type, one.size, one.sha256, blob(one.key), preview)


def keys_of(attachment: Attachment) -> list[str]:
    """Where its blobs are in storage."""
    return [attachment.key, *([attachment.preview_key] if attachment.has_preview else [])]


def of(messages: Iterable[Message]) -> dict[int, list[Attachment]]:
    """The files of messages, by the message's id; one query."""
    found: dict[int, list[Attachment]] = defaultdict(list)
    for one in Attachment.objects.filter(message__in=[message.id for message in messages]).order_by("id"):
        found[one.message_id].append(one)
    return found


def open_for(
    messages: QuerySet[Message], attachment_id: int, *, preview: bool = False, by: Actor, at: datetime
) -> HandedOut:
    """Hand out a file of one of the messages that somebody may read, and write that down (DOC-04).

    `preview` is the small picture of it. Raises Attachment.DoesNotExist where they may not, or there is none;
    storage.Missing and storage.Unreachable, and then nothing is written down.
    """
    file = Attachment.objects.get(id=attachment_id, message__in=messages)
    if preview and not file.has_preview:
        raise Attachment.DoesNotExist
    blob = storage.opened(file.preview_key if preview else file.key)
    AttachmentDownload.objects.create(
        shop_id=file.shop_id,
        attachment=file,
        preview=preview,
        at=at,
        role=by.role.value,
        by=by.label,
        user_id=by.user_id,
    )
    if preview:
        return HandedOut(file.name, "image/webp", blob.size, blob)
    return HandedOut(file.name, file.content_type, file.size, blob)
