"""The pages of returns: a shop's list and page, what a supplier reads of it, the operators' room; and nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.models import Channel
from messaging.models import AttachmentDownload
from orders.models import Order
from orders.states import State
from refunds.models import Refund, ReturnRequest
from refunds.states import ReturnState
from sellers.models import Shop, Supplier, User
from tests.conftest import AT, SELLER
from tests.customer.conftest import Clock
from tests.customer.links import path_of
from tests.dashboard.pages import browser, get
from tests.files.samples import picture
from tests.orders.lives import HOUR, brought_to
from tests.refunds.giving_back import ASKED_AT, DAY, asked, brought_back, line_of, now
from tests.refunds.test_returning import all_of

__all__ = ["clock"]
from tests.customer.conftest import clock

pytestmark = [pytest.mark.django_db, pytest.mark.rule("REF-09")]


@pytest.fixture
def stands(channel: Channel, shop: Shop, clock: Clock) -> Any:
    """A return in a state, looked at ten hours after it was asked for."""

    def standing(state: str) -> ReturnRequest:
        (order_id,) = brought_to(State.DELIVERED, channel, shop)
        row = brought_back(state, order_id)
        clock(max(ASKED_AT + 10 * HOUR, row.since + HOUR))
        return row

    return standing


def address(row: ReturnRequest, act: str = "") -> str:
    return f"/pedidos/{row.order.reference}/devoluciones/{row.number}/" + (f"{act}/" if act else "")


@pytest.mark.parametrize("state", list(ReturnState))
def test_each_state_is_shown_to_shop_and_customer(
    state: ReturnState, stands: Any, alice: User, client: Client
) -> None:
    row = stands(state)
    desk = browser(alice)
    page = get(desk, address(row))
    assert str(ReturnState(state).label) in page
    assert ("¿Por qué?" in page) == (row.due_by is not None)
    assert f"/pedidos/{row.order.reference}/devoluciones/1/" in get(desk, f"/pedidos/{row.order.reference}/")
    listed = get(desk, "/devoluciones/" + ("" if row.open else "?estado=terminadas"))
    assert f"{row.order.reference}/1" in listed
    theirs = client.get(path_of(row.order))
    assert theirs.status_code == 200
    assert ("Ya la he mandado" in theirs.content.decode()) == (state == ReturnState.INSTRUCTED)
    assert ("Me lo quedo" in theirs.content.decode()) == (state in ("asked", "accepted", "instructed"))


def test_a_return_goes_all_the_way_by_its_pages(stands: Any, alice: User, client: Client) -> None:
    row = stands(ReturnState.ASKED)
    desk = browser(alice)
    label = SimpleUploadedFile("etiqueta.jpg", picture(size=(300, 200)), "image/jpeg")
    answer = desk.post(address(row, "aceptar"), {"instructions": "Usa la caja", "files": label})
    assert (answer.status_code, answer.headers["Location"]) == (303, address(row))
    assert desk.post(address(row, "aceptar"), {"instructions": "Usa la caja"}).status_code == 303
    theirs = client.get(path_of(row.order)).content.decode()
    assert "Usa la caja" in theirs
    assert "etiqueta.jpg" in theirs
    message = now(row).instructions
    assert message is not None
    file = client.get(f"{path_of(row.order)}archivos/{message.attachments.get().id}/")
    assert (file.status_code, len(b"".join(file)) > 100) == (200, True)
    assert AttachmentDownload.objects.get().role == "customer"
    sent = {"carrier": "Correos", "tracking": "PQ1"}
    for _ in range(2):
        said = client.post(f"{path_of(row.order)}devoluciones/1/enviada/", sent)
        assert said.headers["Location"] == f"{path_of(row.order)}?hecho=mandada"
    for _ in range(2):
        assert desk.post(address(row, "recibida")).status_code == 303
    line = line_of(row)
    assert desk.post(address(row, "revisar"), {f"good_{line}": "0"}).status_code == 422
    assert desk.post(address(row, "revisar"), {f"good_{line}": "1"}).status_code == 303
    refund = f"/pedidos/{row.order.reference}/reembolso/"
    form = get(desk, f"{refund}?devolucion=1")
    assert f'name="units_{line}" inputmode="decimal" autocomplete="off" value="1"' in form
    given = {"how": "detailed", "reason": "returned", f"units_{line}": "1", "devolucion": "1"}
    key = "11111111-1111-4111-8111-111111111111"
    for _ in range(2):
        answer = desk.post(refund, {**given, "key": key})
        assert (answer.status_code, answer.headers["Location"]) == (303, address(row))
    made = Refund.objects.get()
    assert (now(row).state, now(row).refund, made.amount_cents) == (ReturnState.REFUNDED, made, 3300)
    assert "33,00" in client.get(path_of(row.order)).content.decode()


def test_what_is_refused_is_told_and_changes_nothing(stands: Any, alice: User, bob: User) -> None:
    row = stands(ReturnState.INSPECTED)
    desk, before = browser(alice), all_of(row)
    line = line_of(row)
    refund = f"/pedidos/{row.order.reference}/reembolso/"
    many = {"how": "detailed", "reason": "returned", f"units_{line}": "2", "devolucion": "1"}
    tried = (
        (desk.post(address(row, "recibida")), 409),
        (desk.post(address(row, "explicar"), {}), 422),
        (desk.post(address(row, "no-admitir"), {"reason": "used"}), 409),
        (desk.post(address(row, "cambiar"), {"carrier": "ninguno"}), 422),
        (desk.post(address(row, "saltar")), 404),
        (browser(bob).post(address(row, "cambiar"), {"carrier": "seur"}), 403),
        (desk.post(refund, {**many, "key": "11111111-1111-4111-8111-111111111111"}), 409),
        (desk.get(f"{refund}?devolucion=7"), 404),
    )
    assert [answer.status_code for answer, _status in tried] == [status for _answer, status in tried]
    assert "Son unidades que no has dado por buenas" in tried[6][0].content.decode()
    assert all_of(row) == before
    assert desk.get(address(row, "recibida")).headers["Location"] == address(row)


def test_strangers_find_nothing(stands: Any, charlie: User, client: Client) -> None:
    row = stands(ReturnState.ASKED)
    before = all_of(row)
    desk = browser(charlie)
    assert desk.get(address(row)).status_code == 404
    for act in ("aceptar", "rechazar", "recibida"):
        assert desk.post(address(row, act)).status_code == 404
    assert row.order.reference not in get(desk, "/devoluciones/")
    for act in ("enviada", "retirar"):
        assert client.post(f"{path_of(row.order)}devoluciones/2/{act}/").status_code == 404
    assert all_of(row) == before


def test_a_supplier_reads_the_returns_of_their_lines_and_does_nothing(
    channel: Channel, norte: Supplier, sur: Supplier, nuria: User, sergio: User, clock: Clock
) -> None:
    (order_id,) = brought_to(State.DELIVERED, channel, norte.shop)
    row = asked(order_id)
    Order.objects.get(id=order_id).lines.filter(id=line_of(row)).update(supplier=norte)
    clock(ASKED_AT + HOUR)
    before = all_of(row)
    theirs, strangers = browser(nuria), browser(sergio)
    page = get(theirs, address(row))
    assert "Jarrón azul" in page
    assert "Aceptar la devolución" not in page
    assert row.order.customer_name not in page.replace(row.asked_by, "")
    assert f"{row.order.reference}/1" in get(theirs, "/devoluciones/")
    assert strangers.get(address(row)).status_code == 404
    assert row.order.reference not in get(strangers, "/devoluciones/")
    assert theirs.post(address(row, "aceptar")).status_code in (403, 404)
    assert all_of(row) == before
    Order.objects.get(id=order_id).lines.filter(id=line_of(row)).update(supplier=None)


def test_the_list_is_narrowed_counted_and_reads_the_same_for_one_and_many(
    channel: Channel, shop: Shop, alice: User, clock: Clock
) -> None:
    desk, counted = browser(alice), []
    for n in (1, 24):
        for order_id in brought_to(State.DELIVERED, channel, shop, n):
            brought_back(ReturnState.INSTRUCTED if n == 1 else ReturnState.ASKED, order_id)
        clock(ASKED_AT + 2 * HOUR)
        get(desk, "/devoluciones/")
        with CaptureQueriesContext(connection) as ran:
            get(desk, "/devoluciones/")
        counted.append(len(ran))
    assert counted[0] == counted[1] <= 10, counted
    page = get(desk, "/devoluciones/?estado=tienda")
    assert "24 devoluciones" in page
    assert "1 devolución" in get(desk, "/devoluciones/?estado=cliente")
    assert "Ninguna devolución así" in get(desk, "/devoluciones/?plazo=retraso")
    one = ReturnRequest.objects.earliest("id").order.reference
    assert get(desk, f"/devoluciones/?buscar={one}").count('<td class="number">') == 1
    home = get(desk, "/")
    assert "Devoluciones en curso" in home
    assert "24 esperan que hagas algo" in home
    assert (
        get(desk, "/devoluciones/?estado=nada&plazo=x&despues=%00&antes=1").count('<td class="number">') == 25
    )


def test_an_operator_acts_in_the_shops_stead(stands: Any, olga: User) -> None:
    row = stands(ReturnState.ASKED)
    desk = browser(olga)
    room = f"/admin/refunds/returnrequest/{row.id}/"
    assert "Aceptarla" in get(desk, f"{room}change/")
    line = line_of(row)
    for act, data in (
        ("accept", {"instructions": "Así"}),
        ("receive", {}),
        ("inspect", {f"good_{line}": "1"}),
        ("pay", {"reason": "returned", "key": "11111111-1111-4111-8111-111111111111"}),
    ):
        assert desk.get(f"{room}{act}/").status_code == 200
        assert desk.post(f"{room}{act}/", {"apply": "1", **data}).status_code == 302
    assert (now(row).state, Refund.objects.get().amount_cents) == (ReturnState.REFUNDED, 3300)
    before = all_of(row)
    assert desk.post(f"{room}receive/", {"apply": "1"}).status_code == 302
    assert all_of(row) == before
    assert f"{row.order.reference}" in get(desk, "/admin/refunds/returnrequest/?situation=ended")


def test_a_customer_keeps_it_after_all(stands: Any, client: Client) -> None:
    row = stands(ReturnState.INSTRUCTED)
    assert "¿Te lo quedas?" in client.get(f"{path_of(row.order)}devoluciones/1/retirar/").content.decode()
    for _ in range(2):
        answer = client.post(f"{path_of(row.order)}devoluciones/1/retirar/")
        assert answer.headers["Location"] == f"{path_of(row.order)}?hecho=retirada"
    assert now(row).state == ReturnState.WITHDRAWN
    late = client.post(f"{path_of(row.order)}devoluciones/1/enviada/")
    assert late.status_code == 409


def test_both_languages(stands: Any, alice: User, client: Client) -> None:
    row = stands(ReturnState.INSPECTED)
    User.objects.filter(id=alice.id).update(language="en")
    page = get(browser(alice), address(row))
    assert "Refund or replace it by" in page
    theirs = client.get(f"{path_of(row.order)}?idioma=en").content.decode()
    assert "The shop refunds or replaces it by" in theirs
    assert SELLER.label
    assert timezone.now() + timedelta(0) + DAY > AT
