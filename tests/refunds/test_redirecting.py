"""A parcel that nobody took goes on to another order of the shop (EXC-03, EXC-04)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import Sum

from ledger.models import Posting
from marketplace import zones
from marketplace.models import Carrier, Channel, Zone
from marketplace.policy import PRESETS, Preset
from marketplace.reasons import Why
from marketplace.refusals import Code, Outcome
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import services
from orders.models import DeliveryException, Ending, Event, Order, Shipment
from orders.signals import Moved
from orders.states import HoldKind, State
from refunds.models import Redirect
from refunds.redirecting import propose, redirect
from sellers.models import Shop, Supplier
from tests.conftest import ANA, AT, CLOCK, JAR, OPERATOR, PLATE, SELLER, again, basket
from tests.orders.lives import HOUR, TO_SHIP, tick
from tests.orders.test_matrix import everything_of

pytestmark = pytest.mark.django_db
LATER = AT + 5 * HOUR
BEA = services.Customer(
    name="Beatriz Pons", email="bea@cliente.example", phone="600111222", street="Calle Alfonso 3",
    postal_code="50003", city="Zaragoza", country="ES",
)  # fmt: skip
FAR = replace(BEA, name="Carla Mas", email="carla@cliente.example", postal_code="28004", city="Madrid")


def to_ship(
    channel: Channel,
    shop: Shop,
    customer: services.Customer = BEA,
    articles: tuple[tuple[str, str, int, int, int], ...] = (JAR, PLATE),
    served: tuple[Supplier | None, ...] = (),
) -> Order:
    moved = services.one(services.place(channel, [basket(shop, *articles, customer=customer, served=served)]))
    assert channel.policy is not None
    TO_SHIP[channel.policy.rules.preset]([moved.order_id])
    return Order.objects.get(id=moved.order_id)


def undelivered(channel: Channel, shop: Shop, **wishes: object) -> Order:
    order = to_ship(channel, shop, **{"customer": ANA, **wishes})  # type: ignore[arg-type]
    carrier = Carrier.objects.get(code="seur")
    parcel = services.Parcel(carrier=carrier, tracking="12345678901234")
    services.one(services.ship({order.id: parcel}, by=SELLER, at=AT + 2 * HOUR))
    services.one(services.report_exception([order.id], reason=Why("absent"), by=OPERATOR, at=AT + 3 * HOUR))
    return again(order)


def codes(outcome: Outcome[Moved]) -> list[tuple[int, str]]:
    return [(refusal.id, refusal.code) for refusal in outcome.refused]


def books(order: Order) -> dict[str, int]:
    """What is left on each account for an order, in cents."""
    sums = Posting.objects.filter(entry__order_id=order.id).values("account").annotate(n=Sum("amount_cents"))
    return {one["account"]: one["n"] for one in sums if one["n"]}


@pytest.mark.rule("EXC-03", "EXC-04", "CAN-05")
def test_the_first_is_paid_back_and_the_other_gets_the_parcel_to_the_cent(
    channel: Channel, shop: Shop
) -> None:
    first, other = undelivered(channel, shop), to_ship(channel, shop)
    ended, sent = redirect(first.id, other.id, by=SELLER, at=LATER).moved
    assert (ended.after, sent.after) == (State.RETURNED, State.SHIPPED)
    first, other = again(first), again(other)
    assert (first.charged_cents, first.refunded_cents) == (8400, 8400)
    assert (other.charged_cents, other.refunded_cents, other.shipped_at) == (8400, 0, LATER)
    parcels = list(
        Shipment.objects.order_by("id").values_list("order_id", "carrier_name", "tracking", "redirected_at")
    )
    assert parcels == [
        (first.id, "SEUR", "12345678901234", LATER),
        (other.id, "SEUR", "12345678901234", None),
    ]
    link = Redirect.objects.get()
    assert (link.source, link.target, link.at, link.by) == (first, other, LATER, "Alicia Alba")
    failed = DeliveryException.objects.get()
    assert (failed.how, failed.ended_at) == (Ending.REDIRECTED, LATER)
    assert books(first) == {"provider": 8400, "refund_due": -8400}
    tick("payback", LATER)
    assert books(first) == {}
    assert books(other) == {"provider": 8400, "pending": -8400}
    services.one(services.deliver([other.id], by=CLOCK, at=LATER + HOUR))
    tick("receive", LATER + timedelta(days=22))
    assert again(other).state == State.RECEIVED
    assert books(other) == {
        "provider": 8400, "payable": -7180, "commission": -1008, "commission_vat": -212
    }  # fmt: skip


@pytest.mark.rule("EXC-04")
def test_both_histories_tell_it_and_neither_customer_hears_of_the_other(channel: Channel, shop: Shop) -> None:
    first, other = undelivered(channel, shop), to_ship(channel, shop)
    redirect(first.id, other.id, by=SELLER, at=LATER)
    told = Event.objects.filter(order=first).latest("id").data
    assert told == {"refunded_cents": 8400, "to_order": other.reference}
    assert Event.objects.filter(order=other).latest("id").data["from_order"] == first.reference
    for order, stranger in ((first, BEA), (other, ANA)):
        seen = str(everything_of(order.id))
        for words in (stranger.name, stranger.email, stranger.street, stranger.phone, stranger.postal_code):
            assert not words or words not in seen, words
    mails = Notice.objects.filter(due_at=LATER).order_by("id").values_list("event", "email")
    assert list(mails) == [("redirect", ANA.email), ("ship", BEA.email)]


@pytest.mark.rule("EXC-04")
@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"customer": FAR}, Code.OTHER_AREA),
        ({"customer": replace(BEA, postal_code="")}, Code.OTHER_AREA),
        ({"customer": replace(BEA, country="PT")}, Code.OTHER_AREA),
        ({"articles": (JAR,)}, Code.OTHER_ARTICLES),
        ({"articles": (JAR, PLATE, PLATE)}, Code.OTHER_ARTICLES),
        ({"articles": (("JAR-AZUL", "Jarrón azul", 1, 3300, 400), PLATE)}, Code.OTHER_ARTICLES),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(
    wishes: dict[str, object], code: Code, channel: Channel, shop: Shop
) -> None:
    first, other = undelivered(channel, shop), to_ship(channel, shop, **wishes)  # type: ignore[arg-type]
    before = everything_of(first.id), everything_of(other.id)
    assert codes(redirect(first.id, other.id, by=SELLER, at=LATER)) == [(other.id, code)]
    assert (everything_of(first.id), everything_of(other.id)) == before
    assert not Redirect.objects.exists()
    (found,) = propose(first, by=SELLER, at=LATER).others
    assert (found.order, found.code) == (other, code)


@pytest.mark.rule("EXC-04")
def test_neither_half_happens_where_the_other_cannot(
    channel: Channel, shop: Shop, other_shop: Shop, norte: Supplier
) -> None:
    first = undelivered(channel, shop)
    held, gone, mine = to_ship(channel, shop), to_ship(channel, shop), to_ship(channel, other_shop)
    theirs = to_ship(channel, shop, served=(norte, norte))
    services.one(services.hold([held.id], HoldKind.STOCK, by=SELLER, at=AT + 2 * HOUR))
    parcel = services.Parcel(carrier_name="SEUR")
    services.one(services.ship({gone.id: parcel}, by=SELLER, at=AT + 2 * HOUR))
    every = [everything_of(one.id) for one in (first, held, gone, mine, theirs)]
    for target, code in (
        (held, Code.HELD),
        (gone, Code.WRONG_STATE),
        (mine, Code.OTHER_SHOP),
        (theirs, Code.OTHER_SUPPLIER),
    ):
        assert codes(redirect(first.id, target.id, by=SELLER, at=LATER)) == [(target.id, code)]
    assert codes(redirect(first.id, first.id, by=SELLER, at=LATER)) == [(first.id, Code.WRONG_STATE)]
    assert codes(redirect(first.id, 0, by=SELLER, at=LATER)) == [(0, Code.UNKNOWN_ORDER)]
    assert codes(redirect(gone.id, held.id, by=SELLER, at=LATER)) == [(gone.id, Code.WRONG_STATE)]
    assert [everything_of(one.id) for one in (first, held, gone, mine, theirs)] == every


@pytest.mark.rule("EXC-04")
def test_several_parcels_cannot_go_as_one(channel: Channel, shop: Shop) -> None:
    first, other = to_ship(channel, shop, ANA), to_ship(channel, shop)
    jar = first.lines.get(sku="JAR-AZUL")
    for quantities in ({jar.id: 2}, None):
        parcel = services.Parcel(carrier_name="SEUR", quantities=quantities)
        services.one(services.ship({first.id: parcel}, by=SELLER, at=AT + 2 * HOUR))
    services.one(
        services.report_exception([first.id], reason="Ausente", parcel=2, by=OPERATOR, at=AT + 3 * HOUR)
    )
    before = everything_of(first.id), everything_of(other.id)
    assert codes(redirect(first.id, other.id, by=SELLER, at=LATER)) == [(first.id, Code.SEVERAL_PARCELS)]
    assert (everything_of(first.id), everything_of(other.id)) == before


@pytest.mark.rule("EXC-04")
def test_proposals_come_nearest_first_then_what_had_to_leave_earliest(channel: Channel, shop: Shop) -> None:
    first = undelivered(channel, shop)
    places = ["50018", "50003", "50001", "50003"]
    made = [to_ship(channel, shop, replace(BEA, postal_code=code)) for code in places]
    Order.objects.filter(id=made[3].id).update(ship_by=AT)
    far = to_ship(channel, shop, FAR)
    found = propose(first, by=SELLER, at=LATER)
    assert [one.order for one in found.fits] == [made[2], made[3], made[1], made[0]]
    assert [(one.order, one.code) for one in found.others] == [(far, Code.OTHER_AREA)]
    assert found.held is not None
    assert (str(found.zone), found.held.goods) == (
        "Zaragoza",
        {("JAR-AZUL", None): 2, ("PLA-HONDO", None): 1},
    )


@pytest.mark.rule("EXC-04")
def test_an_area_is_what_the_operators_say_it_is(channel: Channel, shop: Shop) -> None:
    first, other = undelivered(channel, shop), to_ship(channel, shop)
    old_town = Zone.objects.create(code="casco", name="Casco Histórico", country="ES")
    zones.set_prefixes(old_town, ["50003"])
    assert codes(redirect(first.id, other.id, by=SELLER, at=LATER)) == [(other.id, Code.OTHER_AREA)]
    zones.set_prefixes(old_town, ["50003", "50001"])
    assert len(redirect(first.id, other.id, by=SELLER, at=LATER).moved) == 2


@pytest.mark.rule("EXC-04", "PAY-06")
def test_what_the_courier_collects_is_owed_by_the_other_alone(channel: Channel, shop: Shop) -> None:
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    channel.refresh_from_db()
    dearer = (("JAR-AZUL", "Jarrón azul", 2, 3300, 500), PLATE)
    first, other = undelivered(channel, shop), to_ship(channel, shop, articles=dearer)
    (fits,) = propose(first, by=SELLER, at=LATER).fits
    assert (fits.order, fits.collects_other) == (other, 8500)
    redirect(first.id, other.id, by=SELLER, at=LATER)
    services.one(services.deliver([other.id], by=CLOCK, at=LATER + HOUR))
    assert (again(first).charged_cents, again(first).refunded_cents, books(first)) == (0, 0, {})
    assert (again(other).charged_cents, books(other)) == (8500, {"courier": 8500, "pending": -8500})


@pytest.mark.rule("EXC-04", "PAY-06")
def test_cash_and_card_do_not_change_places(channel: Channel, shop: Shop) -> None:
    first = undelivered(channel, shop)
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    channel.refresh_from_db()
    other = to_ship(channel, shop)
    before = everything_of(first.id), everything_of(other.id)
    assert codes(redirect(first.id, other.id, by=SELLER, at=LATER)) == [(other.id, Code.OTHER_PAYMENT)]
    assert (everything_of(first.id), everything_of(other.id)) == before


@pytest.mark.rule("EXC-04", "ROL-04")
def test_whoever_prepares_the_other_is_told_not_to(channel: Channel, shop: Shop, norte: Supplier) -> None:
    both = (norte, norte)
    first, other = undelivered(channel, shop, served=both), to_ship(channel, shop, served=both)
    redirect(first.id, other.id, by=OPERATOR, at=LATER)
    told = Notice.objects.filter(audience="supplier", due_at=LATER).order_by("id")
    assert [(one.event, one.payload["reference"], one.payload["lines"]) for one in told] == [
        ("redirect", first.reference, ["Jarrón azul ×2", "Plato hondo ×1"]),
        ("relieved", other.reference, ["Jarrón azul ×2", "Plato hondo ×1"]),
    ]
