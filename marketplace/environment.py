"""Every variable that a server is told by: its name, its type, its default, and what it is for.

Settings read the environment here and nowhere else. What is missing or makes no sense is told all at once, by name and
without its value, and nothing starts. `docs/settings.md` is written from this module.
"""

import difflib
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "TRASTIENDA_"
OURS = (PREFIX, "DATABASE_URL", "REDIS_URL")

DEVELOPMENT_KEY = "development-only-key-never-used-on-a-server"
LOCAL_MAILBOX = "mailbox:"
SHORTEST_KEY = 50


class Level(StrEnum):
    """From which weight on something is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class LogFormat(StrEnum):
    """A line for machines, or one for people."""

    JSON = "json"
    TEXT = "text"


def _listed(text: object) -> object:
    return [word.strip() for word in text.split(",") if word.strip()] if isinstance(text, str) else text


def _with_scheme(*schemes: str) -> AfterValidator:
    def checked(text: str) -> str:
        if urlsplit(text).scheme not in schemes and text != LOCAL_MAILBOX:
            raise ValueError(f"it begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return AfterValidator(checked)


def _site(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("it is https:// and a host, without a path")
    return text.rstrip("/")


def _mail_domain(text: str) -> str:
    if text and not re.fullmatch(
        r"(?=.{4,190}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}", text.lower()
    ):
        raise ValueError("it is the name of a domain, such as respuestas.example.org")
    return text.lower()


def _scanner(text: str) -> str:
    parts = urlsplit(text)
    if (
        text
        and not (parts.scheme == "tcp" and parts.hostname)
        and not (parts.scheme == "unix" and parts.path)
    ):
        raise ValueError("it is tcp://host:port or unix:///path")
    return text


def _files(text: str) -> str:
    parts = urlsplit(text)
    bucket = parts.path.strip("/")
    folder = parts.scheme == "file" and bucket and not parts.netloc
    store = parts.scheme == "s3" and bucket and "/" not in bucket
    if text and not folder and not store:
        raise ValueError("it is file:///folder or s3://key:secret@host/bucket")
    return text


MailDomain = Annotated[str, AfterValidator(_mail_domain)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Folder = Annotated[Path, AfterValidator(Path.resolve)]
Secret = Annotated[str, Field(repr=False)]
Database = Annotated[str, Field(repr=False), _with_scheme("postgresql", "postgres")]
Broker = Annotated[str, Field(repr=False), _with_scheme("redis", "rediss", "unix")]
Post = Annotated[str, Field(repr=False), _with_scheme("smtp", "smtp+tls", "smtps")]
Files = Annotated[str, Field(repr=False), AfterValidator(_files)]
Scanner = Annotated[str, AfterValidator(_scanner)]
Site = Annotated[str, AfterValidator(_site)]

ByChannel = Annotated[dict[str, str], Field(repr=False)]
"""What `NAME` says for every channel, under "", and `NAME_<CHANNEL>` for one, by the channel's code in capitals."""

_UNSET = object()


def _variable(name: str, kind: str, what: str, *, default: Any = _UNSET, development: str = "") -> Any:
    """A field for a variable: without a default a server must say it; `development` is what ./run assumes instead."""
    told: dict[str, Any] = {"kind": kind, "development": development}
    return Field(
        **({} if default is _UNSET else {"default": default}),
        alias=name,
        description=what,
        json_schema_extra=told,
    )


class Environment(BaseModel):
    """What the environment says, read and checked. Make one with `read`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    secret_key: Secret = _variable(
        "TRASTIENDA_SECRET_KEY", "secret", f"signs sessions and links; at least {SHORTEST_KEY} random characters",
        development=DEVELOPMENT_KEY,
    )  # fmt: skip
    secret_key_fallbacks: Names = _variable(
        "TRASTIENDA_SECRET_KEY_FALLBACKS", "list of secrets",
        "earlier keys that are still believed, while one is replaced",
        default=(),
    )  # fmt: skip
    hosts: Names = _variable(
        "TRASTIENDA_HOSTS", "list", "the names under which the site may be asked for",
        development="localhost,127.0.0.1,[::1],testserver",
    )  # fmt: skip
    url: Site = _variable(
        "TRASTIENDA_URL", "address", "where the site is, for the links in mails",
        development="http://localhost:{TRASTIENDA_PORT}",
    )  # fmt: skip
    origins: Names = _variable(
        "TRASTIENDA_ORIGINS", "list of addresses", "other addresses whose forms are taken, scheme included", default=(),
    )  # fmt: skip
    proxies: NonNegativeInt = _variable(
        "TRASTIENDA_PROXIES", "number",
        "how many proxies of yours stand in front; from 1 on their "
        "X-Forwarded-For, X-Forwarded-Proto and X-Request-ID are believed",
        default=0,
    )  # fmt: skip
    https_redirect: bool = _variable(
        "TRASTIENDA_HTTPS_REDIRECT", "yes or no", "whether a page asked for without TLS is sent to https://",
        default=True,
    )  # fmt: skip
    database_url: Database = _variable(
        "DATABASE_URL", "address",
        "the database: `postgresql://user:password@host:5432/name`; "
        "what follows `?` goes to libpq, such as `sslmode=verify-full`",
        development="postgresql:///trastienda",
    )  # fmt: skip
    db_pool: bool = _variable(
        "TRASTIENDA_DB_POOL", "yes or no", "share up to 12 connections a process instead of one for each thread",
        default=False,
    )  # fmt: skip
    redis_url: Broker = _variable(
        "REDIS_URL", "address", "broker and cache, Valkey or Redis: `redis://:password@host:6379/0`",
        development="redis://localhost:6379/0",
    )  # fmt: skip
    smtp_url: Post = _variable(
        "TRASTIENDA_SMTP_URL", "address",
        "the mail server: `smtp+tls://user:password@host:587`, `smtps://…:465`, or `smtp://…:25` in the clear",
        development=LOCAL_MAILBOX,
    )  # fmt: skip
    mail_from: str = _variable(
        "TRASTIENDA_MAIL_FROM", "text", "the sender of every mail: `Name <address>`",
        development="Trastienda <avisos@trastienda.example>",
    )  # fmt: skip
    stripe_keys: ByChannel = _variable(
        "TRASTIENDA_STRIPE_KEY", "secret, by channel", "the key that Stripe is asked with ([payments.md](payments.md))",
        default={},
    )  # fmt: skip
    stripe_webhook_secrets: ByChannel = _variable(
        "TRASTIENDA_STRIPE_WEBHOOK_SECRETS", "list of secrets, by channel",
        "what Stripe signs its webhooks with; two while one follows the other", default={},
    )  # fmt: skip
    stripe_api: str = _variable(
        "TRASTIENDA_STRIPE_API", "address", "where Stripe answers; another only for trying things out",
        default="https://api.stripe.com",
    )  # fmt: skip
    mail_webhook_secrets: Names = _variable(
        "TRASTIENDA_MAIL_WEBHOOK_SECRETS", "list of secrets",
        "`user:password` that a mail provider signs in with to tell of mails that came back; two while one follows "
        "the other; without one nobody can",
        default=(),
    )  # fmt: skip
    mailgun_signing_key: Secret = _variable(
        "TRASTIENDA_MAILGUN_SIGNING_KEY", "secret", "what Mailgun signs its webhooks with", default="",
    )  # fmt: skip
    files_url: Files = _variable(
        "TRASTIENDA_FILES_URL", "address",
        "where the files of conversations are kept: `file:///folder`, or "
        "`s3://key:secret@host/bucket?region=…` (`s3:///bucket` for Amazon's with the keys of the machine; "
        "`&tls=no` in the clear); `files` in the home",
        default="",
    )  # fmt: skip
    mail_reply_domain: MailDomain = _variable(
        "TRASTIENDA_MAIL_REPLY_DOMAIN", "domain",
        "where answers to mails about conversations arrive, as `reply+…@` this domain; without one nobody can answer "
        "by mail ([operations.md](operations.md))",
        default="", development="respuestas.trastienda.example",
    )  # fmt: skip
    mail_most_mb: Annotated[int, Field(ge=1, le=50)] = _variable(
        "TRASTIENDA_MAIL_MOST_MB", "number", "the largest mail that is taken in, in megabytes", default=15,
    )  # fmt: skip
    brevo_api_key: Secret = _variable(
        "TRASTIENDA_BREVO_API_KEY", "secret",
        "what the attachments of mails that Brevo hands over are fetched with; without it Brevo hands over none",
        default="",
    )  # fmt: skip
    clamd_url: Scanner = _variable(
        "TRASTIENDA_CLAMD_URL", "address",
        "the virus scanner, clamd: `tcp://host:3310` or `unix:///path`; without one files are not scanned",
        default="",
    )  # fmt: skip
    log: LogFormat = _variable(
        "TRASTIENDA_LOG", "json or text", "how a line of the log is written: for machines or for people",
        default=LogFormat.JSON, development=LogFormat.TEXT,
    )  # fmt: skip
    log_level: Level = _variable(
        "TRASTIENDA_LOG_LEVEL", ", ".join(Level), "from which weight on something is logged", default=Level.INFO,
    )  # fmt: skip
    static: Folder | None = _variable(
        "TRASTIENDA_STATIC", "folder", "where `collectstatic` puts the files that pages load; `static` in the home",
        default=None,
    )  # fmt: skip
    home: Folder = _variable(
        "TRASTIENDA_HOME", "folder",
        "what a stack of ./run keeps on disk; a server keeps nothing there but static files, "
        "and what has no address of its own",
        default=ROOT / ".data",
    )  # fmt: skip
    development: bool = _variable(
        "TRASTIENDA_DEVELOPMENT", "yes or no",
        "a site that is being built: the demonstration, the local mailbox, no TLS. ./run says so; a server never does",
        default=False,
    )  # fmt: skip
    debug: bool = _variable(
        "TRASTIENDA_DEBUG", "yes or no", "Django's error pages, with the trace; on a development site alone",
        default=False,
    )  # fmt: skip

    @model_validator(mode="after")
    def _is_fit_for_a_server(self) -> "Environment":
        if self.development:
            return self
        wrong = []
        if self.smtp_url == LOCAL_MAILBOX:
            wrong.append("TRASTIENDA_SMTP_URL: a server has no local mailbox")
        for which, known in (("", (self.secret_key,)), ("_FALLBACKS", self.secret_key_fallbacks)):
            if any(len(key) < SHORTEST_KEY or key == DEVELOPMENT_KEY for key in known):
                wrong.append(
                    f"TRASTIENDA_SECRET_KEY{which}: a key has at least {SHORTEST_KEY} characters, at random"
                )
        if self.https_redirect and not self.url.startswith("https://"):
            wrong.append("TRASTIENDA_URL: it begins with https://, unless TRASTIENDA_HTTPS_REDIRECT is 0")
        if wrong:
            raise ValueError("\n  ".join(wrong))
        return self


ELSEWHERE = {
    "TRASTIENDA_PORT": ("./run, compose", "8000", "the port of the pages"),
    "TRASTIENDA_VERSION": ("compose", "latest", "the tag of the image"),
    "TRASTIENDA_HOST": ("./run", "127.0.0.1", "the address that ./run listens on"),
    "TRASTIENDA_DEMO": ("./run", "1", "0: a stack without the demonstration"),
    "TRASTIENDA_FROM": ("./run", "", "the folder that ./run was called from; it says so itself"),
    "TRASTIENDA_SOAK": ("./run soak", "", "1: the long rounds of races and kills; it says so itself"),
}
"""Variables that the site itself does not read: who does, the default, and what for."""


class Incomplete(ImproperlyConfigured):
    """The environment lacks something, or says what makes no sense; its text tells all of it."""


def read(environ: Mapping[str, str]) -> Environment:
    """The environment, typed; an empty variable counts as not given. Raises Incomplete with every fault."""
    given = {name: value for name, value in environ.items() if name.startswith(OURS) and value.strip()}
    if _says_development(given):
        port = given.get("TRASTIENDA_PORT", "8000")
        assumed = {
            name: text.replace("{TRASTIENDA_PORT}", port) for name, text in development_values().items()
        }
        given = {**assumed, **given}
    told: dict[str, object] = {**given, **{name: _of_channels(name, given) for name in by_channel()}}
    try:
        return Environment.model_validate(told)
    except ValidationError as error:
        raise Incomplete("\n".join(["The environment is not complete:", *_faults(error)])) from None


def _of_channels(name: str, given: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(name).removeprefix("_"): value
        for key, value in given.items()
        if key == name or key.startswith(f"{name}_")
    }


def by_channel() -> list[str]:
    """The variables that may be said for one channel, as `NAME_<CHANNEL>`."""
    return [
        str(field.alias) for field in Environment.model_fields.values() if field.annotation == dict[str, str]
    ]


def _says_development(given: Mapping[str, str]) -> bool:
    return given.get("TRASTIENDA_DEVELOPMENT", "").strip().lower() in ("1", "true", "yes", "on", "t", "y")


def _faults(error: ValidationError) -> list[str]:
    """Each fault in a line, by the variable's name; values are never shown, some are secrets."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "missing":
            lines.append(f"  {name} is missing: {purposes()[name]}")
        else:
            words = fault["msg"].removeprefix("Value error, ")
            lines.append(f"  {name}: {words}" if name else f"  {words}")
    return [*lines, "docs/settings.md lists them all; ./run says by itself what a development site needs."]


def purposes() -> dict[str, str]:
    """What each variable is for, by its name."""
    return {str(field.alias): str(field.description) for field in Environment.model_fields.values()}


def development_values() -> dict[str, str]:
    """What ./run assumes, for the variables that a server must say."""
    return {
        str(field.alias): str(extra["development"])
        for field in Environment.model_fields.values()
        if isinstance(extra := field.json_schema_extra, dict) and extra["development"]
    }


def unknown(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that are named like ours and that nobody reads, each with the name that may have been meant."""
    known = [*purposes(), *ELSEWHERE]
    families = tuple(f"{name}_" for name in by_channel())
    strange = sorted(
        name
        for name in environ
        if name.startswith(PREFIX) and name not in known and not name.startswith(families)
    )
    return {name: _meant(name, known) for name in strange}


def _meant(name: str, known: list[str]) -> str:
    short = {one.removeprefix(PREFIX): one for one in known}
    near = difflib.get_close_matches(name.removeprefix(PREFIX), short, n=1, cutoff=0.7)
    return short[near[0]] if near else ""
