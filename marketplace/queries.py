"""Reads of the ground: policies, and channels as they stand."""

import time
from functools import lru_cache

from marketplace.models import Channel, Policy

_FRESH_S = 2.0
_channels: dict[int, tuple[float, Channel]] = {}


@lru_cache(maxsize=2048)
def policy(policy_id: int) -> Policy:
    """A published policy version; it never changes, so a process reads it once."""
    return Policy.objects.get(id=policy_id)


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
    policy.cache_clear()
    _channels.clear()
