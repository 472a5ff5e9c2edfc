"""docs/rules.md says what is true."""

from dataclasses import replace

from marketplace import rules_page
from marketplace.rules_page import Proof, Rule, State

RULES = {
    "ORD-01": Rule("ORD-01", "It waits.", State.WORKS, ("orders/states.py",)),
    "ORD-02": Rule("ORD-02", "It ends.", State.PARTLY, ("orders/states.py",), lacks="the end"),
    "ORD-03": Rule("ORD-03", "It shows.", State.LATER),
}
PROOFS = [Proof("ORD-01", "tests/a.py", "test_a"), Proof("ORD-02", "tests/a.py", "test_b")]


def test_the_page_is_current() -> None:
    page = rules_page.page(rules_page.rules(), rules_page.proofs())
    assert rules_page.PAGE.read_text("utf-8") == page, "./run manage rules_page --write"


def test_the_page_tells_the_truth() -> None:
    assert rules_page.faults(rules_page.rules(), rules_page.proofs()) == []


def test_every_rule_belongs_to_a_group() -> None:
    assert {id_.split("-")[0] for id_ in rules_page.rules()} == set(rules_page.groups())


def test_this_test_would_be_found_by_its_mark() -> None:
    found = [proof for proof in rules_page.proofs() if proof.path == "tests/orders/test_matrix.py"]
    assert "ORD-10" in {proof.rule for proof in found}


def test_a_page_that_claims_too_much_or_too_little_is_told_so() -> None:
    assert rules_page.faults(RULES, PROOFS) == []
    assert rules_page.faults(RULES, PROOFS[1:]) == ["ORD-01 is said to be works, and no test proves it"]
    assert rules_page.faults(RULES, PROOFS[:1]) == ["ORD-02 is said to be partly, and no test proves it"]
    later = [*PROOFS, Proof("ORD-03", "tests/a.py", "test_c")]
    assert rules_page.faults(RULES, later) == ["ORD-03 is later, and 1 tests prove it"]
    stray = [*PROOFS, Proof("ORD-99", "tests/a.py", "test_c")]
    assert rules_page.faults(RULES, stray) == ["tests/a.py: test_c proves ORD-99, which is no rule"]
    moved = {**RULES, "ORD-01": replace(RULES["ORD-01"], where=("orders/nowhere.py",))}
    assert rules_page.faults(moved, PROOFS) == ["ORD-01: there is no orders/nowhere.py"]
