"""How often what depends on luck is tried: enough at every change of the code, thousands in `./run soak`."""

import os

import pytest

SOAK = os.environ.get("TRASTIENDA_SOAK") == "1"

soaks: list[pytest.MarkDecorator] = [pytest.mark.soak] if SOAK else []
"""The marks of a module whose tests run in both: short in `./run test`, long in `./run soak`."""


def rounds(short: int, long: int) -> int:
    """So many at every change, so many in the long run."""
    return long if SOAK else short
