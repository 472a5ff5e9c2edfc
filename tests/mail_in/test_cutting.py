"""What somebody wrote is cut from what they answer and from their signature, and nothing that they said is lost."""

import time

import pytest

from messaging.inbound.cutting import reply_of
from messaging.inbound.markup import of_html

pytestmark = pytest.mark.rule("MSG-07")


@pytest.mark.parametrize(
    ("mail", "reply"),
    [
        (
            "Sigue sin llegar.\nGracias,\nAna\n\nEl mar, 3 mar 2026 a las 10:00, Cerámicas Alba · Tienda "
            "(<avisos@x.example>)\nescribió:\n\n> Te ha escrito\n> Hola Ana\n",
            "Sigue sin llegar.\nGracias,\nAna",
        ),
        (
            "Vale\n\nOn Tue, Mar 3, 2026 at 10:00 AM Alba <\na@x.example> wrote:\n\n> Hello\n> > older\n",
            "Vale",
        ),
        (
            "No me vale.\n\n________________________________\nDe: Alba <avisos@x.example>\n"
            "Enviado: martes, 3 de marzo de 2026 10:00\nPara: ana@x.example <ana@x.example>\nAsunto: Tu pedido\n\nHola",
            "No me vale.",
        ),
        (
            "No.\n\nFrom: Alba <a@x.example>\nSent: Tuesday\nTo: ana@x.example\nSubject: Your order\n\nHello",
            "No.",
        ),
        (
            "Vale\n\nEnviado desde mi iPhone\n\n> El 3 mar 2026, a las 10:00, Alba <a@x> escribió:\n> \n> Hola\n",
            "Vale",
        ),
        ("Vale\n\nSent from my iPhone", "Vale"),
        ("Vale\n\nObtener Outlook para Android<https://aka.ms/x>", "Vale"),
        (
            "El 3 mar 2026, a las 10:00, Alba escribió:\n> Hola\n> ¿Qué?\n\nBien, gracias\n-- \nAna",
            "Bien, gracias",
        ),
        (
            "Entre líneas:\n\n> ¿Color?\nAzul\n> ¿Cuántos?\nDos",
            "Entre líneas:\n\n> ¿Color?\nAzul\n> ¿Cuántos?\nDos",
        ),
        (
            "Te contesto abajo:\n\nEl 3 mar 2026, a las 10:00, Alba (<a@x>)\nescribió:\n> ¿Color?\nAzul\n\n"
            "> ¿Cuántos?\nDos\n-- \nAna",
            "Te contesto abajo:\n\nAzul\n\nDos",
        ),
        (
            "Vale\n\nEl 3 mar 2026, a las 10:00, Alba <a@x> escribió:\n> Te lo mandamos en cuanto salga del horno, que "
            "será mañana por la\ntarde\n> Un saludo\n\nEste correo es confidencial.",
            "Vale",
        ),
        ("ok\n-----Mensaje original-----\nDe: x\n", "ok"),
        ("Merci\n\nLe mar. 3 mars 2026 à 10:00, Alba <a@x.example> a écrit :\n> x", "Merci"),
        ("Danke\n\nVon: Alba <a@x.example>\nGesendet: Dienstag\nAn: b\nBetreff: c\n\nfoo", "Danke"),
        ("Grazie\n\nIl giorno mar 3 mar 2026 alle ore 10:00 Alba <a@x> ha scritto:\n> x", "Grazie"),
        ("Hola\n-- \nAna Soler\nTel. 600", "Hola"),
    ],
)
def test_the_mail_that_is_answered_is_cut_off(mail: str, reply: str) -> None:
    assert reply_of(mail) == reply
    assert reply_of(mail.replace("\n", "\r\n")) == reply


@pytest.mark.parametrize(
    "words",
    [
        "Quiero cambiar:\n- el jarrón azul\n- el plato\nGracias, espero noticias",
        "Hola.\nGracias, pero llegó roto y lo quiero devolver",
        "Mi dirección:\nPara: Ana Soler\nFecha: el jueves\nCalle Mayor 3",
        "Hola\nDe: Madrid\nPara: Sevilla\nEso es lo que quiero",
        "Aviso: mi mail es otro\nEscríbeme allí",
        "El viernes mi vecina escribió: estaré en casa",
        "Uno -- dos\n--- y tres",
    ],
)
def test_nothing_that_was_said_is_lost(words: str) -> None:
    assert reply_of(words) == words


def test_a_page_is_cut_as_a_text_is() -> None:
    page = (
        "<div>Vale, el jueves</div><div class=gmail_quote><div>El mar, 3 mar 2026 a las 10:00, Alba (&lt;"
        "<a href='mailto:a@x.example'>a@x.es</a>&gt;) escribió:<br></div><blockquote><p>Hola</p></blockquote></div>"
    )
    assert reply_of(of_html(page)) == "Vale, el jueves"


N = 100_000


@pytest.mark.parametrize(
    "page",
    ["<!--" * N, "<![CDATA[" * N, "<a " * N, "<" * N, "&" * N, "<?" * N, '<a b="' * N, "</" * N, "<script>" * N,
     "<blockquote>" * N, "<div>" * N, "&#" + "9" * N + ";", "<a href=http://x.example>" * N, "<p>" + " " * N],
    ids=lambda page: page[:12],
)  # fmt: skip
def test_a_page_that_was_made_to_be_hard_is_not(page: str) -> None:
    started = time.process_time()
    of_html(page)
    assert time.process_time() - started < 8


@pytest.mark.parametrize(
    "text",
    ["\n" * N, "\xa0\n" * N, ("On " + "a wrote " * 50 + "\n") * N, "On a\n" * N, "From: a\n" * N, "From:\n\n" * N,
     "> " * N, "a" + " " * N + "b", "a\n \n" * N, "* " * N, "\nGracias,\n" * N, "-" * N, "El " * N, "Aviso: " * N],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_a_text_that_was_made_to_be_hard_is_not(text: str) -> None:
    started = time.process_time()
    reply_of(text)
    assert time.process_time() - started < 8
