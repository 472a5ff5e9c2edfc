"""`manage.py check_templates`: what a template would only tell the reader of its page, told before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines
from django.template.backends.django import DjangoTemplates
from django.template.backends.jinja2 import Jinja2
from jinja2 import Environment, TemplateError, nodes

PARTS_OF_OTHERS = "admin_django/"
"""Templates in Django's language lie under this folder of ours."""


class Command(BaseCommand):
    help = "Compiles every template; fails on syntax, unknown filters, missing templates, wrong calls."

    def handle(self, *args: Any, **options: Any) -> None:
        count, wrong = 0, []
        for engine in engines.all():
            found = _jinja(engine.env) if isinstance(engine, Jinja2) else _django(engine)
            for name, faults in found:
                count += 1
                wrong += [f"{name}: {fault}" for fault in faults]
        if wrong:
            raise CommandError("\n".join(wrong))
        self.stdout.write(f"{count} templates are sound")


def _jinja(env: Environment) -> Iterator[tuple[str, list[str]]]:
    for name in env.list_templates():
        if not name.startswith(PARTS_OF_OTHERS):
            yield name, faults(env, name)


def faults(env: Environment, name: str) -> list[str]:
    """What is wrong with a template of ours, each with its line."""
    assert env.loader is not None
    try:
        source = env.loader.get_source(env, name)[0]
        tree = env.parse(source, name)
        env.compile(tree, name)
    except TemplateError as error:
        return [f"line {getattr(error, 'lineno', '?')}: {error.message}"]
    except UnicodeDecodeError:
        return ["is not UTF-8 text"]
    found = [f"line {line}: there is no template {other!r}" for line, other in _missing(env, tree)]
    found += _unknown(env, tree)
    return found or list(_wrong_calls(env, tree))


def _missing(env: Environment, tree: nodes.Template) -> Iterator[tuple[int, str]]:
    known = set(env.list_templates())
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        other = node.template  # type: ignore[attr-defined]
        optional = getattr(node, "ignore_missing", False)
        if isinstance(other, nodes.Const) and other.value not in known and not optional:
            yield node.lineno, other.value


def _unknown(env: Environment, tree: nodes.Template) -> Iterator[str]:
    """Filters and tests that are not there; in a condition Jinja leaves them to the reader."""
    for kind, known, what in ((nodes.Filter, env.filters, "filter"), (nodes.Test, env.tests, "test")):
        for node in tree.find_all(kind):
            if node.name not in known:
                yield f"line {node.lineno}: No {what} named {node.name!r}."


def _wrong_calls(env: Environment, tree: nodes.Template) -> Iterator[str]:
    """Calls of macros that are not there, or with arguments that they do not take."""
    libraries = _imported(env, tree)
    for node in tree.find_all(nodes.FromImport):
        macros = _macros(env, node.template)
        for imported in node.names if macros is not None else ():
            name = imported[0] if isinstance(imported, tuple) else imported
            if macros is not None and name not in macros:
                yield f"line {node.lineno}: there is no macro {name}"
    for reference in tree.find_all(nodes.Getattr):
        name = reference.node.name if isinstance(reference.node, nodes.Name) else ""
        if name in libraries and reference.attr not in libraries[name]:
            yield f"line {reference.lineno}: there is no macro {name}.{reference.attr}"
    around = {id(block.call) for block in tree.find_all(nodes.CallBlock)}
    for call in tree.find_all(nodes.Call):
        target = call.node
        if not (isinstance(target, nodes.Getattr) and isinstance(target.node, nodes.Name)):
            continue
        macro = libraries.get(target.node.name, {}).get(target.attr)
        if macro is not None and (fault := _misfit(call, macro, id(call) in around)):
            yield f"line {call.lineno}: {target.node.name}.{target.attr} {fault}"


def _misfit(call: nodes.Call, macro: nodes.Macro, around: bool) -> str:
    if around and not any(name.name == "caller" for name in macro.find_all(nodes.Name)):
        return "is not called around anything"
    if call.dyn_args is not None or call.dyn_kwargs is not None:
        return ""
    takes = [argument.name for argument in macro.args]
    needs = takes[: len(takes) - len(macro.defaults)]
    named = {pair.key for pair in call.kwargs}
    if len(call.args) > len(takes):
        return f"takes {len(takes)} arguments, not {len(call.args)}"
    if unknown := sorted(named.difference(takes, {"caller"})):
        return f"takes no {unknown[0]}"
    missing = [name for name in needs[len(call.args) :] if name not in named]
    return f"needs {missing[0]}" if missing else ""


def _imported(env: Environment, tree: nodes.Template) -> dict[str, dict[str, nodes.Macro]]:
    """The libraries that a template can call by name: its own and those of what it extends."""
    found: dict[str, dict[str, nodes.Macro]] = {}
    for parent in tree.find_all(nodes.Extends):
        if (above := _tree(env, parent.template)) is not None:
            found |= _imported(env, above)
    for node in tree.find_all(nodes.Import):
        macros = _macros(env, node.template)
        if macros is not None:
            found[node.target] = macros
    return found


def _macros(env: Environment, template: nodes.Expr) -> dict[str, nodes.Macro] | None:
    tree = _tree(env, template)
    return None if tree is None else {macro.name: macro for macro in tree.find_all(nodes.Macro)}


def _tree(env: Environment, template: nodes.Expr) -> nodes.Template | None:
    if not isinstance(template, nodes.Const) or env.loader is None:
        return None
    return env.parse(env.loader.get_source(env, template.value)[0], template.value)


def _django(engine: Any) -> Iterator[tuple[str, list[str]]]:
    """Our templates in Django's language; those of other people's apps are theirs to check."""
    assert isinstance(engine, DjangoTemplates)
    for folder in engine.dirs:
        for path in sorted(Path(folder).rglob("*.*")):
            name = path.relative_to(folder).as_posix()
            try:
                engine.get_template(name)
            except (TemplateSyntaxError, TemplateDoesNotExist) as error:
                yield f"{PARTS_OF_OTHERS}{name}", [str(error)]
            else:
                yield f"{PARTS_OF_OTHERS}{name}", []
