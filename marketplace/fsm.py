"""The base of every machine: legal moves are rows of a table, and django-fsm guards each of them.

A machine is declared as a tuple of `Step`s. `machine()` turns it into a base class with one method a verb, guarded by
django-fsm's `transition`, so that a state can only change along a row of the table. Which of these rows exist for a
given order, and for whom, is the policy's to say; the services ask both.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django_fsm import GET_STATE, transition


@dataclass(frozen=True, slots=True)
class Step:
    """One legal move: `verb` takes a row from `source` to `target`.

    `not_after`, `only_after` and `not_before` name the deadline column that bounds it in time: at most at it, only
    once it has passed, not before it is reached. `held_by_hold`, `held_by_incident` and `stopped_by_parcel` (one is on
    its way, or something was confirmed) say what stops it. `needs` names what the row must have for the move to make
    sense. `instead` is (column, state): a row in which the column is true goes to that state.
    """

    verb: str
    source: str
    target: str
    not_after: str | None = None
    only_after: str | None = None
    not_before: str | None = None
    held_by_hold: bool = False
    held_by_incident: bool = False
    stopped_by_parcel: bool = False
    needs: str | None = None
    instead: tuple[str, str] | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Every state that this move can lead to."""
        return (self.target, self.instead[1]) if self.instead else (self.target,)


type Steps = tuple[Step, ...]


def _guarded(verb: str, steps: Iterable[Step], field: str) -> Callable[..., Any]:
    def move(self: object) -> None:
        """The state alone changes here; what follows from it is written by the service that made the move."""

    move.__name__ = verb
    move.__qualname__ = f"machine.{verb}"
    guarded: Callable[..., Any] = move
    for step in steps:
        guarded = transition(field=field, source=step.source, target=_target(step))(guarded)
    return guarded


def _target(step: Step) -> Any:
    """Where django-fsm is to take a row: one state, or one of two by a column of the row."""
    if step.instead is None:
        return step.target
    column, other = step.instead
    return GET_STATE(lambda row: other if getattr(row, column) else step.target, states=step.targets)


def machine(steps: Steps, field: str = "state") -> type:
    """Build the base class that carries one guarded method for each verb of the table."""
    verbs = dict.fromkeys(step.verb for step in steps)
    return type(
        "Machine",
        (),
        {verb: _guarded(verb, [s for s in steps if s.verb == verb], field) for verb in verbs},
    )


def by_source(steps: Steps) -> dict[tuple[str, str], Step]:
    """Index a table by (verb, source), the way a service looks a move up."""
    table = {(step.verb, step.source): step for step in steps}
    if len(table) != len(steps):
        raise ValueError("a verb leads from one state to two")
    return table


def mermaid(steps: Steps, starts: Iterable[str]) -> str:
    """The diagram of a machine in Mermaid's language, for ARCHITECTURE.md."""
    arrows = [f"    [*] --> {start}" for start in starts]
    arrows += [f"    {step.source} --> {target}: {step.verb}" for step in steps for target in step.targets]
    sources = {step.source for step in steps}
    ends = dict.fromkeys(target for step in steps for target in step.targets if target not in sources)
    arrows += [f"    {end} --> [*]" for end in ends]
    return "stateDiagram-v2\n" + "\n".join(arrows)
