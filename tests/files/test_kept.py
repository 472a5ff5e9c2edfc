"""The files of a message are kept with it, found with it, and gone with it."""

import hashlib
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused
from messaging import attachments, conversing
from messaging.conversing import Words
from messaging.models import Attachment, AttachmentDownload, Message, Notice, Thread
from messaging.recipients import CUSTOMER, SHOP
from orders.models import Order
from sellers.desk import Actor
from tests.conftest import AT, SELLER, Placing
from tests.files.samples import checked, pdf, picture

pytestmark = pytest.mark.django_db

ANA = Actor(Role.CUSTOMER, "Ana")


def sent(order: Order, text: str = "Llegó así") -> Message:
    """A customer's message with a photo and a PDF."""
    files = (checked("jarrón roto.jpg"), checked("factura.pdf", pdf()))
    return conversing.start(order.shop, Words(text, files=files), to=SHOP, order=order, by=ANA, at=AT)


@pytest.mark.rule("MSG-13")
def test_files_are_kept_with_their_message_under_names_that_say_nothing(place: Placing) -> None:
    message = sent(place())
    photo, paper = attachments.of([message])[message.id]
    assert (photo.name, photo.kind, photo.content_type) == ("jarrón roto.jpg", "jpeg", "image/jpeg")
    assert (photo.preview_width, photo.preview_height, paper.has_preview) == (64, 48, False)
    for one in (photo, paper):
        with default_storage.open(one.key) as blob:
            content = blob.read()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (one.size, one.sha256)
        assert one.name.split(".")[0] not in one.key
    assert Notice.objects.get(of_message=message).payload["files"] == ["jarrón roto.jpg", "factura.pdf"]


@pytest.mark.rule("MSG-13")
def test_a_photo_needs_no_words(place: Placing) -> None:
    assert sent(place(), "").attachments.count() == 2


@pytest.mark.rule("MSG-13")
def test_files_go_with_a_message_that_is_taken_back(
    place: Placing, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    order = place()
    sent(order)
    thread = Thread.objects.get()
    answer = conversing.write(
        thread.id, Words("Mira", files=(checked(content=picture("PNG")),)), to=CUSTOMER, by=SELLER, at=AT
    )
    keys = [key for one in answer.attachments.all() for key in attachments.keys_of(one)]
    assert len(keys) == 2
    assert all(default_storage.exists(key) for key in keys)
    with django_capture_on_commit_callbacks(execute=True):
        conversing.take_back(answer.id, by=SELLER, at=AT + timedelta(seconds=1))
    assert not any(default_storage.exists(key) for key in keys)
    assert Attachment.objects.count() == 2


@pytest.mark.rule("MSG-13")
def test_a_storage_that_fails_refuses_the_message_and_leaves_nothing(
    place: Placing, settings: Settings
) -> None:
    order = place()
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": "/proc/none"},
        }
    }
    with pytest.raises(MoveRefused) as refused:
        sent(order)
    assert refused.value.refusal.code == Code.FILES_NOT_KEPT
    assert not Thread.objects.exists()
    assert not Notice.objects.filter(event="message").exists()


@pytest.mark.rule("DOC-04")
def test_a_file_is_handed_out_to_who_may_read_its_message_and_it_is_written_down(place: Placing) -> None:
    photo = sent(place()).attachments.order_by("id")[0]
    handed = attachments.open_for(Message.objects.all(), photo.id, by=ANA, at=AT)
    with handed.blob as blob:
        assert len(blob.read()) == handed.size == photo.size
    small = attachments.open_for(Message.objects.all(), photo.id, preview=True, by=SELLER, at=AT)
    with small.blob:
        assert small.content_type == "image/webp"
    told = AttachmentDownload.objects.order_by("id").values_list(
        "attachment_id", "preview", "role", "by", "at"
    )
    assert list(told) == [
        (photo.id, False, "customer", "Ana", AT),
        (photo.id, True, "seller", SELLER.label, AT),
    ]
    with pytest.raises(Attachment.DoesNotExist):
        attachments.open_for(Message.objects.none(), photo.id, by=ANA, at=AT)
    assert AttachmentDownload.objects.count() == 2
