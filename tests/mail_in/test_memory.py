"""A mail of 10 MB is taken in by a process that never holds more than 200 MB, whatever it is made of (MSG-07)."""

import base64
import os
import subprocess
import sys

import pytest

from benchmarks.mail_in import CHILD, KINDS, MB
from marketplace.environment import ROOT

pytestmark = pytest.mark.rule("MSG-07")


@pytest.mark.parametrize("kind", KINDS)
def test_ten_megabytes_are_read_in_two_hundred(kind: str) -> None:
    address = "reply+" + "a" * 33 + "@respuestas.example"
    raw = KINDS[kind](address, base64.encodebytes)
    assert 9.5 * MB < len(raw) < 11 * MB
    env = {**os.environ, "TRASTIENDA_MAIL_REPLY_DOMAIN": "respuestas.example"}
    child = subprocess.run(
        [sys.executable, "-c", CHILD], input=raw, capture_output=True, check=True, cwd=ROOT, env=env
    )
    outcome, peak = child.stdout.decode().split()
    assert outcome in ("read", "broken")
    assert int(peak) <= 200 * 1024, f"{kind}: {int(peak) // 1024} MB"
