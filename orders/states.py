"""The order machine: its states, its verbs, and the one table of legal moves (ORD-10).

A row says what a move does and what bounds it; which rows exist for an order, and who may make them, is in the
`rights` of the policy that the order arrived under: who may is data, what is legal is here.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from marketplace.fsm import Step, Steps, by_source, machine


class State(TextChoices):
    """Where an order is in its life; the label is what it is called where its policy gives no name of its own."""

    PENDING_PAYMENT = "pending_payment", _("Pendiente de pago")
    PENDING_ACCEPTANCE = "pending_acceptance", _("Pendiente de aceptación")
    DEBIT = "debit", _("Débito en curso")
    AWAITING_SHIPMENT = "awaiting_shipment", _("Esperando envío")
    AWAITING_PICKUP = "awaiting_pickup", _("Por recolectar")
    SHIPPED = "shipped", _("Enviado")
    EXCEPTION = "exception", _("Entrega fallida")
    DELIVERED = "delivered", _("Entregado")
    RECEIVED = "received", _("Recibido")
    CLOSED = "closed", _("Cerrado")
    REFUSED = "refused", _("Rechazado")
    CANCELLED = "cancelled", _("Cancelado")
    FAILED = "failed", _("Fallido")
    RETURNED = "returned", _("Devuelto a la tienda")


class Verb(TextChoices):
    """What can be done to an order; the label is how the history tells it."""

    PLACE = "place", _("Pedido recibido")
    CONFIRM_PAYMENT = "confirm_payment", _("Pago confirmado")
    LAPSE = "lapse", _("Cancelado por no pagarse a tiempo")
    ACCEPT = "accept", _("Aceptado")
    REFUSE = "refuse", _("Rechazado")
    EXPIRE = "expire", _("Cancelado por no aceptarse a tiempo")
    CANCEL = "cancel", _("Cancelado")
    DEBIT_SUCCEEDED = "debit_succeeded", _("Cobrado al cliente")
    DEBIT_FAILED = "debit_failed", _("Cobro rechazado")
    READY = "ready", _("Listo para recoger")
    SHORTEN = "shorten", _("Faltan unidades")
    SHIP = "ship", _("Enviado")
    REPORT_EXCEPTION = "report_exception", _("Entrega fallida")
    RETRY = "retry", _("Nuevo intento de entrega")
    RETURN_TO_SENDER = "return_to_sender", _("Devuelto a la tienda")
    REDIRECT = "redirect", _("Redirigido a otro pedido")
    DELIVER = "deliver", _("Entregado")
    FULFIL = "fulfil", _("Entregado en línea")
    RECEIVE = "receive", _("Recibido")
    SETTLE = "settle", _("Liquidado")
    HOLD = "hold", _("Puesto en espera")
    RELEASE = "release", _("Sale de la espera")
    HAND_OVER = "hand_over", _("Bulto entregado al transportista")
    CONFIRM = "confirm", _("Confirmado al cliente")
    ASSIGN = "assign", _("Cambia quién lo sirve")
    NOTE_DELIVERY = "note_delivery", _("Entrega anotada")
    LATE_CHARGE = "late_charge", _("Cobro llegado tarde; se devuelve")
    PAID_BACK = "paid_back", _("Devuelto al cliente")
    NOT_PAID_BACK = "not_paid_back", _("El proveedor no devuelve el dinero")
    MAIL_BOUNCED = "mail_bounced", _("Un correo al cliente ha vuelto")
    REFUND = "refund", _("Reembolso")
    REFUND_UNDONE = "refund_undone", _("Reembolso anulado: el proveedor no lo hizo")
    RETURN_ASKED = "return_asked", _("Devolución pedida")
    RETURN_ACCEPTED = "return_accepted", _("Devolución aceptada")
    RETURN_REFUSED = "return_refused", _("Devolución rechazada")
    RETURN_INSTRUCTED = "return_instructed", _("Instrucciones para devolver")
    RETURN_SENT = "return_sent", _("Devolución en camino")
    RETURN_WITHDRAWN = "return_withdrawn", _("Devolución retirada por el cliente")
    RETURN_LAPSED = "return_lapsed", _("Devolución caducada")
    RETURN_RECEIVED = "return_received", _("Devolución recibida")
    RETURN_INSPECTED = "return_inspected", _("Devolución revisada")
    RETURN_REFUNDED = "return_refunded", _("Devolución reembolsada")
    RETURN_REPLACED = "return_replaced", _("Recambio enviado")
    RETURN_REJECTED = "return_rejected", _("Devolución no admitida tras revisarla")
    RETURN_REOPENED = "return_reopened", _("Devolución de nuevo en curso")
    RETURN_LATE = "return_late", _("Devolución con retraso")
    LINKS_REVOKED = "links_revoked", _("Enlaces del cliente anulados")
    INVOICE_ASKED = "invoice_asked", _("Factura pedida por el cliente")
    INVOICE_GIVEN = "invoice_given", _("Factura entregada al cliente")
    INVOICE_TAKEN_BACK = "invoice_taken_back", _("Factura deshecha antes de salir")
    REQUEST_MADE = "request_made", _("Petición")
    REQUEST_APPROVED = "request_approved", _("Petición aprobada")
    REQUEST_DECLINED = "request_declined", _("Petición denegada")
    REQUEST_WITHDRAWN = "request_withdrawn", _("Petición retirada")
    REQUEST_OVERTAKEN = "request_overtaken", _("La petición ya no procede")
    INCIDENT_OPENED = "incident_opened", _("Incidencia abierta")
    INCIDENT_RESOLVED = "incident_resolved", _("Incidencia marcada como resuelta")
    INCIDENT_SENT_BACK = "incident_sent_back", _("Incidencia devuelta a la tienda")
    INCIDENT_CLOSED = "incident_closed", _("Incidencia cerrada")


S, V = State, Verb

MOVES: Steps = (
    Step(V.CONFIRM_PAYMENT, S.PENDING_PAYMENT, S.AWAITING_SHIPMENT, not_after="pay_by"),
    Step(V.DEBIT_FAILED, S.PENDING_PAYMENT, S.FAILED),
    Step(V.LAPSE, S.PENDING_PAYMENT, S.CANCELLED, only_after="pay_by"),
    Step(V.CANCEL, S.PENDING_PAYMENT, S.CANCELLED),
    Step(
        V.ACCEPT,
        S.PENDING_ACCEPTANCE,
        S.DEBIT,
        not_after="accept_by",
        instead=("cash_on_delivery", S.AWAITING_SHIPMENT),
    ),
    Step(V.REFUSE, S.PENDING_ACCEPTANCE, S.REFUSED, not_after="accept_by"),
    Step(V.EXPIRE, S.PENDING_ACCEPTANCE, S.CANCELLED, only_after="accept_by"),
    Step(V.CANCEL, S.PENDING_ACCEPTANCE, S.CANCELLED),
    Step(V.CANCEL, S.DEBIT, S.CANCELLED),
    Step(V.CANCEL, S.AWAITING_SHIPMENT, S.CANCELLED, stopped_by_parcel=True),
    Step(V.CANCEL, S.AWAITING_PICKUP, S.CANCELLED, stopped_by_parcel=True),
    Step(V.DEBIT_SUCCEEDED, S.DEBIT, S.AWAITING_SHIPMENT),
    Step(V.DEBIT_FAILED, S.DEBIT, S.FAILED),
    Step(V.READY, S.AWAITING_SHIPMENT, S.AWAITING_PICKUP, needs="ships", held_by_hold=True),
    Step(V.SHIP, S.AWAITING_SHIPMENT, S.SHIPPED, needs="ships", held_by_hold=True),
    Step(V.SHIP, S.AWAITING_PICKUP, S.SHIPPED, needs="ships", held_by_hold=True),
    Step(V.FULFIL, S.AWAITING_SHIPMENT, S.DELIVERED, needs="unconfirmed", held_by_hold=True),
    Step(V.DELIVER, S.SHIPPED, S.DELIVERED),
    Step(V.REPORT_EXCEPTION, S.SHIPPED, S.EXCEPTION),
    Step(V.RETRY, S.EXCEPTION, S.SHIPPED),
    Step(V.DELIVER, S.EXCEPTION, S.DELIVERED),
    Step(V.RETURN_TO_SENDER, S.EXCEPTION, S.RETURNED),
    Step(V.REDIRECT, S.EXCEPTION, S.RETURNED),
    Step(V.RECEIVE, S.SHIPPED, S.RECEIVED, not_before="receive_at", held_by_hold=True, held_by_incident=True),
    Step(
        V.RECEIVE, S.DELIVERED, S.RECEIVED, not_before="receive_at", held_by_hold=True, held_by_incident=True
    ),
    Step(V.SETTLE, S.RECEIVED, S.CLOSED, held_by_hold=True, held_by_incident=True),
)

TABLE = by_source(MOVES)


class OrderMachine(machine(MOVES)):  # type: ignore[misc]
    """One guarded method for each verb of the table."""


FIRST = (S.PENDING_ACCEPTANCE, S.PENDING_PAYMENT, S.AWAITING_SHIPMENT)
"""Where an order's life may begin; which of them is its policy's to say, and how it is paid (ORD-07)."""

FINAL = frozenset({S.CLOSED, S.REFUSED, S.CANCELLED, S.FAILED, S.RETURNED})
PAST_RECEIPT = frozenset({S.RECEIVED, S.CLOSED})
PAID = (S.AWAITING_SHIPMENT, S.AWAITING_PICKUP, S.SHIPPED, S.EXCEPTION, S.DELIVERED)
"""The states of an order that can be prepared, until it is received: in these digital lines are confirmed (ORD-13)."""


class HoldKind(TextChoices):
    """Why an order is in wait; that of an incident or a return stops only receipt and settlement (ORD-06, SHP-08)."""

    STOCK = "stock", _("Faltan existencias")
    PRESALE = "presale", _("Preventa")
    ADDRESS = "address", _("Comprobar la dirección")
    OPERATOR = "operator", _("Retenido por el operador")
    PAYMENT_MISMATCH = "payment_mismatch", _("Lo pagado no coincide")
    INCIDENT = "incident", _("Incidencia abierta")
    RETURN = "return", _("Devolución en curso")


OF_MONEY = frozenset({HoldKind.INCIDENT, HoldKind.RETURN})
"""What keeps an order from receipt and settlement and stops nothing else; it comes and goes with what it is of."""

ASSIGNABLE = frozenset(
    {S.PENDING_PAYMENT, S.PENDING_ACCEPTANCE, S.DEBIT, S.AWAITING_SHIPMENT, S.AWAITING_PICKUP}
)
"""Where it can still be said who fulfils a line (ROL-04)."""

SELLER_HOLDS = frozenset({HoldKind.STOCK, HoldKind.PRESALE, HoldKind.ADDRESS})


class LineKind(TextChoices):
    """What a line sells: goods travel, everything else is confirmed to the customer (ORD-13)."""

    GOODS = "goods", _("Artículo")
    DOWNLOAD = "download", _("Descarga")
    SUBSCRIPTION = "subscription", _("Suscripción")
    MEMBERSHIP = "membership", _("Membresía")
    TICKET = "ticket", _("Entrada")
    BOOKING = "booking", _("Reserva")


INSTANT = frozenset({LineKind.DOWNLOAD, LineKind.SUBSCRIPTION})
"""What is confirmed as soon as it is paid; the rest of what does not travel the seller confirms."""


class Decision(TextChoices):
    """What the seller answered for a line (ORD-05)."""

    PENDING = "pending", _("Sin respuesta")
    ACCEPTED = "accepted", _("Aceptada")
    REFUSED = "refused", _("Rechazada")
