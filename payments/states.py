"""The machine of something asked of a provider: waiting, asked, and one of three ends."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from marketplace.fsm import Step, Steps, machine


class AskState(TextChoices):
    """How far a question to the provider has come; `asked` means that its outcome is not known yet."""

    WAITING = "waiting", _("Por pedir")
    ASKED = "asked", _("Pedido, sin respuesta")
    SUCCEEDED = "succeeded", _("Hecho")
    REFUSED = "refused", _("Rechazado")
    VOID = "void", _("Anulado")


class Heard(TextChoices):
    """What came of a provider's webhook."""

    HURRIED = "hurried", _("Se pregunta ahora")
    KNOWN = "known", _("Ya se sabía")
    NOBODY = "nobody", _("De nadie")


class TurnedAway(TextChoices):
    """Why a webhook was not heard at all."""

    SIGNATURE = "signature", _("Firma falsa")
    OLD = "old", _("Fuera de hora")
    MALFORMED = "malformed", _("Ilegible")
    NO_CHANNEL = "no_channel", _("Para un canal que no la espera")


class Learned(TextChoices):
    """What became of a payment that the provider was asked about."""

    NOTHING = "nothing", _("Todavía nada")
    PAID = "paid", _("Pagado")
    RETURNED = "returned", _("Llegó tarde; se devuelve")
    FAILED = "failed", _("No se pagará")
    DIFFERS = "differs", _("Lo pagado no coincide")
    ELSEWHERE = "elsewhere", _("Es de otro pedido")
    UNPLACED = "unplaced", _("Pagado, y ningún pedido lo esperaba")
    SETTLED = "settled", _("Ya estaba resuelto")
    OVER = "over", _("No llegó a tiempo")


class AskVerb(TextChoices):
    ASK = "ask", _("pedir")
    SUCCEED = "succeed", _("hecho")
    REFUSE = "refuse", _("rechazado")
    MAKE_VOID = "make_void", _("anular")


MOVES: Steps = (
    Step(AskVerb.ASK, AskState.WAITING, AskState.ASKED),
    Step(AskVerb.SUCCEED, AskState.ASKED, AskState.SUCCEEDED),
    Step(AskVerb.REFUSE, AskState.ASKED, AskState.REFUSED),
    Step(AskVerb.MAKE_VOID, AskState.WAITING, AskState.VOID),
)


class AskMachine(machine(MOVES)):  # type: ignore[misc]
    """One guarded method for each verb of the table."""
