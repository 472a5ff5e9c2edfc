"""What Stripe's codes mean in the few words that the product has for refusals (`marketplace.reasons.ANSWERS`)."""

import stripe

CODES = {
    "authentication_required": "authentication required",
    "charge_already_refunded": "already returned",
    "charge_disputed": "payment disputed",
    "currency_not_supported": "currency not supported",
    "expired_card": "card expired",
    "insufficient_funds": "insufficient funds",
    "lost_or_stolen_card": "card gone",
    "expired_or_canceled_card": "card gone",
    "payment_intent_authentication_failure": "authentication required",
    "resource_missing": "no such payment",
}
"""A refusal that is not here is told as a declined card: why a bank suspects a card is nobody's to read."""


def refused_words(error: stripe.StripeError) -> str:
    """Why Stripe refused, in words that say nothing of the card; a request of ours that was wrong in its own words."""
    body = error.json_body.get("error", {}) if isinstance(error.json_body, dict) else {}
    for code in (body.get("decline_code"), error.code):
        if code in CODES:
            return CODES[code]
    if isinstance(error, stripe.CardError):
        return "card declined"
    return str(error.user_message or "refused")[:200]


def is_of_the_payment(error: stripe.InvalidRequestError) -> bool:
    """Whether a charge was refused for what it is, and not because our account or our request is at fault.

    A fault of ours fails no order: the charge waits with its error, and operators are told (PAY-03).
    """
    return error.http_status == 404 or error.code in CODES or error.param in _OF_THE_PAYMENT


_OF_THE_PAYMENT = {"amount", "amount_to_capture", "customer", "payment_method"}
