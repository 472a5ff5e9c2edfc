"""The machines of settlement: a statement collects and closes; a payout travels and arrives, or comes back."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from marketplace.fsm import Step, Steps, machine


class StatementState(TextChoices):
    """A statement takes lines while it collects; closed, it never changes again."""

    COLLECTING = "collecting", _("En curso")
    CLOSED = "closed", _("Cerrada")


class PayoutState(TextChoices):
    """Where a payout is between the books and the shop's bank."""

    IN_TRANSIT = "in_transit", _("En curso")
    PAID = "paid", _("Pagada")
    FAILED = "failed", _("Fallida")


STATEMENT_MOVES: Steps = (Step("close", StatementState.COLLECTING, StatementState.CLOSED),)

PAYOUT_MOVES: Steps = (
    Step("pay", PayoutState.IN_TRANSIT, PayoutState.PAID),
    Step("fail", PayoutState.IN_TRANSIT, PayoutState.FAILED),
)


class StatementMachine(machine(STATEMENT_MOVES)):  # type: ignore[misc]
    """A statement closes, once."""


class PayoutMachine(machine(PAYOUT_MOVES)):  # type: ignore[misc]
    """A payout is paid or fails, once."""
