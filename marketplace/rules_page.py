"""docs/rules.md: every rule of the product, where it is decided, what proves it, how far it is.

Written from docs/rules.toml and from the `rule` marks of the tests, which are read and not run.
"""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

DOCS = settings.ROOT / "docs"
SOURCE = DOCS / "rules.toml"
PAGE = DOCS / "rules.md"
TESTS = settings.ROOT / "tests"


class State(StrEnum):
    """How far a rule is: seen in the running product and proved, in part, or not built."""

    WORKS = "works"
    PARTLY = "partly"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in one sentence; `where` lists paths from the project's root, `lacks` what a partly kept rule wants."""

    id: str
    says: str
    state: State
    where: tuple[str, ...] = ()
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that bears a rule's mark."""

    rule: str
    path: str
    name: str


def groups() -> dict[str, str]:
    """The groups of rules by their letters, in the order of the page."""
    return dict(tomllib.loads(SOURCE.read_text("utf-8"))["groups"])


def rules() -> dict[str, Rule]:
    """Every rule by its id, in the order of the source."""
    listed = tomllib.loads(SOURCE.read_text("utf-8"))["rules"]
    return {
        id_: Rule(
            id_, said["says"], State(said["state"]), tuple(said.get("where", ())), said.get("lacks", "")
        )
        for id_, said in listed.items()
    }


def proofs() -> list[Proof]:
    """Every test that is marked with a rule: by itself, its parameters, its class or its module."""
    found: list[Proof] = []
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        whole = [mark for node in tree.body if _is_pytestmark(node) for mark in _marks(node)]
        for name, node, of_class in _tests(tree):
            marks = dict.fromkeys(
                [*whole, *of_class, *(mark for one in node.decorator_list for mark in _marks(one))]
            )
            found += [Proof(mark, str(path.relative_to(settings.ROOT)), name) for mark in marks]
    return found


def _is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
    )


def _tests(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef, list[str]]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, node, []
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            marks = [mark for one in node.decorator_list for mark in _marks(one)]
            marks += [mark for one in node.body if _is_pytestmark(one) for mark in _marks(one)]
            for child in node.body:
                if isinstance(child, ast.FunctionDef) and child.name.startswith("test_"):
                    yield f"{node.name}.{child.name}", child, marks


def _marks(node: ast.AST) -> Iterator[str]:
    """The ids in every `pytest.mark.rule(…)` under a node."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.rule":
            yield from (str(ast.literal_eval(argument)) for argument in call.args)


def faults(rules: Mapping[str, Rule], proofs: list[Proof]) -> list[str]:
    """Where the page would not be true, in words."""
    proved = Counter(proof.rule for proof in proofs)
    wrong = [
        f"{one.path}: {one.name} proves {one.rule}, which is no rule"
        for one in proofs
        if one.rule not in rules
    ]
    for rule in rules.values():
        if rule.state == State.LATER and proved[rule.id]:
            wrong.append(f"{rule.id} is {rule.state}, and {proved[rule.id]} tests prove it")
        if rule.state != State.LATER and not proved[rule.id]:
            wrong.append(f"{rule.id} is said to be {rule.state}, and no test proves it")
        if (rule.state == State.PARTLY) != bool(rule.lacks):
            wrong.append(f"{rule.id}: what it lacks is told of rules that hold in part, and of no others")
        if (rule.state == State.LATER) == bool(rule.where):
            wrong.append(f"{rule.id}: where it is decided is told of rules that are built, and of no others")
        wrong += [
            f"{rule.id}: there is no {path}" for path in rule.where if not (settings.ROOT / path).exists()
        ]
    return wrong


HEAD = """\
# The rules

What sellers, customers and operators may rely on. A rule *works* when a person can see it in the running product and
a test that bears its id proves it; *partly* says what is missing; *later* is not built.

{counts}.

`grep -rn 'ORD-02' --include='*.py' .` shows where a rule is decided and proved. This page is written by
`./run manage rules_page --write` from `docs/rules.toml` and the `rule` marks of the tests; a test holds it to both.
"""


def page(rules: Mapping[str, Rule], proofs: list[Proof]) -> str:
    """The page in Markdown."""
    states = Counter(rule.state for rule in rules.values())
    parts = [HEAD.format(counts=", ".join(f"{states[state]} {state}" for state in State))]
    for letters, title in groups().items():
        parts.append(
            f"\n## {letters} · {title}\n\n| id | rule | state | decided in | tests |\n|---|---|---|---|---|\n"
        )
        parts += [_row(rule, proofs) for rule in rules.values() if rule.id.startswith(f"{letters}-")]
    return "".join(parts)


def _row(rule: Rule, proofs: list[Proof]) -> str:
    files = Counter(proof.path for proof in proofs if proof.rule == rule.id)
    tests = ", ".join(
        f"[{path.removeprefix('tests/').removesuffix('.py')}](../{path}) {n}"
        for path, n in sorted(files.items())
    )
    where = ", ".join(f"[{path}](../{path})" for path in rule.where)
    state = f"{rule.state}: {rule.lacks}" if rule.lacks else str(rule.state)
    return f"| {rule.id} | {rule.says} | {state} | {where} | {tests} |\n"
