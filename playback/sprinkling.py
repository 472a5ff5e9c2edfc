"""Refunds for a history that has none: some of its delivered orders are given back, in part or whole, some days later.

Which ones, how much of them and when is drawn from the number of the order alone, so the same file always plays the
same way; the new events stand among the others by their moment, as if the file had held them.
"""

import heapq
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import IO, Any

type Later = tuple[datetime, int, bytes]

SHARES = (5, 20, 50, 100)
"""How much of what is left is given back, in hundredths; a hundred is a total refund."""

WAITS = tuple(timedelta(days=days) for days in (2, 9, 24, 60))
"""Days after delivery: before it counts as received, about then, after it was paid, and long after."""


def with_refunds(lines: IO[bytes], one_in: int) -> Iterator[bytes]:
    """The lines of a history with refunds among them: one in so many delivered orders is refunded, one in three of
    those a second time, one in four of all by the operator, who covers what the shop's balance lacks."""
    waiting: list[Later] = []
    for number, line in enumerate(lines):
        at, event = _read(line)
        while at is not None and waiting and waiting[0][0] <= at:
            yield heapq.heappop(waiting)[2]
        yield line
        if at is not None and event.get("type") == "order.delivered":
            for n, refund in enumerate(_drawn(event, at, one_in)):
                heapq.heappush(waiting, (refund[0], 2 * number + n, refund[1]))
    while waiting:
        yield heapq.heappop(waiting)[2]


def _read(line: bytes) -> tuple[datetime | None, dict[str, Any]]:
    """An event and its moment; what cannot be read is let through as it is, for the player to say so."""
    try:
        event = json.loads(line)
        return datetime.fromisoformat(event["at"]).astimezone(UTC), event
    except (ValueError, TypeError, KeyError):
        return None, {}


def _drawn(event: dict[str, Any], at: datetime, one_in: int) -> Iterator[tuple[datetime, bytes]]:
    luck = zlib.crc32(f"{event.get('commercial_id')}/{event.get('shop')}".encode())
    luck, drawn = divmod(luck, one_in)
    if drawn:
        return
    luck, again = divmod(luck, 3)
    for n in range(1 if again else 2):
        luck, share = divmod(luck, len(SHARES))
        luck, wait = divmod(luck, len(WAITS))
        luck, whose = divmod(luck, 4)
        moment = at + WAITS[wait] + timedelta(minutes=n)
        refund = {
            "type": "order.refunded",
            "at": moment.isoformat(),
            "commercial_id": event.get("commercial_id"),
            "shop": event.get("shop"),
            "share": SHARES[share],
            "by": "seller" if whose else "operator",
        }
        yield moment, json.dumps(refund).encode() + b"\n"
