"""A Stripe to charge, with its own books; and a channel that is paid through it."""

import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from ledger.models import Posting
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import publish_policy
from orders import services
from orders.models import Order
from payments.providers import provider
from payments.providers.stripe import KEY as OUR_KEY
from payments.providers.stripe import _client
from sellers.models import Shop
from tests.conftest import AT, CLOCK, SELLER, basket
from tests.orders.lives import HOUR
from tests.payments.at_the_door import Bringing
from tests.payments.stripe_proxy import KEY, Wire, serve

SECRET = "whsec_of_this_test"
NOW = timezone.now().replace(microsecond=0) - timedelta(hours=1)
"""Webhooks are signed by the real clock, so these orders are placed an hour before the tests began."""


@pytest.fixture(scope="session")
def localstripe() -> Iterator[int]:
    """The port of a localstripe of our own."""
    with socket.socket(socket.AF_INET6) as free:
        free.bind(("::", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-u", "-m", "localstripe", "--port", str(port), "--from-scratch"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            assert "Running on" in process.stdout.readline()
            yield port
        finally:
            process.kill()


@pytest.fixture
def wire(localstripe: int, settings: Any) -> Iterator[Wire]:
    """The proxy before an empty localstripe; the product's settings point to it."""
    wire = Wire(localstripe)
    wire.ask("DELETE", "/_config/data")
    server = serve(wire)
    settings.STRIPE_API = f"http://127.0.0.1:{server.server_address[1]}"
    settings.STRIPE_KEYS = {"": KEY}
    settings.STRIPE_WEBHOOK_SECRETS = {"TIENDA": f"whsec_of_last_year, {SECRET}"}
    settings.STRIPE_TIMEOUT_S = 10
    wire.lose_patience = lambda: setattr(settings, "STRIPE_TIMEOUT_S", 0.5)
    yield wire
    wire.patience_over.set()
    server.shutdown()
    server.server_close()
    provider.cache_clear()
    _client.cache_clear()


@pytest.fixture
def stripe_channel(channel: Channel, wire: Wire) -> Channel:
    """The channel of the tests, paid through Stripe."""
    channel.provider = "stripe"
    channel.save(update_fields=["provider"])
    return channel


def authorise(wire: Wire, amount_cents: int, **wishes: str) -> str:
    """What a storefront does at checkout: an intent of manual capture, confirmed by the customer; answers its id."""
    agreed = wishes.pop("setup_future_usage", "")
    wanted = {"payment_method": "pm_card_visa", "currency": "eur", "capture_method": "manual", **wishes}
    intent = wire.ask("POST", "/v1/payment_intents", amount=amount_cents, confirm="true", **wanted)
    if agreed:
        wire.agreed[intent["id"]] = agreed
    return str(intent["id"])


def intent(wire: Wire, reference: str) -> dict[str, Any]:
    """An intent as localstripe has it."""
    return wire.ask("GET", f"/v1/payment_intents/{reference}")


def really_charged(wire: Wire) -> list[int]:
    """What localstripe's own books say was taken from customers, charge by charge, whatever it answered."""
    charges = [
        one for one in wire.ask("GET", "/v1/charges?limit=100")["data"] if one["captured"] and one["paid"]
    ]
    let_go = {one["id"]: sum(r["amount"] for r in _refunds(wire) if r["charge"] == one["id"] and not _ours(r))
              for one in charges}  # fmt: skip
    return sorted(one["amount"] - let_go[one["id"]] for one in charges)


def really_returned(wire: Wire) -> list[int]:
    """What localstripe's own books say went back because we asked for it."""
    return sorted(one["amount"] for one in _refunds(wire) if _ours(one))


def _refunds(wire: Wire) -> list[dict[str, Any]]:
    refunds: list[dict[str, Any]] = wire.ask("GET", "/v1/refunds?limit=100")["data"]
    return refunds


def _ours(refund: dict[str, Any]) -> bool:
    return OUR_KEY in refund["metadata"]


def event(number: str, thing: dict[str, Any], kind: str = "payment_intent.succeeded") -> bytes:
    """A webhook's body as Stripe writes it."""
    return json.dumps({"id": number, "object": "event", "type": kind, "data": {"object": thing}}).encode()


def signature(body: bytes, *, at: datetime, secret: str = SECRET) -> str:
    """A webhook's signature as Stripe makes it."""
    stamp = int(at.timestamp())
    made = hmac.new(secret.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={made}"


def balances() -> dict[str, int]:
    """What our own books say, account by account."""
    sums: dict[str, int] = {}
    for account, cents in Posting.objects.values_list("account", "amount_cents"):
        sums[account] = sums.get(account, 0) + cents
    return sums


@pytest.fixture
def at_the_door(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    return channel


@pytest.fixture
def bring(at_the_door: Channel, shop: Shop) -> Bringing:
    """An order of 84.00 € that its courier has delivered, or is still bringing: `bring("N-1", delivered=False)`."""

    def bringing(
        tracking: str = "", courier: str = "Portes Norte", *, delivered: bool = True, **wishes: Any
    ) -> Order:
        new = basket(wishes.pop("shop", shop), at=AT, **wishes)
        ids = [move.order_id for move in services.place(at_the_door, [new]).moved]
        services.accept(ids, by=SELLER, at=AT + HOUR)
        parcel = services.Parcel(carrier_name=courier, tracking=tracking)
        services.ship(dict.fromkeys(ids, parcel), by=SELLER, at=AT + 2 * HOUR)
        if delivered:
            services.deliver(ids, by=CLOCK, at=AT + 3 * HOUR)
        return Order.objects.get(id=ids[0])

    return bringing
