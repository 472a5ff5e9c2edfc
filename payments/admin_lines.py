"""Lines that tell of money, in the rooms: read, shown with what each will do, then done as they were shown."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace import bell
from marketplace.models import Channel
from marketplace.money import format_money
from marketplace.rooms import SHOWN_IN_A_PANEL, Panel, Room, RoomForm, badge, link, money
from orders.intake.files import Source, Unreadable
from orders.models import Order
from payments.intake.reading import Flawed, Kind, rows
from payments.intake.running import Result, carry_out
from payments.matching import Paid
from payments.remitting import Cash
from payments.verdicts import Act, Fate, Verdict

AT_MOST = 2000
"""How many lines a page takes; a longer file goes through the command."""

MOST_BYTES = 1_000_000
_SALT = "payments.lines"
_KEPT_FOR = timedelta(hours=1)
_TONES = {Fate.DONE: "success", Fate.HERE: "default", Fate.RETURNED: "warning", Fate.REFUSED: "danger"}

type Told = Cash | Paid | Flawed


class TooMuch(Exception):
    """More than a page takes; the text says so in the active language."""


def too_many() -> str:
    """That there are more lines than a page takes."""
    return _("Son más de %(n)s líneas: usa la orden de la línea de comandos.") % {"n": AT_MOST}


def of_file(upload: "UploadedFile[Any]", kind: Kind[Any], channel: Channel, *, at: datetime) -> list[Any]:
    """The lines of a file that somebody sent. Raises TooMuch, and Unreadable for a file that is none."""
    if (upload.size or 0) > MOST_BYTES:
        raise TooMuch(_("El fichero pasa de 1 MB: usa la orden de la línea de comandos."))
    found: list[Any] = []
    for item in rows(kind, Source(upload.read()), channel, at=at):
        found.append(item)
        if len(found) > AT_MOST:
            raise TooMuch(too_many())
    if not found:
        raise Unreadable(_("El fichero no tiene ninguna línea."))
    return found


_KINDS = {"cash": Cash, "paid": Paid, "flawed": Flawed}


def _salt(request: HttpRequest) -> str:
    """What is shown to one operator on one page, of one courier where it is of one, is done there and by them."""
    return f"{_SALT}:{request.user.pk}:{request.path}?{request.GET.urlencode()}"


def sealed(request: HttpRequest, lines: Iterable[Told], **about: Any) -> str:
    """Lines as a page carries them between showing and doing, so that what is done is what was shown."""
    names = {kind: name for name, kind in _KINDS.items()}
    told = [(names[type(line)], *(_plain(value) for value in astuple(line))) for line in lines]
    return signing.dumps({"lines": told, **about}, salt=_salt(request), compress=True)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def unsealed(request: HttpRequest) -> tuple[list[Any], dict[str, Any]]:
    """The lines of a page, and what it said about them. Raises signing.BadSignature for what this page did not write
    for this operator, SignatureExpired for what it wrote too long ago."""
    about: dict[str, Any] = signing.loads(request.POST["seal"], salt=_salt(request), max_age=_KEPT_FOR)
    return [_line(*told) for told in about.pop("lines")], about


def _line(name: str, *values: Any) -> Told:
    if name != "paid":
        made: Told = _KINDS[name](*values)
        return made
    line, word, cents, reference, paid_at, currency = values
    return Paid(line, word, cents, reference, datetime.fromisoformat(paid_at), currency)


class SealForm(RoomForm):
    """What was shown, to be done as it was shown."""

    seal = forms.CharField(widget=forms.HiddenInput, strip=False)


def show(
    room: Room, request: HttpRequest, act: Act[Any], lines: Sequence[Any], *, channel: Channel, title: str,
    back: str, **about: Any,
) -> HttpResponse:  # fmt: skip
    """Show what each line will do, and ask for the click that does it."""
    result, verdicts = carried_out(act, lines, rehearse=True)
    return room.ask(
        request,
        SealForm(initial={"seal": sealed(request, lines, channel=channel.pk, **about)}),
        title,
        back=back,
        label=_("Registrar"),
        intro=in_words(result, channel.currency, done=False),
        panels=[panel(verdicts, channel.currency)],
    )


def do(
    room: Room, request: HttpRequest, act: Callable[[Channel, dict[str, Any]], Act[Any]], *, title: str,
    back: str, wakes: Sequence[str] = (),
) -> HttpResponse:  # fmt: skip
    """Do what was shown, and tell of each line what came of it; what is too old to be known is shown anew."""
    try:
        lines, about = unsealed(request)
    except signing.SignatureExpired:
        messages.error(request, _("Ha pasado demasiado tiempo: vuelve a empezar."))
        return HttpResponseRedirect(request.get_full_path())
    except signing.BadSignature:
        messages.error(
            request, _("Eso no es lo que viste en esta página: vuelve a empezar. No se ha hecho nada.")
        )
        return HttpResponseRedirect(request.get_full_path())
    channel = Channel.objects.get(id=about["channel"])
    result, verdicts = carried_out(act(channel, about), lines, rehearse=False)
    if result.moved:
        bell.ring(*wakes)
    intro = in_words(result, channel.currency, done=True)
    panels = [panel(verdicts, channel.currency)]
    return room.page(request, "rooms/page.html", title, panels=panels, intro=intro, back=back)


def carried_out(act: Act[Any], lines: Sequence[Any], *, rehearse: bool) -> tuple[Result, list[Verdict]]:
    """What came of lines, or would come of them."""
    result, verdicts = Result(), list[Verdict]()
    carry_out(act, lines, result=result, tell=verdicts.append, rehearse=rehearse)
    return result, sorted(verdicts, key=lambda one: one.line)


def in_words(result: Result, currency: str, *, done: bool) -> str:
    """What came of lines in one sentence, or what will."""
    amount = format_money(result.cents, currency)
    n = result.moved
    if done:
        words = ngettext("Registrada %(n)s línea: %(amount)s.", "Registradas %(n)s líneas: %(amount)s.", n)
    else:
        words = ngettext(
            "Se registrará %(n)s línea: %(amount)s.", "Se registrarán %(n)s líneas: %(amount)s.", n
        )
    told = [words % {"n": n, "amount": amount}]
    if result.fates[Fate.HERE.value]:
        told.append(_("Ya estaban: %(n)s.") % {"n": result.fates[Fate.HERE.value]})
    if result.fates[Fate.REFUSED.value]:
        told.append(_("Rechazadas: %(n)s.") % {"n": result.fates[Fate.REFUSED.value]})
    return " ".join(told)


def panel(verdicts: Sequence[Verdict], currency: str) -> Panel:
    """Each line with what becomes of it; where they are too many, those that were refused come first."""
    shown = verdicts
    title = _("Líneas")
    if len(verdicts) > SHOWN_IN_A_PANEL:
        shown = sorted(verdicts, key=lambda one: one.fate != Fate.REFUSED)[:SHOWN_IN_A_PANEL]
        title = _("%(shown)s líneas de %(all)s, las rechazadas primero") % {
            "shown": len(shown),
            "all": len(verdicts),
        }
    headers = (_("Línea"), _("Qué nombra"), _("Importe"), _("Qué pasa"), _("Por qué"), _("Pedidos"))
    known = Order.objects.in_bulk({pk for one in shown for pk in one.orders})
    return Panel(title, headers, list(_cells(shown, known, currency)), numbers=(0, 2))


def _cells(
    verdicts: Sequence[Verdict], known: dict[int, Order], currency: str
) -> Iterator[tuple[object, ...]]:
    for one in verdicts:
        named = [link(known[pk]) for pk in one.orders if pk in known]
        yield (one.line, one.word or "–", money(one.cents, currency), badge(one.fate.label, _TONES[one.fate]),
               one.text or "–", _joined(named))  # fmt: skip


def _joined(links: Sequence[str]) -> object:
    return format_html_join(", ", "{}", ((one,) for one in links)) if links else "–"
