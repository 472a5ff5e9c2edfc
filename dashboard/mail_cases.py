"""A way in which something that is told can come about, for the samples of mails."""

from dataclasses import dataclass, field
from typing import Any

from marketplace.policy import Role

LONG = "Juego de doce tazas de porcelana esmaltada a mano con plato y azucarero a juego, azul cobalto"


@dataclass(frozen=True, slots=True)
class Case:
    """A way in which an event happens: what is said of it, who did it, what the move and its data then are."""

    what: object = ""
    by: Role = Role.PLATFORM
    move: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
