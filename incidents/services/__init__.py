"""The verbs of incidents: open, resolve, send back, close; every one goes through the door in `moving`.

Each is told by whom and when, and changes the incident, its order's hold and history, and its conversation together.
"""

from incidents.services.following import follow_threads, stand_on
from incidents.services.moving import judge
from incidents.services.opening import claim_until, judge_opening, open_incident
from incidents.services.verbs import close, close_refunded, lapse, resolve, send_back

__all__ = [
    "claim_until",
    "close",
    "close_refunded",
    "follow_threads",
    "judge",
    "judge_opening",
    "lapse",
    "open_incident",
    "resolve",
    "send_back",
    "stand_on",
]
