"""The order page: what it says of an order on each tab, to whom, in how many reads."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Carrier, Channel, Policy
from marketplace.moments import stamp
from marketplace.services import publish_policy
from orders import services
from orders.models import Event, Order
from orders.states import HoldKind
from payments.models import Charge
from sellers.models import Shop, User
from tests.conftest import CUSTOMER, JAR, OPERATOR, PLATE, SELLER, Placing, again

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
TABS = ("detalles", "envio", "historial", "documentos")


def tick(name: str, at: datetime) -> None:
    timers.run(BY_NAME[name], at=at)


def read(user: User, order: Order, tab: str = "", **asked: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/pedidos/{order.reference}/", {"tab": tab, **asked} if tab else asked)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


def accepted(order: Order, *refused: str) -> Order:
    lines = {line.id: "Sin existencias" for line in order.lines.filter(sku__in=refused)}
    services.one(
        services.accept({order.id: services.Answer(lines)}, by=SELLER, at=order.placed_at + HOUR / 4)
    )
    return again(order)


def debited(order: Order, *refused: str) -> Order:
    accepted(order, *refused)
    tick("charge", order.placed_at + HOUR / 4)
    return again(order)


def shipped(order: Order, **parcel: object) -> Order:
    debited(order)
    at = order.placed_at + HOUR / 2
    parcel = {"carrier_name": "SEUR", "tracking": "77012345678"} | parcel
    services.one(services.ship({order.id: services.Parcel(**parcel)}, by=SELLER, at=at))  # type: ignore[arg-type]
    return again(order)


@pytest.mark.rule("ORD-16")
def test_says_what_the_deadline_will_do_and_why(recent: Callable[..., Order], alice: User) -> None:
    page = read(alice, recent())
    assert "Se cancelará" in page
    assert "si no lo aceptas." in page
    assert "72 horas desde" in page
    assert "Aceptar no obliga a enviar ya: tendrás hasta" in page
    assert "Pendiente de aceptación" in page


@pytest.mark.rule("ORD-16")
def test_a_passed_deadline_says_what_comes(recent: Callable[..., Order], alice: User) -> None:
    page = read(alice, recent(ago=timedelta(hours=73)))
    assert "El plazo para aceptarlo terminó" in page
    assert "El plazo ya ha pasado." in page
    assert 'id="answer"' not in page


@pytest.mark.rule("ORD-04")
def test_after_acceptance_the_ship_by_is_shown(recent: Callable[..., Order], alice: User) -> None:
    order = debited(recent())
    page = read(alice, order)
    assert "Hay que enviarlo como muy tarde" in page
    assert "48 horas laborables desde" in page
    assert "Se cancelará" not in page
    zone = order.channel.calendar.zone
    assert order.ship_by is not None
    assert stamp(order.ship_by, zone, ends=True) in read(alice, order, "envio")


@pytest.mark.rule("ORD-16")
def test_shipped_says_when_it_counts_as_received(recent: Callable[..., Order], alice: User) -> None:
    page = read(alice, shipped(recent()))
    assert "Se dará por recibido el" in page
    assert "21 días desde" in page
    assert "Cuenta desde el envío del último bulto." in page
    assert "Tiene que llegar al cliente como muy tarde" in page
    assert "Si nada lo retiene, entra en la liquidación que cierra" in page


@pytest.mark.rule("ORD-06")
def test_held_shows_why_and_stops_the_clock(recent: Callable[..., Order], alice: User) -> None:
    order = debited(recent())
    services.one(
        services.hold([order.id], HoldKind.STOCK, note="Llega el jueves", by=SELLER, at=timezone.now())
    )
    page = read(alice, again(order))
    assert "En espera" in page
    assert "Faltan existencias" in page
    assert "Llega el jueves" in page
    assert "El plazo de envío está parado" in page
    assert "El pedido está en espera." in page
    assert f'action="/pedidos/{order.reference}/seguir/"' in page
    assert 'id="parcel"' not in read(alice, order, "envio")


@pytest.mark.rule("ORD-06")
def test_a_released_hold_is_told_in_the_deadline(recent: Callable[..., Order], alice: User) -> None:
    order = debited(recent(ago=timedelta(days=10)))
    at = order.placed_at + HOUR
    services.one(services.hold([order.id], HoldKind.STOCK, by=SELLER, at=at))
    services.one(services.release([order.id], HoldKind.STOCK, by=SELLER, at=at + timedelta(days=7)))
    assert "El plazo se paró" in read(alice, again(order))


@pytest.mark.rule("ORD-05")
def test_the_figures_follow_what_was_accepted(recent: Callable[..., Order], alice: User) -> None:
    order = recent(JAR, PLATE)
    before = read(alice, order)
    for amount in ("78,00 €", "6,00 €", "−10,08 €", "−2,12 €", "71,80 €"):
        assert amount in before
    after = read(alice, accepted(order, PLATE[0]))
    for amount in ("66,00 €", "4,00 €", "−8,40 €", "−1,76 €", "59,84 €"):
        assert amount in after
    assert "Rechazada" in after
    assert "Sin existencias" in after
    assert "71,80 €" not in after


@pytest.mark.rule("ORD-05")
def test_what_is_left_follows_the_lines_chosen(recent: Callable[..., Order], alice: User) -> None:
    order, other = recent(JAR, PLATE), recent(JAR, PLATE)
    jar, plate = order.lines.all()
    everything = read(alice, order)
    assert "71,80 €" in everything
    assert "Son las cifras con todas las líneas" in everything
    assert "Aceptar 1 línea" not in everything
    chosen = read(alice, order, **{f"answer_{jar.id}": "accept", f"answer_{plate.id}": "refuse"})
    for amount in ("66,00 €", "4,00 €", "−8,40 €", "−1,76 €", "59,84 €"):
        assert amount in chosen
    assert "71,80 €" not in chosen
    assert "Aceptar 1 línea y rechazar 1" in chosen
    assert f'name="answer_{plate.id}" value="refuse" checked' in chosen
    nothing = read(alice, order, **{f"answer_{line.id}": "refuse" for line in (jar, plate)})
    assert "<dt>Recibirás</dt><dd>0,00 €</dd>" in nothing
    assert "Si rechazas todas las líneas no se cobra nada al cliente." in nothing
    strange = {f"answer_{line.id}": "refuse" for line in other.lines.all()}
    assert "71,80 €" in read(alice, order, **strange, answer_x="refuse")
    assert again(order).total_cents == 8400
    assert "59,84 €" in read(alice, accepted(order, PLATE[0]))
    assert "59,84 €" in read(alice, again(order), **{f"answer_{jar.id}": "refuse"})


def test_the_button_says_the_same_on_every_tab(recent: Callable[..., Order], alice: User) -> None:
    one, two = recent(JAR), recent(JAR, PLATE)
    for tab in TABS:
        assert "Aceptar el pedido" in read(alice, one, tab)
        assert "Aceptar las 2 líneas" in read(alice, two, tab)
    assert read(alice, debited(one), "envio").count("Enviar el bulto") == 2


@pytest.mark.parametrize(
    ("language", "country", "said"),
    [("es", "ES", "España"), ("en", "DE", "Germany"), ("es", "pt", "Portugal"), ("es", "ZZ", "ZZ")],
)
def test_a_country_is_called_by_its_name(
    recent: Callable[..., Order], alice: User, language: str, country: str, said: str
) -> None:
    alice.language = language
    alice.save()
    order = recent()
    Order.objects.filter(id=order.id).update(country=country)
    assert re.search(rf"<bdi>([^<]*, )?{said}</bdi></address>", read(alice, order))


@pytest.mark.rule("ORD-09")
def test_reembolsado_shows_when_all_has_been_returned(recent: Callable[..., Order], alice: User) -> None:
    order = debited(recent())
    assert "Reembolsado" not in read(alice, order)
    services.one(services.cancel([order.id], reason="Lo pide el cliente", by=OPERATOR, at=timezone.now()))
    page = read(alice, again(order))
    assert "Reembolsado" not in page
    assert "Lo cobrado vuelve entero al cliente." in page
    assert re.search(r"Devolución en curso.{0,80}−84,00 €", page)
    tick("payback", timezone.now())
    page = read(alice, again(order))
    assert "Reembolsado" in page
    assert re.search(r"Devuelto al cliente.{0,80}−84,00 €", page)
    assert "Devolución en curso" not in page
    assert re.search(r"Devuelto al cliente.{0,200}84,00 €", read(alice, order, "historial"))


@pytest.mark.rule("ORD-09", "CAN-05")
def test_what_the_provider_refuses_to_return_is_never_said_to_be_returned(
    recent: Callable[..., Order], alice: User, olga: User
) -> None:
    order = debited(recent(card="norefund"))
    services.one(services.cancel([order.id], reason="Lo pide el cliente", by=OPERATOR, at=timezone.now()))
    tick("payback", timezone.now())
    page = read(alice, again(order))
    assert "Reembolsado" not in page
    assert "Devuelto al cliente" not in page
    assert re.search(r"Devolución rechazada por el proveedor.{0,80}−84,00 €", page)
    assert "El proveedor no devuelve el dinero" in read(alice, order, "historial")


@pytest.mark.rule("PAY-03")
def test_a_stuck_debit_says_whom_to_contact(
    recent: Callable[..., Order], alice: User, olga: User, shop: Shop
) -> None:
    shop.account_manager = olga
    shop.save()
    order = accepted(recent(card="never", ago=3 * HOUR))
    assert "normalmente son unos minutos" in read(alice, order)
    Charge.objects.filter(order=order).update(alerted_at=timezone.now())
    page = read(alice, order)
    assert "Contacta con nosotros" in page
    assert "Olga Operadora" in page
    assert "Todavía no se ha cobrado al cliente." in page


@pytest.mark.rule("SHP-09")
def test_lateness_is_told(recent: Callable[..., Order], alice: User) -> None:
    order = debited(recent(ago=timedelta(days=20)))
    page = read(alice, order)
    assert "Había que enviarlo como muy tarde" in page
    assert "de retraso." in page
    assert order.ship_by is not None
    late = services.Parcel(carrier_name="SEUR", tracking="1")
    services.one(services.ship({order.id: late}, by=SELLER, at=order.ship_by + 3 * HOUR))
    page = read(alice, again(order))
    assert "Enviado con 3 horas de retraso" in page
    order = again(order)
    assert order.deliver_by is not None
    services.one(services.deliver([order.id], by=CUSTOMER, at=order.deliver_by + 2 * HOUR))
    assert "Entregado con 2 horas de retraso" in read(alice, again(order))


@pytest.mark.rule("SHP-03")
def test_parcels_show_their_link_and_contents(recent: Callable[..., Order], alice: User) -> None:
    ours = Carrier.objects.create(
        code="nuestro", name="Nuestro", tracking_url="https://n.example/?n={tracking}"
    )
    order = debited(recent(JAR, PLATE))
    jar = order.lines.get(sku=JAR[0])
    at = order.placed_at + HOUR / 2
    first = services.Parcel(carrier=ours, tracking="77012345678", quantities={jar.id: 1})
    services.one(services.ship({order.id: first}, by=SELLER, at=at))
    page = read(alice, again(order), "envio")
    assert 'href="https://n.example/?n=77012345678"' in page
    assert "1 × <bdi>Jarrón azul</bdi>" in page
    assert "quedan 2 unidades" in page
    assert "Enviar otro bulto" in page
    rest = services.Parcel(carrier_name="Moto de Paco", tracking="")
    services.one(services.ship({order.id: rest}, by=SELLER, at=at + HOUR / 4))
    page = read(alice, again(order), "envio")
    assert "Moto de Paco" in page
    assert "sin seguimiento" in page
    assert "1 × <bdi>Plato hondo</bdi>" in page
    assert 'id="parcel"' not in page


@pytest.mark.rule("ORD-11")
def test_the_history_tells_it_all(recent: Callable[..., Order], alice: User) -> None:
    order = recent(JAR, PLATE)
    shipped(order)
    page = read(alice, order, "historial")
    told = ["Pedido recibido", "Aceptado", "Cobrado al cliente", "Enviado"]
    places = [page.index(f"<b>{words}</b>") for words in told]
    assert places == sorted(places, reverse=True)
    assert "Pendiente de aceptación → Débito en curso" in page
    assert "Alicia Alba (la tienda)" in page
    assert "la plataforma" in page
    assert "Bulto 1 · SEUR 77012345678" in page
    assert "Total: 84,00 €" in page


@pytest.mark.rule("ORD-11")
def test_a_long_history_is_paged_by_key(recent: Callable[..., Order], alice: User) -> None:
    order = debited(recent(ago=timedelta(days=1)))
    at = order.moved_at
    for n in range(60):
        at += timedelta(seconds=1)
        services.one(services.hold([order.id], HoldKind.STOCK, note=f"nota {n}.", by=SELLER, at=at))
        services.one(services.release([order.id], HoldKind.STOCK, by=SELLER, at=at))
    ids = list(Event.objects.filter(order=order).order_by("-id").values_list("id", flat=True))
    first = read(alice, order, "historial")
    assert first.count('<time datetime="') - 1 == 100
    assert f"antes={ids[99]}" in first
    second = read(alice, order, "historial", antes=str(ids[99]))
    assert second.count('<time datetime="') - 1 == len(ids) - 100
    assert "Pedido recibido" in second
    assert "Pedido recibido" not in first
    for nonsense in ("x", "-1", "9" * 40, "٣"):
        assert f"antes={ids[99]}" in read(alice, order, "historial", antes=nonsense)


@pytest.mark.rule("CAN-01")
@pytest.mark.rule("ROL-05")
def test_what_one_may_not_do_is_shown_with_who_may(
    recent: Callable[..., Order], alice: User, bob: User
) -> None:
    order = recent()
    page = read(bob, order)
    who = "No tienes permiso para hacerlo. Pueden hacerlo: Propietaria, Encargada, Pedidos"
    assert f"{who}, el operador." in page
    assert 'id="answer"' not in page
    assert re.findall(r'method="post" action="/pedidos/[^/]+/(\w+)/', page) == ["notas"], (
        "to note is all there is"
    )
    order = accepted(order)
    page = read(alice, order)
    assert "No tienes permiso para hacerlo. Puede hacerlo: el operador." in page
    assert "acto=cancelar" not in page
    order = shipped(recent())
    assert "Pueden hacerlo: el cliente, el operador, la plataforma." in read(alice, order)


@pytest.mark.rule("CAN-02")
def test_before_preparation_the_menu_offers_cancelling(recent: Callable[..., Order], alice: User) -> None:
    order = recent()
    assert "?acto=cancelar" in read(alice, order)
    page = read(alice, order, acto="cancelar")
    assert f'action="/pedidos/{order.reference}/cancelar/"' in page
    assert 'name="reason"' in page


@pytest.mark.rule("ORD-10")
def test_the_policy_names_the_states_and_takes_acts_away(
    channel: Channel, place: Placing, alice: User
) -> None:
    policy = Policy.objects.get(channel=channel)
    rights = {state: dict(verbs) for state, verbs in policy.rules.rights.items()}
    del rights["pending_acceptance"]["cancel"]
    named = policy.rules.model_copy(
        update={"rights": rights, "state_labels": {"pending_acceptance": ("Por confirmar", "To confirm")}}
    )
    publish_policy(channel, named, by="pruebas", at=timezone.now())
    page = read(alice, place(at=timezone.now() - HOUR))
    assert "Por confirmar" in page
    assert "acto=cancelar" not in page
