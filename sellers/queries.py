"""Reads of shops."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from marketplace import bulk
from sellers.models import Shop, Supplier


class Contact(NamedTuple):
    """Where and in which language a shop, or a supplier, is written to."""

    id: int
    name: str
    contact_email: str
    language: str


_FRESH_S = 2.0
_MOST = 20_000
_known: dict[int, tuple[float, Contact]] = {}


def contacts(shop_ids: Iterable[int]) -> dict[int, Contact]:
    """The contacts of shops; a changed address is known to every process within two seconds."""
    now = time.monotonic()
    wanted = set(shop_ids)
    stale = [shop_id for shop_id in wanted if shop_id not in _known or now - _known[shop_id][0] > _FRESH_S]
    if stale:
        if len(_known) > _MOST:
            forget()
            stale = list(wanted)
        rows = bulk.fetch(
            "SELECT id, name, contact_email, language FROM sellers_shop WHERE id = ANY(%s::bigint[])", [stale]
        )
        _known.update((row[0], (now, Contact(*row))) for row in rows)
    return {shop_id: _known[shop_id][1] for shop_id in wanted}


def supplier_contacts(supplier_ids: Iterable[int]) -> dict[int, Contact]:
    """Where and in which language suppliers are written to; those that are not active are not."""
    rows = bulk.fetch(
        "SELECT id, name, email, language FROM sellers_supplier WHERE active AND id = ANY(%s::bigint[])",
        [list(supplier_ids)],
    )
    return {row[0]: Contact(*row) for row in rows}


def suppliers(shop: Shop) -> list[Supplier]:
    """The active suppliers of a shop, by name (ROL-04)."""
    return list(Supplier.objects.filter(shop=shop, active=True))


def forget() -> None:
    """Read everything anew: another database stands behind the connection."""
    _known.clear()
