"""What a form may bring in with it, before anybody has looked at it: so much, and so many."""

from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler

MOST_BYTES = 60 * 1024**2
"""What the files of one request may weigh together; what is more is read and not kept."""

MOST_FILES = 30
"""How many files of one request are kept at all, more than any policy allows: those after them are not there."""


class BoundedUploads(TemporaryFileUploadHandler):
    """Keep files on disk as far as they fit, and never lose the form that they came with.

    A file that was not kept whole has `cut`, and its `size` is what was sent; the gate turns it away with the reason.
    """

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        super().handle_raw_input(*args, **kwargs)
        self.left, self.count = MOST_BYTES, 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.count += 1
        if self.count > MOST_FILES:
            raise SkipFile
        super().new_file(*args, **kwargs)
        self.cut = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.cut = self.cut or len(raw_data) > self.left
        if not self.cut:
            self.left -= len(raw_data)
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        file = cast("UploadedFile[Any]", super().file_complete(file_size))
        file.cut = self.cut  # type: ignore[attr-defined]
        del self.file  # it is the form's now: what is skipped after it must not close it
        return file
