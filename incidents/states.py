"""The machine of incidents: open, resolved by the shop, closed after a quiet time, or open again (INC-05)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from marketplace.fsm import Step, Steps, by_source, machine


class State(TextChoices):
    """How far an incident has come."""

    OPEN = "open", _("Abierta")
    RESOLVED = "resolved", _("Resuelta")
    CLOSED = "closed", _("Cerrada")


S = State

MOVES: Steps = (
    Step("resolve", S.OPEN, S.RESOLVED),
    Step("send_back", S.RESOLVED, S.OPEN),
    Step("close", S.RESOLVED, S.CLOSED),
    Step("lapse", S.RESOLVED, S.CLOSED, not_before="close_due_at"),
    Step("refund", S.OPEN, S.CLOSED),
    Step("refund", S.RESOLVED, S.CLOSED),
)

TABLE = by_source(MOVES)


class IncidentMachine(machine(MOVES)):  # type: ignore[misc]
    """One guarded method for each verb of the table."""


STANDING = (S.OPEN, S.RESOLVED)
"""While an incident stands its order is neither received nor settled (SHP-08, INC-07)."""


class ClosedHow(TextChoices):
    """What closed an incident."""

    OPERATOR = "operator", _("La cerró el operador")
    SILENCE = "silence", _("Se cerró sola tras el silencio")
    REFUND = "refund", _("Se cerró sola: al cliente no le queda nada cobrado")


class Turn(TextChoices):
    """Who has the ball: whose move an incident waits for (INC-05)."""

    SHOP = "shop", _("la tienda")
    CUSTOMER = "customer", _("el cliente")
    OPERATOR = "operator", _("el operador")
    NOBODY = "", _("nadie")
