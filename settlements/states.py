"""The machines of settlement: a statement collects and closes; a payout travels and arrives, or comes back."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from marketplace.fsm import Step, Steps, by_source, machine


class StatementState(TextChoices):
    """A statement takes lines while it collects; closed, it never changes again."""

    COLLECTING = "collecting", _("En curso")
    CLOSED = "closed", _("Cerrada")


class Section(TextChoices):
    """What a line of a statement is about; the statement adds up each apart (SET-01)."""

    ORDERS = "orders", _("Pedidos")
    REFUND = "refund", _("Reembolsos")
    COVER = "cover", _("Cubierto por el operador")
    ADJUSTMENT = "adjustment", _("Ajustes")
    RETURNED = "returned", _("Transferencias devueltas")


class CarriedWhy(TextChoices):
    """Why a statement's balance passes to the next and is not paid (SET-08)."""

    NONE = "", "–"
    NEGATIVE = "negative", _("el saldo es negativo")
    MINIMUM = "minimum", _("no llega al mínimo de una transferencia")
    DETAILS = "details", _("faltan los datos bancarios")
    SPENT = "spent", _("el saldo ha bajado después del cierre")


class PayoutState(TextChoices):
    """Where a payout is between the books and the shop's bank."""

    IN_TRANSIT = "in_transit", _("En curso")
    PAID = "paid", _("Pagada")
    FAILED = "failed", _("Fallida")


class AdjustmentState(TextChoices):
    """Whether an adjustment is in the books, or waits for a second person."""

    ASKED = "asked", _("Por aprobar")
    POSTED = "posted", _("Hecho")
    DECLINED = "declined", _("Rechazado")


STATEMENT_MOVES: Steps = (Step("close", StatementState.COLLECTING, StatementState.CLOSED),)

PAYOUT_MOVES: Steps = (
    Step("pay", PayoutState.IN_TRANSIT, PayoutState.PAID),
    Step("fail", PayoutState.IN_TRANSIT, PayoutState.FAILED),
    Step("fail", PayoutState.PAID, PayoutState.FAILED),
)


PAYOUT_TABLE = by_source(PAYOUT_MOVES)

ADJUSTMENT_MOVES: Steps = (
    Step("post", AdjustmentState.ASKED, AdjustmentState.POSTED),
    Step("decline", AdjustmentState.ASKED, AdjustmentState.DECLINED),
)


class StatementMachine(machine(STATEMENT_MOVES)):  # type: ignore[misc]
    """A statement closes, once."""


class PayoutMachine(machine(PAYOUT_MOVES)):  # type: ignore[misc]
    """A payout is paid or fails, once; one that was paid can still come back, days later."""


class AdjustmentMachine(machine(ADJUSTMENT_MOVES)):  # type: ignore[misc]
    """An adjustment is posted or declined, once."""
