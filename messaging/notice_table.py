"""Which event tells whom what: the one table of notices (ORD-12, NOT-01).

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
    Verb.LAPSE: (C,),
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
    Verb.RETURN_TO_SENDER: (C,),
    Verb.DELIVER: (C,),
    Verb.LATE_CHARGE: (C,),
    "prepare": (F,),
    "relieved": (F,),
    "debit_stuck": (O,),
    "payback_refused": (O,),
    "mismatch": (O,),
    "invariant_broken": (O,),
    "statement_closed": (S,),
    "carrier_asked": (O,),
    "carrier_granted": (S,),
    "carrier_declined": (S,),
}
