"""The benchmarks stand on the tables as they are, and compare the same writes."""

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest

from benchmarks import explain, ground, settle, statement


@pytest.mark.usefixtures("own_database")
def test_closing_a_cycle_and_bare_statements_write_the_same() -> None:
    channel_id = ground.fresh(shops=3)
    first, second = settle.CLOSES_AT, settle.CLOSES_AT + timedelta(days=15)
    settle.received(channel_id, 12, "P-")
    ours = settle.grown(lambda: settle.product(channel_id, first))
    settle.received(channel_id, 12, "B-")
    theirs = settle.grown(lambda: settle.bare(channel_id, second))
    assert ours == theirs
    assert ours["settlements_statementline"] == 12


@pytest.mark.usefixtures("own_database")
@pytest.mark.parametrize("main", [statement.main, explain.main], ids=["statement", "explain"])
def test_they_end_with_a_figure(
    main: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "40"])
    main()
    assert "ratio" in capsys.readouterr().out
