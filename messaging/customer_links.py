"""The links by which customers open the page of their order: signed, valid for a while, revocable (ROL-03).

Nothing is kept of a link. It says which order it opens, for which version of the order's links and until when, under a
MAC of 144 bits that only the keys of the site can make: `Order.link_version` makes all earlier ones void. The address
is all that its holder needs, so whoever writes it down where others read gives the page away.
"""

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from marketplace import queries
from orders.models import Order

_SALT = "messaging.customer_links"
_FORM = 1
"""What the bytes of a link are; another form would begin with another number."""

_BYTES = struct.Struct(">BQHI")
_MAC_BYTES = 18
LENGTH = (_BYTES.size + _MAC_BYTES) * 4 // 3
"""Characters of a token; they come out even, so that there is one way of writing each."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says: the order that it opens, the version it was signed for, when it ends (to the second)."""

    order_id: int
    version: int
    expires_at: datetime


def sign(link: Link) -> str:
    """A link as the token of an address, under the present key."""
    said = _BYTES.pack(_FORM, link.order_id, link.version, int(link.expires_at.timestamp()))
    return urlsafe_b64encode(said + _mac(said, settings.SECRET_KEY)).decode()


def read(token: str) -> Link | None:
    """What a token says, whether or not it is still valid; None when it was not made with a key of ours."""
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        written = urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        return None
    said, mac = written[: _BYTES.size], written[_BYTES.size :]
    if urlsafe_b64encode(written).decode() != token or not _is_ours(said, mac):
        return None
    form, order_id, version, ends = _BYTES.unpack(said)
    return Link(order_id, version, datetime.fromtimestamp(ends, UTC)) if form == _FORM else None


def customer_url(order_id: int | None, *, at: datetime) -> str:
    """The whole address of an order's page for its customer, valid from `at` for the days of its policy.

    Empty when the order is gone. Without an order, as in samples, it is an address that opens nothing.
    """
    version, days = 0, 1
    if order_id is not None:
        found = Order.objects.filter(id=order_id).values_list("link_version", "policy_id").first()
        if found is None:
            return ""
        version, days = found[0], queries.policy(found[1]).rules.customer_link_days
    token = sign(Link(order_id or 0, version, at + timedelta(days=days)))
    return f"{settings.SITE_URL}{reverse('customer_order', args=[token])}"


def _keys() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _mac(said: bytes, key: str) -> bytes:
    return salted_hmac(_SALT, said, secret=key, algorithm="sha256").digest()[:_MAC_BYTES]


def _is_ours(said: bytes, mac: bytes) -> bool:
    """Compared with every key in a time that tells nothing of how far they agree."""
    agree = [constant_time_compare(mac, _mac(said, key)) for key in _keys()]
    return any(agree)
