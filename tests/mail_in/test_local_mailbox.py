"""Where mail does not really go out, its mails are answered from its page, by the way that any mail comes in."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from messaging import mailbox
from messaging.models import Attachment
from tests.conftest import AT
from tests.files.samples import picture
from tests.mail_in.conftest import last, stands
from tests.messaging.conftest import drain

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-07")]


@pytest.fixture
def kept(settings: Settings, tmp_path: Path, customers: str) -> mailbox.Kept:
    """The mail in which a shop wrote to its customer, in the local mailbox."""
    settings.DEVELOPMENT = True
    settings.MAILBOX = tmp_path / "mailbox"
    settings.MAILERS = {"default": {"BACKEND": "messaging.mailbox.MailboxBackend", "OPTIONS": {}}}
    drain(AT.replace(hour=11))
    return next(one for one in mailbox.latest(start=0, count=9) if one.reply_to == customers)


def test_a_mail_is_answered_from_its_page(kept: mailbox.Kept, client: Client, customers: str) -> None:
    page = client.get(f"/buzon/{kept.name}/").text
    assert customers in page
    assert f'action="/buzon/{kept.name}/contestar/"' in page
    photo = SimpleUploadedFile("jarrón.jpg", picture(), "image/jpeg")
    answer = client.post(
        f"/buzon/{kept.name}/contestar/", {"text": "Sí, el jueves.", "files": [photo]}, follow=True
    )
    assert "Ha entrado como cualquier correo: taken=1" in answer.text
    assert (last().body, last().role) == ("Sí, el jueves.", "customer")
    assert Attachment.objects.get(message=last()).name == "jarrón.jpg"


def test_an_answer_that_says_nothing_says_why(kept: mailbox.Kept, client: Client) -> None:
    before = stands()
    answer = client.post(f"/buzon/{kept.name}/contestar/", {"text": " "}, follow=True)
    assert "No ha entrado: empty=1" in answer.text
    assert stands() == before


def test_what_nobody_would_read_is_not_answered(kept: mailbox.Kept, client: Client) -> None:
    other = next(one for one in mailbox.latest(start=0, count=9) if not one.reply_to)
    before = stands()
    assert "A este correo no se puede contestar" in client.get(f"/buzon/{other.name}/").text
    assert client.post(f"/buzon/{other.name}/contestar/", {"text": "x"}).status_code == 404
    assert stands() == before


@pytest.mark.parametrize("reason", ["a server", "a mail server"])
def test_nobody_answers_from_a_page_where_mail_really_goes_out(
    reason: str, kept: mailbox.Kept, client: Client, settings: Settings
) -> None:
    if reason == "a server":
        settings.DEVELOPMENT = False
    else:
        settings.MAILERS = {
            "default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": {"host": "x"}}
        }
    before = stands()
    assert client.post(f"/buzon/{kept.name}/contestar/", {"text": "x"}).status_code == 404
    assert client.get(f"/buzon/{kept.name}/contestar/").status_code in (404, 405)
    assert stands() == before
