"""Reads of the ground: policies, and channels as they stand."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from marketplace.lists import PEOPLES_REASONS, REASONS, REFUND_REASONS
from marketplace.models import Channel, Policy, Reason

_FRESH_S = 2.0
_channels: dict[int, tuple[float, Channel]] = {}


type Labels = dict[tuple[str, str], tuple[str, str]]

_brief: dict[str, tuple[float, Any]] = {}

_MOST = 2048
_policies: dict[int, Policy] = {}


def policy(policy_id: int) -> Policy:
    """A published policy version; it never changes, so a process reads it once."""
    return policies([policy_id])[policy_id]


def policies(policy_ids: Iterable[int]) -> dict[int, Policy]:
    """Policy versions by id, those not known yet in one query."""
    wanted = set(policy_ids)
    missing = [policy_id for policy_id in wanted if policy_id not in _policies]
    if missing:
        if len(_policies) + len(missing) > _MOST:
            _policies.clear()
            missing = list(wanted)
        _policies.update(Policy.objects.in_bulk(missing))
    return {policy_id: _policies[policy_id] for policy_id in wanted}


def channel(channel_id: int) -> Channel:
    """The channel as it stands; an edit of its calendar is known to every process within two seconds."""
    read_at, known = _channels.get(channel_id, (0.0, None))
    now = time.monotonic()
    if known is None or now - read_at > _FRESH_S:
        known = Channel.objects.select_related("policy").get(id=channel_id)
        _channels[channel_id] = (now, known)
    return known


def briefly[Known](name: str, read: Callable[[], Known]) -> Known:
    """What a list of the operators' says; edits of it are known to every process within two seconds."""
    now = time.monotonic()
    found = _brief.get(name)
    if found is None or now - found[0] > _FRESH_S:
        found = _brief[name] = (now, read())
    known: Known = found[1]
    return known


def reason_labels() -> Labels:
    """The words of each reason by (act, code), in Spanish and in English; edits are known within two seconds.

    One that operators took off the list keeps the words that it came with.
    """

    def read() -> Labels:
        rows = Reason.objects.values_list("kind", "code", "label_es", "label_en")
        return {
            (kind, code): (es, en)
            for kind, code, es, en in (*REASONS, *PEOPLES_REASONS, *REFUND_REASONS, *rows)
        }

    return briefly("reasons", read)


def forget() -> None:
    """Read everything anew: another database stands behind the connection."""
    _brief.clear()
    _policies.clear()
    _channels.clear()
