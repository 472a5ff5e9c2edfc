"""The typed policy of a channel, and the presets it is made from.

A policy is data: windows, clocks, rights, texts, targets, commission. Operators publish the next version in the
admin; an order keeps the version it arrived under. Code asks the policy and never names a figure of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from marketplace.clocks import ClockKind, Span


class Preset(StrEnum):
    """The ways of trading that the product knows out of the box."""

    ACCEPT_FIRST = "accept_first"
    PREPAID = "prepaid"
    CASH_ON_DELIVERY = "cash_on_delivery"


class Role(StrEnum):
    """Who stands behind a move: one letter each in the table of moves."""

    SELLER = "seller"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    OPERATOR = "operator"
    PLATFORM = "platform"


ROLE_LABELS = {
    Role.SELLER: _("la tienda"),
    Role.SUPPLIER: _("quien sirve la línea"),
    Role.CUSTOMER: _("el cliente"),
    Role.OPERATOR: _("el operador"),
    Role.PLATFORM: _("la plataforma"),
}

_LETTERS = {
    "S": Role.SELLER,
    "F": Role.SUPPLIER,
    "C": Role.CUSTOMER,
    "O": Role.OPERATOR,
    "P": Role.PLATFORM,
}

Rights = dict[str, dict[str, tuple[Role, ...]]]


def _rights(table: dict[str, dict[str, str]]) -> Rights:
    """Spell out the letters of a preset's table: state → verb → who may."""
    return {
        state: {verb: _roles(letters) for verb, letters in verbs.items()} for state, verbs in table.items()
    }


def _roles(letters: str) -> tuple[Role, ...]:
    return tuple(_LETTERS[letter] for letter in letters)


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_WALL_HOURS = {ClockKind.WALL: 1.0, ClockKind.WORKING: 7 / 5, ClockKind.OFFICE: 7 / 5 * 24 / 8}
"""Hours on the wall for one of each clock: five working days a week, eight office hours a day."""


class Window(Frozen):
    """A span of time on one of the clocks, as an operator types it."""

    hours: Annotated[float, Field(gt=0, le=24 * 400)]
    clock: ClockKind = ClockKind.WALL

    @property
    def span(self) -> Span:
        return Span(hours=self.hours, clock=self.clock)

    @property
    def wall_hours(self) -> float:
        """About how many hours go by on the wall, weekends counted: for comparing windows of different clocks."""
        return self.hours * _WALL_HOURS[self.clock]


class ShippingClockFrom(StrEnum):
    """When the delivery promise starts to run (SHP-02)."""

    HAND_OVER = "hand_over"
    AWAITING_SHIPMENT = "awaiting_shipment"


class ReceiptClockFrom(StrEnum):
    """When the days start to run after which an order counts as received (SHP-07)."""

    HAND_OVER = "hand_over"
    DELIVERY = "delivery"


class StartsWith(StrEnum):
    """What an order waits for first: the shop's answer, or the customer's payment (ORD-01, ORD-07)."""

    ACCEPTANCE = "acceptance"
    PAYMENT = "payment"


class SettlementBy(StrEnum):
    """How a channel's calendar of closings is said (SET-01)."""

    MONTH_DAYS = "month_days"
    WEEKDAYS = "weekdays"
    EVERY_DAYS = "every_days"


class FileType(StrEnum):
    """The kinds of files that may come with a message, by what is in them (MSG-13)."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    PDF = "pdf"
    TEXT = "text"


class Contradiction(ValueError):
    """Settings that cannot hold together; `flaws` are (name of the setting, what is wrong with it)."""

    def __init__(self, flaws: Sequence[tuple[str, str]]) -> None:
        super().__init__(" ".join(words for _name, words in flaws))
        self.flaws = tuple(flaws)


class Settings(Frozen):
    """Everything a channel decides about the life of its orders.

    `rights` says, for each state, which verbs exist and who may make them (ORD-10); amounts are `_cents`, rates are
    in basis points (1200 = 12 %).
    """

    preset: Preset = Preset.ACCEPT_FIRST
    rights: Rights
    state_labels: dict[str, tuple[str, str]] = {}

    starts_with: StartsWith = StartsWith.ACCEPTANCE
    cash_on_delivery: bool = False
    pay_within: Window = Window(hours=72)
    accept_within: Window = Window(hours=72)
    debit_alert_after: Window = Window(hours=1)
    debit_retries: Annotated[int, Field(ge=0, le=10)] = 0
    debit_retry_after: Window = Window(hours=4)
    ship_within: Window = Window(hours=48, clock=ClockKind.WORKING)
    deliver_within: Window = Window(hours=120, clock=ClockKind.WORKING)
    deliver_clock_from: ShippingClockFrom = ShippingClockFrom.HAND_OVER
    receive_after: Window = Window(hours=21 * 24)
    receive_clock_from: ReceiptClockFrom = ReceiptClockFrom.HAND_OVER
    pickup: bool = True
    free_text_carrier: bool = True

    commission_bp: Annotated[int, Field(ge=0, le=10_000)] = 1200
    commission_on_shipping: bool = True
    commission_vat_bp: Annotated[int, Field(ge=0, le=10_000)] = 2100
    sales_tax_bp: Annotated[int, Field(ge=0, le=10_000)] = 2100

    refund_within: Window = Window(hours=200 * 24)
    refund_returns_commission: bool = True

    answer_within: Window = Window(hours=24, clock=ClockKind.WORKING)
    answer_stops_on_shop_holidays: bool = True
    write_to_both: bool = True
    attachment_types: tuple[FileType, ...] = (FileType.JPEG, FileType.PNG, FileType.WEBP, FileType.PDF)
    attachment_mb: Annotated[int, Field(ge=1, le=25)] = 8
    attachments_most: Annotated[int, Field(ge=0, le=10)] = 5

    incident_answer_within: Window = Window(hours=8, clock=ClockKind.OFFICE)
    incident_close_after: Window = Window(hours=72, clock=ClockKind.WORKING)
    incident_closes_itself: bool = False
    incident_tells_operator: bool = False
    claim_within: Window = Window(hours=14 * 24)
    return_within: Window = Window(hours=14 * 24)
    return_answer_within: Window = Window(hours=48, clock=ClockKind.WORKING)
    return_send_within: Window = Window(hours=14 * 24)
    return_arrive_within: Window = Window(hours=14 * 24)
    return_inspect_within: Window = Window(hours=72, clock=ClockKind.WORKING)

    customer_link_days: Annotated[int, Field(ge=1, le=730)] = 180
    review_after: Window = Window(hours=5 * 24)
    invoice_always: bool = False

    settlement_by: SettlementBy = SettlementBy.MONTH_DAYS
    settlement_days: tuple[Annotated[int, Field(ge=1, le=28)], ...] = (1, 16)
    settlement_weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1,)
    settlement_every_days: Annotated[int, Field(ge=1, le=92)] = 14
    settlement_from: Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))] = date(2026, 1, 5)
    minimum_payout_cents: Annotated[int, Field(ge=0)] = 0
    payout_needs_details: bool = True
    adjustment_alone_cents: Annotated[int, Field(ge=0)] = 10_000

    @model_validator(mode="before")
    @classmethod
    def _grants_fulfilment(cls, given: Any, info: ValidationInfo) -> Any:
        """A version from before digital lines existed lets those confirm them who do so by default (ORD-13)."""
        if info.context != KEPT or given.get("cash_on_delivery"):
            return given
        rights: Mapping[str, Mapping[str, object]] = given["rights"]
        if any("fulfil" in verbs for verbs in rights.values()):
            return given
        paid = {**rights.get("awaiting_shipment", {}), "fulfil": _roles(_FULFILLED_BY)}
        return {**given, "rights": {**rights, "awaiting_shipment": paid}}

    @model_validator(mode="before")
    @classmethod
    def _grants_redirecting(cls, given: Any, info: ValidationInfo) -> Any:
        """A version from before parcels were redirected lets those do it who say that one came back (EXC-03)."""
        if info.context != KEPT or "review_after" in given:  # published since: nobody granted means nobody
            return given
        rights: Mapping[str, Mapping[str, object]] = given["rights"]
        exits = rights.get("exception", {})
        if "redirect" in exits or not exits.get("return_to_sender"):
            return given
        exits = {**exits, "redirect": exits["return_to_sender"]}
        return {**given, "rights": {**rights, "exception": exits}}

    @model_validator(mode="before")
    @classmethod
    def _pays_as_before(cls, given: Any, info: ValidationInfo) -> Any:
        """A version from before shops told their bank details pays without them (SET-05)."""
        if info.context != KEPT or "payout_needs_details" in given:
            return given
        return {**given, "payout_needs_details": False}

    @model_validator(mode="after")
    def _is_sane(self, info: ValidationInfo) -> Self:
        if info.context != KEPT:
            flaws = [(name, str(words)) for name, words in self._flaws()]
            if flaws:
                raise Contradiction(flaws)
        return self

    def _flaws(self) -> Iterator[tuple[str, object]]:
        """Every setting that cannot be kept or that the others contradict, and why."""
        for name in type(self).model_fields:
            window = getattr(self, name)
            if isinstance(window, Window) and window.hours * 60 < 1:
                yield name, _("Un plazo dura al menos un minuto.")
        for name in ("settlement_days", "settlement_weekdays"):
            days = list(getattr(self, name))
            if not days:
                yield name, _("Hace falta al menos un día de liquidación.")
            if days != sorted(set(days)):
                yield name, _("Los días de liquidación van en orden y sin repetir.")
        # Counted from delivery it falls back on shipping, where nobody reports one: the same holds for both.
        if self.receive_after.wall_hours < self.deliver_within.wall_hours:
            yield "receive_after", _("Un pedido no puede darse por recibido antes de que deba entregarse.")
        if self.commission_bp * (10_000 + self.commission_vat_bp) > 10_000 * 10_000:
            yield "commission_bp", _("La comisión con su IVA sería más de lo que se vende.")
        if self.claim_within.wall_hours < 5 * 24:
            yield "claim_within", _("Una reclamación se admite al menos cinco días después de la entrega.")
        if self.attachments_most and not self.attachment_types:
            yield "attachment_types", _("Elige al menos un tipo de archivo, o no admitas ninguno.")
        if self.cash_on_delivery and self.starts_with == StartsWith.PAYMENT:
            yield "starts_with", _("Lo que cobra el mensajero no puede esperar a un pago por adelantado.")
        yield from self._flaws_of_rights()

    def _flaws_of_rights(self) -> Iterator[tuple[str, object]]:
        needed = list(self._needed())
        for state, verb, roles in needed:
            if not roles & set(self.rights.get(state, {}).get(verb, ())):
                words = {"roles": ", ".join(str(ROLE_LABELS[role]) for role in Role if role in roles)}
                yield (
                    f"rights.{state}.{verb}",
                    _("Tiene que poder hacerlo alguno de estos: %(roles)s.") % words,
                )
        asked = {(state, verb) for state, verb, _roles in needed}
        for state, verbs in self.rights.items():
            for verb in (verb for verb, roles in verbs.items() if not roles and (state, verb) not in asked):
                words = {"verb": verb, "state": state}
                yield f"rights.{state}.{verb}", _("Nadie puede hacer «%(verb)s» en «%(state)s».") % words
        exits = self.rights.get("exception", {})
        if self.rights.get("shipped", {}).get("report_exception") and not any(exits.values()):
            yield (
                "rights.exception.retry",
                _(
                    "De una entrega fallida tiene que poder salirse: alguien la reintenta, la confirma o la devuelve."
                ),
            )

    def _needed(self) -> Iterator[tuple[str, str, set[Role]]]:
        """The moves without which orders would be stuck on their way, and who has to be able to make each."""
        people = {Role.SELLER, Role.SUPPLIER, Role.OPERATOR}
        platform = {Role.PLATFORM}
        yield "awaiting_shipment", "ship", people
        if self.starts_with == StartsWith.PAYMENT:
            yield "pending_payment", "confirm_payment", {Role.OPERATOR, Role.PLATFORM}
            yield "pending_payment", "lapse", platform
        else:
            yield "pending_acceptance", "accept", people
            yield "pending_acceptance", "expire", platform
        if not self.cash_on_delivery:
            yield "awaiting_shipment", "fulfil", people
            yield "awaiting_shipment", "fulfil", platform
            if self.starts_with == StartsWith.ACCEPTANCE:
                yield "debit", "debit_succeeded", platform
                yield "debit", "debit_failed", platform
        yield "shipped", "receive", platform
        if self.rights.get("shipped", {}).get("deliver"):
            yield "delivered", "receive", platform
        yield "received", "settle", platform


KEPT = {"kept": True}
"""The context of reading a version that is in force: what was published stays readable, whatever we ask today."""


_ON_THE_WAY = {
    "shipped": {"deliver": "COP", "receive": "P", "report_exception": "OP"},
    "exception": {"retry": "SO", "return_to_sender": "SO", "redirect": "SO", "deliver": "COP"},
    "delivered": {"receive": "P"},
    "received": {"settle": "P"},
}

_FULFILLED_BY = "SFOP"
"""Who confirms to the customer what does not travel; nothing of it is paid to a courier."""

_ANSWERED_FIRST = {"accept": "SO", "refuse": "SO", "expire": "P", "cancel": "SCO"}

ACCEPT_FIRST = _rights(
    {
        "pending_acceptance": _ANSWERED_FIRST,
        "debit": {"cancel": "O", "debit_succeeded": "P", "debit_failed": "P"},
        "awaiting_shipment": {"cancel": "FO", "ready": "FO", "ship": "SFO", "fulfil": _FULFILLED_BY},
        "awaiting_pickup": {"cancel": "FO", "ship": "SFO"},
        **_ON_THE_WAY,
    }
)

PREPAID = _rights(
    {
        "pending_payment": {"confirm_payment": "OP", "debit_failed": "P", "lapse": "P", "cancel": "CO"},
        "awaiting_shipment": {"cancel": "CO", "ship": "SFO", "fulfil": _FULFILLED_BY},
        **_ON_THE_WAY,
    }
)

CASH_ON_DELIVERY = _rights(
    {
        "pending_acceptance": _ANSWERED_FIRST,
        "awaiting_shipment": {"cancel": "FO", "ready": "FO", "ship": "SFO"},
        "awaiting_pickup": {"cancel": "FO", "ship": "SFO"},
        **_ON_THE_WAY,
    }
)

PRESETS: dict[Preset, Settings] = {
    Preset.ACCEPT_FIRST: Settings(preset=Preset.ACCEPT_FIRST, rights=ACCEPT_FIRST),
    Preset.PREPAID: Settings(
        preset=Preset.PREPAID,
        rights=PREPAID,
        starts_with=StartsWith.PAYMENT,
        pickup=False,
        receive_clock_from=ReceiptClockFrom.DELIVERY,
        state_labels={
            "pending_payment": ("Pendiente de pago", "Pending payment"),
            "awaiting_shipment": ("Procesando", "Processing"),
            "shipped": ("En tránsito", "In transit"),
            "delivered": ("Completado", "Completed"),
            "cancelled": ("Anulado", "Voided"),
        },
    ),
    Preset.CASH_ON_DELIVERY: Settings(
        preset=Preset.CASH_ON_DELIVERY,
        rights=CASH_ON_DELIVERY,
        cash_on_delivery=True,
        receive_clock_from=ReceiptClockFrom.DELIVERY,
        state_labels={
            "pending_acceptance": ("Por confirmar", "To confirm"),
            "awaiting_shipment": ("Por alistar", "To prepare"),
            "awaiting_pickup": ("Por recolectar", "To collect"),
            "shipped": ("En tránsito", "In transit"),
        },
    ),
}
