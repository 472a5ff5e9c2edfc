"""Who is handed a file: members of the shop, operators, whoever the message is for; each time it is written down."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from marketplace import storage
from marketplace.policy import Role
from messaging import attachments, conversing, readers
from messaging.conversing import Words
from messaging.models import Attachment, AttachmentDownload, Message, Thread
from messaging.recipients import CUSTOMER, OPERATOR, SHOP, SUPPLIER
from sellers.desk import Actor
from sellers.models import Supplier, User
from tests.conftest import AT, SELLER, Placing
from tests.files.conftest import kept_in
from tests.files.samples import checked, pdf, picture
from tests.files.test_kept import ANA, sent

pytestmark = [pytest.mark.django_db, pytest.mark.rule("DOC-04")]


def asks(user: User | None, file: Attachment, query: str = "") -> tuple[int, bytes, dict[str, str]]:
    """What somebody gets who asks for a file: status, bytes, headers."""
    client = Client()
    if user:
        client.force_login(user)
    answer = client.get(f"/mensajes/adjuntos/{file.id}/{query}")
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    return answer.status_code, content, dict(answer.headers)


@pytest.fixture
def photo(place: Placing) -> Attachment:
    return sent(place()).attachments.order_by("id")[0]


def test_a_file_is_always_a_download_that_can_do_nothing(photo: Attachment, alice: User) -> None:
    status, content, headers = asks(alice, photo)
    assert (status, len(content)) == (200, photo.size)
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Content-Disposition"] == "attachment; filename*=utf-8''jarr%C3%B3n%20roto.jpg"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Content-Length"] == str(photo.size)
    policy = headers["Content-Security-Policy"].split("; ")
    assert {"sandbox", "default-src 'none'", "frame-ancestors 'none'"} <= set(policy)
    [told] = AttachmentDownload.objects.all()
    assert (told.attachment, told.preview, told.role, told.by, told.user) == (
        photo, False, "seller", "Alicia Alba", alice,
    )  # fmt: skip


def test_a_page_shows_the_small_picture_and_never_the_file(photo: Attachment, alice: User) -> None:
    status, content, headers = asks(alice, photo, "?vista")
    assert (status, content[8:12], headers["Content-Type"]) == (200, b"WEBP", "image/webp")
    assert headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in headers["Content-Security-Policy"]
    assert AttachmentDownload.objects.get().preview
    paper = photo.message.attachments.get(kind="pdf")
    assert asks(alice, paper, "?vista")[0] == 404
    assert AttachmentDownload.objects.count() == 1


def test_a_stranger_is_not_told_that_there_is_a_file(
    photo: Attachment, charlie: User, nuria: User, bob: User, olga: User
) -> None:
    """Another shop's owner, a supplier of the same shop, nobody at all; support and operators may."""
    assert asks(charlie, photo)[0] == 404
    assert asks(nuria, photo)[0] == 404
    status, _content, headers = asks(None, photo)
    assert (status, headers["Location"].split("?")[0]) == (302, "/cuenta/entrar/")
    assert not AttachmentDownload.objects.exists()
    assert asks(bob, photo)[0] == 200
    assert asks(olga, photo)[0] == 200
    assert sorted(AttachmentDownload.objects.values_list("role", flat=True)) == ["operator", "seller"]
    photo.id = 999_999
    assert asks(bob, photo)[0] == 404


def test_a_supplier_is_handed_what_is_with_them_and_no_more(
    place: Placing, norte: Supplier, sur: Supplier, nuria: User, sergio: User, alice: User
) -> None:
    order = place()
    message = conversing.start(
        order.shop, Words("Mira", files=(checked("plano.pdf", pdf()),)), to=SUPPLIER, order=order, supplier=norte,
        take_back=False, by=SELLER, at=AT,
    )  # fmt: skip
    [file] = attachments.of([message])[message.id]
    assert [asks(person, file)[0] for person in (nuria, sergio, alice)] == [200, 404, 200]


def test_what_can_still_be_taken_back_only_its_author_sees(
    place: Placing, alice: User, bob: User, olga: User
) -> None:
    order, at = place(), timezone.now()
    message = conversing.start(
        order.shop, Words("", files=(checked(),)), to=CUSTOMER, order=order, at=at,
        by=Actor(Role.SELLER, str(alice), alice.id),
    )  # fmt: skip
    [file] = attachments.of([message])[message.id]
    assert [asks(person, file)[0] for person in (alice, bob, olga)] == [200, 404, 404]


def test_a_customer_is_handed_what_is_for_them_of_their_own_order(place: Placing) -> None:
    """The function that the customer's own page stands on."""
    order, other = place(), place()
    mine = sent(order)
    thread = Thread.objects.get(order=order)
    answers = [
        conversing.write(thread.id, Words("", files=(checked(content=picture("PNG")),)), to=to, take_back=False,
                         by=SELLER, at=AT)
        for to in (CUSTOMER, OPERATOR)
    ]  # fmt: skip
    strange = sent(other)
    messages = readers.of_customer(ANA, order, at=AT)
    assert set(messages) == {mine, answers[0]}
    assert set(readers.of_customer(ANA, other, at=AT)) == {strange}
    for message in (answers[1], strange):
        with pytest.raises(Attachment.DoesNotExist):
            attachments.open_for(messages, message.attachments.all()[0].id, by=ANA, at=AT)
    attachments.open_for(messages, answers[0].attachments.all()[0].id, by=ANA, at=AT).blob.close()
    assert AttachmentDownload.objects.get().role == "customer"
    assert (
        conversing.write(thread.id, Words("Hola"), to=SHOP, take_back=False, by=ANA, at=AT) in messages.all()
    )


@pytest.mark.broken_books
def test_a_file_whose_blob_is_gone_is_not_found_and_nothing_is_written_down(
    photo: Attachment, alice: User
) -> None:
    storage.drop([photo.key])
    assert asks(alice, photo)[0] == 404
    assert not AttachmentDownload.objects.exists()


@pytest.mark.broken_books
def test_a_storage_that_does_not_answer_says_that_the_file_is_safe(
    photo: Attachment, alice: User, settings: Settings
) -> None:
    kept_in(settings, "s3://llave:secreto@127.0.0.1:9/trastienda?tls=no")
    status, content, _headers = asks(alice, photo)
    assert status == 503
    assert "El archivo está a salvo" in content.decode()
    assert not AttachmentDownload.objects.exists()


def test_a_file_comes_out_of_a_store_as_it_went_in(
    place: Placing, alice: User, s3: str, settings: Settings
) -> None:
    kept_in(settings, s3)
    message = sent(place())
    for file in message.attachments.all():
        assert len(asks(alice, file)[1]) == file.size
    assert AttachmentDownload.objects.count() == 2
    Message.objects.all().delete()
