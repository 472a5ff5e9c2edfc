"""Which event tells whom what: the one table of notices (ORD-12, NOT-01); and whom nothing is told, and why.

The key of an event is the verb of the order machine, or a name of its own. Each row names the audiences; the
words are `templates/mail/<event>_<audience>.jinja`.
"""

from messaging.models import Audience
from orders.states import Verb

C, S, O = Audience.CUSTOMER, Audience.SELLER, Audience.OPERATOR  # noqa: E741
F = Audience.SUPPLIER

TABLE: dict[str, tuple[Audience, ...]] = {
    Verb.PLACE: (C, S),
    Verb.CONFIRM_PAYMENT: (C, S),
    Verb.LAPSE: (C, S),
    Verb.ACCEPT: (C,),
    Verb.REFUSE: (C,),
    Verb.EXPIRE: (C, S),
    Verb.CANCEL: (C, S, F),
    Verb.DEBIT_SUCCEEDED: (S,),
    Verb.DEBIT_FAILED: (C, S),
    Verb.SHORTEN: (C,),
    Verb.HAND_OVER: (C,),
    Verb.SHIP: (C,),
    Verb.REPORT_EXCEPTION: (C, S, F),
    Verb.RETRY: (C,),
    Verb.RETURN_TO_SENDER: (C, F),
    Verb.REDIRECT: (C, F),
    Verb.DELIVER: (C,),
    Verb.FULFIL: (C,),
    Verb.CONFIRM: (C,),
    Verb.HOLD: (S,),
    Verb.RELEASE: (S,),
    Verb.LATE_CHARGE: (C,),
    Verb.PAID_BACK: (C,),
    Verb.REFUND: (C,),
    Verb.RETURN_ASKED: (C, S),
    Verb.RETURN_ACCEPTED: (C, S),
    Verb.RETURN_REFUSED: (C,),
    Verb.RETURN_INSTRUCTED: (C,),
    Verb.RETURN_SENT: (C, S),
    Verb.RETURN_WITHDRAWN: (C, S),
    Verb.RETURN_LAPSED: (C, S),
    Verb.RETURN_RECEIVED: (C,),
    Verb.RETURN_INSPECTED: (C, S),
    Verb.RETURN_REPLACED: (C,),
    Verb.RETURN_REJECTED: (C,),
    Verb.RETURN_LATE: (S, O),
    Verb.INVOICE_ASKED: (S,),
    Verb.INCIDENT_OPENED: (C, S, O),
    Verb.INCIDENT_RESOLVED: (C, O),
    Verb.INCIDENT_SENT_BACK: (C, S),
    Verb.INCIDENT_CLOSED: (C, S),
    "message": (C, S, O, F),
    "review_asked": (C,),
    "review_reminder": (C,),
    "review_written": (S,),
    "astray": (S, O),
    "new_link": (C,),
    "prepare": (F,),
    "relieved": (F,),
    "asked_inside": (S,),
    "debit_stuck": (O,),
    "payback_refused": (O,),
    "mismatch": (O,),
    "invariant_broken": (O,),
    "cover_asked": (O,),
    "cover_granted": (S,),
    "cover_declined": (S,),
    "statement_closed": (S,),
    "payout_failed": (S,),
    "carrier_asked": (O,),
    "carrier_granted": (S,),
    "carrier_declined": (S,),
}

NOT_ONES_OWN = frozenset({Verb.HOLD, Verb.RELEASE, Verb.RETURN_ACCEPTED, Verb.RETURN_INSPECTED})
"""What a shop is not told of when it did it itself: its own holds and answers are no news to it."""

UNTOLD: dict[str, str] = {
    Verb.READY: "nothing has left the shop yet; the customer is told when it does, with the number to follow",
    Verb.RECEIVE: "the customer has it already; what it means for the shop is in the statement, which is told",
    Verb.SETTLE: "the statement that takes the order is told as a whole, not order by order",
    Verb.ASSIGN: "the suppliers are told, as prepare and relieved: each of the lines that are or were theirs",
    Verb.NOTE_DELIVERY: "it came after receipt and changes nothing for anybody",
    Verb.NOT_PAID_BACK: "the operators are told, as payback_refused: the money is theirs to get moving",
    Verb.REFUND_UNDONE: "the operators are told, as payback_refused, and the shop sees it on the order",
    Verb.RETURN_REFUNDED: "the refund that it ends in is told as itself, and so is the money once it is paid back",
    Verb.RETURN_REOPENED: "the operators are told, as payback_refused, and the shop sees it on the return",
    Verb.LINKS_REVOKED: "whoever holds an old link is not to hear of it; the next mail carries one that opens",
    Verb.INVOICE_GIVEN: "it is a message to the customer, which is told",
    Verb.INVOICE_TAKEN_BACK: "nobody has seen the message that carried it, and no mail of it went out",
    Verb.REQUEST_MADE: "it is a message to whoever may do it, or asked_inside where that is another of the shop",
    Verb.REQUEST_APPROVED: "it is a message, and what was asked for is told as itself",
    Verb.REQUEST_DECLINED: "it is a message, which is told",
    Verb.REQUEST_WITHDRAWN: "it is a message, which is told",
    Verb.REQUEST_OVERTAKEN: "it is a message, which is told",
    Verb.MAIL_BOUNCED: "whoever it was for cannot be reached; the shop sees it on the order, operators in a list",
}
"""Verbs that tell nobody, each with its reason."""
