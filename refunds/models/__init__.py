"""What does not go the way it was meant to: parcels that went on to another order, articles that come back."""

from refunds.models.redirects import Redirect
from refunds.models.returns import ReturnLine, ReturnRequest, ReturnState

__all__ = ["Redirect", "ReturnLine", "ReturnRequest", "ReturnState"]
