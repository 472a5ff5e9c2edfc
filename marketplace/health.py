"""Whether the site lives and whether it is ready, for whoever watches it: containers, balancers, monitors.

Probes come by number instead of by name and without TLS, so they are answered before hosts, sessions and redirects.
`/health/live`: the process answers. `/health/ready`: 200 when pages can be served, which takes a database that answers
and is migrated, else 503. A broker that is down and a clock that is behind are told in the same answer and fail no
page, so they do not take a server out of service: watch for them by name.
"""

import time
from collections.abc import Callable
from threading import Lock

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from marketplace import timers

LIVE, READY = "/health/live", "/health/ready"
FRESH_S = 5.0
"""How long a readiness is good for: whoever asks more often costs no database more."""


class Probes:
    """Answers the two probes, and lets everything else through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = get_response
        self._readiness = Readiness()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == LIVE:
            return HttpResponse("ok", content_type="text/plain")
        if request.path == READY:
            told = self._readiness.told()
            ready = told["database"] == "ok"
            return JsonResponse(told, status=200 if ready else 503, headers={"Cache-Control": "no-store"})
        return self._answer(request)


class Readiness:
    """What a probe is told, asked again once it is no longer fresh.

    `database`: ok, down, or not migrated; `broker`: ok or down; `clock`: ok, behind or unknown, and `late` the timers.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._told: dict[str, object] = {}
        self._asked = 0.0
        self._migrated = False

    def told(self) -> dict[str, object]:
        with self._lock:
            if not self._told or time.monotonic() - self._asked > FRESH_S:
                self._told = {**self._database(), "broker": _broker()}
                self._asked = time.monotonic()
            return self._told

    def _database(self) -> dict[str, object]:
        try:
            if not self._is_migrated():
                return {"database": "not migrated", "clock": "unknown"}
            late = timers.late(at=timezone.now())
        except DatabaseError:
            connection.close()
            return {"database": "down", "clock": "unknown"}
        return (
            {"database": "ok", "clock": "behind", "late": late} if late else {"database": "ok", "clock": "ok"}
        )

    def _is_migrated(self) -> bool:
        """Whether every migration that this code knows has been made; once true it stays so for this process."""
        if not self._migrated:
            executor = MigrationExecutor(connection)
            self._migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return self._migrated


def _broker() -> str:
    try:
        with redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as line:
            line.ping()
    except (redis.RedisError, OSError):
        return "down"
    return "ok"
