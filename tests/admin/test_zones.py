"""Zones: postal codes by their beginning, the longest counts, and no beginning is of two zones."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from marketplace.models import Zone, ZonePrefix
from marketplace.provinces import PROVINCES
from marketplace.zones import folded, is_prefix, set_prefixes, zone_of

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-02")]

ADD = "admin:marketplace_zone_add"


def kept() -> list[Any]:
    return [list(Zone.objects.order_by("pk").values()), list(ZonePrefix.objects.order_by("pk").values())]


def sent(**more: Any) -> dict[str, Any]:
    return {
        "code": "madrid-sur",
        "name": "Madrid sur",
        "country": "ES",
        "prefixes": "2890, 2891\n28-92",
        **more,
    }


def named(country: str, code: str) -> str:
    zone = zone_of(country, code)
    return zone.name if zone else ""


def test_a_new_installation_has_the_provinces_of_spain() -> None:
    assert len(PROVINCES) == 52
    assert Zone.objects.filter(country="ES").count() == 52
    assert sorted(ZonePrefix.objects.values_list("prefix", flat=True)) == [f"{n:02}" for n in range(1, 53)]
    assert [named("ES", code) for code in ("28001", "50001", "07800", "51001", "01005")] == [
        "Madrid", "Zaragoza", "Illes Balears", "Ceuta", "Álava"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("country", "code", "name"),
    [
        ("ES", "28901", "Madrid sur"),
        ("es", " 289 01 ", "Madrid sur"),
        ("ES", "28801", "Madrid"),
        ("ES", "289", "Madrid"),
        ("ES", "00000", ""),
        ("ES", "", ""),
        ("PT", "28901", ""),
        ("", "28901", ""),
        ("ES", "28901" * 50, "Madrid sur"),
        ("GB", "sw1a 1aa", "Westminster"),
        ("GB", "SW1A1AA", "Westminster"),
        ("GB", "SW2", ""),
    ],
)
def test_the_longest_prefix_counts(country: str, code: str, name: str) -> None:
    south = Zone.objects.create(code="madrid-sur", name="Madrid sur", country="ES")
    set_prefixes(south, ["2890", "2891"])
    west = Zone.objects.create(code="westminster", name="Westminster", country="GB")
    set_prefixes(west, ["SW1"])
    assert named(country, code) == name


def test_the_database_keeps_a_prefix_to_one_zone() -> None:
    zone = Zone.objects.create(code="otra", name="Otra", country="ES")
    before = kept()
    with pytest.raises(IntegrityError), transaction.atomic():
        set_prefixes(zone, ["28"])
    assert kept() == before


@pytest.mark.parametrize("word", ["", "28*", "28_", "12345678901", "28;", "ñ", "٢٨"])
def test_what_is_no_beginning_of_a_code(word: str) -> None:
    assert not is_prefix(folded(word))


def test_an_operator_makes_changes_and_takes_one_out(desk: Client) -> None:
    assert desk.post(reverse(ADD), sent()).status_code == 302
    zone = Zone.objects.get(code="madrid-sur")
    assert list(zone.prefixes.values_list("prefix", "country")) == [
        ("2890", "ES"),
        ("2891", "ES"),
        ("2892", "ES"),
    ]
    page = reverse("admin:marketplace_zone_change", args=[zone.pk])
    assert "2890 2891 2892" in desk.get(page).content.decode()
    assert desk.post(page, sent(prefixes="2890 2899", name="Sur")).status_code == 302
    assert named("ES", "28990") == "Sur"
    assert named("ES", "28910") == "Madrid"
    assert desk.post(page, sent(prefixes="2890", country="PT")).status_code == 302
    assert list(zone.prefixes.values_list("prefix", "country")) == [("2890", "PT")]
    assert (
        desk.post(reverse("admin:marketplace_zone_delete", args=[zone.pk]), {"post": "yes"}).status_code
        == 302
    )
    assert not Zone.objects.filter(code="madrid-sur").exists()
    assert Zone.objects.count() == 52


def test_what_is_wrong_is_refused_beside_its_field(desk: Client) -> None:
    before = kept()
    cases = [
        ({"prefixes": "2890 28"}, "prefixes", "28 ya es de «Madrid»."),
        ({"prefixes": "28*"}, "prefixes", "«28*» no es el principio de un código postal."),
        ({"prefixes": ""}, "prefixes", ""),
        ({"prefixes": " ".join(str(n) for n in range(1000, 1600))}, "prefixes", "Son más de 500 prefijos."),
        ({"country": "ZZ"}, "country", ""),
        ({"code": "es-28"}, "code", ""),
        ({"name": ""}, "name", ""),
    ]
    for wrong, field, why in cases:
        answer = desk.post(reverse(ADD), sent(**wrong))
        assert answer.status_code == 200
        errors = answer.context["adminform"].form.errors
        assert set(errors) == {field}, wrong
        assert why in " ".join(errors[field])
    assert kept() == before


def test_a_zone_is_found_by_its_name_and_by_a_code_in_it(desk: Client) -> None:
    page = reverse("admin:marketplace_zone_changelist")

    def found(words: str) -> set[str]:
        return {zone.name for zone in desk.get(page, {"q": words}).context["cl"].result_list}

    assert found("zarag") == {"Zaragoza"}
    assert found("28013") == {"Madrid"}
    assert found("5") == {PROVINCES[f"5{n}"] for n in range(3)}
    assert found("99999") == set()
    assert {zone.country for zone in desk.get(page, {"country": "ES"}).context["cl"].result_list} == {"ES"}


def test_the_rooms_are_in_the_sidebar(desk: Client) -> None:
    page = desk.get(reverse("admin:index")).content.decode()
    for room, words in (
        ("marketplace_zone_changelist", "Zonas"),
        ("orders_commissionrate_changelist", "Comisiones con fechas"),
        ("messaging_bouncerefusal_changelist", "Devoluciones no atendidas"),
    ):
        assert reverse(f"admin:{room}") in page
        assert words in page
