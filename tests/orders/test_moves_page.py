"""The pages of moves say what the code does, in both languages."""

import pytest
from django.utils import translation

from marketplace.policy import PRESETS, Preset
from orders import moves_page
from orders.states import Verb
from tests.orders.moves_by_hand import LETTERS, TABLES_OF

ROLES = list(LETTERS.values())


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_pages_are_current(language: str) -> None:
    page = moves_page.PAGES[language].read_text("utf-8")
    assert moves_page.page(language) == page, "./run manage moves_page --write"


def written(preset: Preset, language: str) -> set[tuple[str, str, str]]:
    """The rows of a preset's table as they stand on the page: state, act, a mark for each role."""
    page = moves_page.PAGES[language].read_text("utf-8")
    section = page.split(f"(`{preset}`)")[1].split("\n## ")[0]
    found, state = set(), ""
    for cells in (line.split("|")[1:-1] for line in section.split("\n") if line.startswith("|")):
        name, act, *marks = (cell.strip() for cell in cells)
        state = name.strip("*") or state
        if set("".join(marks[:5])) <= {moves_page.YES, moves_page.NO} and act:
            found.add((state, act, "".join(marks[:5])))
    return found


@pytest.mark.rule("ORD-10", "CAN-01")
@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("language", ["es", "en"])
def test_the_page_is_the_table_of_the_trade(preset: Preset, language: str) -> None:
    """What the matrix proves, move by move, is what the operator reads."""
    with translation.override(language):
        told = {
            (
                moves_page.state_name(PRESETS[preset], state),
                str(Verb(verb).label),
                "".join(moves_page.YES if role in roles else moves_page.NO for role in ROLES),
            )
            for (state, verb), (roles, after) in TABLES_OF[preset].items()
            if state != after
        }
    assert written(preset, language) == told
