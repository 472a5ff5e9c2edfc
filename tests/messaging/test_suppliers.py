"""What suppliers are told of their own lines, when, and in their language (ROL-04, NOT-01)."""

import pytest

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import publish_policy
from messaging.documents import Letters
from messaging.models import Audience, Notice
from orders import services
from orders.services import Parcel
from payments import beforehand
from sellers.models import Supplier
from tests.conftest import AT, CLOCK, JAR, OPERATOR, PLATE, SELLER, Placing, actor_of
from tests.orders.acting import HOUR, debited
from tests.orders.lives import tick

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-04", "NOT-01")]


def told() -> list[tuple[str, str, list[str]]]:
    """What was told to suppliers since this was last asked: event, address, articles."""
    notices = list(Notice.objects.filter(audience=Audience.SUPPLIER).order_by("id"))
    Notice.objects.all().delete()
    return [(one.event, one.email, one.payload["lines"]) for one in notices]


NORTE, SUR = "taller@norte.example", "taller@sur.example"


def test_each_supplier_hears_of_their_own_lines(place: Placing, norte: Supplier, sur: Supplier) -> None:
    order = place(JAR, PLATE, served=[norte, sur])
    assert told() == []
    debited(order)
    assert told() == [("prepare", NORTE, ["Jarrón azul ×2"]), ("prepare", SUR, ["Plato hondo ×1"])]
    services.ready([order.id], by=OPERATOR, at=AT + HOUR)
    assert told() == []
    services.one(services.cancel([order.id], reason="Roto", by=OPERATOR, at=AT + HOUR))
    assert told() == [("cancel", NORTE, ["Jarrón azul ×2"]), ("cancel", SUR, ["Plato hondo ×1"])]


def test_what_was_never_theirs_to_prepare_is_not_told(place: Placing, norte: Supplier) -> None:
    early, partly = place(served=[norte, norte]), place(served=[norte, norte])
    services.one(services.cancel([early.id], reason="Roto", by=SELLER, at=AT))
    plate = partly.lines.get(sku=PLATE[0])
    services.one(services.accept({partly.id: services.Answer({plate.id: "Roto"})}, by=SELLER, at=AT))
    tick("charge", AT)
    assert told() == [("prepare", NORTE, ["Jarrón azul ×2"])]


@pytest.mark.parametrize("preset", [Preset.PREPAID, Preset.CASH_ON_DELIVERY])
def test_the_work_starts_where_the_policy_says(
    preset: Preset, channel: Channel, place: Placing, norte: Supplier
) -> None:
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    order = place(served=[norte, norte])
    assert told() == []
    if preset == Preset.PREPAID:
        beforehand.confirm({order.id: "pi_1"}, by=CLOCK, at=AT)
    else:
        services.accept([order.id], by=SELLER, at=AT)
    assert [(event, email) for event, email, _items in told()] == [("prepare", NORTE)]


def test_a_failed_delivery_is_told(place: Placing, norte: Supplier) -> None:
    order = debited(place(served=[norte]))
    services.ship({order.id: Parcel(carrier_name="SEUR", tracking="1")}, by=SELLER, at=AT + HOUR)
    told()
    services.one(services.report_exception([order.id], reason="Ausente", by=OPERATOR, at=AT + HOUR))
    assert told() == [("report_exception", NORTE, ["Jarrón azul ×2"])]


def test_whoever_is_given_a_line_and_whoever_loses_it_hear_of_it(
    place: Placing, norte: Supplier, sur: Supplier
) -> None:
    order = place(served=[norte, norte])
    jar, plate = order.lines.order_by("id")
    services.one(services.assign({order.id: {plate.id: None}}, by=SELLER, at=AT))
    assert told() == []
    debited(order)
    told()
    services.one(services.assign({order.id: {jar.id: sur.id}}, by=OPERATOR, at=AT + HOUR))
    assert told() == [("relieved", NORTE, ["Jarrón azul ×2"]), ("prepare", SUR, ["Jarrón azul ×2"])]


def test_a_mail_to_a_supplier_has_no_amount_and_nothing_of_others(
    place: Placing, norte: Supplier, sur: Supplier
) -> None:
    norte.language = "en"
    norte.save()
    debited(place(JAR, PLATE, served=[norte, sur]))
    mail = Letters().mail(Notice.objects.get(email=NORTE))
    body = f"{mail.subject} {mail.body} {mail.alternatives}"
    assert mail.subject.startswith("Order ")
    assert "Jarrón azul ×2" in body
    for hidden in ("€", "84.00", "Plato", "Hornos", "ana@"):
        assert hidden not in body.replace(str(mail.subject), ""), hidden


def test_customers_do_not_hear_of_suppliers(place: Placing, norte: Supplier) -> None:
    order = debited(place(served=[norte, norte]))
    services.ship({order.id: Parcel(carrier_name="SEUR", tracking="1")}, by=actor_of(norte), at=AT + HOUR)
    for notice in Notice.objects.filter(audience=Audience.CUSTOMER):
        mail = Letters().mail(notice)
        assert "Norte" not in f"{mail.subject} {mail.body} {mail.alternatives}"
