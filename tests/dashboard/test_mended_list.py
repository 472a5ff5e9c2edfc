"""Addresses of the list that nobody types, people who may not accept, and what the style sheets promise."""

from pathlib import Path

import pytest

from marketplace.models import Channel
from sellers.models import Shop, User
from tests.dashboard.pages import browser, furnished, get, link

pytestmark = pytest.mark.django_db

CSS = Path(__file__).parents[2] / "static" / "css"


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("desde=999999999999/1/2026", "fecha desde: no se entiende"),
        ("hasta=1/1/999999999999", "fecha hasta: no se entiende"),
        ("despues=9999-12-31T23:59:59.999999-14:00~1", "página: no se entiende"),
        ("antes=9999-12-31T23:59:59.999999-14:00~1", "página: no se entiende"),
        ("despues=0001-01-01T00:00:00%2B14:00~1", "página: no se entiende"),
    ],
)
def test_a_moment_out_of_all_time_is_named(question: str, named: str, shop: Shop, alice: User) -> None:
    assert named in get(browser(alice), f"/pedidos/?{question}")


@pytest.mark.rule("ROL-01")
def test_who_may_not_accept_is_not_asked_to(channel: Channel, shop: Shop, alice: User, bob: User) -> None:
    furnished(channel, shop)
    owner, support = get(browser(alice), "/"), get(browser(bob), "/")
    assert link(owner, "Aceptar pedidos") == "/pedidos/?estado=por-aceptar"
    assert 'name="only"' in owner
    assert "Aceptar pedidos" not in support
    for page in (support, get(browser(bob), "/pedidos/")):
        assert 'name="only"' not in page
        assert "#enviar" not in page
        assert not link(page, "Aceptar…")


def test_the_style_sheets_keep_a_long_word_inside_and_a_refusal_red() -> None:
    def rule(sheet: str, selector: str) -> str:
        text = (CSS / sheet).read_text()
        return text.partition(f"  {selector} {{")[2].partition("}")[0]

    assert "max-inline-size: 100%" in rule("badge.css", ".chip")
    assert "overflow-wrap: anywhere" in rule("badge.css", ".chip b")
    assert "var(--late)" in rule("button.css", '.choice [value="refuse"]:checked + span')
