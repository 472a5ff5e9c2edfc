"""The verbs of an order, by phase of life; every one goes through the door in `move`.

Each takes ids of many orders, `by: Actor` and `at: datetime`, and answers an `Outcome`: what moved, what was refused
and why. `one()` turns the outcome of a single order into its move or a raised `MoveRefused`.
"""

from orders.services.acceptance import EVERYTHING, Answer, accept, expire, refuse
from orders.services.assigning import assign, is_theirs
from orders.services.cancelling import cancel
from orders.services.carriers import NewCarrier, ask_for_carrier, decline_carrier, grant_carrier
from orders.services.debit import (
    confirm_payment,
    debit_failed,
    debit_succeeded,
    lapse,
    late_charge,
    note_bounce,
    note_payback,
)
from orders.services.fees import Fee, Fees, Priced, fee_base, fee_of_left, priced
from orders.services.fulfilment import fulfil
from orders.services.holds import end_presale, hold, judge_hold, judge_release, release
from orders.services.incidents import Followed, follow_incidents
from orders.services.invoices import (
    ask_invoice,
    hand_in_invoice,
    is_billable,
    judge_invoice,
    judge_invoice_wish,
    take_back_invoice,
)
from orders.services.links import may_revoke_links, revoke_links
from orders.services.move import Refuse, acts_at, fulfils, judge, lock_orders, one, rules
from orders.services.new_baskets import Customer, NewBasket, NewLine
from orders.services.placing import place
from orders.services.receipt import receive, settle
from orders.services.refunds import Refunded, judge_refund, refund, refund_by, undo_refund
from orders.services.requests import approve, ask, asked_of, decline, judge_answer, may_withdraw, withdraw
from orders.services.returning import (
    Correction,
    flaws_of,
    redirect,
    report_exception,
    retry,
    return_to_sender,
)
from orders.services.returns import note_return_asked
from orders.services.shipping import Parcel, deliver, late_by, odd_tracking, ready, ship
from orders.services.splitting import missing_part
from orders.services.stock import may_shorten, shorten

__all__ = [
    "EVERYTHING",
    "Answer",
    "Correction",
    "Customer",
    "Fee",
    "Fees",
    "Followed",
    "NewBasket",
    "NewCarrier",
    "NewLine",
    "Parcel",
    "Priced",
    "Refunded",
    "Refuse",
    "accept",
    "acts_at",
    "approve",
    "ask",
    "ask_for_carrier",
    "ask_invoice",
    "asked_of",
    "assign",
    "cancel",
    "confirm_payment",
    "debit_failed",
    "debit_succeeded",
    "decline",
    "decline_carrier",
    "deliver",
    "end_presale",
    "expire",
    "fee_base",
    "fee_of_left",
    "flaws_of",
    "follow_incidents",
    "fulfil",
    "fulfils",
    "grant_carrier",
    "hand_in_invoice",
    "hold",
    "is_billable",
    "is_theirs",
    "judge",
    "judge_answer",
    "judge_hold",
    "judge_invoice",
    "judge_invoice_wish",
    "judge_refund",
    "judge_release",
    "lapse",
    "late_by",
    "late_charge",
    "lock_orders",
    "may_revoke_links",
    "may_shorten",
    "may_withdraw",
    "missing_part",
    "note_bounce",
    "note_payback",
    "note_return_asked",
    "odd_tracking",
    "one",
    "place",
    "priced",
    "ready",
    "receive",
    "redirect",
    "refund",
    "refund_by",
    "refuse",
    "release",
    "report_exception",
    "retry",
    "return_to_sender",
    "revoke_links",
    "rules",
    "settle",
    "ship",
    "shorten",
    "take_back_invoice",
    "undo_refund",
    "withdraw",
]
