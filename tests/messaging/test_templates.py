"""Templates: what they ask for, what an order says of it, and that nothing is ever sent unfilled (MSG-10, MSG-12)."""

from datetime import datetime, timedelta

import pytest

from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused
from messaging import conversing, templates
from messaging.conversing import Words
from messaging.first_templates import FIRST
from messaging.models import Audience, Message, Template
from messaging.recipients import CUSTOMER, SHOP
from messaging.templates import Variable
from orders import services
from orders.models import Order
from orders.states import HoldKind
from sellers.desk import Actor
from sellers.models import Shop, User
from tests.conftest import ANA, AT, JAR, PLATE, SELLER, Placing, again
from tests.orders.acting import debited

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-12")]


def template(body: str, *, subject: str = "", language: str = "es") -> Template:
    """A template that is in no table."""
    return Template(name="Una", body=body, subject=subject, language=language)


def all_of(*variables: Variable) -> str:
    return "|".join(f"{{{{{one.value}}}}}" for one in variables)


def test_the_first_list_is_there_in_both_languages() -> None:
    kept = Template.objects.values_list("language", "name", "audience")
    wanted = [(language, text[0], audience) for audience, *texts in FIRST
              for language, text in zip(("es", "en"), texts, strict=True)]  # fmt: skip
    assert sorted(kept) == sorted(wanted)
    assert {templates.unfilled(one.body) != "" for one in Template.objects.all()} == {True}
    assert [templates.unknown(f"{one.subject}{one.body}") for one in Template.objects.all()] == [[]] * len(
        wanted
    )


@pytest.mark.rule("MSG-10")
def test_contact_elsewhere_is_a_template_for_the_operator(place: Placing) -> None:
    one = Template.objects.get(audience=Audience.OPERATOR, language="es")
    order = place()
    made = templates.filled(one, order)
    assert made.subject == f"Contacto por otra vía sobre el pedido {order.reference}"
    assert made.missing == (
        Variable.CONTACT_WHEN, Variable.CONTACT_HOW, Variable.CONTACT_WHO, Variable.CONTACT_WHAT
    )  # fmt: skip


def test_an_order_says_what_it_knows_in_the_templates_language(place: Placing, olga: User) -> None:
    order = debited(place())
    Shop.objects.filter(id=order.shop_id).update(account_manager=olga)
    parcel = services.Parcel(
        carrier_name="Portes Norte", tracking="N-1", tracking_url="https://portes.example/N-1"
    )
    services.ship({order.id: parcel}, by=SELLER, at=AT + timedelta(hours=2))
    order = Order.objects.select_related("shop").get(id=order.id)
    wanted = all_of(
        Variable.CUSTOMER_NAME, Variable.ORDER_NUMBER, Variable.SHOP_NAME, Variable.ITEMS, Variable.CARRIER,
        Variable.TRACKING, Variable.TRACKING_URL, Variable.ACCOUNT_MANAGER,
    )  # fmt: skip
    facts = (
        f"Ana Soler|{order.reference}|Cerámicas Alba|2 × Jarrón azul, 1 × Plato hondo|Portes Norte|N-1|"
        "https://portes.example/N-1|Olga Operadora"
    )
    assert templates.filled(template(wanted), order) == templates.Filled(facts)
    when = all_of(Variable.SHIP_BY)
    zone = order.channel.calendar.zone
    ship_by: datetime = order.ship_by.astimezone(zone)  # type: ignore[union-attr]
    spanish, english = (
        templates.filled(template(when, language=language), order).text for language in ("es", "en")
    )
    assert spanish.startswith("el ")
    assert str(ship_by.day) in english
    assert "March" in english


def test_what_was_refused_is_not_told_as_bought(place: Placing) -> None:
    order = place(JAR, PLATE)
    plate = order.lines.get(sku=PLATE[0])
    services.accept({order.id: services.Answer({plate.id: "sin existencias"})}, by=SELLER, at=AT)
    assert templates.filled(template("{{items}}"), again(order)).text == "2 × Jarrón azul"


def test_the_day_of_a_presale_is_the_hold_that_stands(place: Placing) -> None:
    order = place()
    one = template("Lo tendremos {{presale_date}}.")
    assert templates.filled(one, order).missing == (Variable.PRESALE_DATE,)
    until = datetime(2026, 4, 2, 0, 0, tzinfo=order.channel.calendar.zone)
    services.hold([order.id], HoldKind.PRESALE, until=until, by=SELLER, at=AT)
    assert templates.filled(one, again(order)) == templates.Filled("Lo tendremos el jueves 2 de abril.")


def test_what_an_order_does_not_say_is_asked_for_and_can_be_typed(place: Placing) -> None:
    order = place()
    one = template("{{ carrier }}: {{tracking}}, {{customer_name}}. {{tracking}}", subject="{{new_date}}")
    made = templates.filled(one, order)
    assert (made.text, made.subject) == (
        "{{ carrier }}: {{tracking}}, Ana Soler. {{tracking}}",
        "{{new_date}}",
    )
    assert made.missing == (Variable.NEW_DATE, Variable.CARRIER, Variable.TRACKING)
    assert made.names == "Nueva fecha, Transportista, Número de seguimiento"
    given = {"var_carrier": " Portes ", "tracking": "T-9", "var_new_date": "el lunes"}
    assert templates.filled(one, order, given) == templates.Filled(
        "Portes: T-9, Ana Soler. T-9", (), "el lunes"
    )
    assert templates.filled(one, order, {"carrier": " \u200b "}).missing == made.missing


def test_a_fact_is_put_in_once_as_it_is(place: Placing, shop: Shop) -> None:
    """Nobody fills a template of a shop's by the name that they go by."""
    sly = services.Customer(name="{{shop_name}}<b>", email=ANA.email)
    order = place(customer=sly)
    made = templates.filled(template("Hola, {{customer_name}}"), order)
    assert made.text == "Hola, {{shop_name}}<b>"


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        ("{{customer_name}} {{ items }}", []),
        ("{{nombre}} {{nombre}}", ["{{nombre}}"]),
        ("{{customer_name", ["{{"]),
        ("100 }} %", ["}}"]),
        ("{{}} {% if x %} {x}", ["{{}}"]),
        ("{{customer_name.__class__}}", ["{{customer_name.__class__}}"]),
        ("{{customer\nname}}", ["{{", "}}"]),
    ],
)
def test_only_the_closed_set_is_a_variable(text: str, flaws: list[str]) -> None:
    assert templates.unknown(text) == flaws


def test_sending_what_is_not_filled_is_refused_with_its_name(place: Placing) -> None:
    order = place()
    for body, missing in (
        ("Llega {{new_date}} con {{carrier}}", "Nueva fecha, Transportista"),
        ("Hola, {{nombre}}", "{{nombre}}"),
    ):
        with pytest.raises(MoveRefused) as refused:
            conversing.start(order.shop, Words(body), to=CUSTOMER, order=order, by=SELLER, at=AT)
        assert (refused.value.refusal.code, refused.value.refusal.detail) == (Code.UNFILLED, missing)
    assert not Message.objects.exists()


def test_a_customer_may_write_what_they_like(place: Placing) -> None:
    order = place()
    ana = Actor(Role.CUSTOMER, "Ana")
    conversing.start(order.shop, Words("¿Qué es {{carrier}}?"), to=SHOP, order=order, by=ana, at=AT)
    assert Message.objects.get().body == "¿Qué es {{carrier}}?"


def test_the_shops_own_are_offered_beside_the_operators_of_its_channel(
    place: Placing, other_shop: Shop
) -> None:
    order = place()
    fields = {"body": "x", "changed_at": AT, "language": "en"}
    Template.objects.all().delete()
    own = Template.objects.create(shop=order.shop, name="b", **{**fields, "language": "es"})
    channels = Template.objects.create(channel=order.channel, name="a", **fields)
    everybodys = Template.objects.create(name="c", **fields)
    Template.objects.create(shop=other_shop, name="not theirs", **fields)
    Template.objects.create(name="no more", active=False, **fields)
    assert templates.offered(order.shop, order) == [own, channels, everybodys]
    assert templates.offered(order.shop, None) == [own, everybodys]
    Order.objects.filter(id=order.id).update(customer_language="en")
    assert templates.offered(order.shop, again(order)) == [channels, everybodys, own]
    assert templates.chosen(str(own.id), [channels]) is None
    assert templates.chosen(str(own.id), [channels, own]) == own
    assert templates.chosen("1' OR 1=1", [channels, own]) is None
