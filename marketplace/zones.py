"""Zones: metropolitan areas as postal-code prefixes that operators keep; of two that fit, the longer one (EXC-04)."""

import re
from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models.functions import Length

from marketplace import bulk
from marketplace.models import Zone, ZonePrefix

LONGEST = 10
_SHAPE = re.compile(r"[0-9A-Z]{1,10}")


def folded(postal_code: str) -> str:
    """A postal code, or the beginning of one, as it is compared: capitals and digits alone."""
    return re.sub(r"[\s-]", "", postal_code).upper()


def is_prefix(text: str) -> bool:
    """Whether this is the beginning of a postal code."""
    return _SHAPE.fullmatch(text) is not None


def beginnings(postal_code: str) -> list[str]:
    """Every way in which a postal code begins, as long as a prefix can be."""
    code = folded(postal_code)[:LONGEST]
    return [code[:length] for length in range(1, len(code) + 1)]


def zone_of(country: str, postal_code: str) -> Zone | None:
    """The zone that a postal code lies in, by the longest prefix that fits; None where no zone has it."""
    found = (
        ZonePrefix.objects.filter(country=country.upper(), prefix__in=beginnings(postal_code))
        .select_related("zone")
        .order_by(Length("prefix").desc())
        .first()
    )
    return found.zone if found else None


def zones_of(places: Collection[tuple[str, str]]) -> dict[tuple[str, str], Zone | None]:
    """The zone of each (country, postal code), all in one read; None where no zone has it."""
    wanted = {beginning for _country, code in places for beginning in beginnings(code)}
    rows = ZonePrefix.objects.filter(prefix__in=sorted(wanted)).select_related("zone")
    by_prefix = {(row.country, row.prefix): row.zone for row in rows}
    return {
        (country, code): next(
            (
                zone
                for beginning in reversed(beginnings(code))
                if (zone := by_prefix.get((country.upper(), beginning)))
            ),
            None,
        )
        for country, code in places
    }


def hold_still() -> None:
    """Let nobody else change zones until this transaction ends: two who give away the same codes take turns."""
    bulk.fetch("SELECT 1 FROM (SELECT pg_advisory_xact_lock(hashtext('marketplace.zones'))) AS mine")


def taken(country: str, prefixes: Collection[str], *, but: int | None) -> Mapping[str, Zone]:
    """Which of these prefixes another zone has, and which zone that is."""
    rows = ZonePrefix.objects.filter(country=country, prefix__in=list(prefixes)).select_related("zone")
    return {row.prefix: row.zone for row in rows.order_by("prefix") if row.zone_id != but}


@transaction.atomic
def set_prefixes(zone: Zone, prefixes: Collection[str]) -> None:
    """Make these the prefixes of a zone, in its country. IntegrityError when another zone has one of them."""
    zone.prefixes.all().delete()
    ZonePrefix.objects.bulk_create(
        [ZonePrefix(zone=zone, country=zone.country, prefix=prefix) for prefix in prefixes]
    )
