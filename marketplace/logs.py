"""What is logged, and how: a line of JSON on a server, a line of text for people; never a person's data.

A line tells which request or timer it belongs to. A page is named by its route and not by its address, which may hold
the key of a link; addresses of people and the rows that PostgreSQL quotes in its errors are taken out.
"""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

REQUEST = ContextVar("request", default="")
"""The id of the request, or of the timer's run, that this thread is busy with."""

HEADER = "X-Request-ID"
_ID = re.compile(r"[\w.:-]{6,64}", re.ASCII)
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@(?=[\w-]+\.[\w.-]+)")
_ROWS = re.compile(r"^(\s*(?:DETAIL|CONTEXT):).*$", re.MULTILINE)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

logger = logging.getLogger(__name__)


def without_people(text: str) -> str:
    """A text without the names of mailboxes and without what PostgreSQL quotes of a row."""
    return _ROWS.sub(r"\1 (left out)", _ADDRESS.sub("…@", text))


def route_of(request: HttpRequest) -> str:
    """The pattern that a request's address fits, without what fills it; empty when it fits none."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else ""


class Discreet(logging.Formatter):
    """A line for people: weight, logger, words, and the id of the request if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        number = REQUEST.get()
        trace = self._trace(record)
        words = f"{record.levelname} {record.name}: {self.words(record)}{f' [{number}]' if number else ''}"
        return f"{words}\n{trace}" if trace else words

    def words(self, record: logging.LogRecord) -> str:
        """The message, discreet."""
        text = record.getMessage()
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            text = text.replace(request.path, route_of(request) or "(no page)")
        return without_people(text)

    def _trace(self, record: logging.LogRecord) -> str:
        return without_people(self.formatException(record.exc_info)) if record.exc_info else ""


class Json(Discreet):
    """A line of JSON: `at` (UTC), `level`, `logger`, `message`, `request`, what the caller added, `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.words(record),
        }
        if number := REQUEST.get():
            line["request"] = number
        for name, value in vars(record).items():
            if name not in _STANDARD and isinstance(value, (int, float, str, bool)):
                line[name] = without_people(value) if isinstance(value, str) else value
        if trace := self._trace(record):
            line["trace"] = trace
        return json.dumps(line, ensure_ascii=False)


def begin_task(task_id: str = "", **_: object) -> None:
    """Whatever a worker logs from here on belongs to this task."""
    REQUEST.set(task_id)


def end_task(**_: object) -> None:
    """Whatever a worker logs from here on belongs to no task."""
    REQUEST.set("")


def leave_logging_alone(**_: object) -> None:
    """Celery sets up logging of its own unless somebody says that they do."""


class Requests:
    """Gives every request its id, and logs how it ended: method, route, status, milliseconds."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        token = REQUEST.set(self._id(request))
        try:
            response = self._answer(request)
            response[HEADER] = REQUEST.get()
            self._log(request, response.status_code, started)
            return response
        finally:
            REQUEST.reset(token)

    @staticmethod
    def _id(request: HttpRequest) -> str:
        """The id that a proxy of ours has given, or a new one."""
        from django.conf import settings

        given = request.headers.get(HEADER, "") if settings.ENVIRONMENT.proxies else ""
        return given if _ID.fullmatch(given) else uuid.uuid4().hex

    @staticmethod
    def _log(request: HttpRequest, status: int, started: float) -> None:
        route = route_of(request)
        if not route:
            return
        ms = round((time.perf_counter() - started) * 1000)
        told = {"method": request.method, "route": route, "status": status, "ms": ms}
        logger.info("%s %s %s in %s ms", request.method, route, status, ms, extra=told)


def logging_of(form: str, level: str) -> dict[str, object]:
    """Django's LOGGING: one handler to the standard error; libraries that talk much are asked for warnings alone."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": Json}, "text": {"()": Discreet}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": []},  # Django's own would write each line a second time
            "django.server": {"level": "WARNING"},
            __name__: {
                "level": "INFO" if form == "json" else "WARNING"
            },  # nobody wants each page on a terminal
            "celery": {"level": "WARNING"},
            "fontTools": {"level": "WARNING"},
            "stripe": {"level": "WARNING"},  # says every request otherwise
            "weasyprint": {"level": "ERROR"},
        },
    }
