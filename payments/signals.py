"""News of what providers answered, sent inside the transaction that wrote it down."""

from django.dispatch import Signal

payback_answered = Signal()
"""Sent with `payback_id`, `order_id`, `succeeded`, `message` and `at` once it is known what became of money to
return."""

payback_asked_anew = Signal()
"""Sent with `payback_id` and `anew_id` where money that a provider refused to return is asked for by a new row."""
