"""The table of moves, written down once more, by hand, for each way of trading: who may, and where it leads."""

from marketplace.policy import Preset, Role
from orders.states import State

ON_ITS_WAY = """
shipped            deliver          COP   delivered
shipped            receive          P     received
shipped            report_exception OP    exception
exception          retry            SO    shipped
exception          return_to_sender SO    returned
exception          redirect         SO    returned
exception          deliver          COP   delivered
delivered          receive          P     received
received           deliver          COP   received
received           settle           P     closed
closed             deliver          COP   closed
"""
DIGITAL = """
awaiting_shipment  fulfil           SFOP  delivered
shipped            fulfil           SFOP  shipped
exception          fulfil           SFOP  exception
delivered          fulfil           SFOP  delivered
"""
ACCEPT_FIRST = """
pending_acceptance accept          SO    debit
pending_acceptance refuse          SO    refused
pending_acceptance expire          P     cancelled
pending_acceptance cancel          SCO   cancelled
debit              cancel          O     cancelled
debit              debit_succeeded P     awaiting_shipment
debit              debit_failed    P     failed
awaiting_shipment  cancel          FO    cancelled
awaiting_shipment  ready           FO    awaiting_pickup
awaiting_shipment  ship            SFO   shipped
awaiting_pickup    cancel          FO    cancelled
awaiting_pickup    ship            SFO   shipped
awaiting_pickup    fulfil          SFOP  awaiting_pickup
awaiting_shipment  shorten         SO    awaiting_shipment
awaiting_shipment  assign          SO    awaiting_shipment
pending_acceptance assign          SO    pending_acceptance
awaiting_pickup    shorten         SO    awaiting_pickup
awaiting_pickup    assign          SO    awaiting_pickup
debit              assign          SO    debit
"""
PREPAID = """
pending_payment    confirm_payment OP    awaiting_shipment
pending_payment    debit_failed    P     failed
pending_payment    lapse           P     cancelled
pending_payment    cancel          CO    cancelled
awaiting_shipment  cancel          CO    cancelled
awaiting_shipment  ship            SFO   shipped
awaiting_shipment  shorten         SO    awaiting_shipment
awaiting_shipment  assign          SO    awaiting_shipment
pending_payment    assign          SO    pending_payment
"""
CASH_ON_DELIVERY = """
pending_acceptance accept          SO    awaiting_shipment
pending_acceptance refuse          SO    refused
pending_acceptance expire          P     cancelled
pending_acceptance cancel          SCO   cancelled
awaiting_shipment  cancel          FO    cancelled
awaiting_shipment  ready           FO    awaiting_pickup
awaiting_shipment  ship            SFO   shipped
awaiting_pickup    cancel          FO    cancelled
awaiting_pickup    ship            SFO   shipped
awaiting_shipment  shorten         SO    awaiting_shipment
awaiting_shipment  assign          SO    awaiting_shipment
pending_acceptance assign          SO    pending_acceptance
awaiting_pickup    shorten         SO    awaiting_pickup
awaiting_pickup    assign          SO    awaiting_pickup
"""

LETTERS = {"S": Role.SELLER, "F": Role.SUPPLIER, "C": Role.CUSTOMER, "O": Role.OPERATOR, "P": Role.PLATFORM}
type Legal = dict[tuple[str, str], tuple[set[Role], str]]


def table(text: str) -> Legal:
    lines = (line.split() for line in (text + ON_ITS_WAY).split("\n") if line)
    return {
        (state, verb): ({LETTERS[letter] for letter in letters}, after)
        for state, verb, letters, after in lines
    }


TABLES_OF = {
    Preset.ACCEPT_FIRST: table(ACCEPT_FIRST + DIGITAL),
    Preset.PREPAID: table(PREPAID + DIGITAL),
    Preset.CASH_ON_DELIVERY: table(CASH_ON_DELIVERY),
}
STATES = [
    (preset, state)
    for preset, legal in TABLES_OF.items()
    for state in State
    if state in {s for s, _ in legal} | {after for _, after in legal.values()}
]
