"""The whole matrix of moves as pages that an operator reads: preset × state × act × who × what stops it (ORD-10).

`docs/movimientos.md` is Spanish, `docs/moves.md` English; both are written from the table of moves and the presets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from marketplace.fsm import Step
from marketplace.policy import PRESETS, Preset, Role, Settings
from marketplace.policy_words import PRESET_LABELS
from orders.states import FINAL, MOVES, SELLER_HOLDS, TABLE, HoldKind, State, Verb

PAGES: dict[str, Path] = {
    "es": settings.ROOT / "docs" / "movimientos.md",
    "en": settings.ROOT / "docs" / "moves.md",
}

ROLE_HEADS = {
    Role.SELLER: gettext_lazy("Tienda"),
    Role.SUPPLIER: gettext_lazy("Proveedor"),
    Role.CUSTOMER: gettext_lazy("Cliente"),
    Role.OPERATOR: gettext_lazy("Operador"),
    Role.PLATFORM: gettext_lazy("Plataforma"),
}
DEADLINES = {
    "pay_by": gettext_lazy("el plazo de pago"),
    "accept_by": gettext_lazy("el plazo de aceptación"),
    "receive_at": gettext_lazy("los días hasta darlo por recibido"),
}
NEEDS = {
    "ships": gettext_lazy("si lleva algo que enviar"),
    "unconfirmed": gettext_lazy("mientras quede algo por confirmar al cliente"),
}
YES, NO = "✓", "–"


@dataclass(frozen=True, slots=True)
class Row:
    """A move of a preset: its state, its verb, who may, where it leads and what bounds and stops it."""

    state: str
    verb: str
    roles: tuple[Role, ...]
    step: Step


def rows(preset: Preset) -> Iterator[Row]:
    """Every move that exists under a preset, in the order of an order's life."""
    rules = PRESETS[preset]
    order = {state.value: at for at, state in enumerate(State)}
    steps = sorted(MOVES, key=lambda step: order[step.source])
    for step in steps:
        roles = rules.rights.get(step.source, {}).get(step.verb)
        if roles is not None:
            yield Row(step.source, step.verb, _who(roles), step)


def _who(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """A supplier's right is the shop's own where it names no supplier: its column says so by a mark of its own."""
    return tuple(role for role in Role if role in roles)


def page(language: str) -> str:
    """The page in a language, as it should stand in docs/."""
    with override(language):
        parts = [f"# {_('Qué puede hacerse con un pedido, cuándo y quién')}", *_introduction()]
        for preset in PRESETS:
            parts += _section(preset)
        command = "`./run manage moves_page --write`"
        written = _("Esta página la escribe %(command)s; una prueba la compara con el código.")
        parts.append(written % {"command": command})
    return "\n\n".join(parts) + "\n"


def _introduction() -> list[str]:
    return [
        _(
            "Cada canal tiene un modo de vender. Las tablas dicen, para cada modo y cada estado, qué puede hacerse "
            "(✓) y quién. Lo que no está en la tabla no puede hacerse: se responde con el motivo y no cambia nada."
        ),
        _(
            "«Proveedor» es quien sirve la línea; donde nadie más la sirve es la propia tienda y puede lo mismo. "
            "Una espera para lo que dice «se para»; el resto sigue. Una incidencia abierta para solo la recepción y "
            "la liquidación."
        ),
        _(
            "Los derechos son los de fábrica: un operador los cambia publicando la versión siguiente de la "
            "política del canal, y cada pedido conserva la versión con la que llegó."
        ),
    ]


def _section(preset: Preset) -> list[str]:
    rules = PRESETS[preset]
    label = str(PRESET_LABELS[preset])
    heads = [
        _("Estado"), _("Qué"), *(str(head) for head in ROLE_HEADS.values()), _("Lleva a"), _("Cuándo"),
        _("En espera"), _("Con incidencia"),
    ]  # fmt: skip
    table = [heads, ["---"] * len(heads)]
    before = ""
    for row in rows(preset):
        name = state_name(rules, row.state)
        table.append([f"**{name}**" if name != before else "", *_cells(rules, row)])
        before = name
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    return [f"## {label[0].upper()}{label[1:]} (`{preset}`)", lines, _aside(rules)]


def _cells(rules: Settings, row: Row) -> list[str]:
    stops = {True: _("se para"), False: _("sigue")}
    return [
        str(Verb(row.verb).label),
        *(YES if role in row.roles else NO for role in ROLE_HEADS),
        " / ".join(state_name(rules, target) for target in _targets(rules, row)),
        _bounds(row.step),
        stops[row.step.held_by_hold],
        stops[row.step.held_by_incident],
    ]


def _targets(rules: Settings, row: Row) -> list[str]:
    """Where a move leads under this preset: cash on delivery goes its own way where all are paid so."""
    if row.step.instead and rules.cash_on_delivery and row.step.instead[0] == "cash_on_delivery":
        return [row.step.instead[1]]
    return list(dict.fromkeys(row.step.targets))


def state_name(rules: Settings, state: str) -> str:
    """What a state is called where an order follows these rules, in the active language."""
    spanish, english = rules.state_labels.get(state, ("", ""))
    named = english if (get_language() or "es").startswith("en") else spanish
    return named or str(State(state).label)


def _bounds(step: Step) -> str:
    if step.not_after:
        return _("hasta %(deadline)s") % {"deadline": DEADLINES[step.not_after]}
    if step.only_after:
        return _("pasado %(deadline)s") % {"deadline": DEADLINES[step.only_after]}
    if step.not_before:
        return _("cumplidos %(deadline)s") % {"deadline": DEADLINES[step.not_before]}
    if step.stopped_by_parcel:
        return _(
            "mientras no haya salido ningún bulto ni se haya confirmado nada al cliente (el operador, siempre)"
        )
    return str(NEEDS[step.needs]) if step.needs else ""


def _aside(rules: Settings) -> str:
    """What can be done in many states and leaves the state as it is."""
    open_states = {row for verb, row in TABLE if row not in FINAL and row in rules.rights}
    kinds = ", ".join(str(kind.label) for kind in HoldKind if kind in SELLER_HOLDS)
    digital = _(
        "Lo que no se envía lo confirma quien puede «%(verb)s», también mientras lo demás viaja; la plataforma "
        "confirma sola, al pagarse, las descargas y las suscripciones."
    ) % {"verb": Verb.FULFIL.label}
    aside = _(
        "En cualquiera de estos estados (%(n)s): la tienda y el operador ponen un pedido en espera y la quitan; "
        "la tienda, solo las suyas (%(kinds)s). Mientras quede algo por enviar, la tienda y el operador dicen qué "
        "unidades faltan; una espera no lo impide. Una entrega que se confirma después de la recepción se anota y "
        "no mueve nada."
    ) % {"n": len(open_states), "kinds": kinds}
    served = _(
        "La tienda y el operador cambian quién sirve una línea mientras no haya salido nada de ella. De un pedido que "
        "sirven varios cada uno envía lo suyo; lo demás que la tabla da al proveedor es entonces del operador."
    )
    aside = f"{aside} {served}"
    return aside if rules.cash_on_delivery else f"{aside} {digital}"
