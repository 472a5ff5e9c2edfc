"""News of conversations, sent inside the transaction that made it."""

from datetime import datetime
from typing import NamedTuple

from django.dispatch import Signal

messages_written = Signal()
"""Sent with `told: list[Told]`, `by: Actor`, `at: datetime` when messages were written; a receiver that raises undoes
them. One that is taken back is told by `messages_taken_back`, with the same."""

messages_taken_back = Signal()

nothing_waits = Signal()
"""Sent with `thread_ids`, `despite_incident`, `by`, `at` when somebody said of messages in them that they need no
answer (MSG-08); a receiver that raises undoes it."""

waits_changed = Signal()
"""Sent with `thread_ids` when without a word being said somebody else is waited for in them, or until another moment
(MSG-09)."""


class Told(NamedTuple):
    """A message that was written: of which thread and order, by whom, for whom; `answer_by` where it waits."""

    message_id: int
    thread_id: int
    shop_id: int
    order_id: int | None
    role: str
    to_customer: bool
    to_operator: bool
    to_shop: bool
    to_supplier: bool
    visible_at: datetime
    answer_by: datetime | None
