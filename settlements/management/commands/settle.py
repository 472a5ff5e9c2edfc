"""`manage.py settle [--channel CODE] [--as-of MOMENT] [--rehearse]`: a run by hand, or its rehearsal (SET-02)."""

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import override

from marketplace import bell
from marketplace.models import Channel
from marketplace.money import plain
from marketplace.refusals import Code, MoveRefused
from orders.states import HoldKind
from sellers.desk import PLATFORM
from settlements import running
from settlements.running import Due, Run
from settlements.states import CarriedWhy

HEADS = {
    "opening_cents": "opening",
    "orders_cents": "orders",
    "commission_cents": "commission",
    "commission_vat_cents": "VAT",
    "refunds_cents": "refunds",
    "commission_back_cents": "back",
    "commission_vat_back_cents": "VAT back",
    "cover_cents": "cover",
    "adjustments_cents": "adjusted",
    "returned_cents": "returned",
    "carried_cents": "carried",
    "payout_cents": "payout",
    "difference_cents": "vs. last",
}


class Command(BaseCommand):
    help = (
        "Close what the channels' calendars have come to. With --as-of, close an extra cycle at that moment, with "
        "what was received by then and is free now. With --rehearse, do the same and undo it: nothing is kept."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", metavar="CODE", help="the channel to settle; default: all of them")
        parser.add_argument(
            "--as-of", metavar="MOMENT", help="a moment, with its offset; to come, only rehearsed"
        )
        parser.add_argument("--rehearse", action="store_true", help="only say what would happen")
        parser.add_argument("--json", action="store_true", help="print one JSON object a channel")

    @override("en")
    def handle(self, *args: Any, **options: Any) -> None:
        at, as_of = timezone.now(), _moment(options["as_of"])
        refused = []
        for channel in _channels(options["channel"]):
            try:
                if options["rehearse"]:
                    run = running.rehearse(channel, as_of=as_of, at=at)
                else:
                    run = running.settle(channel, as_of=as_of, by=PLATFORM, at=at)
            except MoveRefused as error:
                refused.append(error.refusal.code)
                self._say(options, channel, f"{error.refusal.code}: {error.refusal.text}")
                continue
            self._tell(run, channel, options)
        if not options["rehearse"]:
            bell.ring("notices")
        if any(code != Code.NOTHING_DUE for code in refused):
            raise CommandError("Not everything was settled; the lines above say why.", returncode=1)

    def _say(self, options: dict[str, Any], channel: Channel, words: str) -> None:
        told = json.dumps({"channel": channel.code, "refused": words}) if options["json"] else words
        self.stdout.write(told if options["json"] else f"{channel.code}: {told}")

    def _tell(self, run: Run, channel: Channel, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(_plain(run, channel, options["rehearse"])))
            return
        moments = ", ".join(f"{moment:%Y-%m-%d %H:%M} UTC" for moment in run.closings)
        self.stdout.write(f"{channel.code}: cycle of {moments}; orders settled: {run.tally.done}.")
        if run.tally.parked:
            self.stdout.write(f"  set aside: {run.tally.parked}; they are tried again later.")
        if options["rehearse"]:
            self.stdout.write("Only a rehearsal: nothing was kept.")
            self._table(run)

    def _table(self, run: Run) -> None:
        self.stdout.write(f"{'shop':24}" + "".join(f"{words:>12}" for words in HEADS.values()))
        for due in run.due:
            cells = "".join(f"{plain(getattr(due, name), due.currency):>12}" for name in HEADS)
            why = f"  carried: {CarriedWhy(due.carried_why).label}" if due.carried_why else ""
            self.stdout.write(f"{due.shop[:23]:24}{cells} {due.currency}{why}")
        for one in run.left_out:
            self.stdout.write(
                f"left out: {one.shop}: {one.orders} × {HoldKind(one.by).label}, {plain(one.cents, one.currency)}"
                f" {one.currency}"
            )


def _plain(run: Run, channel: Channel, rehearsed: bool) -> dict[str, Any]:
    return {
        "channel": channel.code,
        "rehearsed": rehearsed,
        "closings": [moment.isoformat() for moment in run.closings],
        "settled": run.tally.done,
        "parked": run.tally.parked,
        "due": [_cells(due) for due in run.due],
        "left_out": [one._asdict() for one in run.left_out],
    }


def _cells(due: Due) -> dict[str, Any]:
    return {**due._asdict(), "difference_cents": due.difference_cents}


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CommandError("--as-of is a moment with its offset, as 2026-04-01T00:00+02:00.", returncode=2)
    return moment


def _channels(code: str | None) -> list[Channel]:
    rows = Channel.objects.select_related("policy").order_by("id")
    channels = list(rows.filter(code=code) if code else rows)
    if code and not channels:
        raise CommandError(f"There is no channel “{code}”.", returncode=2)
    return channels
