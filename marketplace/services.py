"""Acts on the ground: the next version of a policy, new channels, rows that were set aside."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

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
    code: str,
    name: str,
    *,
    preset: Preset = Preset.ACCEPT_FIRST,
    changes: Mapping[str, Any] | None = None,
    by: str,
    at: datetime,
) -> Channel:
    """Open a channel under the first version of a preset, with these settings changed; an existing one is returned as
    it is."""
    channel, new = Channel.objects.get_or_create(code=code, defaults={"name": name})
    if new or channel.policy_id is None:
        publish_policy(
            channel, PRESETS[preset].model_copy(update=changes), by=by, at=at, note=f"preset {preset}"
        )
    return channel


@transaction.atomic
def close_on(channel: Channel, day: date, name: str) -> bool:
    """Make a day one on which the channel does not work, under a name; False when it was one already.

    Deadlines that run already stay where they are: they are fixed when their clock starts (ORD-16).
    """
    locked = Channel.objects.select_for_update().get(id=channel.id)
    if day in locked.closing_days:
        return False
    locked.closing_days = sorted([*locked.closing_days, day])
    locked.closing_names = {**locked.closing_names, **({day.isoformat(): name} if name else {})}
    locked.save(update_fields=["closing_days", "closing_names"])
    return True


@transaction.atomic
def work_on(channel: Channel, day: date) -> bool:
    """Take a day out of the channel's own closing days; False when it was none."""
    locked = Channel.objects.select_for_update().get(id=channel.id)
    if day not in locked.closing_days:
        return False
    locked.closing_days = [one for one in locked.closing_days if one != day]
    locked.closing_names = {key: name for key, name in locked.closing_names.items() if key != day.isoformat()}
    locked.save(update_fields=["closing_days", "closing_names"])
    return True


def retry_parked(parked_ids: Iterable[int], *, at: datetime) -> int:
    """Let rows that were set aside be tried again at the next tick; answers how many."""
    return Parked.objects.filter(id__in=list(parked_ids)).update(retry_at=at)


def discard_parked(parked_ids: Iterable[int]) -> int:
    """Forget that rows were set aside; what is still due with them is tried again. Answers how many."""
    return Parked.objects.filter(id__in=list(parked_ids)).delete()[0]
