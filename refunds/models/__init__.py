"""What does not go the way it was meant to: money that goes back, articles that come back, parcels that went on to
another order."""

from refunds.models.redirects import Redirect
from refunds.models.refunds import Refund, RefundLine
from refunds.models.returns import ReturnLine, ReturnRequest

__all__ = ["Redirect", "Refund", "RefundLine", "ReturnLine", "ReturnRequest"]
