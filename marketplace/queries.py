"""Reads of the ground: policies, and channels as they stand."""

import time
from collections.abc import Iterable

from marketplace.models import Channel, Policy

_FRESH_S = 2.0
_channels: dict[int, tuple[float, Channel]] = {}


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


def forget() -> None:
    """Read everything anew: another database stands behind the connection."""
    _policies.clear()
    _channels.clear()
