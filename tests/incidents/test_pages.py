"""The shop's pages of incidents: the list, the order's page, the home page, in few reads; and nobody else's."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents import services
from incidents.models import Incident
from incidents.states import State
from marketplace import queries as ground
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import publish_policy
from messaging.models import Message
from orders.models import Order
from sellers.models import Membership, Shop, User
from tests.conftest import AT, CUSTOMER, OPERATOR, SELLER, Placing
from tests.dashboard.pages import browser, get, placed, shipped
from tests.incidents.claims import ARRIVED, DAY, claimed, now
from tests.orders.lives import HOUR

pytestmark = pytest.mark.django_db


def sent(channel: Channel, shop: Shop, number: str, n: int = 1) -> Order:
    """An order that left its shop three days ago."""
    return shipped(placed(channel, shop, number, timezone.now() - 3 * DAY, n))


@pytest.fixture
def order(channel: Channel, shop: Shop) -> Order:
    return sent(channel, shop, "P-900")


@pytest.fixture
def incident(order: Order) -> Incident:
    """One that was opened a minute ago."""
    return claimed(order.id, at=timezone.now() - timedelta(minutes=1))


@pytest.fixture
def client(alice: User) -> Client:
    return browser(alice)


def text(page: str) -> str:
    return " ".join(unescape(page).split())


def resolve(client: Client, incident: Incident, **fields: str) -> Any:
    return client.post(f"/pedidos/{incident.order.reference}/incidencias/{incident.number}/resolver/", fields)


@pytest.mark.rule("INC-02", "INC-08", "INC-09")
def test_the_list_opens_with_what_is_in_hand_the_most_urgent_first(
    channel: Channel, shop: Shop, client: Client
) -> None:
    at = timezone.now()
    ids = [sent(channel, shop, f"P-{n}", n).id for n in range(4)]
    calm = claimed(ids[0], at=at - 3 * HOUR)
    services.resolve(calm.id, reason=ARRIVED, by=SELLER, at=at - 2 * HOUR)
    first, second = claimed(ids[1], at=at - 2 * DAY), claimed(ids[2], at=at - HOUR)
    over = claimed(ids[3], at=at - 2 * DAY)
    services.resolve(over.id, reason=ARRIVED, by=SELLER, at=at - DAY)
    services.close([over.id], by=OPERATOR, at=at - DAY)
    page = text(get(client, "/incidencias/"))
    assert [page.index(one.reference) for one in (first, second, calm)] == sorted(
        page.index(one.reference) for one in (first, second, calm)
    )
    assert over.reference not in page
    assert "Llegó roto o dañado" in page
    assert "1 mensaje" in page
    assert "te toca a ti" in page
    assert "le toca al operador" in page
    closed = text(get(client, "/incidencias/?estado=cerradas"))
    assert over.reference in closed
    assert "La cerró el operador" in closed
    assert first.reference not in closed


@pytest.mark.rule("INC-02")
def test_the_list_is_searched_and_narrowed(channel: Channel, shop: Shop, client: Client) -> None:
    at = timezone.now() - HOUR
    one, other = (claimed(sent(channel, shop, f"P-{n}", n).id, at=at) for n in (1, 2))
    services.resolve(other.id, reason=ARRIVED, by=SELLER, at=at)
    for question, found, left_out in (
        ("buscar=Soler+1", one, other),
        (f"buscar={other.reference}", other, one),
        ("toca=tienda", one, other),
        ("toca=operador", other, one),
    ):
        page = get(client, f"/incidencias/?{question}")
        assert found.reference in page, question
        assert left_out.reference not in page.replace("value=", ""), question
    assert "Ninguna incidencia así" in get(client, "/incidencias/?motivo=faulty")
    for nonsense in ("estado=x", "toca=%00", "motivo='", "despues=x~y", "antes=9999", "buscar=%00%00"):
        assert one.reference in get(client, f"/incidencias/?{nonsense}"), nonsense


@pytest.mark.rule("INC-02")
def test_the_list_costs_the_same_reads_for_one_row_and_for_fifty(
    channel: Channel, shop: Shop, client: Client
) -> None:
    def reads() -> int:
        ground.forget()
        with CaptureQueriesContext(connection) as queries:
            get(client, "/incidencias/")
        return len(queries)

    claimed(sent(channel, shop, "P-0").id, at=timezone.now() - HOUR)
    reads()
    one = reads()
    for n in range(1, 51):
        claimed(sent(channel, shop, f"P-{n}", n).id, at=timezone.now() - HOUR)
    assert one == reads() <= 10
    page = get(client, "/incidencias/")
    assert page.count('class="what"') == 50
    following = unescape(page.split('rel="next"')[0])
    assert "Siguientes" in following


@pytest.mark.rule("INC-03", "INC-07")
def test_the_order_shows_the_incident_over_its_lines(
    client: Client, order: Order, incident: Incident
) -> None:
    page = text(get(client, f"/pedidos/{order.reference}/"))
    assert f"Incidencia {incident.reference} · Llegó roto o dañado" in page
    assert 'class="claim"' in page
    assert "Marcar como resuelta" in page
    assert "Contesta como muy tarde" in page
    assert "Este pedido no se cobra hasta que se cierre la incidencia." in page
    assert f'href="/pedidos/{order.reference}/reembolso/"' in page
    history = text(get(client, f"/pedidos/{order.reference}/?tab=historial"))
    assert "Incidencia abierta" in history


@pytest.mark.rule("INC-04", "INC-05")
def test_the_shop_marks_it_as_resolved_on_the_page(client: Client, order: Order, incident: Incident) -> None:
    answer = resolve(client, incident, reason="")
    assert answer.status_code == 422
    assert "Di cómo se ha solucionado." in text(answer.content.decode())
    assert now(incident).state == State.OPEN
    answer = resolve(client, incident, reason="replaced", message="Le llegó ayer")
    assert (answer.status_code, answer["Location"]) == (303, f"/pedidos/{order.reference}/")
    page = text(get(client, f"/pedidos/{order.reference}/"))
    assert "Incidencia resuelta: la cierra el operador cuando la revise." in page
    assert "El operador la revisa" in page
    assert "toca revisarla" in page
    assert "Se cambió y el cliente ya lo tiene" in page
    assert Message.objects.latest("id").to_operator
    assert resolve(client, incident, reason="replaced").status_code == 409


@pytest.mark.rule("INC-04")
def test_where_the_policy_asks_for_it_a_message_goes_with_it(
    channel: Channel, shop: Shop, client: Client
) -> None:
    rules = PRESETS[Preset.ACCEPT_FIRST].model_copy(update={"incident_tells_operator": True})
    publish_policy(channel, rules, by="x", at=AT)
    incident = claimed(sent(channel, shop, "P-1").id, at=timezone.now() - HOUR)
    answer = resolve(client, incident, reason="replaced")
    assert answer.status_code == 422
    assert "Escribe al operador cómo se ha solucionado." in text(answer.content.decode())
    assert now(incident).state == State.OPEN


@pytest.mark.rule("ROL-01")
def test_a_stranger_and_whoever_only_reads_change_nothing(
    alice: User, charlie: User, nuria: User, incident: Incident
) -> None:
    assert incident.reference not in get(browser(charlie), "/incidencias/")
    assert resolve(browser(charlie), incident, reason="replaced").status_code == 404
    assert resolve(browser(nuria), incident, reason="replaced").status_code == 404
    assert browser(nuria).get("/incidencias/").status_code == 404
    Membership.objects.filter(user=alice).update(role=Membership.Role.READER)
    assert resolve(browser(alice), incident, reason="replaced").status_code == 403
    assert now(incident).state == State.OPEN


@pytest.mark.rule("INC-02", "INC-09", "ORD-03")
def test_the_home_page_counts_them_first_and_the_orders_list_finds_theirs(
    channel: Channel, shop: Shop, client: Client, incident: Incident, place: Placing
) -> None:
    plain = place(at=timezone.now() - HOUR)
    home = get(client, "/")
    boxes = home[home.index('class="boxes"') :]
    assert boxes.index("Incidencias en curso") < boxes.index("Por aceptar")
    assert "1 espera que hagas algo" in text(boxes)
    found = get(client, "/pedidos/?plazo=incidencias")
    assert incident.order.reference in found
    assert plain.reference not in found
    assert "Incidencia</span>" in found
    assert "Pedidos con incidencias" in get(client, "/incidencias/")


@pytest.mark.rule("INC-01")
def test_what_people_write_is_text_and_nothing_more(client: Client, order: Order) -> None:
    claimed(order.id, reason="<script>alert(1)</script>", by=CUSTOMER, at=timezone.now() - HOUR)
    for address in ("/incidencias/", f"/pedidos/{order.reference}/"):
        page = get(client, address)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
