"""Many at once: so many threads with a connection each, let go by a barrier, round after round."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from django.db import connections

from tests.races.arena import PATIENCE_S


def crowd[Answer](
    rounds: int,
    windows: int,
    act: Callable[[int, int], Answer],
    *,
    before: Callable[[int], None] = lambda number: None,
) -> list[list[Answer]]:
    """What each window was answered in each round: `act(round number, window number)`, all of a round at the same
    moment. `before` is done alone, between two rounds. What a window raises is raised here."""
    answers: list[list[Any]] = [[None] * windows for _ in range(rounds)]
    gate = Barrier(windows + 1, timeout=PATIENCE_S)

    def run(window: int) -> None:
        try:
            for number in range(rounds):
                gate.wait()
                try:
                    answers[number][window] = act(number, window)
                except Exception as error:
                    answers[number][window] = error
                gate.wait()
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(window,)) for window in range(windows)]
    for thread in threads:
        thread.start()
    for number in range(rounds):
        before(number)
        gate.wait()
        gate.wait()
    for thread in threads:
        thread.join()
    for error in (one for answered in answers for one in answered if isinstance(one, Exception)):
        raise error
    return answers
