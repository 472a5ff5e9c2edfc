"""What operators mistype, or someone tries on purpose, is answered and never breaks a room."""

from time import perf_counter

import pytest
from django.core import mail
from django.test import Client

from marketplace.admin_forms import CarrierForm
from marketplace.lists import CARRIERS
from marketplace.models import Carrier, Channel
from marketplace.rooms import EstimatingPaginator
from marketplace.tracking import LONGEST, flaw
from orders.models import Order
from orders.services import odd_tracking
from sellers.models import Membership, Shop, User
from tests.conftest import Placing

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
def test_control_characters_in_a_filter_are_a_bad_request(desk: Client) -> None:
    for page in ("/admin/orders/hold/", "/admin/ledger/entry/"):
        assert desk.get(page + "?kind__exact=%00").status_code == 400
        assert desk.get(page + "?kind__exact=a&kind__exact=%07").status_code == 400
        assert desk.get(page + "?%00=1").status_code == 400
        assert desk.get(page + "?kind__exact=nada").status_code == 200


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
