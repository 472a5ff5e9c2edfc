"""The timers of payments: ask for charges and paybacks, let go of authorisations, alert on late debits."""

from collections.abc import Callable
from datetime import datetime, timedelta

from marketplace import outbox
from marketplace.refusals import Tally
from payments import releases, services
from payments.models import Ask, Charge, Payback, Release

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


def _drain[Row: Ask](model: type[Row], ask: Callable[..., None], *, at: datetime, tally: Tally) -> None:
    for claimed in outbox.claims(model, at=at, lease=_LEASE):
        for row in claimed:
            with outbox.returned(row, at=at, tally=tally):
                ask(row, at=at)


def alert_stuck_debits(*, at: datetime, tally: Tally) -> None:
    """Tell the operators of every debit that has taken longer than the policy's patience (PAY-03)."""
    while told := services.alert_stuck(at=at):
        tally.done += told
