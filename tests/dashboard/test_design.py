"""The component page, the style sheets, and the check of the templates."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.translation import override
from jinja2 import DictLoader

from dashboard.words import brief, greeting, today_words
from marketplace.jinja import environment
from marketplace.management.commands.check_templates import faults
from sellers.models import User
from tests.dashboard.pages import browser, get

CSS = settings.ROOT / "static" / "css"


@pytest.mark.django_db
def test_every_component_is_shown(olga: User, alice: User) -> None:
    page = get(browser(olga), "/design/")
    source = (settings.ROOT / "templates" / "components.jinja").read_text()
    shown = (settings.ROOT / "templates" / "dashboard" / "design.jinja").read_text()
    for name in re.findall(r"{% macro ([a-z]\w*)\(", source):
        assert re.search(rf"\b{name}\b", shown) or name in ("icon", "form_field"), name
    assert page.count("<svg") > 3
    assert Client().get("/design/").status_code == 200
    with override_settings(DEVELOPMENT=False):
        assert browser(alice).get("/design/").status_code == 404
        assert Client().get("/design/").status_code == 404
        assert browser(olga).get("/design/").status_code == 200


def test_every_component_says_what_it_is_for() -> None:
    source = (settings.ROOT / "templates" / "components.jinja").read_text()
    for name in re.findall(r"{% macro ([a-z]\w*)\(", source):
        if name != "icon":
            assert f"{{#- {name}(" in source, name


@pytest.mark.django_db
def test_pages_keep_to_the_content_policy(alice: User) -> None:
    for address in ("/", "/pedidos/", "/cuenta/clave/primera/"):
        page = get(browser(alice), address)
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page), address
        assert not re.search(r"<script(?![^>]+src=)", page), address


def test_every_sheet_is_linked_once_and_in_its_layer() -> None:
    listed = re.search(r"{% for sheet in \[(.*?)\]", (settings.ROOT / "templates" / "page.jinja").read_text())
    assert listed
    names = re.findall(r'"([a-z_]+)"', listed[1])
    assert len(names) == len(set(names))
    for name in names:
        assert "@layer" in (CSS / f"{name}.css").read_text(), name


def luminance(lightness: float, chroma: float, hue: float) -> float:
    """The relative luminance of an OKLCH colour, as WCAG measures it."""
    from math import cos, radians, sin

    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    red, green, blue = (min(max(part, 0.0), 1.0) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    light, dark = max(one, other), min(one, other)
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("canvas", "surface", "sunken")
TURNS = ("accent", "due", "late", "info")
PAIRS = [
    *((ink, ground, 4.5) for ink in ("ink", "ink-soft", *TURNS) for ground in GROUNDS),
    *((ink, f"{ink}-wash", 4.5) for ink in TURNS),
    *(("ink", f"{wash}-wash", 4.5) for wash in TURNS),
    ("on-accent", "accent", 4.5), ("on-accent", "accent-deep", 4.5),
    *(("edge", ground, 3.0) for ground in GROUNDS),
]  # fmt: skip


def test_colours_can_be_read_in_the_light_and_in_the_dark() -> None:
    colour = r"oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)"
    tokens = re.findall(rf"--([a-z-]+): light-dark\({colour}, {colour}\)", (CSS / "tokens.css").read_text())
    for mode in (0, 3):
        by_name = {
            token[0]: luminance(float(token[1 + mode]) / 100, float(token[2 + mode]), float(token[3 + mode]))
            for token in tokens
        }
        poor = {
            (ink, ground): round(contrast(by_name[ink], by_name[ground]), 2)
            for ink, ground, least in PAIRS
            if contrast(by_name[ink], by_name[ground]) < least
        }
        assert poor == {}, ("light", "", "", "dark")[mode]


LIBRARY = "{% macro button(text, kind='') %}{{ text }}{% endmacro %}"
BROKEN = {
    "{% if x %}": "line 1: Unexpected end of template",
    "{{ x|shout }}": "line 1: No filter named 'shout'.",
    "{% if x is loud %}{% endif %}": "line 1: No test named 'loud'.",
    "\n{% include 'nowhere.jinja' %}": "line 2: there is no template 'nowhere.jinja'",
    "{% extends 'nowhere.jinja' %}": "line 1: there is no template 'nowhere.jinja'",
    "{% from 'lib' import knob %}": "line 1: there is no macro knob",
    "{% import 'lib' as ui %}{{ ui.knob('x') }}": "line 1: there is no macro ui.knob",
    "{% import 'lib' as ui %}{{ ui.button() }}": "line 1: ui.button needs text",
    "{% import 'lib' as ui %}{{ ui.button('x', colour='red') }}": "line 1: ui.button takes no colour",
    "{% import 'lib' as ui %}{{ ui.button('x', 'y', 'z') }}": "line 1: ui.button takes 2 arguments, not 3",
    "{% import 'lib' as ui %}{% call ui.button('x') %}{% endcall %}": "line 1: ui.button is not called",
    "{% extends 'frame' %}{% block b %}{{ ui.knob('x') }}{% endblock %}": "line 1: there is no macro ui.knob",
}


@pytest.mark.parametrize("source", BROKEN)
def test_a_broken_template_is_found(source: str) -> None:
    frame = "{% import 'lib' as ui %}{% block b %}{% endblock %}"
    env = environment(loader=DictLoader({"lib": LIBRARY, "frame": frame, "page": source}))
    found = faults(env, "page")
    assert len(found) == 1
    assert found[0].startswith(BROKEN[source])


def test_a_sound_template_is_left_alone() -> None:
    sound = "{% import 'lib' as ui %}{{ ui.button('x', kind='y') }}{{ 5|number }}"
    env = environment(loader=DictLoader({"lib": LIBRARY, "page": sound}))
    assert faults(env, "page") == []


@pytest.mark.parametrize(("language", "amount"), [("es", "78,00 €"), ("en", "€78.00")])
def test_amounts_are_written_for_each_reader(language: str, amount: str) -> None:
    env = environment(loader=DictLoader({"page": "{{ 7800|money('EUR') }}"}))
    template = env.get_template("page")
    with override("en" if language == "es" else "es"):
        template.render()
    with override(language):
        assert template.render().replace("\u00a0", " ") == amount


def test_scripts_and_styles_stay_small() -> None:
    ours = ["reset", "tokens", "base", "layout", "nav", "button", "badge", "card", "table", "form", "notice"]
    ours += ["tabs", "box", "dialog", "order", "pages"]
    assert sum(len((CSS / f"{name}.css").read_bytes()) for name in ours) <= 26_000
    assert (
        sum(len(Path(script).read_bytes()) for script in (settings.ROOT / "static" / "js").glob("*.js"))
        <= 6_000
    )


@pytest.mark.parametrize(
    ("language", "ago", "said"),
    [
        ("es", 0, "hoy 11:05"),
        ("es", 1, "ayer 11:05"),
        ("es", 3, "sáb 28"),
        ("es", 20, "11 feb"),
        ("es", 400, "27 ene 2025"),
    ],
)
def test_a_moment_is_short_in_a_list(language: str, ago: int, said: str) -> None:
    now = datetime(2026, 3, 3, 12, tzinfo=UTC)
    with override(language):
        assert brief(datetime(2026, 3, 3, 10, 5, tzinfo=UTC) - timedelta(days=ago), now) == said


@pytest.mark.parametrize(
    ("hour", "said"), [(5, "Buenas noches"), (6, "Buenos días"), (13, "Buenas tardes"), (21, "Buenas noches")]
)
def test_greets_by_the_hour_of_the_site(hour: int, said: str) -> None:
    at = datetime(2026, 3, 3, hour, tzinfo=timezone.get_current_timezone())
    assert greeting(at) == said
    assert today_words(at) == "Martes 3 de marzo"
