"""How a shop is paid and billed: checked, told by its owner, masked; without it the money waits (SET-05, SET-08)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from ledger.models import Balance
from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused
from orders.models import Order
from orders.states import State
from sellers.desk import PLATFORM, operator
from sellers.models import Membership, Shop, User, VatSeat
from settlements import payees, queries
from settlements.models import Issuer, Payee, Payout, Statement
from settlements.payees import Details, NotRight
from tests.conftest import ALBA, AT, SELLER, _person, told
from tests.orders.lives import brought_to, tick

pytestmark = [pytest.mark.django_db, pytest.mark.rule("SET-05")]
APRIL = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
MID_APRIL = datetime(2026, 4, 15, 22, 0, tzinfo=UTC)
NET = 8400 - 1008 - 212
FRANCE = {"country": "FR", "postal_code": "75001"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("iban", {"iban": "ES7999990000150200051333"}),
        ("iban", {"iban": "US64SVBKUS6S3300958879"}),
        ("iban", {"iban": ""}),
        ("tax_id", {"tax_id": "B58378432"}),
        ("tax_id", {"tax_id": "12345678A"}),
        ("postal_code", {"postal_code": "5001"}),
        ("postal_code", {"postal_code": "53001"}),
        ("legal_name", {"legal_name": "  "}),
        ("legal_name", {"legal_name": "Alba\u202egpj"}),
    ],
)
def test_what_is_not_right_is_said_beside_its_field(shop: Shop, field: str, changes: dict[str, str]) -> None:
    before = list(Payee.objects.values())
    with pytest.raises(NotRight) as error:
        payees.keep(shop, replace(ALBA, **changes), by=SELLER, at=AT)
    assert [name for name, _words in error.value.flaws] == [field]
    assert list(Payee.objects.values()) == before


@pytest.mark.parametrize(
    ("changes", "seat"),
    [
        ({}, VatSeat.DOMESTIC),
        ({"postal_code": "07001"}, VatSeat.DOMESTIC),
        ({"postal_code": "35001"}, VatSeat.CANARIES),
        ({"postal_code": "38001"}, VatSeat.CANARIES),
        ({"postal_code": "51001"}, VatSeat.CEUTA),
        ({"postal_code": "52001"}, VatSeat.MELILLA),
        ({**FRANCE, "tax_id": "FR 40 303 265 045"}, VatSeat.UNION),
        ({**FRANCE, "tax_id": "40303265045"}, VatSeat.UNION),
        ({**FRANCE, "tax_id": "303265045"}, VatSeat.DOMESTIC),
        ({"country": "GB", "postal_code": "EC1", "tax_id": "GB1"}, VatSeat.OUTSIDE),
    ],
)
def test_the_vat_of_a_commission_follows_the_seat(
    channel: Channel, shop: Shop, changes: dict[str, str], seat: VatSeat
) -> None:
    told(shop, replace(ALBA, legal_name="Otra", **changes))
    assert Shop.objects.get(id=shop.id).vat_seat == seat
    (order_id,) = brought_to(State.RECEIVED, channel, shop, 1)
    order = Order.objects.get(id=order_id)
    assert (order.commission_cents, order.commission_vat_cents) == (
        1008,
        212 if seat == VatSeat.DOMESTIC else 0,
    )


def test_versions_are_only_added_and_the_same_again_is_none(shop: Shop) -> None:
    first = payees.payee(shop)
    assert first is not None
    assert payees.keep(shop, replace(ALBA, legal_name=shop.name, iban="es79 9999 0000 1502 0005 1332"),
                       by=SELLER, at=AT) == first  # fmt: skip
    payees.keep(shop, replace(ALBA, legal_name="Alba Nueva"), by=SELLER, at=AT)
    assert list(Payee.objects.order_by("id").values_list("legal_name", "told_by")) == [
        ("Cerámicas Alba", PLATFORM.label), ("Alba Nueva", "Alicia Alba"),
    ]  # fmt: skip
    for write in (Payee.objects.update, Payee.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            write(**({"iban": "X"} if write == Payee.objects.update else {}))


@pytest.mark.rule("SET-08")
def test_without_bank_details_the_money_is_carried_and_comes_once_they_are_told(channel: Channel) -> None:
    shop = Shop.objects.create(code="nueva", name="Nueva", contact_email="n@nueva.example")
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    first = Statement.objects.get()
    assert (first.state, first.payout_cents, first.carried_cents, first.carried_why) == (
        "closed",
        0,
        NET,
        "details",
    )
    assert (Payout.objects.count(), Balance.objects.get().payable_cents) == (0, NET)
    assert queries.next_closing() is None  # nothing to close again and again
    told(shop)
    assert queries.next_closing() == MID_APRIL
    tick("statements", MID_APRIL)
    assert (Payout.objects.get().amount_cents, Balance.objects.get().payable_cents) == (NET, 0)


def typed(**changes: str) -> dict[str, str]:
    return {name: str(getattr(ALBA, name)) for name in Details.__dataclass_fields__} | changes


def test_the_owner_writes_and_nobody_else(
    client: Client, shop: Shop, alice: User, bob: User, charlie: User
) -> None:
    page = reverse("payee")
    manager = _person("m@alba.example", "Marta")
    Membership.objects.create(user=manager, shop=shop, role=Membership.Role.MANAGER)
    before = list(Payee.objects.values())
    for who, seen in ((bob, 403), (manager, 200)):
        client.force_login(who)
        assert client.get(page).status_code == seen
        assert client.post(page, typed(city="Huesca")).status_code == 403
        assert list(Payee.objects.values()) == before
    client.force_login(alice)
    text = client.get(page).content.decode()
    assert "ES79 •••• 1332" in text
    assert "ES7999990000150200051332" not in text
    wrong = client.post(page, typed(iban="ES00"))
    assert (wrong.status_code, list(Payee.objects.values())) == (422, before)
    assert "No es un IBAN" in wrong.content.decode()
    answer = client.post(page, typed(city="Huesca"), follow=True)
    assert "Queda escrito" in answer.content.decode()
    now = payees.payee(shop)
    assert now is not None
    assert (now.city, now.told_by, now.user) == ("Huesca", "Alicia Alba", alice)
    client.force_login(charlie)
    assert "Huesca" not in client.get(page).content.decode()


def test_an_operator_writes_the_operators_alone(
    client: Client, channel: Channel, shop: Shop, olga: User
) -> None:
    with pytest.raises(MoveRefused) as error:
        payees.keep(shop, replace(ALBA, city="X"), by=operator(olga), at=AT)
    assert error.value.refusal.code == Code.NOT_ALLOWED
    client.force_login(olga)
    page = reverse("admin:settlements_issuer_write")
    sent: dict[str, Any] = {**typed(), "channel": channel.id, "apply": "1"}
    assert client.post(page, {**sent, "tax_id": "B1"}).status_code == 422
    assert not Issuer.objects.exists()
    assert "Guardado." in client.post(page, sent, follow=True).content.decode()
    assert Issuer.objects.get().told_by == str(olga)
    assert Issuer.objects.get().iban == ALBA.iban
    listed = client.get(reverse("admin:settlements_issuer_changelist")).content.decode()
    assert "ES79 •••• 1332" in listed
    assert ALBA.iban not in listed
