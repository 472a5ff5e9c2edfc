"""Charging through Stripe over HTTP: once, whatever the wire does; its own books are asked what was really moved."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ledger.models import Account, Posting
from marketplace.models import Channel, Policy
from marketplace.reasons import answer_words
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import services
from orders.models import Line, Order
from orders.states import State
from payments import services as payments
from payments.models import Charge, Payback
from payments.providers import Answer, Status, flaw
from payments.providers.stripe import KEY as OUR_KEY
from payments.providers.stripe import Stripe
from payments.states import AskState
from sellers.models import User
from tests.conftest import SELLER, Placing, again
from tests.orders.lives import tick
from tests.payments.conftest import NOW, authorise, balances, intent, really_charged
from tests.payments.stripe_proxy import FAULTS_AFTER, FAULTS_BEFORE, Fault, Wire

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stripe_channel")]

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FAULTS = (*FAULTS_BEFORE, *FAULTS_AFTER)


def accepted(place: Placing, card: str = "pm_card_visa") -> Order:
    order = place(card=card, at=NOW)
    services.accept([order.id], by=SELLER, at=NOW)
    return order


def ask_until_answered(tries: int = 4) -> Charge | Payback:
    """Let the clock ask, and ask again when it said it would; answers what was asked."""
    moment: datetime | None = NOW
    for _ in range(tries):
        if moment is None:
            break
        tick("charge", moment)
        moment = Charge.objects.latest("id").due_at
    return Charge.objects.latest("id")


@pytest.mark.rule("PAY-01")
def test_a_card_is_charged_on_acceptance(place: Placing, wire: Wire) -> None:
    order = accepted(place)
    tick("charge", NOW)
    charge = Charge.objects.get()
    assert (again(order).state, charge.state) == (State.AWAITING_SHIPMENT, AskState.SUCCEEDED)
    assert really_charged(wire) == [8400]
    there = intent(wire, charge.reference)
    assert (there["metadata"][OUR_KEY], there["currency"]) == (str(charge.key), "eur")
    assert balances() == {Account.PROVIDER: 8400, Account.PENDING: -8400}


@pytest.mark.rule("PAY-01")
def test_a_card_of_a_customer_is_charged_to_that_customer(place: Placing, wire: Wire) -> None:
    customer = wire.ask("POST", "/v1/customers", email="ana@cliente.example")["id"]
    accepted(place, f"pm_card_visa:{customer}")
    tick("charge", NOW)
    assert intent(wire, Charge.objects.get().reference)["customer"] == customer
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-01")
def test_what_was_authorised_is_captured_for_what_was_accepted_and_the_rest_let_go(
    place: Placing, wire: Wire
) -> None:
    token = authorise(wire, 8400)
    order = place(card=token, at=NOW)
    plate = Line.objects.get(order=order, sku="PLA-HONDO")
    refused = services.Answer(refused={plate.id: "sin existencias"})
    services.accept({order.id: refused}, by=SELLER, at=NOW)
    assert really_charged(wire) == []
    tick("charge", NOW)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged(wire) == [7000]
    assert Charge.objects.get().reference == token
    assert intent(wire, token)["status"] == "succeeded"


@pytest.mark.rule("PAY-05")
def test_a_declined_card_fails_the_order_and_nothing_is_owed(place: Placing, wire: Wire) -> None:
    order = accepted(place, "pm_card_chargeCustomerFail")
    tick("charge", NOW)
    charge = Charge.objects.get()
    assert (again(order).state, charge.state, charge.message) == (
        State.FAILED, AskState.REFUSED, "card declined",
    )  # fmt: skip
    assert answer_words(charge.message) == "tarjeta rechazada"
    assert really_charged(wire) == []
    assert not Posting.objects.exists()


@pytest.mark.rule("PAY-05")
def test_a_declined_card_is_tried_again_as_a_charge_of_its_own(
    channel: Channel, place: Placing, wire: Wire
) -> None:
    rules = Policy.objects.get(channel=channel).rules
    publish_policy(channel, rules.model_copy(update={"debit_retries": 1}), by="x", at=NOW)
    order = accepted(place, "pm_card_chargeCustomerFail")
    tick("charge", NOW)
    Charge.objects.filter(attempt=2).update(card="pm_card_visa")
    tick("charge", NOW + 4 * HOUR)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-05")
@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "no means of payment"),
        ("visa-ok", "no means of payment"),
        ("pi_unknown", "Not Found"),
        ("pm_unknown", "Not Found"),
    ],
)
def test_a_means_of_payment_that_is_none_is_refused(place: Placing, wire: Wire, token: str, why: str) -> None:
    order = accepted(place, token)
    tick("charge", NOW)
    assert (again(order).state, Charge.objects.get().message) == (State.FAILED, why)
    assert really_charged(wire) == []


@pytest.mark.rule("PAY-05")
def test_a_bank_that_wants_the_customer_is_a_refusal_and_can_never_succeed_later(
    place: Placing, wire: Wire
) -> None:
    card = {
        "card[number]": "4000002760003184",
        "card[exp_month]": "12",
        "card[exp_year]": "2030",
        "card[cvc]": "123",
    }
    method = wire.ask("POST", "/v1/payment_methods", type="card", **card)["id"]
    order = accepted(place, method)
    tick("charge", NOW)
    charge = Charge.objects.get()
    assert (again(order).state, charge.message) == (State.FAILED, "authentication required")
    assert intent(wire, charge.reference)["status"] == "canceled"


@pytest.mark.rule("PAY-05")
@pytest.mark.parametrize(
    ("amount", "wishes", "why"),
    [
        (8399, {}, "authorisation too small"),
        (8400, {"currency": "usd"}, "authorised in another currency"),
        (8400, {"capture_method": "automatic"}, "payment taken already"),
    ],
)
def test_an_authorisation_that_does_not_fit_is_refused(
    place: Placing, wire: Wire, amount: int, wishes: dict[str, str], why: str
) -> None:
    order = accepted(place, authorise(wire, amount, **wishes))
    before = really_charged(wire)
    tick("charge", NOW)
    assert (again(order).state, Charge.objects.get().message) == (State.FAILED, why)
    assert really_charged(wire) == before


@pytest.mark.rule("PAY-05")
def test_an_authorisation_that_has_lapsed_is_refused(place: Placing, wire: Wire) -> None:
    token = authorise(wire, 8400)
    wire.ask("POST", f"/v1/payment_intents/{token}/cancel")
    order = accepted(place, token)
    tick("charge", NOW)
    assert (again(order).state, Charge.objects.get().message) == (State.FAILED, "authorisation gone")
    assert really_charged(wire) == []


@pytest.mark.rule("PAY-01")
@pytest.mark.rule("PAY-02")
@pytest.mark.rule("PAY-04")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("asking", ["payment_intents", "confirm", "capture"])
def test_a_wire_that_fails_never_makes_it_two_charges(
    place: Placing, wire: Wire, asking: str, fault: Fault
) -> None:
    order = accepted(place, authorise(wire, 8400) if asking == "capture" else "pm_card_visa")
    wire.fail(asking, fault)
    tick("charge", NOW)
    charge = Charge.objects.get()
    assert (again(order).state, charge.state) == (State.DEBIT, AskState.ASKED)
    assert not Posting.objects.exists()
    done = fault in FAULTS_AFTER and asking != "payment_intents"
    assert really_charged(wire) == ([8400] if done else [])
    assert bool(charge.reference) is (asking != "payment_intents")  # saved before it was confirmed
    assert charge.last_error == "the provider does not answer"
    ask_until_answered()
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged(wire) == [8400]
    assert wire.tries(asking) == (1 if done or (fault in FAULTS_AFTER) else 2)
    assert balances() == {Account.PROVIDER: 8400, Account.PENDING: -8400}


@pytest.mark.rule("PAY-02")
@pytest.mark.parametrize("fault", FAULTS_AFTER)
def test_an_intent_that_search_does_not_know_yet_stays_unconfirmed(
    place: Placing, wire: Wire, fault: Fault
) -> None:
    accepted(place)
    wire.searchable = False
    wire.fail("payment_intents", fault)
    ask_until_answered()
    states = [one["status"] for one in wire.ask("GET", "/v1/payment_intents?limit=10")["data"]]
    assert sorted(states) == ["requires_confirmation", "succeeded"]
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-01")
def test_a_charge_whose_reference_was_never_saved_is_found_by_its_key(place: Placing, wire: Wire) -> None:
    order = accepted(place)
    wire.fail("confirm", Fault.CUT)
    tick("charge", NOW)
    Charge.objects.update(reference="")
    ask_until_answered()
    assert again(order).state == State.AWAITING_SHIPMENT
    assert (really_charged(wire), wire.tries("confirm")) == ([8400], 1)


def test_the_books_would_show_a_charge_that_is_asked_anew_instead_of_looked_up(
    place: Placing, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the tests above: the same wire, and a provider that looks nothing up."""
    accepted(place)
    monkeypatch.setattr(Stripe, "look_up", lambda *_, **__: Answer(Status.UNKNOWN))
    wire.fail("confirm", Fault.CUT)
    ask_until_answered()
    assert really_charged(wire) == [8400, 8400]


@pytest.mark.rule("PAY-01")
@pytest.mark.parametrize("authorised", [False, True])
def test_two_workers_at_one_intent_are_one_charge(place: Placing, wire: Wire, authorised: bool) -> None:
    """A lease that lapsed in the middle: both have found the intent untouched, and both go on."""
    accepted(place, authorise(wire, 8400) if authorised else "pm_card_visa")
    wire.fail("capture" if authorised else "confirm", Fault.DOWN)
    tick("charge", NOW)
    charge = Charge.objects.get()
    desk = payments.desk_of(charge)
    asked = {"card": charge.card, "amount_cents": 8400, "currency": "EUR", "at": NOW}
    first, second = (desk.charge(charge.key, reference=charge.reference, **asked) for _ in range(2))  # type: ignore[arg-type]
    assert first == second == Answer(Status.SUCCEEDED, charge.reference, amount_cents=8400)
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-03")
def test_a_silent_provider_is_told_to_the_operators_after_an_hour(
    place: Placing, wire: Wire, olga: User
) -> None:
    accepted(place)
    wire.fail("payment_intents", *[Fault.DOWN] * 3)
    ask_until_answered(3)
    assert tick("debits", NOW + HOUR).done == 1
    assert Notice.objects.get(event="debit_stuck").email == olga.email
    assert really_charged(wire) == []


@pytest.mark.rule("PAY-02")
def test_a_wrong_key_loses_no_charge(place: Placing, wire: Wire, settings: Any) -> None:
    order = accepted(place)
    right = settings.STRIPE_KEYS
    settings.STRIPE_KEYS = {"": "sk_test_wrong"}
    assert tick("charge", NOW).parked == 1
    assert "AuthenticationError" in Charge.objects.get().last_error
    settings.STRIPE_KEYS = right
    tick("charge", NOW + HOUR)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-03")
@pytest.mark.parametrize("asking", ["payment_intents", "confirm", "capture"])
def test_an_account_that_may_not_charge_fails_no_order(place: Placing, wire: Wire, asking: str) -> None:
    order = accepted(place, authorise(wire, 8400) if asking == "capture" else "pm_card_visa")
    wire.fail(asking, Fault.FORBIDDEN)
    assert tick("charge", NOW).parked == 1
    assert (again(order).state, Charge.objects.get().state) == (State.DEBIT, AskState.ASKED)
    assert Charge.objects.get().last_error.startswith("InvalidRequestError")
    tick("charge", NOW + HOUR)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-05")
@pytest.mark.parametrize("asking", ["payment_intents", "confirm", "capture"])
def test_a_payment_that_stripe_will_not_make_is_refused(place: Placing, wire: Wire, asking: str) -> None:
    order = accepted(place, authorise(wire, 8400) if asking == "capture" else "pm_card_visa")
    wire.fail(asking, Fault.IMPOSSIBLE)
    tick("charge", NOW)
    assert (again(order).state, Charge.objects.get().message) == (State.FAILED, "payment disputed")
    tick("let_go", NOW)
    assert [one["status"] for one in wire.ask("GET", "/v1/payment_intents?limit=9")["data"]] == {
        "payment_intents": [], "confirm": ["requires_confirmation"], "capture": ["canceled"],
    }[asking]  # fmt: skip
    assert really_charged(wire) == []


@pytest.mark.rule("PAY-01")
def test_an_answer_with_another_amount_is_not_believed(place: Placing, wire: Wire) -> None:
    order = accepted(place)
    wire.fail("confirm", Fault.CUT)
    tick("charge", NOW)
    Charge.objects.update(amount_cents=8300)
    assert tick("charge", NOW + HOUR).parked == 1
    assert again(order).state == State.DEBIT
    assert "8400" in Charge.objects.get().last_error
    Charge.objects.update(amount_cents=8400)
    assert not Posting.objects.exists()


@pytest.mark.rule("PAY-01")
def test_a_channel_without_its_keys_cannot_choose_stripe(channel: Channel, olga: User, settings: Any) -> None:
    desk = Client()
    desk.force_login(olga)
    settings.STRIPE_KEYS = {"OTRA": "sk_test_other"}
    page = reverse("admin:marketplace_channel_change", args=[channel.pk])
    sent = {"name": "Tienda", "timezone": "Europe/Madrid", "country": "ES", "region": "", "closing_days": ""}
    errors = desk.post(page, {**sent, "provider": "stripe"}).context["adminform"].form.errors
    assert errors == {"provider": ["Falta la clave de Stripe en el entorno: TRASTIENDA_STRIPE_KEY_TIENDA."]}
    settings.STRIPE_KEYS = {"TIENDA": "sk_test_own"}
    assert desk.post(page, {**sent, "provider": "stripe"}).status_code == 302


@pytest.mark.parametrize(
    ("keys", "secrets", "currency", "why"),
    [
        ({"": "sk"}, {"": "whsec"}, "EUR", ""),
        ({"MI_CANAL": "sk"}, {"MI_CANAL": "whsec"}, "JPY", ""),
        ({"OTRO": "sk"}, {"": "whsec"}, "EUR", "TRASTIENDA_STRIPE_KEY_MI_CANAL"),
        ({"": "sk"}, {"": " , "}, "EUR", "TRASTIENDA_STRIPE_WEBHOOK_SECRETS_MI_CANAL"),
        ({"": "sk"}, {"": "whsec"}, "ISK", "Con esta moneda"),
    ],
)
def test_what_a_channel_lacks_is_said(
    settings: Any, keys: dict[str, str], secrets: dict[str, str], currency: str, why: str
) -> None:
    settings.STRIPE_KEYS, settings.STRIPE_WEBHOOK_SECRETS = keys, secrets
    said = flaw("stripe", channel="mi-canal", currency=currency)
    assert bool(said) is bool(why)
    assert why in said
    assert flaw("sandbox", channel="mi-canal", currency=currency) == ""
