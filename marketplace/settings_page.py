"""docs/settings.md: every variable of the environment, written from `marketplace/environment.py`."""

from enum import StrEnum
from pathlib import Path

from pydantic.fields import FieldInfo

from marketplace.environment import ELSEWHERE, LOCAL_MAILBOX, ROOT, Environment, by_channel

PAGE = ROOT / "docs" / "settings.md"

HEAD = """\
# Settings

Everything that a server decides is a variable of its environment. What is missing or makes no sense is told by name
when anything starts, and nothing starts. A variable that begins with `TRASTIENDA_` and is not in this list is warned
of by `manage.py check`. An empty one counts as not given.

`TRASTIENDA_DEVELOPMENT` is what separates a site that is being built from a server. `./run` sets it, and fills in the
column *./run assumes*; a server never sets it. Without it there is no demonstration, no local mailbox, no error page
with a trace; cookies are `Secure`, pages go to `https://` and say so for a year (HSTS, subdomains included).

This page is written by `./run manage settings_page --write`; a test compares it with the code.

## What the site reads

| variable | type | what for | on a server | ./run assumes |
|---|---|---|---|---|
"""

REST = """
## What else there is

| variable | read by | default | what for |
|---|---|---|---|
"""


def page() -> str:
    """The page in Markdown."""
    rows = [_row(field) for field in Environment.model_fields.values()]
    others = [
        f"| `{name}` | {reader} | {f'`{default}`' if default else '–'} | {what} |\n"
        for name, (reader, default, what) in ELSEWHERE.items()
    ]
    return "".join([HEAD, *rows, REST, *others])


def _row(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    told = extra if isinstance(extra, dict) else {}
    default = "**must be said**" if field.is_required() else _shown(field.default)
    assumed = str(told["development"])
    shown = "the local mailbox" if assumed == LOCAL_MAILBOX else f"`{assumed}`" if assumed else "the same"
    name = f"`{field.alias}`"
    if field.alias in by_channel():
        name += f", `{field.alias}_<CHANNEL>`"
    return f"| {name} | {told['kind']} | {field.description} | {default} | {shown} |\n"


def _shown(default: object) -> str:
    match default:
        case None | () | dict():
            return "–"
        case bool():
            return "`1`" if default else "`0`"
        case Path():
            return f"`{default.relative_to(ROOT)}`"
        case StrEnum():
            return f"`{default.value}`"
    return f"`{default}`"
