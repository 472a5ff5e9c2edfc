"""A worker that can be killed: it runs timers on the database it is told, and dies where it is told.

`python -m tests.kills.runner` reads one request a line and answers each with a line; both are JSON. A request is a
list of children to fork and let go at one moment, each `{"database", "work": [[timer, moment], …], "death": [how,
turn] or [], "apart": "" or a way of `apart`}`; the answer is a list of `{"signal", "told"}`, where `told` is what a
child that lived said. Nothing of the product is changed but the size of a batch; a death is `kill -9` from inside, at
a commit, a statement or a charge.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django
import psycopg

django.setup()

from django.db import connections  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402

from marketplace import batches, timers  # noqa: E402
from marketplace.celery import BY_NAME  # noqa: E402
from payments.providers.sandbox import Sandbox  # noqa: E402
from settlements import services as settlements  # noqa: E402
from tests.kills import apart  # noqa: E402

BATCH = 10
WORKS = [timer.work for timer in BY_NAME.values()]  # read before the fork, once for all children

type Call = Callable[..., Any]


class Death:
    """Counts commits, statements and charges, and kills this process at one of them.

    `how` is `before` or `after` a commit, `amid` a transaction (before a statement), or `charged`: the provider has
    done it and we have not heard yet.
    """

    def __init__(self, how: str = "", turn: int = 0) -> None:
        self.how, self.turn = how, turn
        self.counted = {"commits": 0, "statements": 0, "charges": 0}

    def watch(self) -> None:
        self._around(BaseDatabaseWrapper, "commit", "commits", before="before", after="after")
        self._around(psycopg.Cursor, "execute", "statements", before="amid")
        self._around(Sandbox, "charge", "charges", after="charged")
        self._around(Sandbox, "pay_back", "charges", after="charged")

    def _around(self, owner: type, name: str, what: str, *, before: str = "", after: str = "") -> None:
        call: Call = getattr(owner, name)

        def counted(*args: Any, **wishes: Any) -> Any:
            self.counted[what] += 1
            turn = self.counted[what] == self.turn
            if turn and before and self.how == before:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return call(*args, **wishes)
            finally:
                if turn and after and self.how == after:
                    os.kill(os.getpid(), signal.SIGKILL)

        setattr(owner, name, counted)


def work(request: dict[str, Any]) -> dict[str, Any]:
    """Run the timers of a request, as a worker does; answers what each did and what was counted."""
    connections.settings["default"]["NAME"] = request["database"]
    settlements.BATCH = BATCH
    batches.work_through.__kwdefaults__["size"] = BATCH  # type: ignore[index]
    if request["apart"]:
        apart.WAYS[request["apart"]]()
    death = Death(*request["death"])
    death.watch()
    tallies = []
    with timers.clock():
        for name, moment in request["work"]:
            tally = timers.run(BY_NAME[name], at=datetime.fromisoformat(moment))
            tallies.append([name, tally.done, tally.parked])
    return {"tallies": tallies, **death.counted}


def fork(request: dict[str, Any], gate: int) -> tuple[int, int]:
    """A child that waits at the gate, works and writes what it has to tell; answers its id and where it writes."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    os.close(read)
    os.dup2(2, 1)  # the answers' own channel stays clean
    code = 1
    try:
        os.read(gate, 1)
        os.write(write, json.dumps(work(request)).encode())
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def reap(child: int, read: int) -> dict[str, Any]:
    """Wait for a child; answers the signal that ended it (0 for none) and what it told. Raises when it failed."""
    with os.fdopen(read) as told:
        text = told.read()
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a worker failed; what it said is above")
    return {
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "told": json.loads(text or "null"),
    }


def answer(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fork all the children of a request, open the gate to all of them at once, wait for all."""
    gate, opening = os.pipe()
    children = [fork(request, gate) for request in requests]
    os.write(opening, b"." * len(children))
    os.close(opening)
    os.close(gate)
    return [reap(*child) for child in children]


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
