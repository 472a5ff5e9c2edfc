"""Reply addresses: each says who answers and in which conversation, and nobody can make one up (MSG-07).

An address is `reply+<number><seal>@domain`, at most 51 characters before the `@`, of letters and digits whose case
does not matter: the number of a correspondent, and 160 bits of an HMAC over it, its nonce and the key of the site.
Who wrote is whoever the address was given to, whatever the mail says it is from. When the key changes, addresses of
the old one are believed as long as it stands among the fallbacks.
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from messaging.models import Audience, Correspondent, Notice
from sellers.models import Membership, User

LOCAL = "reply+"
_SEAL = 32
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_LONGEST = _SEAL + 13
_TOLD_BEFORE = 10


def is_open() -> bool:
    """Whether answers to our mails arrive anywhere."""
    return bool(settings.MAIL_REPLY_DOMAIN)


def is_of_conversation(notice: Notice) -> bool:
    """Whether a notice tells of a conversation, so that it can be answered; whatever it tells, it names the thread."""
    return isinstance(notice.payload.get("thread"), int)


def reply_address(notice: Notice) -> str | None:
    """Where an answer to this notice goes; None where nobody would read it."""
    if not is_open() or not notice.pk or notice.shop_id is None or not is_of_conversation(notice):
        return None
    found, _new = Correspondent.objects.get_or_create(
        thread_id=notice.payload["thread"],
        audience=notice.audience,
        email=notice.email.lower(),
        revoked_at=None,
        defaults={
            "shop_id": notice.shop_id,
            "user_id": _person(notice),
            "nonce": secrets.token_hex(16),
        },
    )
    return f"{LOCAL}{token_of(found)}@{settings.MAIL_REPLY_DOMAIN}"


def _person(notice: Notice) -> int | None:
    """Whose address it is, where it is of somebody who signs in to that shop; a shop's common mailbox is nobody's."""
    if notice.audience == Audience.CUSTOMER:
        return None
    users = User.objects.filter(email__iexact=notice.email)
    if notice.audience == Audience.OPERATOR:
        return users.values_list("id", flat=True).first()
    members = Membership.objects.filter(
        user__in=users, shop_id=notice.shop_id, supplier__isnull=notice.audience == Audience.SELLER
    )
    return members.values_list("user_id", flat=True).first()


def token_of(correspondent: Correspondent, *, key: str = "") -> str:
    """What stands between `reply+` and `@` in a correspondent's address."""
    return _number(correspondent.pk) + _seal(correspondent, key or settings.SECRET_KEY)


def _seal(correspondent: Correspondent, key: str) -> str:
    sealed = f"{correspondent.pk}:{correspondent.nonce}"
    mac = salted_hmac("messaging.replying", sealed, secret=key, algorithm="sha256").digest()
    return b32encode(mac[:20]).decode().lower()


def _number(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = _DIGITS[digit] + digits
    return digits


def tokens_in(texts: Iterable[str]) -> list[str]:
    """The reply addresses that stand anywhere in these texts, each once, in small letters, first come first."""
    if not is_open():
        return []
    pattern = re.compile(
        rf"(?<![\w.+-]){re.escape(LOCAL)}([a-z2-7]{{{_SEAL + 1},{_LONGEST}}})@"
        rf"{re.escape(settings.MAIL_REPLY_DOMAIN)}(?![\w-]|\.\w)",
        re.IGNORECASE | re.ASCII,
    )
    return list(dict.fromkeys(found[1].lower() for text in texts for found in pattern.finditer(text)))


def correspondent_of(token: str) -> Correspondent | None:
    """Whose a token is, revoked ones too; None for one that we have not given out."""
    number, seal = token[:-_SEAL], token[-_SEAL:]
    row_id = 0
    for digit in number:
        row_id = row_id * 32 + _DIGITS.index(digit)
    if row_id >= 2**63:
        return None
    found = (
        Correspondent.objects.select_related("user", "shop", "thread__order", "thread__supplier")
        .filter(pk=row_id)
        .first()
    )
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if found is None or not any(constant_time_compare(seal, _seal(found, key)) for key in keys):
        return None
    return found


def revoke(correspondent_ids: Iterable[int], *, at: datetime) -> int:
    """Have nobody write by these addresses any more; the next notice gives out new ones. Answers how many."""
    rows = Correspondent.objects.filter(pk__in=list(correspondent_ids), revoked_at=None)
    return rows.update(revoked_at=at)


def revoke_customers(order_ids: Iterable[int], *, at: datetime) -> int:
    """Have nobody write as the customer of these orders by an address that was given out. Answers how many there
    were."""
    rows = Correspondent.objects.filter(
        thread__order__in=list(order_ids), audience=Audience.CUSTOMER, revoked_at=None
    )
    return rows.update(revoked_at=at)


def told_before(notice: Notice) -> list[str]:
    """The Message-IDs of the mails that the reader had of this conversation before, oldest first (RFC 5322)."""
    if notice.of_message_id is None or not is_of_conversation(notice):
        return []
    rows = Notice.objects.filter(
        of_message__thread=notice.payload["thread"],
        audience=notice.audience,
        email=notice.email,
        sent_at__isnull=False,
        pk__lt=notice.pk,
    ).exclude(message_id="")
    latest = list(rows.order_by("-pk").values_list("message_id", flat=True)[:_TOLD_BEFORE])
    return latest[::-1]
