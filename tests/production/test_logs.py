"""What is logged: lines that machines read, with the id of their request, and nobody's data in them."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from marketplace import logs
from marketplace.celery import app
from sellers.models import User

Page = Callable[[HttpRequest], HttpResponse]


def line(message: str, *args: object, **extra: Any) -> dict[str, Any]:
    record = logging.getLogger("orders").makeRecord(
        "orders", logging.WARNING, __file__, 1, message, args, extra.pop("exc_info", None), extra=extra
    )
    text = logs.Json().format(record)
    assert "\n" not in text
    read: dict[str, Any] = json.loads(text)
    return read


def test_a_line_says_when_how_grave_who_and_what() -> None:
    told = line("notice %s waits", 7, tries=3, row=object())
    assert {name: told[name] for name in ("level", "logger", "message", "tries")} == {
        "level": "WARNING", "logger": "orders", "message": "notice 7 waits", "tries": 3,
    }  # fmt: skip
    assert told["at"].endswith("+00:00")
    assert "row" not in told


def test_mailboxes_are_not_told() -> None:
    told = line("given up: 550 <ana.soler+x@cliente.example>: no such user", to="bob@alba.example")
    assert told["message"] == "given up: 550 <…@cliente.example>: no such user"
    assert told["to"] == "…@alba.example"


@pytest.mark.django_db
def test_rows_that_postgresql_quotes_are_not_told(alice: User) -> None:
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE sellers_user SET email = NULL WHERE id = %s", [alice.pk])
    assert alice.name in str(caught.value)
    error = caught.value
    told = line("a row failed", exc_info=(type(error), error, error.__traceback__))
    assert "IntegrityError" in told["trace"]
    assert "DETAIL: (left out)" in told["trace"]
    assert alice.name not in told["trace"]
    assert alice.email not in told["trace"]


def test_the_address_of_a_page_gives_way_to_its_route(rf: RequestFactory) -> None:
    request = rf.get("/cuenta/clave/1-secreta/")
    assert line("Not Found: %s", request.path, request=request)["message"] == "Not Found: (no page)"


def test_people_read_a_line_of_text() -> None:
    record = logging.getLogger("orders").makeRecord(
        "orders", logging.INFO, "", 1, "to ana@x.example", (), None
    )
    token = logs.REQUEST.set("abc123")
    try:
        assert logs.Discreet().format(record) == "INFO orders: to …@x.example [abc123]"
    finally:
        logs.REQUEST.reset(token)


@pytest.mark.django_db
def test_each_request_has_its_id_in_its_lines_and_its_answer(
    client: Client, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(alice)
    with caplog.at_level(logging.INFO, logger=logs.__name__):
        answer = client.get("/pedidos/", {"q": "Ana Soler"})
        client.get("/no/such/page/")
    (record,) = [one for one in caplog.records if one.name == logs.__name__]
    assert vars(record) | {"method": "GET", "route": "/pedidos/", "status": 200} == vars(record)
    assert "Ana" not in logs.Json().format(record)
    assert len(answer.headers[logs.HEADER]) == 32


@pytest.mark.parametrize(
    ("proxies", "given", "taken"),
    [(1, "from-the-proxy-1", True), (1, "a\tb", False), (0, "from-anybody", False)],
)
def test_an_id_is_taken_from_a_proxy_of_ours_alone(
    settings: Any, rf: RequestFactory, proxies: int, given: str, taken: bool
) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"proxies": proxies})
    answer = logs.Requests(lambda request: HttpResponse(logs.REQUEST.get()))(
        rf.get("/", headers={logs.HEADER: given})
    )
    assert (answer.headers[logs.HEADER] == given) is taken
    assert answer.content.decode() == answer.headers[logs.HEADER]
    assert logs.REQUEST.get() == ""


def test_a_page_that_raises_leaves_no_id_behind(rf: RequestFactory) -> None:
    def page(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        logs.Requests(page)(rf.get("/"))
    assert logs.REQUEST.get() == ""


def test_what_a_worker_logs_belongs_to_its_task() -> None:
    seen = []

    @app.task(name="tests.seen")  # type: ignore[untyped-decorator]
    def look() -> None:
        seen.append(logs.REQUEST.get())

    try:
        look.apply(task_id="task-1")
    finally:
        app.tasks.pop("tests.seen")
    assert seen == ["task-1"]
    assert logs.REQUEST.get() == ""


def test_libraries_that_talk_are_asked_for_warnings_and_pages_are_counted_on_servers() -> None:
    machines, people = logs.logging_of("json", "INFO"), logs.logging_of("text", "INFO")
    levels = [told["loggers"][logs.__name__]["level"] for told in (machines, people)]  # type: ignore[index]
    assert levels == ["INFO", "WARNING"]
