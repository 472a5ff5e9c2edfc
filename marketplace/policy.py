"""The typed policy of a channel, and the presets it is made from.

A policy is data: windows, clocks, rights, texts, targets, commission. Operators publish the next version in the
admin; an order keeps the version it arrived under. Code asks the policy and never names a figure of its own.
"""

from enum import StrEnum
from typing import Annotated, Self

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, model_validator

from marketplace.clocks import ClockKind, Span


class Preset(StrEnum):
    """The ways of trading that the product knows out of the box."""

    ACCEPT_FIRST = "accept_first"


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
        state: {verb: tuple(_LETTERS[letter] for letter in letters) for verb, letters in verbs.items()}
        for state, verbs in table.items()
    }


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(Frozen):
    """A span of time on one of the clocks, as an operator types it."""

    hours: Annotated[float, Field(gt=0, le=24 * 400)]
    clock: ClockKind = ClockKind.WALL

    @property
    def span(self) -> Span:
        return Span(hours=self.hours, clock=self.clock)


class ShippingClockFrom(StrEnum):
    """When the delivery promise starts to run (SHP-02)."""

    HAND_OVER = "hand_over"
    AWAITING_SHIPMENT = "awaiting_shipment"


class Settings(Frozen):
    """Everything a channel decides about the life of its orders.

    `rights` says, for each state, which verbs exist and who may make them (ORD-10); amounts are `_cents`, rates are
    in basis points (1200 = 12 %).
    """

    preset: Preset = Preset.ACCEPT_FIRST
    rights: Rights
    state_labels: dict[str, tuple[str, str]] = {}

    accept_within: Window = Window(hours=72)
    debit_alert_after: Window = Window(hours=1)
    debit_retries: Annotated[int, Field(ge=0, le=10)] = 0
    debit_retry_after: Window = Window(hours=4)
    ship_within: Window = Window(hours=48, clock=ClockKind.WORKING)
    deliver_within: Window = Window(hours=120, clock=ClockKind.WORKING)
    deliver_clock_from: ShippingClockFrom = ShippingClockFrom.HAND_OVER
    receive_after: Window = Window(hours=21 * 24)
    pickup: bool = True
    free_text_carrier: bool = True

    commission_bp: Annotated[int, Field(ge=0, le=10_000)] = 1200
    commission_on_shipping: bool = True
    commission_vat_bp: Annotated[int, Field(ge=0, le=10_000)] = 2100

    settlement_days: tuple[Annotated[int, Field(ge=1, le=28)], ...] = (1, 16)
    minimum_payout_cents: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _is_sane(self) -> Self:
        if not self.settlement_days:
            raise ValueError(str(_("Hace falta al menos un día de liquidación.")))
        if list(self.settlement_days) != sorted(set(self.settlement_days)):
            raise ValueError(str(_("Los días de liquidación van en orden y sin repetir.")))
        for state, verbs in self.rights.items():
            for verb, roles in verbs.items():
                if not roles:
                    raise ValueError(
                        str(
                            _("Nadie puede hacer «%(verb)s» en «%(state)s».") % {"verb": verb, "state": state}
                        )
                    )
        return self


ACCEPT_FIRST = _rights(
    {
        "pending_acceptance": {"accept": "SO", "refuse": "SO", "expire": "P", "cancel": "SCO"},
        "debit": {"cancel": "O", "debit_succeeded": "P", "debit_failed": "P"},
        "awaiting_shipment": {"cancel": "FO", "ready": "FO", "ship": "SFO"},
        "awaiting_pickup": {"cancel": "FO", "ship": "SFO"},
        "shipped": {"deliver": "COP", "receive": "P"},
        "delivered": {"receive": "P"},
        "received": {"settle": "P"},
    }
)

PRESETS: dict[Preset, Settings] = {
    Preset.ACCEPT_FIRST: Settings(preset=Preset.ACCEPT_FIRST, rights=ACCEPT_FIRST),
}
