"""What operators mistype, or someone tries on purpose, is answered and never breaks a room."""

from time import perf_counter

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from marketplace.admin_forms import CarrierForm
from marketplace.lists import CARRIERS
from marketplace.models import Carrier, Channel
from marketplace.rooms import EstimatingPaginator
from marketplace.tracking import LONGEST, flaw
from orders import services
from orders.models import Order
from orders.services import odd_tracking
from sellers.models import Membership, Shop, User
from tests.conftest import SELLER, Placing

ACTS = ("accept", "refuse", "cancel", "ready", "ship", "deliver", "hold", "release")
NO_KEYS = ("x", "%00", "1_0", "9" * 30, "9" * 5000, "%D9%A3")


@pytest.mark.django_db
def test_a_search_that_cannot_find_anything_counts_nothing(desk: Client) -> None:
    assert EstimatingPaginator(Order.objects.filter(pk__in=[]).order_by("pk"), 50).count == 0
    assert desk.get("/admin/messaging/notice/", {"q": "x"}).status_code == 200


@pytest.mark.django_db
def test_an_address_too_long_is_refused_beside_its_field(desk: Client, shop: Shop) -> None:
    sent = {"email": "a" * 60 + "@" + ".".join(["b" * 60] * 4) + ".example", "role": "orders"}
    answer = desk.post(f"/admin/sellers/shop/{shop.pk}/invite/", sent)
    assert answer.status_code == 200
    assert "email" in answer.context["form"].errors
    assert not Membership.objects.filter(user__email__startswith="aaa").exists()
    assert mail.outbox == []


@pytest.mark.django_db
@pytest.mark.parametrize("key", NO_KEYS, ids=lambda key: key[:8])
def test_what_is_no_key_leads_nowhere(desk: Client, key: str) -> None:
    pages = [f"/admin/orders/order/{key}/{name}/" for name in ACTS]
    pages += [f"/admin/sellers/shop/{key}/invite/", f"/admin/marketplace/channel/{key}/publish/"]
    assert {page: desk.get(page).status_code for page in pages} == dict.fromkeys(pages, 404)


@pytest.mark.django_db
def test_a_key_leads_to_its_record(desk: Client, fresh: Placing, shop: Shop) -> None:
    order, channel = fresh(), Channel.objects.get()
    for page in (
        f"/admin/orders/order/{order.pk}/accept/",
        f"/admin/sellers/shop/{shop.pk}/invite/",
        f"/admin/marketplace/channel/{channel.pk}/publish/",
    ):
        assert desk.get(page).status_code == 200


@pytest.mark.django_db
def test_control_characters_are_named_by_a_list_and_a_bad_request_elsewhere(desk: Client) -> None:
    for page in ("/admin/orders/hold/", "/admin/ledger/entry/"):
        for question in ("kind__exact=%00", "kind__exact=a&kind__exact=%07", "%00=1", "q=%00"):
            answer = desk.get(f"{page}?{question}")
            assert answer.status_code == 200
            assert "no se entiende" in answer.content.decode()
    assert desk.get("/admin/search/?s=%00").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("channel=zz", "channel: no se entiende “zz”"),
        ("channel__id__exact=zz", "Canal: no se entiende “zz”"),
        ("channel__id__exact=99999", "Canal: no se entiende “99999”"),
        ("shop__id__exact=" + "9" * 30, "Tienda: no se entiende “999"),
        ("p=9999", "Página: no se entiende “9999”"),
        ("p=0", "Página: no se entiende “0”"),
        ("p=zz", "Página: no se entiende “zz”"),
        ("o=zz", "Orden: no se entiende “zz”"),
        ("o=99", "Orden: no se entiende “99”"),
        ("nosuch=1", "nosuch: no se entiende “1”"),
        ("placed_at_from=zz", "no se entiende “zz”"),
        ("placed_at_to=9999-12-31", "no se entiende “9999-12-31”"),
        ("state__exact=zz", "no se entiende “zz”"),
        ("turn=zz", "Qué falta: no se entiende “zz”"),
        ("held=zz", "Espera: no se entiende “zz”"),
        ("q=%00", "Busca: no se entiende “\ufffd”"),
        ("id__gt=zz", "id__gt: no se entiende “zz”"),
        ("shop__members__email=x", "shop__members__email: no se entiende “x”"),
        ("reference__regex=(", "reference__regex: no se entiende “(”"),
        ("reference__unaccent=a", "reference__unaccent: no se entiende “a”"),
        ("placed_at__year=99999", "placed_at__year: no se entiende “99999”"),
        ("placed_at__gt=zz", "placed_at__gt: no se entiende “zz”"),
        ("policy__rules__x=1", "policy__rules__x: no se entiende “1”"),
        ("_to_field=zz", "_to_field: no se entiende “zz”"),
    ],
)
def test_what_a_list_does_not_understand_is_named_and_the_rest_applied(
    desk: Client, fresh: Placing, question: str, told: str
) -> None:
    waits, gone = fresh(), fresh()
    services.refuse([gone.id], reason="Sin existencias", by=SELLER, at=timezone.now())
    answer = desk.get(
        f"/admin/orders/order/?held=no&turn=accept&{question}".replace("&turn=accept&turn", "&turn")
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count(told) == 1
    assert waits.reference in page
    assert (gone.reference in page) is ("turn=zz" in question)


@pytest.mark.django_db
def test_what_a_list_understands_is_not_named(desk: Client, fresh: Placing, shop: Shop) -> None:
    order = fresh()
    question = (
        f"turn=accept&state__exact=pending_acceptance&channel__id__exact={order.channel_id}"
        f"&shop__id__exact={shop.id}&held=no&placed_at_from=2020-01-01&placed_at_to=31/12/2098"
        "&q=&p=1&o=&nosuch=&e=1&order__id__exact="
    )
    page = desk.get(f"/admin/orders/order/?{question}").content.decode()
    assert "no se entiende" not in page
    assert order.reference in page
    for room, asked in (
        ("marketplace/carrier", "active__exact=1"),
        ("sellers/user", "is_staff__exact=0"),
        ("payments/payback", "state__exact=refused&asked_anew__exact=0&undone__exact=0"),
        ("orders/hold", "kind__exact=payment_mismatch&standing=yes"),
        ("settlements/payout", "state__exact=in_transit"),
        ("marketplace/carrier", "o=1.-2"),
    ):
        answer = desk.get(f"/admin/{room}/?{asked}")
        assert (answer.status_code, "no se entiende" in answer.content.decode()) == (200, False), room


@pytest.mark.django_db
def test_strangers_learn_nothing_from_a_bad_request(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/admin/orders/hold/?kind__exact=%00").status_code == 404


def carrier(**given: str) -> CarrierForm:
    good = {"code": "raro", "name": "Raro", "tracking_url": "https://raro.example/{tracking}", "active": "on"}
    return CarrierForm({**good, **given})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "other"),
        ("code", "Other"),
        ("tracking_url", "https://raro.example/"),
        ("tracking_url", "https://raro.example/{tracking}/{tracking}"),
        ("tracking_url", "https://raro.example/{country}/{tracking}"),
        ("tracking_url", "https://raro.example/{{tracking}}"),
        ("tracking_url", "javascript:alert({tracking})"),
        ("tracking_pattern", "(a+)+b"),
        ("tracking_pattern", "[0-9"),
    ],
)
def test_a_carrier_that_would_do_harm_is_refused_beside_its_field(name: str, value: str) -> None:
    assert set(carrier(**{name: value}).errors) == {name}
    assert carrier(tracking_url="http://raro.example/?n={tracking}&l=es").errors == {}


@pytest.mark.parametrize("pattern", [row[3] for row in CARRIERS if row[3]])
def test_the_patterns_that_an_installation_starts_with_are_taken(pattern: str) -> None:
    assert flaw(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "[0-9]+",
        r"\d{8,40}",
        "(ES|PT)?[0-9]{9}",
        "(?:[A-Z]{2}|X)-[0-9]{4}",
        r"1Z\.?[^-_]{3}",
        r"[\-A-Z]*\d+",
    ],
)
def test_patterns_that_are_quick_to_try_are_taken(pattern: str) -> None:
    assert flaw(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b", "(a*)*", "(a|a)+b", "(a|a){20}b", "((a))", "(ab{2})?", "a{41}", "a{3,2}", "a{2,}", "a{,2}",
        "a+b+c+", "a+?", "a++", "(?=a)b", r"(a)\1", "(?i)a", "[0-9", "a)", "(a", "+a", "[z-a]", "[[a]", "[a--b]",
        "^a$", "a?" * 30 + "a" * 30, "(a|a)" * 30, "a{0,40}" * 4, "a+|b+|c+",
    ],
)  # fmt: skip
def test_patterns_that_could_take_forever_are_not_taken(pattern: str) -> None:
    assert flaw(pattern)


@pytest.mark.rule("SHP-05")
def test_the_worst_pattern_that_is_taken_is_still_quick() -> None:
    for pattern in ("[a-z]*a*", "a?" * 13 + "a" * 13, "(a|a)" * 13, "a{0,20}" * 3, "[a-z]+[a-z]+(b|c)"):
        assert flaw(pattern) is None
        began = perf_counter()
        assert odd_tracking(Carrier(tracking_pattern=pattern), "a" * (LONGEST - 1) + "!")
        assert perf_counter() - began < 1


@pytest.mark.rule("SHP-05")
def test_a_number_too_long_to_be_one_is_odd() -> None:
    raro = Carrier(tracking_pattern="[0-9]+")
    assert not odd_tracking(raro, "1" * LONGEST)
    assert odd_tracking(raro, "1" * (LONGEST + 1))
