"""Who acts: the actor that every verb is told of, and the rights of each role in a shop."""

from dataclasses import dataclass
from enum import StrEnum

from marketplace.policy import ROLE_LABELS, Role
from sellers.models import Membership, User


class Right(StrEnum):
    """What a member of a shop may do, in groups of acts."""

    WORK_ORDERS = "work_orders"
    ANSWER = "answer"
    MONEY = "money"
    TEAM = "team"


_M = Membership.Role
RIGHTS: dict[str, frozenset[Right]] = {
    _M.OWNER: frozenset(Right),
    _M.MANAGER: frozenset(Right),
    _M.ORDERS: frozenset({Right.WORK_ORDERS, Right.ANSWER}),
    _M.SUPPORT: frozenset({Right.ANSWER}),
    _M.FINANCE: frozenset({Right.MONEY}),
    _M.READER: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a move: the part they play in it and, for a person, who they are.

    `rights` are those of a seller's membership; for everyone else the policy alone decides. `label` is what the
    history shows.
    """

    role: Role
    label: str
    user_id: int | None = None
    rights: frozenset[Right] = frozenset(Right)

    def may(self, right: Right) -> bool:
        return self.role != Role.SELLER or right in self.rights


PLATFORM = Actor(Role.PLATFORM, Role.PLATFORM.value)
_PLATFORMS = frozenset({PLATFORM.label, "plataforma"})
"""What is written down for the platform, and what was before it had a word in each language."""


def who(label: str) -> str:
    """Whoever acted, from what was written down: a person's name, or the platform in the reader's language."""
    return str(ROLE_LABELS[Role.PLATFORM]) if label in _PLATFORMS else label


def seller(membership: Membership) -> Actor:
    """The actor for a member of a shop."""
    return Actor(Role.SELLER, str(membership.user), membership.user_id, RIGHTS[membership.role])


def operator(user: User) -> Actor:
    """The actor for an operator."""
    return Actor(Role.OPERATOR, str(user), user.pk)


def who_has(right: Right) -> list[str]:
    """Names of the roles that carry a right, for telling someone whom to ask (ROL-05)."""
    return [str(_M(role).label) for role, rights in RIGHTS.items() if right in rights]
