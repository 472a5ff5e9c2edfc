"""The centre of notices: what the shop was told, unread first, each leading to its thing (NOT-02)."""

import re

import pytest

from messaging import services
from messaging.models import Notice, NoticeSeen
from orders import services as orders
from sellers.models import Shop, User
from tests.conftest import AT, OPERATOR, Placing
from tests.dashboard.pages import browser, get

pytestmark = [pytest.mark.django_db, pytest.mark.rule("NOT-02")]

ROW = re.compile(
    r'<li( class="new")?><a href="/avisos/(\d+)/">(?:<span class="unseen">[^<]*</span>)?([^<]*)</a>'
)


def rows(page: str) -> list[tuple[bool, str]]:
    """Each notice on a page: whether it is new to the reader, and what it says."""
    return [(bool(new), says) for new, _id, says in ROW.findall(page)]


def test_what_the_shop_was_told_stands_there_unread_first(place: Placing, alice: User, bob: User) -> None:
    first, second = place(), place()
    page = browser(alice)
    told = [f"Pedido nuevo {order.reference}" for order in (second, first)]
    seen = rows(get(page, "/avisos/"))
    assert [new for new, _says in seen] == [True, True]
    assert [order.reference in says for order, (_new, says) in zip((second, first), seen, strict=True)] == [
        True,
        True,
    ], told
    newest = Notice.objects.filter(audience="seller").order_by("-id").first()
    assert newest is not None
    assert page.get(f"/avisos/{newest.id}/")["Location"] == f"/pedidos/{second.reference}/"
    assert [(new, first.reference in says) for new, says in rows(get(page, "/avisos/"))] == [
        (True, True),
        (False, False),
    ]
    assert [new for new, _says in rows(get(browser(bob), "/avisos/"))] == [True, True]


def test_all_is_read_up_to_what_was_on_the_page(place: Placing, alice: User) -> None:
    place()
    page = browser(alice)
    upto = re.findall(r'name="hasta" value="(\d+)"', get(page, "/avisos/"))[0]
    later = place()
    page.post("/avisos/leidos/", {"hasta": upto})
    assert [(new, later.reference in says) for new, says in rows(get(page, "/avisos/"))] == [
        (True, True),
        (False, False),
    ]
    assert 'Avisos <span class="n">1' in get(page, "/")
    assert not NoticeSeen.objects.exists()


def test_what_is_told_to_others_is_not_there(
    place: Placing, other_shop: Shop, alice: User, charlie: User, nuria: User
) -> None:
    order = place()
    (theirs,) = Notice.objects.filter(audience="seller")
    for stranger, status in ((charlie, 404), (nuria, 404)):
        assert browser(stranger).get(f"/avisos/{theirs.id}/").status_code == status
    assert rows(get(browser(charlie), "/avisos/")) == []
    customers = Notice.objects.filter(audience="customer", order_id=order.id).first()
    assert customers is not None
    assert browser(alice).get(f"/avisos/{customers.id}/").status_code == 404
    assert not NoticeSeen.objects.exists()


def test_history_that_is_replayed_tells_nobody(place: Placing, alice: User) -> None:
    with services.muted():
        place()
    assert rows(get(browser(alice), "/avisos/")) == []


def test_a_notice_of_a_kind_that_is_gone_still_stands_there(place: Placing, alice: User) -> None:
    place()
    Notice.objects.filter(audience="seller").update(event="gone")
    page = browser(alice)
    assert rows(get(page, "/avisos/")) == [(True, "gone")]
    (one,) = Notice.objects.filter(audience="seller")
    assert page.get(f"/avisos/{one.id}/")["Location"] == "/avisos/"


def test_every_page_of_a_long_list_has_its_own_rows(
    place: Placing, alice: User, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    placed = [place() for _ in range(40)]
    page = browser(alice)
    get(page, "/avisos/")
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        first = get(page, "/avisos/")
    middle = re.findall(r'name="hasta" value="(\d+)"', first)[0]
    shown = [int(notice_id) for _new, notice_id, _says in ROW.findall(first)]
    page.post("/avisos/leidos/", {"hasta": str(shown[9])})
    walked: list[tuple[bool, str]] = []
    address = "/avisos/"
    while address:
        now = get(page, address)
        walked += rows(now)
        on = re.findall(r'href="(/avisos/\?antes=-?\d+)"', now)
        address = on[0] if on else ""
    assert [new for new, _says in walked] == [True] * 9 + [False] * 31
    assert len({says for _new, says in walked}) == len(placed)
    assert int(middle) == shown[0]


def test_a_message_leads_to_its_order_and_an_act_of_the_operator_is_told(place: Placing, alice: User) -> None:
    order = place()
    orders.cancel([order.id], reason="Fraude", by=OPERATOR, at=AT)
    (newest,) = Notice.objects.filter(audience="seller", event="cancel")
    assert browser(alice).get(f"/avisos/{newest.id}/")["Location"] == f"/pedidos/{order.reference}/"
