"""Publishing the next version of a policy in the admin (ORD-10)."""

import html
import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace import services
from marketplace.models import Channel, Policy
from marketplace.policy import PRESETS, Preset, Settings
from marketplace.policy_forms import PolicyForm
from marketplace.policy_words import SENTENCES, differences, sentences
from orders.models import Order
from tests.conftest import Placing, sure

RULES = PRESETS[Preset.ACCEPT_FIRST]


def page(channel: Channel) -> str:
    return reverse("admin:marketplace_channel_publish", args=[channel.pk])


def typed(channel: Channel, **changes: Any) -> dict[str, Any]:
    """What the browser sends of the form as it is filled, with some fields typed over."""
    assert channel.policy is not None
    form = PolicyForm(channel, channel.policy.rules, channel.policy.number)
    sent = {name: form.initial.get(name, "") for name in form.fields}
    return {
        **{name: ("on" if value is True else value) for name, value in sent.items() if value is not False},
        **changes,
    }


def seen(answer: Any) -> str:
    """The print of the settings whose difference the page shows."""
    found = re.search(r'name="seen" value="(\w*)"', answer.content.decode())
    assert found is not None
    return found[1]


def publish(desk: Client, channel: Channel, **changes: Any) -> Any:
    sent = typed(channel, **changes)
    shown = desk.post(page(channel), {**sent, "compare": "1"})
    return desk.post(page(channel), {**sent, "publish": "1", "seen": seen(shown)})


@pytest.mark.django_db
@pytest.mark.rule("ORD-10")
def test_the_next_version_is_in_force_and_old_orders_keep_theirs(
    desk: Client, channel: Channel, place: Placing
) -> None:
    old = place()
    first = channel.policy
    assert first is not None
    answer = publish(desk, channel, accept_within="24", commission_bp="10,5", note="Navidad")
    assert answer.headers["Location"] == reverse("admin:marketplace_channel_change", args=[channel.pk])
    channel.refresh_from_db()
    second = channel.policy
    assert second is not None
    assert (second.number, second.published_by, second.note) == (
        first.number + 1,
        "Olga Operadora",
        "Navidad",
    )
    expected = RULES.model_copy(
        update={
            "accept_within": RULES.accept_within.model_copy(update={"hours": 24.0}),
            "commission_bp": 1050,
        }
    )
    assert second.rules == expected
    new = place()
    assert Order.objects.get(id=old.id).policy == first
    assert new.policy == second
    assert (sure(old.accept_by) - old.placed_at).total_seconds() == 72 * 3600
    assert (sure(new.accept_by) - new.placed_at).total_seconds() == 24 * 3600


@pytest.mark.django_db
@pytest.mark.rule("ORD-10")
def test_the_difference_is_shown_before_anything_is_published(desk: Client, channel: Channel) -> None:
    sent = typed(channel, accept_within="24")
    answer = desk.post(page(channel), {**sent, "publish": "1"})
    assert answer.status_code == 200
    text = html.unescape(answer.content.decode())
    assert "72 horas (3 días)" in text
    assert "24 horas" in text
    assert Policy.objects.filter(channel=channel).count() == 1
    other = desk.post(page(channel), {**sent, "accept_within": "25", "publish": "1", "seen": seen(answer)})
    assert other.status_code == 200
    assert Policy.objects.filter(channel=channel).count() == 1


@pytest.mark.django_db
def test_nothing_changed_is_not_published(desk: Client, channel: Channel) -> None:
    answer = publish(desk, channel)
    assert "No cambia nada." in answer.content.decode()
    assert Policy.objects.filter(channel=channel).count() == 1


@pytest.mark.django_db
@pytest.mark.rule("ORD-10")
def test_a_stale_form_is_refused(desk: Client, channel: Channel) -> None:
    sent = typed(channel, accept_within="24")
    shown = desk.post(page(channel), {**sent, "compare": "1"})
    services.publish_policy(
        channel, RULES.model_copy(update={"commission_bp": 900}), by="otra", at=timezone.now()
    )
    answer = desk.post(page(channel), {**sent, "publish": "1", "seen": seen(shown)}, follow=True)
    assert "se ha publicado otra versión" in answer.content.decode()
    channel.refresh_from_db()
    assert channel.policy is not None
    assert (channel.policy.number, channel.policy.rules.accept_within.hours) == (2, 72)
    with pytest.raises(services.PolicyMoved):
        services.publish_policy(channel, RULES, by="x", at=timezone.now(), after=1)


WRONG = [
    ("ship_within", {"ship_within": "0,01"}),
    ("rights.pending_acceptance.accept", {"rights.pending_acceptance.accept": ["customer"]}),
    ("receive_after", {"receive_after": "100"}),
    ("accept_within", {"accept_within": "0"}),
    ("accept_within", {"accept_within": "mucho"}),
    ("receive_after", {"receive_after": "99999"}),
    ("receive_after_clock", {"receive_after_clock": "moon"}),
    ("debit_retries", {"debit_retries": "-1"}),
    ("commission_bp", {"commission_bp": "101"}),
    ("commission_vat_bp", {"commission_vat_bp": ""}),
    ("settlement_days", {"settlement_days": "16, 1"}),
    ("settlement_days", {"settlement_days": "1, 31"}),
    ("settlement_days", {"settlement_days": "uno"}),
    ("settlement_days", {"settlement_days": " , "}),
    ("settlement_weekdays", {"settlement_weekdays": []}),
    ("settlement_weekdays", {"settlement_weekdays": ["8"]}),
    ("settlement_every_days", {"settlement_every_days": "0"}),
    ("settlement_every_days", {"settlement_every_days": "93"}),
    ("settlement_from", {"settlement_from": "el lunes"}),
    ("settlement_from", {"settlement_from": "1999-12-31"}),
    ("settlement_by", {"settlement_by": "moon"}),
    ("adjustment_alone_cents", {"adjustment_alone_cents": "-1"}),
    ("minimum_payout_cents", {"minimum_payout_cents": "1,234"}),
    ("minimum_payout_cents", {"minimum_payout_cents": "-5"}),
    ("deliver_clock_from", {"deliver_clock_from": "never"}),
    ("rights.pending_acceptance.accept", {"rights.pending_acceptance.accept": []}),
    ("rights.pending_acceptance.expire", {"rights.pending_acceptance.expire": ["operator"]}),
    ("rights.received.settle", {"rights.received.settle": []}),
    ("rights.shipped.deliver", {"rights.shipped.deliver": ["nobody"]}),
    ("rights.awaiting_shipment.ready", {"pickup": ""}),
]


@pytest.mark.django_db
@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize(
    ("field", "changes"), WRONG, ids=lambda value: value if isinstance(value, str) else ""
)
def test_contradictory_settings_are_refused_beside_their_field(
    desk: Client, channel: Channel, field: str, changes: dict[str, Any]
) -> None:
    answer = desk.post(page(channel), {**typed(channel, **changes), "publish": "1"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert Policy.objects.filter(channel=channel).count() == 1


@pytest.mark.django_db
@pytest.mark.rule("ORD-10")
def test_a_right_that_is_taken_away_is_gone_for_new_orders(desk: Client, channel: Channel) -> None:
    changes = {"rights.pending_acceptance.cancel": ["operator"], "state_labels.shipped.es": "De camino"}
    publish(desk, channel, **changes)
    channel.refresh_from_db()
    assert channel.policy is not None
    assert channel.policy.rules.rights["pending_acceptance"]["cancel"] == ("operator",)
    assert channel.policy.rules.state_labels == {"shipped": ("De camino", "De camino")}
    told = [(one.old, one.new) for one in differences(RULES, channel.policy.rules, "EUR")]
    assert told == [("la tienda, el cliente, el operador", "el operador"), ("–", "De camino / De camino")]


@pytest.mark.django_db
@pytest.mark.rule("ORD-10")
def test_the_database_refuses_to_change_what_is_published(channel: Channel) -> None:
    published = Policy.objects.filter(channel=channel)
    before = published.values().get()
    with pytest.raises(IntegrityError), transaction.atomic():
        published.update(note="cambiada")
    with pytest.raises(IntegrityError), transaction.atomic():
        published.delete()
    assert published.values().get() == before


def test_every_setting_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Settings.model_fields) - {"rights", "state_labels"}
    told = sentences(RULES, "EUR")
    assert "La tienda acepta o rechaza un pedido en 72 horas (3 días)." in told
    assert "La comisión es del 12 %." in told
    assert "En «Pendiente de aceptación», «Aceptado» lo hace la tienda, el operador." in told
