"""The environment: read in one place, told in one table, refused as a whole when it makes no sense."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from marketplace import checks, environment, settings_page
from tests.production import papers
from tests.test_lock_hosts import files

ROOT = Path(settings.ROOT)
NAMED = re.compile(r"\b(?:TRASTIENDA_[A-Z_]*[A-Z]|DATABASE_URL|REDIS_URL)\b")


@pytest.fixture
def server() -> dict[str, str]:
    return papers.environment_of("web", papers.ANSWERS)


def refused(environ: dict[str, str]) -> str:
    with pytest.raises(environment.Incomplete) as refusal:
        environment.read(environ)
    return str(refusal.value)


def test_the_page_is_current() -> None:
    assert settings_page.PAGE.read_text("utf-8") == settings_page.page(), "./run manage settings_page --write"


def test_every_variable_that_is_named_anywhere_is_on_the_page() -> None:
    """In code, in `run`, in what the server is started with; tests name some that do not exist."""
    told = {*environment.purposes(), *environment.ELSEWHERE}
    named = {
        (name, str(path.relative_to(ROOT)))
        for path in files()
        if path.suffix in (".py", ".yml", "") and "tests" not in path.parts
        for name in NAMED.findall(path.read_text("utf-8"))
    }
    assert sorted((name, path) for name, path in named if name not in told) == []
    assert {name for name, _ in named} >= told


def test_the_environment_is_read_in_one_place() -> None:
    """Settings and apps ask it nowhere else; the supervisor of ./run and the two doors have their own business."""
    doors = {
        "marketplace/settings.py",
        "marketplace/checks.py",
        "marketplace/celery.py",
        "marketplace/wsgi.py",
        "manage.py",
    }
    readers = {
        str(path.relative_to(ROOT))
        for path in files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] not in ("tests", "devstack", "benchmarks")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text("utf-8"))
    }
    assert readers == doors


def test_a_server_is_told_everything_that_is_missing_at_once() -> None:
    said = refused({})
    missing = re.findall(r"^  (\w+) is missing: ", said, re.MULTILINE)
    assert missing == [
        "TRASTIENDA_SECRET_KEY", "TRASTIENDA_HOSTS", "TRASTIENDA_URL", "DATABASE_URL", "REDIS_URL",
        "TRASTIENDA_SMTP_URL", "TRASTIENDA_MAIL_FROM",
    ]  # fmt: skip
    assert refused(dict.fromkeys(missing, " ")) == said
    assert "docs/settings.md" in said


def test_what_compose_gives_is_enough(server: dict[str, str]) -> None:
    read = environment.read(server)
    assert (read.development, read.debug, read.log, read.proxies) == (False, False, "json", 1)
    assert read.hosts == ("tienda.example",)
    assert read.secret_key_fallbacks == ()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TRASTIENDA_SECRET_KEY", "corta", "at least 50 characters"),
        ("TRASTIENDA_SECRET_KEY_FALLBACKS", "corta", "at least 50 characters"),
        ("TRASTIENDA_URL", "tienda.example", "https:// and a host"),
        ("TRASTIENDA_URL", "http://tienda.example", "https://, unless TRASTIENDA_HTTPS_REDIRECT is 0"),
        ("TRASTIENDA_SMTP_URL", "mailbox:", "no local mailbox"),
        ("TRASTIENDA_SMTP_URL", "imap://u:hunter2@correo.example", "smtp:// or smtp+tls:// or smtps://"),
        ("TRASTIENDA_PROXIES", "-1", "greater than or equal to 0"),
        ("TRASTIENDA_HTTPS_REDIRECT", "quizá", "valid boolean"),
        ("TRASTIENDA_LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("TRASTIENDA_FILES_URL", "s3://llave:hunter2@almacen.example", "s3://key:secret@host/bucket"),
        ("TRASTIENDA_FILES_URL", "/var/files", "file:///folder"),
        ("TRASTIENDA_CLAMD_URL", "clamav:3310", "tcp://host:port"),
        ("DATABASE_URL", "sqlite:///x?key=hunter2", "postgresql:// or postgres://"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name_and_without_its_value(
    server: dict[str, str], name: str, value: str, words: str
) -> None:
    said = refused({**server, name: value})
    assert re.search(rf"^  {name}: .*{re.escape(words)}", said, re.MULTILINE), said
    assert "hunter2" not in said


def test_the_key_of_development_opens_no_server(server: dict[str, str]) -> None:
    key = environment.DEVELOPMENT_KEY.ljust(60, "x")
    environment.read({**server, "TRASTIENDA_SECRET_KEY": key})
    assert "TRASTIENDA_SECRET_KEY:" in refused(
        {**server, "TRASTIENDA_SECRET_KEY": environment.DEVELOPMENT_KEY}
    )


def test_a_development_site_needs_to_say_nothing_else() -> None:
    read = environment.read(
        {"TRASTIENDA_DEVELOPMENT": "1", "TRASTIENDA_PORT": "8123", "TRASTIENDA_HOSTS": ""}
    )
    assert (read.url, read.smtp_url, read.log) == ("http://localhost:8123", environment.LOCAL_MAILBOX, "text")
    assert "localhost" in read.hosts


def test_a_variable_may_be_said_for_one_channel(server: dict[str, str]) -> None:
    read = environment.read(
        {**server, "TRASTIENDA_STRIPE_KEY": "sk_1", "TRASTIENDA_STRIPE_KEY_MI_CANAL": "sk_2"}
    )
    assert read.stripe_keys == {"": "sk_1", "MI_CANAL": "sk_2"}
    assert environment.unknown({"TRASTIENDA_STRIPE_KEY_MI_CANAL": ""}) == {}
    assert environment.unknown({"TRASTIENDA_STRIPE_KEYS": ""}) == {
        "TRASTIENDA_STRIPE_KEYS": "TRASTIENDA_STRIPE_KEY"
    }


def test_a_slip_of_the_pen_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.unknown_variables() == []
    monkeypatch.setenv("TRASTIENDA_PROXYS", "1")
    monkeypatch.setenv("TRASTIENDA_ZZZ", "1")
    told = checks.unknown_variables()
    assert [(one.id, one.msg.split()[0], one.hint) for one in told] == [
        ("trastienda.W001", "TRASTIENDA_PROXYS", "Is it TRASTIENDA_PROXIES?"),
        ("trastienda.W001", "TRASTIENDA_ZZZ", "docs/settings.md lists the variables."),
    ]
