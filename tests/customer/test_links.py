"""The link of a customer: what opens it, what does not, and what is told to whom it does not open for."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import crypto, timezone

from messaging import customer_links
from messaging.customer_links import LENGTH, Link, read, sign
from orders import services
from tests.conftest import OPERATOR
from tests.customer.links import path_of
from tests.orders.acting import Recent

SOON = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


def test_a_link_says_what_was_signed() -> None:
    link = Link(7, 2, SOON)
    assert read(sign(link)) == link
    assert len(sign(link)) == LENGTH == 44


@pytest.mark.rule("ROL-03")
def test_no_letter_of_a_link_can_be_changed() -> None:
    """Nor can the order, the version or the end be, by writing the bytes anew."""
    token = sign(Link(7, 2, SOON))
    for place, letter in enumerate(token):
        other = "A" if letter != "A" else "B"
        assert read(token[:place] + other + token[place + 1 :]) is None
    written = urlsafe_b64decode(token)
    for forged in (Link(8, 2, SOON), Link(7, 3, SOON), Link(7, 2, SOON + timedelta(days=1))):
        said = urlsafe_b64decode(sign(forged))[:-18]
        assert read(urlsafe_b64encode(said + written[-18:]).decode()) is None


@pytest.mark.parametrize(
    "token", ["", "a", "é" * 44, "A" * 44, "A" * 43 + "\x00", " " * 44, "=" * 44, "A" * 45, "/" * 44]
)
def test_what_is_no_link_is_none(token: str) -> None:
    assert read(token) is None


def test_a_link_outlives_a_change_of_the_key_as_long_as_the_old_one_is_kept(settings: Any) -> None:
    token, old = sign(Link(7, 0, SOON)), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "otra clave", [old]
    assert read(token) == Link(7, 0, SOON)
    settings.SECRET_KEY_FALLBACKS = []
    assert read(token) is None


def test_macs_are_compared_in_a_time_that_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Every key is tried through Django's comparison, whatever the first one answers."""
    settings.SECRET_KEY_FALLBACKS = ["una", "otra"]
    compared: list[bool] = []
    ours = crypto.constant_time_compare

    def noted(one: bytes, other: bytes) -> bool:
        compared.append(ours(one, other))
        return compared[-1]

    monkeypatch.setattr(customer_links, "constant_time_compare", noted)
    assert read(sign(Link(7, 0, SOON))) is not None
    assert compared == [True, False, False]


@pytest.mark.rule("ROL-03")
def test_a_link_opens_its_order_without_a_sign_in_or_a_cookie(recent: Recent, client: Client) -> None:
    order = recent()
    answer = client.get(path_of(order))
    assert answer.status_code == 200
    assert "Esperando a la tienda" in answer.content.decode()
    assert not client.cookies


@pytest.mark.rule("ROL-03")
def test_a_link_counts_from_the_mail_that_carries_it_and_says_when_it_is_over(
    recent: Recent, client: Client
) -> None:
    order = recent()
    days = timedelta(days=order.policy.rules.customer_link_days)
    now = timezone.now()
    assert client.get(path_of(order, now - days + timedelta(minutes=1))).status_code == 200
    ended = client.get(path_of(order, now - days - timedelta(seconds=2)))
    assert ended.status_code == 410
    page = ended.content.decode()
    assert "Este enlace ha caducado" in page
    for told in (order.reference, order.customer_name, str(order.shop), order.customer_email):
        assert told not in page


@pytest.mark.rule("ROL-03")
def test_revoked_forged_and_foreign_links_are_answered_alike(recent: Recent, client: Client) -> None:
    order = recent()
    old, ended = path_of(order), path_of(order, timezone.now() - timedelta(days=999))
    services.one(services.revoke_links([order.id], by=OPERATOR, at=timezone.now()))
    nobodys = sign(Link(10**12, 0, timezone.now() + timedelta(days=1)))
    addresses = [
        old,
        ended,
        f"/mi-pedido/{nobodys}/",
        f"/mi-pedido/{'A' * 44}/",
        "/mi-pedido/x/",
        "/mi-pedido/",
        "/mi-pedido/a/b/c",
    ]
    answers = [client.get(address) for address in addresses]
    assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}
    assert client.get(path_of(order)).status_code == 200
