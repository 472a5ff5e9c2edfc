"""Blobs in a folder and in an S3 store, over HTTP: what is nobody's is swept up, what lacks is told."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from pytest_django import Settings
from storages.backends.s3 import S3Storage

from marketplace import storage
from marketplace.celery import BY_NAME
from marketplace.timers import run
from messaging import attachments, conversing, invariants
from messaging.conversing import Words
from messaging.models import Attachment, Message
from messaging.recipients import SHOP
from tests.conftest import AT, Placing
from tests.files.conftest import kept_in
from tests.files.samples import checked, picture
from tests.files.test_kept import ANA

DAY = date(2026, 3, 3)
type Storing = Callable[[], None]


@pytest.fixture(params=["folder", "s3"])
def storing(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/files" if request.param == "folder" else request.getfixturevalue("s3")
    kept_in(settings, url)


@pytest.mark.usefixtures("storing")
@pytest.mark.rule("MSG-13")
def test_a_blob_is_kept_found_by_its_day_and_deleted() -> None:
    content = picture()
    key = storage.new_key("f" * 64, DAY)
    storage.put(key, io.BytesIO(content))
    with storage.opened(key) as blob:
        assert blob.read() == content
    assert storage.size_of(key) == len(content)
    assert key in storage.keys_of(DAY)
    assert DAY in list(storage.days())
    assert storage.drop([key]) == 1
    assert key not in storage.keys_of(DAY)
    with pytest.raises(storage.Missing):
        storage.opened(key)
    with pytest.raises(storage.Missing):
        storage.size_of(key)
    assert storage.keys_of(date(1999, 1, 1)) == []


@pytest.mark.rule("DOC-04")
def test_nothing_in_a_store_can_be_read_without_its_keys(s3: str, settings: Settings) -> None:
    """The bucket gives nothing to the public, and a key cannot be guessed."""
    kept_in(settings, s3)
    key = storage.new_key("0" * 64, DAY)
    assert len(key.rpartition("-")[2]) == 32
    assert key != storage.new_key("0" * 64, DAY)
    storage.put(key, io.BytesIO(b"hola"))
    store = storages["default"]
    assert isinstance(store, S3Storage)
    told = store.connection.meta.client.get_object_acl(Bucket=store.bucket_name, Key=key)
    assert [one["Grantee"].get("URI") for one in told["Grants"]] == [None]
    storage.drop([key])


@pytest.mark.parametrize("url", ["s3://llave:secreto@127.0.0.1:9/trastienda?tls=no", "file:///proc/none"])
def test_a_storage_that_does_not_answer_says_so(url: str, settings: Settings) -> None:
    kept_in(settings, url)
    key = storage.new_key("0" * 64, DAY)
    with pytest.raises(storage.Unreachable):
        storage.put(key, io.BytesIO(b"hola"))


@pytest.mark.django_db
@pytest.mark.usefixtures("storing")
@pytest.mark.broken_books
def test_the_watch_and_the_command_tell_of_files_that_lack(
    place: Placing, capsys: pytest.CaptureFixture[str]
) -> None:
    order = place()
    files = (checked("1.jpg"), checked("2.jpg"), checked("3.png", picture("PNG")))
    conversing.start(order.shop, Words("", files=files), to=SHOP, order=order, by=ANA, at=AT)
    gone, other, third = Attachment.objects.order_by("id")
    for at in (AT, None):
        assert invariants.files_are_there(at) == []
    storage.drop([gone.key, third.preview_key, other.key])
    storage.put(other.key, io.BytesIO(b"x" * other.size))
    found = [
        f"attachment {gone.id}: it has no blob",
        f"attachment {other.id}: its blob has another hash",
        f"attachment {third.id}: it has no blob",
    ]
    assert sorted(invariants.files_are_there(None)) == found
    assert {found[0], found[2]} <= set(invariants.files_are_there(AT))
    with pytest.raises(CommandError, match="3 files lack their blob"):
        call_command("check_files")
    assert all(words in capsys.readouterr().out for words in [found[0]])


@pytest.mark.django_db
@pytest.mark.usefixtures("storing")
@pytest.mark.broken_books
def test_blobs_of_nobodys_are_swept_up_once_their_day_is_past(place: Placing) -> None:
    order = place()
    message = conversing.start(
        order.shop, Words("Mira", files=(checked(),)), to=SHOP, order=order, by=ANA, at=AT
    )
    kept = [key for one in attachments.of([message])[message.id] for key in attachments.keys_of(one)]
    orphan = storage.new_key("0" * 64, AT.date())
    storage.put(orphan, io.BytesIO(b"x"))
    sweep = BY_NAME["files"]
    run(sweep, at=AT + timedelta(days=1))
    assert set(storage.keys_of(AT.date())) == {*kept, orphan}
    run(sweep, at=AT + timedelta(days=1, hours=20))
    assert orphan in storage.keys_of(AT.date()), "once a day"
    run(sweep, at=AT + timedelta(days=2, hours=1))
    assert set(storage.keys_of(AT.date())) == set(kept)
    call_command("check_files", "--sweep")
    assert set(storage.keys_of(AT.date())) == set(kept)
    Message.objects.all().delete()
    call_command("check_files", "--sweep")
    assert storage.keys_of(AT.date()) == []


@pytest.mark.django_db
@pytest.mark.broken_books
def test_a_watch_without_its_storage_says_that_and_ends(place: Placing, settings: Settings) -> None:
    order = place()
    conversing.start(order.shop, Words("", files=(checked(),)), to=SHOP, order=order, by=ANA, at=AT)
    kept_in(settings, "s3://llave:secreto@127.0.0.1:9/trastienda?tls=no")
    assert invariants.files_are_there(AT) == ["the storage of files does not answer"]
    with pytest.raises(CommandError):
        call_command("check_files")
