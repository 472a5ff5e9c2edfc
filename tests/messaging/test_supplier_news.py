"""What suppliers hear of lines that do not travel, of missing units and of what comes back (ROL-04, NOT-01)."""

import pytest
from django.utils import timezone

from dashboard.mail_samples import samples
from marketplace.models import Channel
from messaging.documents import Letters
from messaging.models import Audience, Notice
from orders import services
from orders.services import Parcel
from sellers.models import Shop, Supplier
from tests.conftest import AT, JAR, OPERATOR, PLATE, SELLER, Placing, actor_of
from tests.messaging.test_suppliers import NORTE, SUR, told
from tests.orders.acting import HOUR, debited
from tests.orders.digital import PATTERN, TICKET, placed

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-04", "NOT-01")]


def body(notice: Notice) -> str:
    mail = Letters().mail(notice)
    return " ".join(f"{mail.subject} {mail.body}".split())


@pytest.mark.rule("ORD-13")
def test_what_is_confirmed_by_itself_is_nothing_to_prepare(
    channel: Channel, shop: Shop, norte: Supplier
) -> None:
    debited(placed(channel, shop, PATTERN, served=[norte]))
    debited(placed(channel, shop, JAR, PATTERN, served=[None, norte]))
    assert told() == []
    debited(placed(channel, shop, JAR, PATTERN, served=[norte, norte]))
    assert told() == [("prepare", NORTE, ["Jarrón azul ×2"])]


@pytest.mark.rule("ORD-13")
def test_what_is_to_be_confirmed_is_told_in_words_of_its_own(
    channel: Channel, shop: Shop, norte: Supplier
) -> None:
    debited(placed(channel, shop, TICKET, served=[norte]))
    debited(placed(channel, shop, JAR, TICKET, served=[norte, norte]))
    alone, mixed = map(body, Notice.objects.filter(audience=Audience.SUPPLIER).order_by("id"))
    assert "Taller de torno ×1" in alone
    assert "confírmalo" in alone
    for absent in ("transportista", "seguimiento", "envío"):
        assert absent not in alone, absent
    for shown in ("Jarrón azul ×2", "Taller de torno ×1", "transportista", "confírmalo", "seguimiento"):
        assert shown in mixed, shown


def test_there_is_a_sample_of_each_way_to_prepare(channel: Channel) -> None:
    """By post, by a word to the customer, by both; each in wait as well."""
    found = [one for one in samples(timezone.now(), "es") if one.event == "prepare"]
    said = [body(one.notice) for one in found]
    assert len(found) == 4
    assert ["confírmalo" in one for one in said] == [False, False, True, True]
    assert ["transportista" in one for one in said] == [True, True, False, True]


@pytest.mark.rule("ORD-06")
def test_whose_units_are_missing_hears_which(place: Placing, norte: Supplier, sur: Supplier) -> None:
    order = debited(place(JAR, PLATE, served=[norte, sur]))
    told()
    jar = order.lines.get(sku=JAR[0])
    moved = services.one(services.shorten({order.id: {jar.id: 1}}, by=SELLER, at=AT + HOUR))
    assert [entry["supplier"] for entry in moved.data["refused"]] == [norte.id]
    assert told() == [("relieved", NORTE, ["Jarrón azul ×1"])]
    services.one(services.shorten({order.id: {jar.id: 0}}, by=SELLER, at=AT + HOUR))
    assert told() == [("relieved", NORTE, ["Jarrón azul ×1"])]


def test_what_comes_back_is_told(place: Placing, norte: Supplier, sur: Supplier) -> None:
    order = debited(place(JAR, PLATE, served=[norte, sur]))
    for supplier in (norte, sur):
        parcel = Parcel(carrier_name="SEUR", tracking="1")
        services.one(services.ship({order.id: parcel}, by=actor_of(supplier), at=AT + HOUR))
    services.one(services.report_exception([order.id], reason="Ausente", by=OPERATOR, at=AT + HOUR))
    told()
    services.one(services.return_to_sender([order.id], by=OPERATOR, at=AT + HOUR))
    back = body(Notice.objects.get(email=NORTE))
    assert "Jarrón azul ×2" in back
    assert "€" not in back
    assert told() == [
        ("return_to_sender", NORTE, ["Jarrón azul ×2"]),
        ("return_to_sender", SUR, ["Plato hondo ×1"]),
    ]


def test_who_is_not_active_is_not_written_to(place: Placing, norte: Supplier, sur: Supplier) -> None:
    order = place(JAR, PLATE, served=[norte, sur])
    Supplier.objects.filter(id=norte.id).update(active=False)
    debited(order)
    assert told() == [("prepare", SUR, ["Plato hondo ×1"])]
