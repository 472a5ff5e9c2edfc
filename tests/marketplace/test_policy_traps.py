"""A policy that would trap orders or money is refused, each flaw by the name of its setting (ORD-10)."""

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from marketplace.policy import KEPT, PRESETS, Contradiction, Preset, Settings

pytestmark = pytest.mark.rule("ORD-10")


def flaws(preset: Preset, rights: dict[str, dict[str, list[str]]] | None = None, **wishes: Any) -> set[str]:
    """The settings that are refused when a preset is changed like this; no roles take a move away."""
    given = PRESETS[preset].model_dump(mode="json") | wishes
    for state, verbs in (rights or {}).items():
        for verb, roles in verbs.items():
            given["rights"].setdefault(state, {})[verb] = roles
            if not roles:
                del given["rights"][state][verb]
    Settings.model_validate(deepcopy(given), context=KEPT)  # what is in force stays readable
    try:
        Settings.model_validate(given)
    except ValidationError as refused:
        told = refused.errors()[0]["ctx"]["error"]
        assert isinstance(told, Contradiction)
        return {name for name, _words in told.flaws}
    return set()


@pytest.mark.parametrize("preset", list(Preset))
def test_the_presets_have_no_flaw(preset: Preset) -> None:
    assert flaws(preset) == set()


@pytest.mark.parametrize(
    ("preset", "state", "verb"),
    [
        (Preset.ACCEPT_FIRST, "pending_acceptance", "expire"),
        (Preset.ACCEPT_FIRST, "debit", "debit_succeeded"),
        (Preset.ACCEPT_FIRST, "debit", "debit_failed"),
        (Preset.PREPAID, "pending_payment", "lapse"),
        (Preset.CASH_ON_DELIVERY, "pending_acceptance", "expire"),
        *((preset, state, verb) for preset in Preset for state, verb in (
            ("shipped", "receive"), ("delivered", "receive"), ("received", "settle"), ("awaiting_shipment", "ship"))),
    ],
)  # fmt: skip
def test_no_order_is_left_without_the_move_that_takes_it_on(preset: Preset, state: str, verb: str) -> None:
    assert flaws(preset, {state: {verb: []}}) == {f"rights.{state}.{verb}"}


def test_answering_first_needs_the_debit_where_the_customer_was_to_pay_first() -> None:
    rights = {"pending_acceptance": {"accept": ["seller", "operator"]}}
    assert flaws(Preset.PREPAID, rights, starts_with="acceptance") == {
        "rights.pending_acceptance.expire",
        "rights.debit.debit_succeeded",
        "rights.debit.debit_failed",
    }


def test_a_failed_delivery_has_a_way_out() -> None:
    none: dict[str, list[str]] = {verb: [] for verb in ("retry", "return_to_sender", "redirect", "deliver")}
    assert flaws(Preset.PREPAID, {"exception": none}) == {"rights.exception.retry"}
    assert flaws(Preset.PREPAID, {"exception": {**none, "deliver": ["operator"]}}) == set()
    assert flaws(Preset.PREPAID, {"exception": none, "shipped": {"report_exception": []}}) == set()


@pytest.mark.parametrize("preset", list(Preset))
def test_receipt_is_not_before_delivery_can_be_whatever_it_is_counted_from_and_on_which_clock(
    preset: Preset,
) -> None:
    wall, working, office = ({"clock": clock} for clock in ("wall", "working", "office"))
    deliver = {"hours": 480, **working}  # twenty working days: four weeks
    assert flaws(preset, deliver_within=deliver, receive_after={"hours": 504, **wall}) == {"receive_after"}
    assert flaws(preset, deliver_within=deliver, receive_after={"hours": 672, **wall}) == set()
    assert flaws(preset, receive_after={"hours": 24, **wall}) == {"receive_after"}
    assert flaws(preset, receive_after={"hours": 160, **office}) == set()


def test_a_commission_with_its_vat_is_never_more_than_what_is_sold() -> None:
    assert flaws(Preset.ACCEPT_FIRST, commission_bp=8265, commission_vat_bp=2100) == {"commission_bp"}
    assert flaws(Preset.ACCEPT_FIRST, commission_bp=8264, commission_vat_bp=2100) == set()


@pytest.mark.rule("EXC-04")
def test_a_version_from_before_redirects_grants_them_to_those_who_have_parcels_back() -> None:
    before = PRESETS[Preset.PREPAID].model_dump(mode="json")
    granted = before["rights"]["exception"].pop("redirect")
    assert granted == ["seller", "operator"]
    since = Settings.model_validate(deepcopy(before), context=KEPT)  # nobody was granted it: nobody may
    assert "redirect" not in since.rights["exception"]
    del before["review_after"]
    kept = Settings.model_validate(deepcopy(before), context=KEPT)
    assert [role.value for role in kept.rights["exception"]["redirect"]] == granted
    before["rights"]["exception"]["return_to_sender"] = ["operator"]
    kept = Settings.model_validate(deepcopy(before), context=KEPT)
    assert [role.value for role in kept.rights["exception"]["redirect"]] == ["operator"]
