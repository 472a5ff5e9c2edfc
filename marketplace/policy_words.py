"""A policy in words: what it says, one sentence a rule, and what a next version would change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, cast

from django.utils.formats import localize
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace import money
from marketplace.clocks import ClockKind
from marketplace.fsm import Steps
from marketplace.moments import day_words, length_words
from marketplace.policy import (
    ROLE_LABELS,
    FileType,
    Preset,
    ReceiptClockFrom,
    Role,
    Settings,
    SettlementBy,
    ShippingClockFrom,
    StartsWith,
    Window,
)

STATES, VERBS, MOVES = "orders.states.State", "orders.states.Verb", "orders.states.MOVES"

CLOCK_LABELS = {
    ClockKind.WALL: gettext_lazy("a todas horas"),
    ClockKind.WORKING: gettext_lazy("en días laborables"),
    ClockKind.OFFICE: gettext_lazy("en horas de oficina"),
}
PRESET_LABELS = {
    Preset.ACCEPT_FIRST: gettext_lazy("primero aceptar, luego cobrar"),
    Preset.PREPAID: gettext_lazy("pagado de antemano"),
    Preset.CASH_ON_DELIVERY: gettext_lazy("contra reembolso"),
}
STARTS_LABELS = {
    StartsWith.ACCEPTANCE: gettext_lazy("la respuesta de la tienda"),
    StartsWith.PAYMENT: gettext_lazy("el pago del cliente"),
}
RECEIPT_CLOCK_LABELS = {
    ReceiptClockFrom.HAND_OVER: gettext_lazy("el envío del último bulto"),
    ReceiptClockFrom.DELIVERY: gettext_lazy("la entrega, o el envío si nadie la confirma"),
}
FILE_LABELS = {
    FileType.JPEG: gettext_lazy("fotos JPEG"),
    FileType.PNG: gettext_lazy("imágenes PNG"),
    FileType.WEBP: gettext_lazy("imágenes WebP"),
    FileType.GIF: gettext_lazy("imágenes GIF"),
    FileType.PDF: gettext_lazy("PDF"),
    FileType.TEXT: gettext_lazy("texto sin formato"),
}
SHIPPING_CLOCK_LABELS = {
    ShippingClockFrom.HAND_OVER: gettext_lazy("la entrega al transportista"),
    ShippingClockFrom.AWAITING_SHIPMENT: gettext_lazy("el cobro al cliente"),
}
SETTLEMENT_LABELS = {
    SettlementBy.MONTH_DAYS: gettext_lazy("unos días de cada mes"),
    SettlementBy.WEEKDAYS: gettext_lazy("unos días de cada semana"),
    SettlementBy.EVERY_DAYS: gettext_lazy("cada tantos días"),
}
WEEKDAYS = {
    1: gettext_lazy("lunes"),
    2: gettext_lazy("martes"),
    3: gettext_lazy("miércoles"),
    4: gettext_lazy("jueves"),
    5: gettext_lazy("viernes"),
    6: gettext_lazy("sábados"),
    7: gettext_lazy("domingos"),
}

WORDS_OF: dict[type, dict[Any, Any]] = {
    Preset: PRESET_LABELS,
    StartsWith: STARTS_LABELS,
    ShippingClockFrom: SHIPPING_CLOCK_LABELS,
    ReceiptClockFrom: RECEIPT_CLOCK_LABELS,
    SettlementBy: SETTLEMENT_LABELS,
}
"""What each choice of a policy is called."""

SENTENCES = {
    "preset": gettext_lazy("El modo de vender es"),
    "starts_with": gettext_lazy("Un pedido nuevo espera"),
    "cash_on_delivery": gettext_lazy("Los pedidos"),
    "pay_within": gettext_lazy("El cliente paga por adelantado en"),
    "accept_within": gettext_lazy("La tienda acepta o rechaza un pedido en"),
    "debit_alert_after": gettext_lazy("Se avisa de un cobro sin respuesta tras"),
    "debit_retries": gettext_lazy("Un cobro rechazado se vuelve a intentar"),
    "debit_retry_after": gettext_lazy("Entre un intento de cobro y el siguiente pasan"),
    "ship_within": gettext_lazy("La tienda envía lo aceptado en"),
    "deliver_within": gettext_lazy("Lo enviado se entrega en"),
    "deliver_clock_from": gettext_lazy("El plazo de entrega cuenta desde"),
    "receive_after": gettext_lazy("Lo enviado se da por recibido tras"),
    "receive_clock_from": gettext_lazy("Los días hasta darlo por recibido cuentan desde"),
    "pickup": gettext_lazy("La recogida por el transportista"),
    "free_text_carrier": gettext_lazy("Un transportista fuera de la lista"),
    "commission_bp": gettext_lazy("La comisión es del"),
    "commission_on_shipping": gettext_lazy("La comisión sobre los gastos de envío"),
    "commission_vat_bp": gettext_lazy("El IVA de la comisión es del"),
    "sales_tax_bp": gettext_lazy("El IVA de lo que se vende, si el escaparate no lo dice, es del"),
    "refund_within": gettext_lazy("Se puede reembolsar, después del envío, durante"),
    "refund_returns_commission": gettext_lazy("La comisión de lo reembolsado"),
    "answer_within": gettext_lazy("La tienda contesta a clientes y operadores en"),
    "answer_stops_on_shop_holidays": gettext_lazy("El plazo de respuesta, en las vacaciones de la tienda,"),
    "write_to_both": gettext_lazy("Un mensaje al cliente y al operador a la vez"),
    "attachment_types": gettext_lazy("Con un mensaje se envían archivos"),
    "attachment_mb": gettext_lazy("Un archivo ocupa como mucho"),
    "attachments_most": gettext_lazy("Con un mensaje van como mucho"),
    "incident_answer_within": gettext_lazy("La tienda contesta a una incidencia en"),
    "incident_close_after": gettext_lazy("Una incidencia resuelta se cierra tras un silencio de"),
    "incident_closes_itself": gettext_lazy("Cerrar una incidencia resuelta"),
    "incident_tells_operator": gettext_lazy("Para dar por resuelta una incidencia, un mensaje al operador"),
    "claim_within": gettext_lazy("El cliente abre una incidencia hasta, después de la entrega,"),
    "return_within": gettext_lazy("El cliente pide una devolución hasta, después de la entrega,"),
    "return_answer_within": gettext_lazy("La tienda contesta a una devolución, y dice cómo se manda, en"),
    "return_send_within": gettext_lazy("El cliente manda lo que devuelve en"),
    "return_arrive_within": gettext_lazy("Lo que el cliente manda de vuelta llega en"),
    "return_inspect_within": gettext_lazy(
        "La tienda revisa lo devuelto, y luego lo reembolsa o lo cambia, en"
    ),
    "customer_link_days": gettext_lazy("El enlace del cliente a su pedido vale"),
    "review_after": gettext_lazy("Se pide al cliente su opinión, después de la entrega, a las"),
    "invoice_always": gettext_lazy("La factura de la tienda al cliente"),
    "settlement_by": gettext_lazy("Se liquida"),
    "settlement_days": gettext_lazy("Si son días del mes, los días"),
    "settlement_weekdays": gettext_lazy("Si son días de la semana, los"),
    "settlement_every_days": gettext_lazy("Si es cada tantos días, cada"),
    "settlement_from": gettext_lazy("… contados desde"),
    "minimum_payout_cents": gettext_lazy("Una transferencia es como mínimo de"),
    "payout_needs_details": gettext_lazy("Los datos bancarios y fiscales de la tienda, para pagarle,"),
    "adjustment_alone_cents": gettext_lazy("Un operador ajusta solo un saldo hasta"),
}
"""How the sentence of each field of `Settings` begins; its value ends it."""

_YES_NO = {
    "cash_on_delivery": (
        gettext_lazy("los cobra el mensajero al entregar"),
        gettext_lazy("se cobran como diga la cesta"),
    ),
    "pickup": (gettext_lazy("se usa"), gettext_lazy("no se usa")),
    "free_text_carrier": (gettext_lazy("se puede escribir a mano"), gettext_lazy("no se admite")),
    "commission_on_shipping": (gettext_lazy("se cobra"), gettext_lazy("no se cobra")),
    "refund_returns_commission": (gettext_lazy("se devuelve"), gettext_lazy("no se devuelve")),
    "answer_stops_on_shop_holidays": (gettext_lazy("se para"), gettext_lazy("corre")),
    "write_to_both": (gettext_lazy("se puede escribir"), gettext_lazy("no se admite")),
    "incident_closes_itself": (
        gettext_lazy("lo hace sola la plataforma"),
        gettext_lazy("lo hace el operador"),
    ),
    "invoice_always": (gettext_lazy("se entrega siempre"), gettext_lazy("se entrega si la pide")),
    "payout_needs_details": (gettext_lazy("hacen falta"), gettext_lazy("no hacen falta")),
    "incident_tells_operator": (gettext_lazy("hace falta"), gettext_lazy("no hace falta")),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What a next version changes: the rule, what it said and what it will say; "–" for nothing."""

    rule: str
    old: str
    new: str


@cache
def legal_moves() -> tuple[tuple[str, str], ...]:
    """Each (state, verb) that the order machine knows; a policy grants some of them (ORD-10)."""
    steps = cast("Steps", import_string(MOVES))
    return tuple(dict.fromkeys((str(step.source), str(step.verb)) for step in steps))


def state_word(state: str) -> str:
    """What a state is called, where the policy does not rename it."""
    return str(dict(import_string(STATES).choices).get(state, state))


def verb_word(verb: str) -> str:
    """What a verb is called in the history."""
    return str(dict(import_string(VERBS).choices).get(verb, verb))


def window_words(window: Window) -> str:
    """A window on its clock: "72 horas (3 días)", "48 horas laborables"."""
    n = int(window.hours) if window.hours.is_integer() else 2
    words = {
        ClockKind.WALL: ngettext("%(n)s hora", "%(n)s horas", n),
        ClockKind.WORKING: ngettext("%(n)s hora laborable", "%(n)s horas laborables", n),
        ClockKind.OFFICE: ngettext("%(n)s hora de oficina", "%(n)s horas de oficina", n),
    }[window.clock] % {"n": number_words(window.hours)}
    if window.clock == ClockKind.WALL and window.hours >= 48:
        return f"{words} ({length_words(timedelta(hours=window.hours))})"
    return words


def number_words(number: float) -> str:
    """A number as the active language writes it, without decimals that say nothing."""
    return str(localize(int(number) if float(number).is_integer() else number))


def roles_words(roles: tuple[Role, ...]) -> str:
    """Who may make a move, by name, in the order of the roles."""
    return ", ".join(str(ROLE_LABELS[role]) for role in Role if role in roles)


def _count_words(name: str, n: int) -> str:
    """A number of something, by the setting that it belongs to; "" for what is no such setting."""
    if name == "debit_retries":
        return ngettext("%(n)s vez", "%(n)s veces", n) % {"n": n}
    if name == "attachments_most":
        return ngettext("%(n)s archivo", "%(n)s archivos", n) % {"n": n}
    if name in ("customer_link_days", "settlement_every_days"):
        return ngettext("%(n)s día", "%(n)s días", n) % {"n": n}
    return f"{n} MB" if name == "attachment_mb" else ""


def _value_words(name: str, value: Any, currency: str) -> str:
    if isinstance(value, Window):
        return window_words(value)
    if name in _YES_NO:
        return str(_YES_NO[name][0 if value else 1])
    if name.endswith("_bp"):
        return f"{number_words(value / 100)} %"
    if name.endswith("_cents"):
        return money.format_money(value, currency)
    if name == "attachment_types":
        return listed([str(FILE_LABELS[one]) for one in value]) if value else _("de ningún tipo")
    if type(value) in WORDS_OF:
        return str(WORDS_OF[type(value)].get(value, value))
    if name == "settlement_weekdays":
        return listed([str(WEEKDAYS[one]) for one in value])
    if isinstance(value, date):
        return day_words(value, year=True)
    if isinstance(value, tuple):
        return listed([str(one) for one in value])
    return _count_words(name, value) or str(value)


def listed(words: Sequence[str]) -> str:
    """A list as people say it: "a, b y c"."""
    most, last = ", ".join(words[:-1]), words[-1]
    return _("%(most)s y %(last)s") % {"most": most, "last": last} if most else last


def _told(rules: Settings, currency: str) -> dict[str, tuple[str, str]]:
    """Every rule of a policy as (beginning, end) of its sentence, by a key that stays."""
    told = {
        name: (str(SENTENCES.get(name, name)), _value_words(name, getattr(rules, name), currency))
        for name in type(rules).model_fields
        if name not in ("rights", "state_labels")
    }
    for state, verbs in rules.rights.items():
        for verb, roles in verbs.items():
            rule = _("En «%(state)s», «%(verb)s» lo hace") % {
                "state": state_word(state),
                "verb": verb_word(verb),
            }
            told[f"rights.{state}.{verb}"] = (rule, roles_words(roles))
    for state, (es, en) in rules.state_labels.items():
        told[f"state_labels.{state}"] = (
            _("«%(state)s» se llama") % {"state": state_word(state)},
            f"{es} / {en}",
        )
    return told


def sentences(rules: Settings, currency: str) -> list[str]:
    """The policy as people read it: "La tienda acepta o rechaza un pedido en 72 horas (3 días)."."""
    return [f"{rule} {value}." for rule, value in _told(rules, currency).values()]


def differences(old: Settings, new: Settings, currency: str) -> list[Difference]:
    """What the new settings change of the old, rule by rule."""
    before: Mapping[str, tuple[str, str]] = _told(old, currency)
    after = _told(new, currency)
    nothing = ("", "–")
    return [
        Difference(
            (after.get(key) or before[key])[0], before.get(key, nothing)[1], after.get(key, nothing)[1]
        )
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]
