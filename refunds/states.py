"""The machine of a refund: due back to the customer as soon as it is made, unless its shop's balance is too low; and
that of a return, from asking for it to the money or the replacement (REF-09)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from marketplace.fsm import Step, Steps, by_source, machine


class RefundState(TextChoices):
    """How far a refund has come."""

    ASKED = "asked", _("Espera a que el operador lo cubra")
    DUE = "due", _("En curso")
    PAID = "paid", _("Devuelto")
    FAILED = "failed", _("No se pudo devolver")
    DECLINED = "declined", _("El operador no lo cubre")
    WITHDRAWN = "withdrawn", _("Retirado")


R = RefundState

MOVES: Steps = (
    Step("cover", R.ASKED, R.DUE),
    Step("decline", R.ASKED, R.DECLINED),
    Step("withdraw", R.ASKED, R.WITHDRAWN),
    Step("pay", R.DUE, R.PAID),
    Step("fail", R.DUE, R.FAILED),
)


class RefundMachine(machine(MOVES)):  # type: ignore[misc]
    """One guarded method for each verb of the table."""


STANDING = (R.DUE, R.PAID)
"""What counts against what is left of an order."""


class ReturnState(TextChoices):
    """How far a return has come."""

    ASKED = "asked", _("Pedida")
    REFUSED = "refused", _("Rechazada")
    ACCEPTED = "accepted", _("Aceptada, sin instrucciones")
    INSTRUCTED = "instructed", _("Por mandar")
    SENT = "sent", _("En camino")
    RECEIVED = "received", _("Por revisar")
    INSPECTED = "inspected", _("Revisada")
    REFUNDED = "refunded", _("Reembolsada")
    REPLACED = "replaced", _("Cambiada")
    REJECTED = "rejected", _("No admitida")
    WITHDRAWN = "withdrawn", _("Retirada")
    LAPSED = "lapsed", _("Caducada")


B = ReturnState

RETURN_MOVES: Steps = (
    Step("accept", B.ASKED, B.ACCEPTED, not_after="due_by", instead=("instructed_at", B.INSTRUCTED)),
    Step("refuse", B.ASKED, B.REFUSED, not_after="due_by"),
    Step("presume", B.ASKED, B.ACCEPTED, only_after="due_by"),
    Step("instruct", B.ACCEPTED, B.INSTRUCTED),
    Step("send", B.INSTRUCTED, B.SENT, not_after="due_by"),
    Step("lapse", B.INSTRUCTED, B.LAPSED, only_after="due_by"),
    Step("withdraw", B.ASKED, B.WITHDRAWN),
    Step("withdraw", B.ACCEPTED, B.WITHDRAWN),
    Step("withdraw", B.INSTRUCTED, B.WITHDRAWN),
    Step("receive", B.ACCEPTED, B.RECEIVED),
    Step("receive", B.INSTRUCTED, B.RECEIVED),
    Step("receive", B.SENT, B.RECEIVED),
    Step("inspect", B.RECEIVED, B.INSPECTED, not_after="due_by"),
    Step("presume", B.RECEIVED, B.INSPECTED, only_after="due_by"),
    Step("pay", B.INSPECTED, B.REFUNDED),
    Step("replace", B.INSPECTED, B.REPLACED),
    Step("reject", B.INSPECTED, B.REJECTED),
    *(
        Step("overtake", source, B.REFUNDED)
        for source in (B.ASKED, B.ACCEPTED, B.INSTRUCTED, B.SENT, B.RECEIVED, B.INSPECTED)
    ),
    Step("reopen", B.REFUNDED, B.ACCEPTED, instead=("inspected_at", B.INSPECTED)),
)

RETURN_TABLE = by_source(RETURN_MOVES)


class ReturnMachine(machine(RETURN_MOVES)):  # type: ignore[misc]
    """One guarded method for each verb of the table."""


HOLDING = (B.ACCEPTED, B.INSTRUCTED, B.SENT, B.RECEIVED, B.INSPECTED)
"""While a return is in one of these its order is neither received nor settled."""

OPEN = (B.ASKED, *HOLDING)
"""The returns that have not ended."""

LET_GO = (B.REFUSED, B.WITHDRAWN, B.LAPSED)
"""Ended with the articles still at the customer's: they can be asked back again."""

WINDOWS: dict[str, str] = {
    B.ASKED: "return_answer_within",
    B.ACCEPTED: "return_answer_within",
    B.INSTRUCTED: "return_send_within",
    B.SENT: "return_arrive_within",
    B.RECEIVED: "return_inspect_within",
    B.INSPECTED: "return_inspect_within",
}
"""The time of the policy that each state lasts at most; a state that is not here waits for nothing."""

ONLY_LATE = (B.ACCEPTED, B.SENT, B.INSPECTED)
"""Where a deadline that has passed moves nothing: the shop is late, and the operators hear of it."""

AT_THE_SHOP = (B.ASKED, B.ACCEPTED, B.RECEIVED, B.INSPECTED)
"""The states in which it is the shop's turn; in `instructed` it is the customer's, in `sent` the carrier's."""
