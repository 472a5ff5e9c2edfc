"""Acts on the ground: the next version of a policy, new channels, rows that were set aside."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from marketplace.models import Channel, Parked, Policy
from marketplace.policy import PRESETS, Preset, Settings


class PolicyMoved(Exception):
    """Another version was published since the one that this change was made from."""


@transaction.atomic
def publish_policy(
    channel: Channel, settings: Settings, *, by: str, at: datetime, note: str = "", after: int | None = None
) -> Policy:
    """Put the next version of a channel's policy in force; orders already here keep theirs (ORD-10).

    `after` is the number of the version that the change was made from; raises PolicyMoved when it is no
    longer the last one.
    """
    locked = Channel.objects.select_for_update().get(id=channel.id)
    last = Policy.objects.filter(channel=locked).order_by("-number").first()
    if after is not None and (last.number if last else 0) != after:
        raise PolicyMoved
    policy = Policy.objects.create(
        channel=locked,
        number=last.number + 1 if last else 1,
        settings=settings.model_dump_json(),
        published_at=at,
        published_by=by,
        note=note,
    )
    locked.policy = channel.policy = policy
    locked.save(update_fields=["policy"])
    return policy


@transaction.atomic
def open_channel(
    code: str, name: str, *, preset: Preset = Preset.ACCEPT_FIRST, by: str, at: datetime
) -> Channel:
    """Open a channel under the first version of a preset; an existing one is returned as it is."""
    channel, new = Channel.objects.get_or_create(code=code, defaults={"name": name})
    if new or channel.policy_id is None:
        publish_policy(channel, PRESETS[preset], by=by, at=at, note=f"preset {preset}")
    return channel


def retry_parked(parked_ids: Iterable[int], *, at: datetime) -> int:
    """Let rows that were set aside be tried again at the next tick; answers how many."""
    return Parked.objects.filter(id__in=list(parked_ids)).update(retry_at=at)


def discard_parked(parked_ids: Iterable[int]) -> int:
    """Forget that rows were set aside; what is still due with them is tried again. Answers how many."""
    return Parked.objects.filter(id__in=list(parked_ids)).delete()[0]
