"""The page of every mail: each row of the table, in both languages, written by the code that writes the real ones."""

import re
from itertools import cycle, product
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone
from jinja2 import ChoiceLoader, DictLoader

from dashboard.mail_cases import LONG
from dashboard.mail_samples import Sample, samples
from marketplace.models import Channel
from messaging import documents
from messaging.documents import Letters
from messaging.notice_table import TABLE, UNTOLD
from orders.states import Verb
from sellers.models import User
from tests.conftest import sure
from tests.dashboard.pages import browser, get

pytestmark = pytest.mark.django_db

SPANISH = re.compile(
    r"\b(pedido|tienda|cliente|cobro|cobrado|envío|enviado|plazo|correo|hasta|cancelado|devolver|devuelto|importe|"
    r"artículos|bulto|transportista|motivo|espera|liquidación|pago|recibes|lunes|martes|jueves|viernes)\b",
    re.IGNORECASE,
)
MADE_UP = ("Cerámicas", "Tienda de pruebas", "se rompió el último", "ya no lo quiere", "comprobamos el pago",
           "resuelto", "Ausente", "Dónde está mi pedido", LONG, "Jarrón azul", "Plato hondo")  # fmt: skip
FETCHES = re.compile(
    r"<(img|link|script|iframe|object|video)\b|@import|url\(|background=|\bsrc=", re.IGNORECASE
)


def ours(text: str) -> str:
    """What the templates say, without what people typed."""
    text = " ".join(text.split())
    for words in MADE_UP:
        text = text.replace(words, "")
    return re.sub(r"https?://\S+|\S+@\S+", "", text)


PLACES = re.compile(r"<(img|link|script|iframe|object|video)\b|@import|background=", re.IGNORECASE)


@pytest.mark.rule("ORD-12", "NOT-01")
def test_every_verb_tells_somebody_or_says_why_not() -> None:
    verbs, told, untold = set(Verb.values), {str(event) for event in TABLE}, {str(verb) for verb in UNTOLD}
    assert verbs - told == untold
    assert all(len(why.split()) > 5 for why in UNTOLD.values())


@pytest.mark.rule("ORD-12", "NOT-01")
def test_every_row_of_the_table_has_a_sample(channel: Channel) -> None:
    at = timezone.now()
    shown = samples(at, "es")
    rows = {(str(event), str(audience)) for event, audiences in TABLE.items() for audience in audiences}
    assert {(one.event, str(one.audience)) for one in shown} == rows
    assert len({one.name for one in shown}) == len(shown) > len(rows)


@pytest.mark.rule("ORD-12", "NOT-01")
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_mail_looks_right_in_plain_clients(language: str, channel: Channel) -> None:
    letters, subjects = Letters(), {}
    for sample in samples(timezone.now(), language):
        mail = letters.mail(sample.notice)
        subjects[sample.name] = mail.subject
        text, html = str(mail.body), str(mail.alternatives[0][0])
        _check_text(sample, text)
        _check_html(sample, html, language)
        assert 10 < len(mail.subject) <= 120, sample.name
        assert "\n" not in mail.subject
        if language == "en":
            said = ours(f"{mail.subject}\n{text}\n{re.sub(r'<[^>]+>', ' ', html)}")
            assert SPANISH.findall(said) == [], (sample.name, said)
    assert all(subjects.values())


def _check_text(sample: Sample, text: str) -> None:
    lines = text.splitlines()
    assert max(len(line) for line in lines if "://" not in line) <= 72, sample.name
    assert not {"None", "undefined", "{{", "%("} & set(text.split()), sample.name
    for address in re.findall(r"\S*//\S*", text):
        assert address.startswith(("http://", "https://")), (sample.name, address)
    assert "\n\n\n" not in text, sample.name


def _check_html(sample: Sample, html: str, language: str) -> None:
    assert f'<html lang="{language}">' in html
    assert FETCHES.findall(html) == [], sample.name
    for address in re.findall(r'href="([^"]*)"', html):
        assert address.startswith(("http://", "https://")), (sample.name, address)
    assert html.count("<style>") == 1
    assert len(html) < 12_000, sample.name
    body = html[html.index("<body>") :]
    assert not re.search(r"\bstyle=", body) or "<style>" in html


@pytest.mark.rule("NOT-01")
def test_the_page_shows_each_in_both_languages(olga: User, channel: Channel) -> None:
    person = browser(olga)
    page = get(person, "/design/correos/")
    names = [one.name for one in samples(timezone.now(), "es")]
    assert [name for name in names if f"/design/correos/{name}/es/" not in page] == []
    # The page of one mail writes all the others too, for its list.
    for name, language in zip(names[::10], cycle(("es", "en"))):
        shown = get(person, f"/design/correos/{name}/{language}/")
        assert shown.count('<iframe class="') == 2
        assert 'sandbox=""' in shown
    for name, language in product(names, ("es", "en")):
        answer = person.get(f"/design/correos/{name}/{language}/html/")
        assert answer.status_code == 200
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_only_who_builds_or_runs_the_site_sees_it(olga: User, alice: User, channel: Channel) -> None:
    pages = ["/design/correos/", "/design/correos/place-seller/es/", "/design/correos/place-seller/en/html/"]
    assert [Client().get(page).status_code for page in pages] == [200] * 3
    with override_settings(DEVELOPMENT=False):
        assert [browser(alice).get(page).status_code for page in pages] == [404] * 3
        assert [Client().get(page).status_code for page in pages] == [404] * 3
        assert [browser(olga).get(page).status_code for page in pages] == [200] * 3
    for gone in ("place-nobody/es/", "place-seller/fr/", "place-seller/fr/html/"):
        assert Client().get(f"/design/correos/{gone}").status_code == 404


@pytest.mark.rule("NOT-01")
def test_a_broken_template_shows(olga: User, channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = documents._plain()
    broken = DictLoader(
        {"mail/deliver_customer.jinja": "{% block subject %}{{ money(no_such_fact) }}{% endblock %}"}
    )
    flawed = whole.overlay(loader=ChoiceLoader([broken, sure(whole.loader)]))
    monkeypatch.setattr(documents, "_plain", lambda: flawed)
    page = get(browser(olga), "/design/correos/deliver-customer/es/")
    assert "no_such_fact" in page or "TypeError" in page
    assert page.count("<iframe") == 0
    other = get(browser(olga), "/design/correos/place-seller/es/")
    assert other.count("<iframe") == 2
    assert browser(olga).get("/design/correos/deliver-customer/es/html/").status_code == 500


def test_the_templates_have_no_pictures_and_no_sheets() -> None:
    for path in (Path(settings.ROOT) / "templates" / "mail").iterdir():
        assert PLACES.findall(path.read_text()) == [], path.name
