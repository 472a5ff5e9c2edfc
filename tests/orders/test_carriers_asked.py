"""A carrier that is not in the list is asked for with one click, and granted or declined (SHP-04)."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Carrier, Channel
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code, MoveRefused
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import services
from orders.models import CarrierRequest, Granting
from orders.services import NewCarrier
from sellers.models import Shop, User
from tests.conftest import AT, OPERATOR, SELLER
from tests.orders.acting import Recent, Untouched, debited, post, said
from tests.orders.lives import tick

pytestmark = [pytest.mark.django_db, pytest.mark.rule("SHP-04")]

SITE = "https://norte.example/"


def ask(shop: Shop, name: str = "Portes Norte") -> CarrierRequest:
    return services.ask_for_carrier(shop, name, SITE, by=SELLER, at=AT)


def test_one_click_asks_the_operators_for_it(recent: Recent, alice: User, olga: User) -> None:
    order = debited(recent())
    client = Client()
    client.force_login(alice)
    page = said(client.get(f"/pedidos/{order.reference}/?tab=envio"))
    assert "¿No está tu transportista?" in page
    assert "Mientras responde puedes enviar con «Otro transportista»." in page
    sent = {"name": " Portes Norte ", "website": "norte.example"}
    answer = client.post(f"/pedidos/{order.reference}/transportista/", sent)
    assert (answer.status_code, answer["Location"]) == (303, f"/pedidos/{order.reference}/?tab=envio")
    asked = CarrierRequest.objects.get()
    assert (asked.name, asked.website, asked.state) == (
        "Portes Norte",
        "https://norte.example",
        Granting.OPEN,
    )
    assert (asked.shop_id, asked.order_reference, asked.asked_by) == (
        order.shop_id,
        order.reference,
        "Alicia Alba",
    )
    notice = Notice.objects.get(event="carrier_asked")
    assert (notice.audience, notice.email) == ("operator", olga.email)
    tick("notices", timezone.now())
    page = said(client.get(answer["Location"]))
    assert "Pedido al operador: te escribirá cuando responda." in page
    assert "Sin responder" in page


def test_what_is_granted_can_be_picked_at_once_and_the_shop_is_told(shop: Shop) -> None:
    asked = ask(shop)
    new = NewCarrier("portes-norte", "Portes Norte", "https://norte.example/{tracking}", r"N[0-9]{6}")
    assert services.grant_carrier([asked.id], new, note="Bienvenido", by=OPERATOR, at=AT).moved == [asked.id]
    carrier = Carrier.objects.get(code="portes-norte")
    asked.refresh_from_db()
    assert (asked.state, asked.carrier, asked.answered_by) == (Granting.GRANTED, carrier, "Olga Operadora")
    notice = Notice.objects.get(event="carrier_granted")
    assert (notice.audience, notice.email) == ("seller", "pedidos@alba.example")
    again = services.grant_carrier([asked.id], NewCarrier("otro", "Otro"), by=OPERATOR, at=AT)
    assert [refusal.code for refusal in again.refused] == [Code.WRONG_STATE]
    assert not Carrier.objects.filter(code="otro").exists()
    assert Notice.objects.filter(event="carrier_granted").count() == 1


def test_one_that_was_switched_off_comes_back(shop: Shop) -> None:
    asked = ask(shop, "Portes Sur")
    off = Carrier.objects.create(code="portes-sur", name="Portes Sur", active=False)
    services.grant_carrier([asked.id], off, by=OPERATOR, at=AT)
    off.refresh_from_db()
    assert off.active
    with pytest.raises(MoveRefused) as refused:
        ask(shop, "PORTES SUR")
    assert refused.value.refusal.code == Code.CARRIER_LISTED


def test_no_says_why(shop: Shop) -> None:
    asked = ask(shop)
    silent = services.decline_carrier([asked.id], note="", by=OPERATOR, at=AT)
    assert [refusal.code for refusal in silent.refused] == [Code.REASON_NEEDED]
    asked.refresh_from_db()
    assert asked.state == Granting.OPEN
    assert services.decline_carrier([asked.id], note="No da seguimiento", by=OPERATOR, at=AT).moved
    assert Notice.objects.get(event="carrier_declined").payload["note"] == "No da seguimiento"
    assert ask(shop).state == Granting.OPEN  # the answer was about then, not for ever


def test_it_is_asked_once_and_not_without_end(shop: Shop, other_shop: Shop) -> None:
    ask(shop)
    with pytest.raises(MoveRefused) as refused:
        ask(shop, "portes norte")
    assert refused.value.refusal.code == Code.CARRIER_ASKED
    assert ask(other_shop).shop == other_shop
    for n in range(19):
        ask(shop, f"Portes {n}")
    with pytest.raises(MoveRefused) as refused:
        ask(shop, "Uno más")
    assert refused.value.refusal.code == Code.CARRIERS_WAIT
    assert CarrierRequest.objects.filter(shop=shop).count() == 20
    assert Notice.objects.filter(event="carrier_asked").count() == 0  # there is no operator to tell


def test_bad_questions_keep_what_was_typed_and_change_nothing(
    recent: Recent, alice: User, bob: User, charlie: User
) -> None:
    order = debited(recent())
    Carrier.objects.create(code="listado", name="Listado")
    with Untouched(order):
        for fields, status, words in (
            ({"name": "", "website": ""}, 422, "Escribe el nombre del transportista."),
            ({"name": "\u200b", "website": SITE}, 422, "Escribe el nombre del transportista."),
            (
                {"name": "Portes", "website": "javascript:alert(1)"},
                422,
                "No parece la dirección de un sitio.",
            ),
            ({"name": "x" * 81, "website": SITE}, 422, "Hay algo que revisar."),
            ({"name": "listado", "website": SITE}, 409, "Ese transportista ya está en la lista."),
        ):
            answer = post(alice, order, "transportista", **fields)
            assert answer.status_code == status, fields
            assert words in said(answer)
        assert post(bob, order, "transportista", name="P", website=SITE).status_code == 403
        assert post(charlie, order, "transportista", name="P", website=SITE).status_code == 404
    assert not CarrierRequest.objects.exists()


def test_where_only_the_list_may_be_used_the_page_says_so(
    channel: Channel, recent: Recent, alice: User
) -> None:
    rules = PRESETS[Preset.ACCEPT_FIRST].model_copy(update={"free_text_carrier": False})
    publish_policy(channel, rules, by="x", at=AT)
    channel.refresh_from_db()
    order = debited(recent())
    client = Client()
    client.force_login(alice)
    assert "Hasta que responda, envía con uno de la lista." in said(
        client.get(f"/pedidos/{order.reference}/?tab=envio")
    )


def test_an_operator_grants_and_declines_in_the_room(client: Client, olga: User, shop: Shop) -> None:
    client.force_login(olga)
    first, second = ask(shop), ask(shop, "Portes Este")

    def do(row: CarrierRequest, verb: str, **sent: str) -> str:
        address = reverse(f"admin:orders_carrierrequest_{verb}", args=[row.pk])
        return said(client.post(address, {"apply": "1", **sent}, follow=True))

    opened = said(client.get(reverse("admin:orders_carrierrequest_grant", args=[first.pk])))
    assert 'value="portes-norte"' in opened
    assert "Falta {tracking}" in do(first, "grant", code="pn", name="PN", tracking_url="https://pn.example")
    assert "Este campo" in do(first, "grant", code="", name="")
    assert not Carrier.objects.filter(code="pn").exists()
    assert "Respondido" in do(first, "grant", code="pn", name="PN")
    assert "Respondido" in do(second, "decline", note="No da seguimiento")
    assert set(CarrierRequest.objects.values_list("state", flat=True)) == {"granted", "declined"}
    change = said(client.get(reverse("admin:orders_carrierrequest_change", args=[first.pk])))
    assert reverse("admin:orders_carrierrequest_grant", args=[first.pk]) not in change
    assert "no está en un estado" in do(first, "decline", note="Tarde")
