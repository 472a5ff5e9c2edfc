"""Why a move was refused: codes with a text in both languages, and the outcome of a move of many rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import models
from django.utils.translation import gettext_lazy as _


class Code(models.TextChoices):
    """The reasons a move can be refused for; the label is what people read."""

    WRONG_STATE = "wrong_state", _("El pedido no está en un estado que lo permita.")
    NOT_ALLOWED = "not_allowed", _("No tienes permiso para hacerlo.")
    DEADLINE_PASSED = "deadline_passed", _("El plazo ya ha pasado.")
    TOO_EARLY = "too_early", _("Todavía no ha llegado el momento.")
    HELD = "held", _("El pedido está en espera.")
    OPEN_INCIDENT = "open_incident", _("El pedido tiene una incidencia abierta.")
    NOT_DEBITED = "not_debited", _("Todavía no se ha cobrado al cliente.")
    OUT_OF_ORDER = "out_of_order", _("Es anterior a lo último que pasó en el pedido.")
    UNKNOWN_ORDER = "unknown_order", _("No existe ese pedido.")
    UNKNOWN_SHOP = "unknown_shop", _("No existe esa tienda.")
    UNKNOWN_SUPPLIER = "unknown_supplier", _("No existe ese proveedor en la tienda.")
    UNKNOWN_LINE = "unknown_line", _("No existe esa línea en el pedido.")
    UNKNOWN_CARRIER = "unknown_carrier", _("No existe ese transportista.")
    UNKNOWN_EVENT = "unknown_event", _("No se conoce ese tipo de suceso.")
    DUPLICATE = "duplicate", _("Ya estaba registrado.")
    MALFORMED = "malformed", _("Los datos no tienen la forma debida.")
    MISMATCH = "mismatch", _("Lo pagado no coincide con el total.")
    TOO_MANY = "too_many", _("Son más unidades de las que quedan por enviar.")
    NOTHING_CHOSEN = "nothing_chosen", _("No has elegido nada.")
    NOTHING_LEFT = "nothing_left", _("No quedaría nada del pedido: para eso está cancelarlo.")
    REASON_NEEDED = "reason_needed", _("Hace falta un motivo.")
    NO_PICKUP = "no_pickup", _("Este canal no usa recogida.")
    NO_SUCH_HOLD = "no_such_hold", _("No hay ninguna retención de esa clase.")
    NOTHING_TO_SHIP = "nothing_to_ship", _("No queda nada que enviar.")
    NOTHING_TO_CONFIRM = "nothing_to_confirm", _("No queda nada por confirmar al cliente.")
    CONFIRMED = "confirmed", _("Ya se ha confirmado algo al cliente: solo el operador puede cancelarlo.")
    CASH_FOR_DIGITAL = "cash_for_digital", _("Lo que no se envía no lo puede cobrar el mensajero.")
    CASH_FOR_SEVERAL = "cash_for_several", _("Lo que cobra el mensajero sale entero de un solo sitio.")
    PARCEL_ON_ITS_WAY = "parcel_on_its_way", _("Ya hay un bulto en camino.")
    NOT_COLLECTED = "not_collected", _("El mensajero todavía no lo ha cobrado.")
    OTHER_COURIER = "other_courier", _("Lo cobró otro mensajero.")
    AMBIGUOUS = "ambiguous", _("Hay varios pedidos con ese número.")
    REFERENCE_TAKEN = "reference_taken", _("Esa referencia ya paga otra compra.")
    CHANGED = "changed", _("Ha cambiado desde que lo viste.")
    CARRIER_LISTED = "carrier_listed", _("Ese transportista ya está en la lista.")
    CARRIER_ASKED = "carrier_asked", _("Ya está pedido: falta la respuesta del operador.")
    CARRIERS_WAIT = "carriers_wait", _("Hay demasiados transportistas pedidos y sin respuesta.")
    EMPTY_MESSAGE = "empty_message", _("El mensaje está vacío.")
    TOO_LONG = "too_long", _("El mensaje es demasiado largo.")
    UNFILLED = "unfilled", _("Falta rellenar:")
    NAME_TAKEN = "name_taken", _("Ya hay una con ese nombre en ese idioma.")
    NO_SUCH_VARIABLE = "no_such_variable", _("No es ninguna variable:")
    TOO_MANY_NOTES = "too_many_notes", _("El pedido no admite más notas.")
    TOO_MANY_TEMPLATES = "too_many_templates", _("La tienda no admite más plantillas.")
    NO_SUCH_RECIPIENT = "no_such_recipient", _("No se puede escribir a ese destinatario.")
    SENT_ALREADY = "sent_already", _("Ya se ha enviado.")
    NOTHING_TO_ANSWER = "nothing_to_answer", _("Ya no espera respuesta.")
    NOT_ASKED = "not_asked", _("Todavía no se le ha pedido.")
    FILES_NOT_KEPT = "files_not_kept", _("No se han podido guardar los archivos. Inténtalo de nuevo.")
    TOO_MANY_BACK = "too_many_back", _("Son más unidades de las que se pueden devolver.")
    NOTHING_TO_REFUND = "nothing_to_refund", _("No queda nada cobrado que devolver.")
    MORE_THAN_LEFT = "more_than_left", _("Es más de lo que queda por devolver:")
    NO_ISSUER = "no_issuer", _("Faltan los datos del operador en ese canal.")
    NOTHING_TO_PAY = "nothing_to_pay", _("No hay ninguna transferencia que llevar al banco.")
    UNKNOWN_PAYOUT = "unknown_payout", _("No es ninguna de nuestras transferencias.")
    AMOUNT_DIFFERS = "amount_differs", _("El importe no es el de la transferencia.")
    NO_AMOUNT = "no_amount", _("No se entiende el importe.")
    TOO_FAR_AHEAD = "too_far_ahead", _("Se ensaya hasta un año por delante.")
    ANSWERED = "answered", _("El banco ya contestó.")
    OWN_REQUEST = "own_request", _("Lo pediste tú: lo tiene que aprobar otra persona.")
    DECIDED = "decided", _("Ya se decidió.")
    SETTLED_SINCE = (
        "settled_since",
        _("Ya se cerró un ciclo después: lo de entonces está en sus liquidaciones."),
    )
    NOT_YET = "not_yet", _("Ese momento no ha llegado: solo se puede ensayar.")
    NOTHING_DUE = "nothing_due", _("El calendario no tiene ahora nada que cerrar.")
    RUN_AT_WORK = "run_at_work", _("Otra liquidación de este canal está en marcha.")
    BALANCE_TOO_LOW = "balance_too_low", _("Tu saldo no alcanza.")
    TOO_OFTEN = "too_often", _("Son muchas veces en poco tiempo. Prueba dentro de un rato.")
    NOT_ASKED_FOR = "not_asked_for", _("No hace falta pedirlo, o no es algo que se pida.")
    BAD_ADDRESS = "bad_address", _("La dirección corregida no está bien.")
    SEVERAL_PARCELS = "several_parcels", _("Salió en varios bultos: no puede redirigirse entero.")
    OTHER_SHOP = "other_shop", _("Es de otra tienda, de otro canal o de otra moneda.")
    OTHER_ARTICLES = "other_articles", _("No espera los mismos artículos.")
    OTHER_AREA = "other_area", _("No está en la misma zona.")
    OTHER_SUPPLIER = "other_supplier", _("No lo sirven los mismos.")
    OTHER_PAYMENT = "other_payment", _("Uno se paga al mensajero y el otro no.")
    INCIDENT_STANDS = "incident_stands", _("Ya hay una incidencia abierta sobre ese artículo.")
    INCIDENT_ELSEWHERE = "incident_elsewhere", _("La incidencia no está en un estado que lo permita.")
    RETURN_ELSEWHERE = "return_elsewhere", _("La devolución no está en un estado que lo permita.")
    UNKNOWN_RETURN = "unknown_return", _("No existe esa devolución.")
    NOT_AS_SENT = "not_as_sent", _("Son unidades que no has dado por buenas al revisar la devolución.")
    UNITS_ARE_GOOD = "units_are_good", _("Has dado unidades por buenas: reembólsalas o cámbialas.")
    NO_UNIT_IS_GOOD = "no_unit_is_good", _("No has dado ninguna unidad por buena.")
    REFUND_WAITS = "refund_waits", _("Su reembolso espera a que el operador lo cubra.")
    UNKNOWN_INCIDENT = "unknown_incident", _("No existe esa incidencia.")
    DAYS_NOT_AHEAD = (
        "days_not_ahead",
        _("Los días tienen que estar por venir: desde mañana y en un año como mucho."),
    )
    DAYS_OVERLAP = "days_overlap", _("Ya hay un cierre en alguno de esos días.")
    TOO_MANY_DAYS = "too_many_days", _("Son demasiados días de cierre por venir: 60 como mucho.")
    INVOICE_NOT_ASKED = "invoice_not_asked", _("El cliente no ha pedido factura.")
    INVOICE_GIVEN = "invoice_given", _("La factura ya está entregada.")
    NO_INVOICE_FILE = "no_invoice_file", _("Una factura es un PDF o una imagen: adjunta el archivo.")
    FAILED = "failed", _("Ha fallado y se ha apartado para revisarlo.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not moved, and why; `detail` completes the code's text where there is more to say."""

    id: int
    code: Code
    detail: str = ""

    @property
    def text(self) -> str:
        return f"{self.code.label} {self.detail}".strip()


@dataclass(slots=True)
class Outcome[Moved]:
    """What a move of many rows did: an answer for each, never an error."""

    moved: Sequence[Moved] = ()
    refused: Sequence[Refusal] = ()

    @property
    def codes(self) -> Counter[str]:
        return Counter(str(refusal.code) for refusal in self.refused)


@dataclass
class Tally:
    """What one run of a timer did."""

    done: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    parked: int = 0

    def add(self, outcome: Outcome[object]) -> None:
        self.done += len(outcome.moved)
        self.refused.update(outcome.codes)

    def join(self, other: "Tally") -> None:
        self.done += other.done
        self.refused.update(other.refused)
        self.parked += other.parked

    @property
    def idle(self) -> bool:
        return not (self.done or self.refused or self.parked)


class MoveRefused(Exception):
    """A single row's move was refused; carries the refusal for the page to show (HTTP 409)."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal.code))
        self.refusal = refusal
