"""The timer of the books: seal the days that are over, and prove those that were sealed."""

from datetime import datetime

from ledger import sealing
from marketplace.refusals import Tally


class BooksBroken(Exception):
    """The books are not what they were, or something in them does not hold; the proof says what."""


def seal_books(*, at: datetime, tally: Tally) -> None:
    """Seal what can be sealed and, when something was, prove the books. Raises BooksBroken after writing down what."""
    made = sealing.seal(at=at)
    tally.done += len(made)
    proof = sealing.prove(at=at) if made else None
    if proof is not None and proof.broken:
        raise BooksBroken("; ".join(proof.broken))
