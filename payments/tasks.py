"""The timers of payments: ask for charges and paybacks and about payments, let go of authorisations, alert."""

from collections.abc import Callable
from datetime import datetime, timedelta

from marketplace import outbox
from marketplace.models import Claimable
from marketplace.refusals import Tally
from payments import inquiring, releases, services, webhooks
from payments.models import Charge, Inquiry, Payback, Release

_LEASE = timedelta(minutes=2)


def drain_charges(*, at: datetime, tally: Tally) -> None:
    """Ask the provider for every charge that is due (PAY-01, PAY-02)."""
    _drain(Charge, services.ask_charge, at=at, tally=tally)


def drain_paybacks(*, at: datetime, tally: Tally) -> None:
    """Ask the provider for every payback that is due (CAN-05)."""
    _drain(Payback, services.ask_payback, at=at, tally=tally)


def drain_releases(*, at: datetime, tally: Tally) -> None:
    """Let go of every authorisation that nobody will charge (ORD-02)."""
    _drain(Release, releases.ask_release, at=at, tally=tally)


def drain_inquiries(*, at: datetime, tally: Tally) -> None:
    """Ask the provider about every payment made beforehand that is due to be asked about (ORD-07)."""
    _drain(Inquiry, inquiring.ask_inquiry, at=at, tally=tally)


def forget_webhooks(*, at: datetime, tally: Tally) -> None:
    """Delete what webhooks said so long ago that nobody asks any more."""
    while forgotten := webhooks.forget(at=at):
        tally.done += forgotten


def _drain[Row: Claimable](model: type[Row], ask: Callable[..., None], *, at: datetime, tally: Tally) -> None:
    for claimed in outbox.claims(model, at=at, lease=_LEASE):
        for row in claimed:
            with outbox.returned(row, at=at, tally=tally):
                ask(row, at=at)


def alert_stuck_debits(*, at: datetime, tally: Tally) -> None:
    """Tell the operators of every debit that has taken longer than the policy's patience (PAY-03)."""
    while told := services.alert_stuck(at=at):
        tally.done += told
