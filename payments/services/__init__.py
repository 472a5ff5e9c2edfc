"""Asking the provider: each charge and payback once, whatever is clicked twice or dies half-way (PAY-01 … PAY-05)."""

from payments.services.asking import ASK_AGAIN, answered, begin, desk_of
from payments.services.charging import (
    ask_charge,
    open_charges,
    pause_charges,
    resume_charges,
    undo_charges,
)
from payments.services.paying_back import (
    ask_payback,
    hurry_paybacks,
    open_payback,
    open_transfer,
    pay_back_again,
    transferred,
    undo_paybacks,
)
from payments.services.waiting import alert_stuck, hurry

__all__ = [
    "ASK_AGAIN",
    "alert_stuck",
    "answered",
    "ask_charge",
    "ask_payback",
    "begin",
    "desk_of",
    "hurry",
    "hurry_paybacks",
    "open_charges",
    "open_payback",
    "open_transfer",
    "pause_charges",
    "pay_back_again",
    "resume_charges",
    "transferred",
    "undo_charges",
    "undo_paybacks",
]
