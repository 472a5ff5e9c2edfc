"""The parts of ARCHITECTURE.md that the code itself writes: machines, moves, timers, the import line.

Each stands between two markers, `<!-- written: NAME -->` and `<!-- /written -->`.
"""

import re
import tomllib
from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string

from marketplace.celery import TIMERS
from marketplace.fsm import Step, Steps, mermaid
from marketplace.policy import PRESETS

PAGE = settings.ROOT / "ARCHITECTURE.md"

MACHINES = {
    "orders": ("orders.states.MOVES", ("pending_acceptance", "pending_payment", "awaiting_shipment")),
    "incidents": ("incidents.states.MOVES", ("open",)),
    "returns": ("refunds.states.RETURN_MOVES", ("asked",)),
    "asks": ("payments.states.MOVES", ("waiting",)),
    "statements": ("settlements.states.STATEMENT_MOVES", ("collecting",)),
    "payouts": ("settlements.states.PAYOUT_MOVES", ("in_transit",)),
}
"""Each machine's table, by its path because it lives in an app above this one, and the states that it may start in."""

_BLOCK = re.compile(r"(<!-- written: (\w+) -->\n).*?(<!-- /written -->)", re.DOTALL)


def current(page: str) -> str:
    """The page with each part as the code has it now. Raises KeyError for a marker that names no part."""
    return _BLOCK.sub(lambda block: f"{block[1]}{PARTS[block[2]]()}\n{block[3]}", page)


def written(page: str) -> list[str]:
    """The names of the parts that a page has markers for."""
    return [block[2] for block in _BLOCK.finditer(page)]


def diagram(name: str) -> str:
    """A machine as GitHub draws it."""
    path, starts = MACHINES[name]
    return f"```mermaid\n{mermaid(import_string(path), starts)}\n```"


def moves() -> str:
    """The table of moves of an order, with who may make each under each preset."""
    steps: Steps = import_string("orders.states.MOVES")
    heads = ["verb", "from", "to", *(f"who ({preset})" for preset in PRESETS), "when", "stopped by"]
    rows = [
        [
            step.verb,
            step.source,
            _targets(step),
            *(
                ", ".join(rules.rights.get(step.source, {}).get(step.verb, ())) or "–"
                for rules in PRESETS.values()
            ),
            _bounds(step),
            " or ".join(
                word
                for word, stops in (
                    ("a hold", step.held_by_hold),
                    ("an incident", step.held_by_incident),
                    ("a parcel on its way or something confirmed", step.stopped_by_parcel),
                )
                if stops
            ),
        ]
        for step in steps
    ]
    return _table(heads, rows)


def _targets(step: Step) -> str:
    if step.instead is None:
        return step.target
    column, other = step.instead
    return f"{step.target}; {other} with `{column}`"


def _bounds(step: Step) -> str:
    named = (("at most at", step.not_after), ("after", step.only_after), ("from", step.not_before))
    bounds = [f"{word} `{column}`" for word, column in named if column]
    return ", ".join([*bounds, f"with `{step.needs}`"] if step.needs else bounds)


def timers() -> str:
    """The timers in the order of one instant."""
    rows = [[timer.name, timer.what, f"{timer.every_s} s", f"`{timer.path}`"] for timer in TIMERS]
    return _table(["timer", "what it does", "every", "where"], rows)


def line() -> str:
    """The import line, highest first, as import-linter holds it."""
    config = tomllib.loads((settings.ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if "containers" not in one)
    return f"```\n{' → '.join(layers)}\n```"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in cells)} |" for cells in lines)


PARTS: dict[str, Callable[[], str]] = {
    **{name: (lambda name=name: diagram(name)) for name in MACHINES},  # type: ignore[misc]
    "moves": moves,
    "timers": timers,
    "line": line,
}
