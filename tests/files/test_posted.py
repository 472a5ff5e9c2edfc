"""Files through the real page: sent with a message and shown beside it, or refused by name with the text kept."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marketplace.files import Why
from marketplace.models import Channel
from marketplace.services import publish_policy
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Attachment, Message, Notice, Thread
from messaging.recipients import SHOP
from orders.models import Order
from sellers.models import User
from tests.conftest import AT, Placing
from tests.files.conftest import EICAR, Clamd, kept_in
from tests.files.corpus import HOSTILE, Hostile
from tests.files.samples import ALL, checked, pdf, picture
from tests.files.test_kept import ANA

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-13")]

TEXT = "Buenos días: adjunto la foto <del> jarrón."


@pytest.fixture
def desk(alice: User, channel: Channel) -> Client:
    """Alice's browser, on a channel that takes every kind of file."""
    assert channel.policy is not None
    rules = channel.policy.rules.model_copy(update={"attachment_types": ALL, "attachment_mb": 25})
    publish_policy(channel, rules, by="pruebas", at=AT)
    client = Client()
    client.force_login(alice)
    return client


def sends(desk: Client, order: Order, *files: tuple[str, bytes], text: str = TEXT) -> tuple[int, str]:
    """Start a conversation with files, as a browser does; answers the status and the page."""
    sent = [SimpleUploadedFile(name, content, content_type="image/png") for name, content in files]
    told = {"to": "cliente", "subject": "Su pedido", "text": text, "files": sent}
    answer = desk.post(f"/pedidos/{order.reference}/mensajes/nueva/", told)
    return answer.status_code, answer.content.decode()


def nothing_was_written() -> bool:
    rows = Thread.objects.exists() or Message.objects.exists() or Attachment.objects.exists()
    return not rows and not Notice.objects.filter(event="message").exists()


@pytest.mark.parametrize("one", HOSTILE, ids=str)
def test_the_corpus_through_a_real_page(one: Hostile, desk: Client, place: Placing) -> None:
    """Refused: 422, the text as it was typed, the reason. Made harmless: kept, and shown in the tab."""
    order = place()
    status, page = sends(desk, order, (one.name, one.make()))
    if not isinstance(one.says, Why):
        assert status == 303
        file = Attachment.objects.get()
        assert file.kind == one.says
        tab = desk.get(f"/pedidos/{order.reference}/?tab=mensajes").content.decode()
        assert f'href="/mensajes/adjuntos/{file.id}/"' in tab
        assert f'src="/mensajes/adjuntos/{file.id}/?vista"' in tab
        return
    assert status == 422
    assert nothing_was_written()
    assert html.escape(TEXT) in page
    reason = re.split(r"%\(\w+\)s", str(one.says.label))[0]
    assert html.escape(reason, quote=False) in page


def test_each_file_is_told_by_name_and_the_good_ones_are_to_be_chosen_again(
    desk: Client, place: Placing
) -> None:
    order = place()
    evil = '"><img src=x onerror=alert(1)>.svg'
    status, page = sends(desk, order, ("jarrón.jpg", picture()), (evil, b"<svg>"), ("vacío.pdf", b""))
    assert (status, nothing_was_written()) == (422, True)
    assert html.escape(TEXT) in page
    told = re.findall(r"<b>([^<]*)</b> ([^<]*)</span></li>", page)
    assert [name for name, _why in told] == ["___img src=x onerror=alert(1)_.svg", "vacío.pdf"]
    assert [why.split()[0] for _name, why in told] == ["No", "Está"]
    assert "Vuelve a elegir los que sí se pueden enviar: jarrón.jpg." in page
    assert "onerror=alert(1)>" not in page
    assert sends(desk, order, ("jarrón.jpg", picture()), ("vacío.pdf", pdf()))[0] == 303
    assert list(Attachment.objects.order_by("id").values_list("name", flat=True)) == [
        "jarrón.jpg",
        "vacío.pdf",
    ]


def test_more_files_than_a_policy_takes_lose_no_text(desk: Client, place: Placing) -> None:
    status, page = sends(desk, place(), *[(f"{n}.txt", b"hola") for n in range(150)])
    assert (status, nothing_was_written()) == (422, True)
    assert html.escape(TEXT) in page


def test_a_photo_alone_is_a_message_and_a_refused_one_is_not(desk: Client, place: Placing) -> None:
    order = place()
    assert sends(desk, order, ("a.svg", b"<svg>"), text="")[0] == 422
    assert nothing_was_written()
    assert sends(desk, order, ("a.jpg", picture()), text="")[0] == 303
    assert Message.objects.get().body == ""


def test_a_virus_and_a_silent_scanner_are_told(
    desk: Client, place: Placing, clamd: Clamd, settings: Settings
) -> None:
    settings.CLAMD_URL, order = clamd.url, place()
    status, page = sends(desk, order, ("foto.jpg", picture() + EICAR))
    assert (status, "Tiene un virus (Eicar-Test-Signature)." in page) == (422, True)
    clamd.says = [None]
    status, page = sends(desk, order, ("foto.jpg", picture()))
    assert (status, "Ahora no se puede comprobar si tiene virus." in page) == (422, True)
    assert nothing_was_written()
    assert sends(desk, order, ("foto.jpg", picture()))[0] == 303


def test_a_storage_that_does_not_answer_keeps_the_text(
    desk: Client, place: Placing, settings: Settings
) -> None:
    kept_in(settings, "s3://llave:secreto@127.0.0.1:9/trastienda?tls=no")
    status, page = sends(desk, place(), ("foto.jpg", picture()))
    assert (status, nothing_was_written()) == (409, True)
    assert html.escape(TEXT) in page
    assert "No se han podido guardar los archivos." in page
    assert "Vuelve a elegir los que sí se pueden enviar: foto.jpg." in page


def test_in_english(desk: Client, place: Placing, alice: User) -> None:
    User.objects.filter(id=alice.id).update(language="en")
    status, page = sends(desk, place(), ("logo.png", b"<svg>"))
    assert status == 422
    assert (
        "It is not of a type that is taken: JPEG photos, PNG images, WebP images, GIF images, PDF and plain text."
        in html.unescape(page)
    )


def test_files_cost_a_page_no_queries(desk: Client, place: Placing) -> None:
    """One query for all files of a page, however many there are."""
    counts = []
    for n in (1, 12):
        order = place()
        for _ in range(n):
            conversing.start(
                order.shop,
                Words("", files=(checked("1.jpg"), checked("2.jpg"))),
                to=SHOP,
                order=order,
                by=ANA,
                at=AT,
            )
        desk.get(f"/pedidos/{order.reference}/?tab=mensajes")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page = desk.get(f"/pedidos/{order.reference}/?tab=mensajes").content.decode()
        assert page.count("?vista") == 2 * n
        counts.append(len(asked))
    assert counts[0] == counts[1]
