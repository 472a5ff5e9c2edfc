"""Acts that are understood exactly: no answer accepts nothing, a held order says when it is charged."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from orders import services
from orders.states import HoldKind, State
from sellers.models import User
from tests.conftest import JAR, PLATE, SELLER, again
from tests.orders.acting import Recent, Untouched, post, said, went_well

pytestmark = pytest.mark.django_db


@pytest.mark.rule("ORD-05")
def test_silence_accepts_nothing_and_says_what_is_missing(recent: Recent, alice: User) -> None:
    order = recent(JAR, PLATE)
    jar, plate = order.lines.all()
    with Untouched(order):
        for fields in ({}, {"all": ""}, {"all": "no"}):
            assert post(alice, order, "aceptar", **fields).status_code == 422
        answer = post(alice, order, "aceptar", **{f"answer_{jar.id}": "accept"})
    assert answer.status_code == 422
    assert f"Di si aceptas o rechazas cada línea. Falta: {plate.title}." in said(answer)


@pytest.mark.rule("ORD-05")
def test_an_answer_to_a_line_of_another_order_is_an_error(recent: Recent, alice: User) -> None:
    order, other = recent(JAR, PLATE), recent(JAR)
    jar, plate = order.lines.all()
    whole = {f"answer_{line.id}": "accept" for line in (jar, plate)}
    with Untouched(order), Untouched(other):
        for stranger in (str(other.lines.get().id), "1e9", ""):
            answer = post(alice, order, "aceptar", **whole, **{f"answer_{stranger}": "refuse"})
            assert answer.status_code == 422
            assert "Hay una respuesta para una línea que no es de este pedido." in said(answer)
        answer = post(alice, order, "aceptar", all="1", **{f"answer_{jar.id}": "refuse"})
    assert answer.status_code == 422
    assert "O se acepta el pedido entero o se responde línea por línea." in said(answer)


@pytest.mark.rule("ORD-04")
def test_the_one_click_button_of_the_other_tabs_accepts_whole(recent: Recent, alice: User) -> None:
    order = recent(JAR, PLATE)
    client = Client()
    client.force_login(alice)
    page = said(client.get(f"/pedidos/{order.reference}/?tab=historial"))
    button = page.partition(f'action="/pedidos/{order.reference}/aceptar/"')[2].partition("</form>")[0]
    assert '<input type="hidden" name="all" value="1">' in button
    went_well(post(alice, order, "aceptar", all="1"), order)
    assert again(order).state == State.DEBIT


@pytest.mark.rule("ORD-06")
@pytest.mark.parametrize("held", [False, True])
def test_a_held_order_says_that_the_charge_waits(held: bool, recent: Recent, alice: User) -> None:
    order = recent()
    if held:
        services.one(services.hold([order.id], HoldKind.STOCK, by=SELLER, at=timezone.now()))
    client = Client()
    client.force_login(alice)
    page = said(client.post(f"/pedidos/{order.reference}/aceptar/", {"all": "1"}, follow=True))
    assert ("Ahora se cobra al cliente." in page) is not held
    assert ("Está en espera: se cobrará al cliente cuando salga de ella." in page) is held


@pytest.mark.rule("ORD-06")
def test_a_presale_waits_two_years_at_most(recent: Recent, alice: User) -> None:
    order = recent()
    calendar = order.channel.calendar
    today = calendar.local_day(timezone.now())
    # The 1st of the month exists two years on, also when today is the 29th of February.
    last = today.replace(year=today.year + 2, day=1)
    late = (last + timedelta(days=32)).isoformat()
    with Untouched(order):
        for until in (late, "9999-12-31"):
            answer = post(alice, order, "en-espera", kind="presale", until=until)
            assert answer.status_code == 422
            assert "Una preventa espera dos años como mucho." in said(answer)
    went_well(post(alice, order, "en-espera", kind="presale", until=last.isoformat()), order)
    assert order.holds.get().until == calendar.midnight(last)


@pytest.mark.parametrize("note", ["\u200b", "\u200b \u2060\ufeff", "\u00a0\u00ad", "\u0085\u200e"])
def test_a_reason_that_nobody_can_see_is_none(note: str, recent: Recent, alice: User) -> None:
    order = recent(JAR)
    line = order.lines.get()
    with Untouched(order):
        assert post(alice, order, "rechazar", reason="other", note=note).status_code == 422
        assert post(alice, order, "cancelar", reason="other", note=note).status_code == 422
        fields = {f"answer_{line.id}": "refuse", f"reason_{line.id}": "other", f"note_{line.id}": note}
        assert post(alice, order, "aceptar", **fields).status_code == 422
    went_well(post(alice, order, "rechazar", reason="other", note=note + "Roto"), order)
    assert "Roto" in order.lines.get().refuse_reason
