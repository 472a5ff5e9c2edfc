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
    REFUND = "refund"
    TEAM = "team"
    TEMPLATES = "templates"
    BANK = "bank"


_M = Membership.Role
RIGHTS: dict[str, frozenset[Right]] = {
    _M.OWNER: frozenset(Right),
    _M.MANAGER: frozenset(Right) - {Right.BANK},
    _M.ORDERS: frozenset({Right.WORK_ORDERS, Right.ANSWER, Right.REFUND}),
    _M.SUPPORT: frozenset({Right.ANSWER, Right.TEMPLATES}),
    _M.FINANCE: frozenset({Right.MONEY, Right.REFUND}),
    _M.READER: frozenset(),
    _M.SUPPLIER: frozenset({Right.WORK_ORDERS}),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a move: the part they play in it and, for a person, who they are.

    `rights` are those of a membership; for everyone else the policy alone decides. `supplier_id` is whom a member
    acts for who is not of the shop's own (ROL-04). `label` is what the history shows.
    """

    role: Role
    label: str
    user_id: int | None = None
    rights: frozenset[Right] = frozenset(Right)
    supplier_id: int | None = None

    def may(self, right: Right) -> bool:
        return self.role not in (Role.SELLER, Role.SUPPLIER) or right in self.rights


PLATFORM = Actor(Role.PLATFORM, Role.PLATFORM.value)
_PLATFORMS = frozenset({PLATFORM.label, "plataforma"})
"""What is written down for the platform, and what was before it had a word in each language."""


def who(label: str) -> str:
    """Whoever acted, from what was written down: a person's name, or the platform in the reader's language."""
    return str(ROLE_LABELS[Role.PLATFORM]) if label in _PLATFORMS else label


def seller(membership: Membership) -> Actor:
    """The actor for a member of a shop's own staff."""
    return Actor(Role.SELLER, str(membership.user), membership.user_id, RIGHTS[membership.role])


def supplier(membership: Membership) -> Actor:
    """The actor for a member who works for a supplier of the shop (ROL-04)."""
    rights = RIGHTS[membership.role]
    return Actor(
        Role.SUPPLIER, str(membership.user), membership.user_id, rights, supplier_id=membership.supplier_id
    )


def member(membership: Membership) -> Actor:
    """The actor for whoever has this place in a shop."""
    return seller(membership) if membership.supplier_id is None else supplier(membership)


def operator(user: User) -> Actor:
    """The actor for an operator."""
    return Actor(Role.OPERATOR, str(user), user.pk)


def who_has(right: Right) -> list[str]:
    """Names of the shop's own roles that carry a right, for telling someone whom to ask (ROL-05)."""
    own = (role for role in RIGHTS if role != _M.SUPPLIER)
    return [str(_M(role).label) for role in own if right in RIGHTS[role]]
