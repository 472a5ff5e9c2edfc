"""What each event of the table of notices is called."""

from django.utils.translation import gettext_lazy

from orders.states import Verb

EVENT_WORDS: dict[str, object] = {
    **{verb.value: verb.label for verb in Verb},
    "message": gettext_lazy("Mensaje"),
    "review_asked": gettext_lazy("Petición de valoración"),
    "review_reminder": gettext_lazy("Recordatorio de la tienda"),
    "review_written": gettext_lazy("Valoración de un cliente"),
    "astray": gettext_lazy("Respuesta por correo a un aviso"),
    "new_link": gettext_lazy("Enlace nuevo al pedido"),
    "prepare": gettext_lazy("Encargo a un proveedor"),
    "relieved": gettext_lazy("Un proveedor deja de servirlo"),
    "asked_inside": gettext_lazy("Petición a la propia tienda"),
    "debit_stuck": gettext_lazy("Cobro que tarda demasiado"),
    "payback_refused": gettext_lazy("Devolución rechazada"),
    "mismatch": gettext_lazy("Lo pagado no coincide"),
    "cover_asked": gettext_lazy("Reembolso por cubrir"),
    "cover_granted": gettext_lazy("Reembolso cubierto"),
    "cover_declined": gettext_lazy("Reembolso sin cubrir"),
    "statement_closed": gettext_lazy("Liquidación cerrada"),
    "payout_failed": gettext_lazy("Transferencia devuelta por el banco"),
    "invariant_broken": gettext_lazy("Las cuentas no cuadran"),
    "carrier_asked": gettext_lazy("Transportista pedido"),
    "carrier_granted": gettext_lazy("Transportista concedido"),
    "carrier_declined": gettext_lazy("Transportista denegado"),
}
"""What each event of the table of notices is called."""


def event_word(event: str) -> str:
    """What a notice is about; an event that is gone keeps its code."""
    return str(EVENT_WORDS.get(event, event))
