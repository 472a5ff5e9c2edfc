"""What customers give back, and what is given back to them."""

from refunds.models.returns import ReturnLine, ReturnRequest, ReturnState

__all__ = ["ReturnLine", "ReturnRequest", "ReturnState"]
