"""The file for the bank: made of what travels, written down, each payout in one that counts at most (SET-05)."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from sepaxml import SepaTransfer

from marketplace import bulk
from marketplace.models import Channel
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Refusal
from sellers.desk import Actor
from settlements import payees
from settlements.models import Issuer, Paper, PaperDownload, Payee, Payout, PayoutFile, PayoutInFile
from settlements.states import PayoutState

SCHEMA = "pain.001.001.09"
CURRENCY = "EUR"


class _Transfer(SepaTransfer):  # type: ignore[misc]
    """A credit transfer that is named and dated by us, so that nothing in it is made up anew."""

    def __init__(self, config: dict[str, Any], message_id: str, at: datetime) -> None:
        self.named, self.dated = message_id, at
        super().__init__(config, schema=SCHEMA, clean=True)

    def _create_header(self) -> None:
        super()._create_header()
        header = self._xml.find("CstmrCdtTrfInitn/GrpHdr")
        header.find("MsgId").text = self.named
        header.find("CreDtTm").text = self.dated.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


@transaction.atomic
def make_file(channel: Channel, *, by: Actor, at: datetime) -> PayoutFile:
    """Write a SEPA credit transfer of all of a channel's payouts in euros that travel and are in no live file.

    Those of shops that have told no account are left for the next. Raises MoveRefused: `not_allowed`, `no_issuer`,
    `nothing_to_pay`.
    """
    _operators_only(by)
    _one_at_a_time(channel)
    issuer = payees.issuer(channel.id)
    if issuer is None:
        raise MoveRefused(Refusal(channel.id, Code.NO_ISSUER))
    rows = _to_pay(channel)
    if not rows:
        raise MoveRefused(Refusal(channel.id, Code.NOTHING_TO_PAY))
    total = sum(payout.amount_cents for payout, _payee in rows)
    file = PayoutFile(
        channel=channel, issuer=issuer, currency=CURRENCY, payouts_count=len(rows), total_cents=total,
        message_id=f"TR{at.astimezone(UTC):%Y%m%d%H%M%S}-{channel.id}-{rows[0][0].id}",
        made_at=at, made_by=by.label, user_id=by.user_id,
    )  # fmt: skip
    file.content = _xml(file, issuer, rows, channel)
    file.sha256 = hashlib.sha256(file.content).hexdigest()
    file.save()
    bulk.insert(
        PayoutInFile,
        ("shop_id", "file_id", "payout_id", "payee_id", "end_to_end", "amount_cents", "live"),
        [
            (payout.shop_id, file.id, payout.id, payee.id, end_to_end(payout), payout.amount_cents, True)
            for payout, payee in rows
        ],
    )
    return file


def end_to_end(payout: Payout) -> str:
    """How the bank names a payout when it answers: the same in every file that it goes into."""
    return f"TRASTIENDA-{payout.pk}"


def _operators_only(by: Actor) -> None:
    if by.role not in (Role.OPERATOR, Role.PLATFORM):
        raise MoveRefused(Refusal(0, Code.NOT_ALLOWED))


def _one_at_a_time(channel: Channel) -> None:
    """A lock of payouts alone would let a second click read, before it waits, that they are in no file yet."""
    Channel.objects.select_for_update(no_key=True).get(id=channel.pk)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a file of a channel would hold now, and how many transfers go to shops that have told no account."""

    channel: Channel
    payouts: int
    cents: int
    without_account: int


def waiting() -> list[Waiting]:
    """The channels with transfers in euros that are in no live file, those with the most to pay first."""
    rows = (
        _in_no_file().values_list("statement__channel", "shop_id").annotate(Count("id"), Sum("amount_cents"))
    )
    found = [(channel, shop, payouts, cents) for channel, shop, payouts, cents in rows.order_by()]
    told = payees.told({shop for _channel, shop, _payouts, _cents in found})
    sums: dict[int, list[int]] = {}
    for channel, shop, payouts, cents in found:
        one = sums.setdefault(channel, [0, 0, 0])
        if shop in told:
            one[0], one[1] = one[0] + payouts, one[1] + cents
        else:
            one[2] += payouts
    channels = Channel.objects.in_bulk(list(sums))
    return sorted(
        (Waiting(channels[channel], *one) for channel, one in sums.items()),
        key=lambda one: (-one.cents, one.channel.name),
    )


def _in_no_file() -> QuerySet[Payout]:
    live = PayoutInFile.objects.filter(live=True, payout__state=PayoutState.IN_TRANSIT)
    return Payout.objects.filter(currency=CURRENCY, state=PayoutState.IN_TRANSIT).exclude(
        id__in=live.values("payout")
    )


def _to_pay(channel: Channel) -> list[tuple[Payout, Payee]]:
    """The payouts that can go into a file now, locked in the order of their keys, each with its account."""
    payouts = list(
        _in_no_file()
        .select_for_update(of=("self",), no_key=True)
        .filter(statement__channel=channel)
        .order_by("id")
    )
    told = Payee.objects.in_bulk(payees.told({payout.shop_id for payout in payouts}).values())
    accounts = {payee.shop_id: payee for payee in told.values()}
    return [(payout, accounts[payout.shop_id]) for payout in payouts if payout.shop_id in accounts]


def _xml(file: PayoutFile, issuer: Issuer, rows: list[tuple[Payout, Payee]], channel: Channel) -> bytes:
    config = {"name": issuer.legal_name, "IBAN": issuer.iban, "batch": True, "currency": CURRENCY}
    transfer = _Transfer(config, file.message_id, file.made_at)
    day = channel.calendar.local_day(file.made_at)
    for payout, payee in rows:
        transfer.add_payment(
            {
                "name": payee.legal_name,
                "IBAN": payee.iban,
                "amount": payout.amount_cents,
                "execution_date": day,
                "description": f"Liquidacion {payout.statement_id} {channel.name}",
                "endtoend_id": end_to_end(payout),
            }
        )
    made: bytes = transfer.export(validate=True)
    return made


@transaction.atomic
def make_void(file_id: int, *, reason: str, by: Actor, at: datetime) -> PayoutFile:
    """Say that a file was never carried out: its payouts may go into another.

    Raises MoveRefused: `not_allowed`, `reason_needed`, `decided` where it is void already, `answered` where the bank
    has answered to any of it.
    """
    _operators_only(by)
    if not reason.strip():
        raise MoveRefused(Refusal(file_id, Code.REASON_NEEDED))
    file = PayoutFile.objects.select_for_update().get(id=file_id)
    if file.void_at is not None:
        raise MoveRefused(Refusal(file_id, Code.DECIDED))
    ids = list(file.lines.order_by("payout_id").values_list("payout_id", flat=True))
    if any(row.state != PayoutState.IN_TRANSIT for row in bulk.lock(Payout, ids)):
        raise MoveRefused(Refusal(file_id, Code.ANSWERED))
    file.lines.update(live=False)
    file.void_at, file.void_by, file.void_reason = at, by.label, reason.strip()[:200]
    file.save(update_fields=["void_at", "void_by", "void_reason"])
    return file


class Damaged(Exception):
    """What is kept of a file is not what was written."""


@transaction.atomic
def hand_out(file: PayoutFile, *, by: Actor, at: datetime) -> bytes:
    """The bytes of a file, always the same, and that somebody took them (DOC-04). Raises MoveRefused, Damaged."""
    _operators_only(by)
    content = bytes(file.content)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Damaged(file.message_id)
    given(Paper.PAYOUT_FILE, file.pk, None, by=by, at=at)
    return content


def given(paper: Paper, subject_id: int, shop_id: int | None, *, by: Actor, at: datetime) -> PaperDownload:
    """Write down that somebody was given a paper (DOC-04)."""
    return PaperDownload.objects.create(
        shop_id=shop_id,
        paper=paper,
        subject_id=subject_id,
        at=at,
        role=by.role,
        by=by.label,
        user_id=by.user_id,
    )
