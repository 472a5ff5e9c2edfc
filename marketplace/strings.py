"""Every string that people can read in code and templates, found by reading the source; no gettext tools needed."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.template import engines
from django.utils.translation.template import templatize
from jinja2.ext import extract_from_ast

_ARGUMENTS = {
    "gettext": ("msgid",),
    "ngettext": ("msgid", "plural"),
    "pgettext": ("context", "msgid"),
    "npgettext": ("context", "msgid", "plural"),
}
"""What the leading arguments of each function are; the lazy and no-op ones take the same."""

_DJANGO_CALL = re.compile(r"\b(_|n?p?gettext)\(((?:u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?:,\s*)?)+)")


class Unreadable(Exception):
    """A string that is only known when the code runs: it cannot be translated beforehand."""


@dataclass(frozen=True, slots=True)
class Found:
    """A string with where it stands, as a path from the project's root."""

    msgid: str
    plural: str
    context: str
    path: str


def strings() -> list[Found]:
    """All strings of our apps and templates. Raises Unreadable with its place, so that none is overlooked."""
    found: list[Found] = []
    for path in _modules():
        found += _of_module(path)
    for path in sorted((settings.ROOT / "templates").rglob("*")):
        if path.suffix in (".html", ".jinja", ".txt"):
            found += _of_django(path) if "admin_django" in path.parts else _of_jinja(path)
    return found


def _modules() -> Iterator[Path]:
    """The modules of our own apps; migrations hold copies of words that the models say."""
    ours = (Path(app.path) for app in apps.get_app_configs())
    for folder in sorted(folder for folder in ours if folder.parent == settings.ROOT):
        yield from (path for path in sorted(folder.rglob("*.py")) if "migrations" not in path.parts)


def _of_module(path: Path) -> Iterator[Found]:
    tree = ast.parse(path.read_text("utf-8"))
    known = _names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (function := _called(node.func, known)):
            words = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
            yield _found(function, words, path, node.lineno)


def _names(tree: ast.Module) -> dict[str, str]:
    """What each name of a module means: "_" → "gettext", "ngettext_lazy" → "ngettext", "translation" → module."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("django.utils.translation", "django.utils"):
            for name in node.names:
                plain = name.name.removesuffix("_lazy").removesuffix("_noop")
                if plain in _ARGUMENTS or name.name == "translation":
                    known[name.asname or name.name] = plain
    return known


def _called(function: ast.expr, known: dict[str, str]) -> str | None:
    match function:
        case ast.Name(id=name) if known.get(name) in _ARGUMENTS:
            return known[name]
        case ast.Attribute(value=ast.Name(id=module), attr=name) if known.get(module) == "translation":
            plain = name.removesuffix("_lazy").removesuffix("_noop")
            return plain if plain in _ARGUMENTS else None
    return None


def _of_jinja(path: Path) -> Iterator[Found]:
    environment = engines["jinja2"].env  # type: ignore[attr-defined]
    for line, function, words in extract_from_ast(environment.parse(path.read_text("utf-8"))):
        listed = [words] if isinstance(words, str) or words is None else list(words)
        yield _found("gettext" if function == "_" else function, listed, path, line)


def _of_django(path: Path) -> Iterator[Found]:
    source = templatize(path.read_text("utf-8"))
    for call in _DJANGO_CALL.finditer(source):
        words = ast.literal_eval(f"({call[2].rstrip(', ')},)")
        line = source.count("\n", 0, call.start()) + 1
        yield _found("gettext" if call[1] == "_" else call[1], list(words), path, line)


def _found(function: str, words: Sequence[object], path: Path, line: int) -> Found:
    place = str(path.relative_to(settings.ROOT))
    said = dict(zip(_ARGUMENTS[function], words, strict=False))
    if len(said) < len(_ARGUMENTS[function]) or not all(
        isinstance(word, str) and word for word in said.values()
    ):
        raise Unreadable(f"{place}:{line}: {function} of something that is not a literal string")
    texts = {name: str(word) for name, word in said.items()}
    return Found(texts["msgid"], texts.get("plural", ""), texts.get("context", ""), place)
