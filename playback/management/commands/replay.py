"""`manage.py replay FILE`: two years in minutes, through the same services and timers as live orders."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import override
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from marketplace import money, timers
from marketplace.models import Channel
from marketplace.policy import Preset
from marketplace.services import open_channel
from orders.models import Order
from orders.states import FINAL
from playback import figures
from playback.clockwork import NEVER
from playback.player import BrokenOff, Player, open_history
from playback.sprinkling import with_refunds

_FIRST_YEAR = 1970
MIXED = "mixed"


_TELLS_NO_BANKS = {"payout_needs_details": False}
"""A history does not say to which bank its shops were paid."""


def _opened(code: str, preset: str) -> list[Channel]:
    """The channel to play into; for a mixture one of each preset, the first with the code as it was given."""
    presets = list(Preset) if preset == MIXED else [Preset(preset)]
    codes = [code, *(f"{code}-{one}".replace("_", "-") for one in presets[1:])]
    return [
        open_channel(
            name,
            "Historia",
            preset=one,
            changes=_TELLS_NO_BANKS,
            by="replay",
            at=timezone.now(),
        )
        for name, one in zip(codes, presets, strict=True)
    ]


class Command(BaseCommand):
    help = "Play a history of orders on a virtual clock, running every timer at its due moment in between."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="one event a line (JSON Lines), plain or .gz")
        parser.add_argument(
            "--channel", default="historia", help="code of the channel to play into (opened if new)"
        )
        parser.add_argument(
            "--preset",
            choices=[*map(str, Preset), MIXED],
            default=str(Preset.ACCEPT_FIRST),
            help="the way of trading of a channel that is opened for it; mixed shares the baskets among a channel of "
            "each",
        )
        parser.add_argument(
            "--until", default="", help="let the clock run on to this moment; until nothing is due"
        )
        parser.add_argument(
            "--refunds",
            type=int,
            default=0,
            metavar="N",
            help="give back, in part or whole, one in N of the orders that the history delivers",
        )
        parser.add_argument("--json", action="store_true", help="close with one JSON object")

    def handle(self, *args: Any, file: Path, channel: str, preset: str, until: str, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"there is no file {file}")
        started = time.monotonic()
        targets = _opened(channel, preset)
        self._alone_with_time(targets)
        player = Player(*targets)
        try:
            with timers.clock(alone=True), override("en"):
                broken = self._play(player, file, self._moment(until), options["refunds"])
        except timers.ClockTaken as taken:
            raise CommandError(
                "timers are at work on this database: stop the workers, or use another home"
            ) from taken
        if broken and not player.readable:
            raise CommandError(f"{file} {broken}")
        if not player.readable:
            raise CommandError(f"{file} has no line that can be read as an event")
        at = None if player.clock.at.year < 1900 else player.clock.at
        found = figures.count(*targets, at=at, seconds=time.monotonic() - started, parked=player.clock.parked)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_dict()))
        else:
            _show(found, targets[0].currency)
        if broken:
            raise CommandError(f"{file} {broken}; what stands before was played")
        if found.invariants_failed:
            raise CommandError(f"invariants do not hold: {', '.join(found.invariants_failed)}")

    @staticmethod
    def _moment(until: str) -> datetime:
        try:
            moment = parse_datetime(until) if until else NEVER
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or moment.year < _FIRST_YEAR:
            raise CommandError("--until takes a moment such as 2018-12-31T00:00:00Z")
        return moment

    @staticmethod
    def _alone_with_time(channels: Sequence[Channel]) -> None:
        """The virtual clock would run other channels' orders into the past or the future: refuse to share."""
        if Order.objects.exclude(channel__in=channels).exclude(state__in=FINAL).exists():
            raise CommandError(
                "this database has living orders of other channels, and a replay moves the clock for all of them; "
                "play into an empty stack: TRASTIENDA_HOME=/some/folder ./run manage replay FILE"
            )

    @staticmethod
    def _play(player: Player, file: Path, until: datetime, refunds: int) -> str:
        """Play the file, then let the clock run on; answers where the file breaks off, if it does."""
        broken = ""
        console = Console(stderr=True)
        size = file.stat().st_size
        with (
            open_history(file) as lines,
            file.open("rb") as probe,
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(),
                console=console,
                disable=not sys.stderr.isatty(),
            ) as bar,
        ):
            task = bar.add_task("", total=size)
            under = getattr(lines, "fileobj", lines)

            def progress(heard: int, at: datetime) -> None:
                where = under.tell() if hasattr(under, "tell") else probe.tell()
                bar.update(task, completed=min(where, size), description=f"{at:%Y-%m-%d} · {heard:,} events")

            try:
                player.play(with_refunds(lines, refunds) if refunds > 0 else lines, progress=progress)
            except BrokenOff as flaw:
                broken = str(flaw)
            figures.analyse()
            player.run_on(until)
        return broken


def _show(found: figures.Figures, currency: str) -> None:
    table = Table(title="Replay", show_header=False)

    def add(name: str, value: object) -> None:
        table.add_row(name, str(value))

    add("orders", f"{found.orders:,}")
    for state, n in found.states.items():
        add(f"  {state}", f"{n:,}")
    add("auto-cancelled", f"{found.auto_cancelled:,}")
    add("held for a payment mismatch", f"{found.held_mismatch:,}")
    for code, n in found.refused.items():
        add(f"  refused: {code}", f"{n:,}")
    for kind, n in found.ignored.items():
        add(f"  left aside: {kind}", f"{n:,}")
    add("refunds", f"{found.refunds:,}")
    add("refunded", money.format_money(found.refunded_cents, currency, "en"))
    add("statements", f"{found.statements:,}")
    add("  not explained to the cent", f"{found.unexplained:,}")
    add("paid out", money.format_money(found.paid_cents, currency, "en"))
    add("pending", money.format_money(found.pending_cents, currency, "en"))
    add("payable", money.format_money(found.payable_cents, currency, "en"))
    add("with couriers", money.format_money(found.couriers_cents, currency, "en"))
    add("with payment providers", money.format_money(found.providers_cents, currency, "en"))
    add("parked", found.parked)
    add("seconds", found.seconds)
    add("invariants that do not hold", ", ".join(found.invariants_failed) or "none")
    Console().print(table)
