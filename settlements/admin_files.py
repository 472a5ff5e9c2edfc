"""The operators' rooms of what goes to the bank and of what it answers (SET-05)."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace import bell
from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused
from marketplace.rooms import (
    SHOWN_IN_A_PANEL,
    ChannelFilter,
    Panel,
    ReadingRoom,
    RoomForm,
    act,
    column,
    found,
    link,
    money,
    register,
)
from sellers.desk import operator
from settlements import bank_answers, paying
from settlements.bank_answers import Said, Unreadable, Verdict
from settlements.models import PayoutFile

SALT, AN_HOUR = "settlements.bank_answers", 3600
LONGEST_SEAL = 2 * 1024**2
"""What was shown comes back in a form, and Django takes no form that is longer than 2.5 MB."""


class ChannelForm(RoomForm):
    """Of which channel."""

    channel = forms.ModelChoiceField(
        Channel.objects.order_by("name"), label=gettext_lazy("Canal"), empty_label=None
    )


class VoidForm(RoomForm):
    """Why the bank will not carry it out."""

    reason = forms.CharField(label=gettext_lazy("Motivo"), max_length=200)


class AnswerFileForm(RoomForm):
    """What the bank sent."""

    file = forms.FileField(
        label=gettext_lazy("Fichero"),
        help_text=gettext_lazy(
            "Un camt.054, o un CSV con las columnas referencia, importe, resultado (pagada o fallida) y motivo."
        ),
    )


@register(PayoutFile)
class PayoutFileAdmin(ReadingRoom):
    """SEPA credit transfers, made of the payouts that travel; the same bytes each time they are downloaded."""

    list_display = ("message_id", "channel_word", "payouts_count", "total", "made_at", "made_by", "void_at")
    list_filter = (("channel", ChannelFilter),)
    list_select_related = ("channel",)
    sortable_by = ()
    fields = (
        ("message_id", "channel_word", "issuer_word"),
        ("payouts_count", "total", "sha256"),
        ("made_at", "made_by"),
        ("void_at", "void_by", "void_reason"),
    )
    readonly_fields = ("channel_word", "issuer_word", "total")
    actions_list = ("make", "read_answer")
    actions_detail = ("download", "make_void")

    def panels(self, request: HttpRequest, obj: PayoutFile) -> Iterable[Panel]:
        rows = obj.lines.select_related("payout", "payee", "shop").order_by("id")[:SHOWN_IN_A_PANEL]
        yield Panel(
            _("Transferencias"),
            (_("Tienda"), _("Cuenta"), _("Referencia"), _("Importe"), _("Estado")),
            [
                (one.shop, one.payee.masked_iban, one.end_to_end,
                 link(one.payout, money(one.amount_cents, obj.currency)), one.payout.get_state_display())
                for one in rows
            ],
            numbers=(3,),
        )  # fmt: skip

    @column(gettext_lazy("Total"), formatting="price")
    def total(self, file: PayoutFile) -> str:
        return money(file.total_cents, file.currency)

    @column(gettext_lazy("Ordenante"))
    def issuer_word(self, file: PayoutFile) -> str:
        return f"{file.issuer} · {file.issuer.masked_iban}"

    @act(gettext_lazy("Hacer el fichero"), icon="note_add")
    def make(self, request: HttpRequest) -> HttpResponse:
        """Write the file of all that can go to the bank now."""
        waiting, back = paying.waiting(), self.address("changelist")
        form = ChannelForm(
            request.POST if "apply" in request.POST else None,
            initial={"channel": waiting[0].channel} if waiting else None,
        )
        title, intro = _("Hacer el fichero de transferencias"), _what_waits(waiting)
        if not form.is_valid():
            return self.ask(
                request, form, title, back=back, intro=intro, status=422 if form.is_bound else 200
            )
        try:
            by = operator(request.user)  # type: ignore[arg-type]
            made = paying.make_file(form.cleaned_data["channel"], by=by, at=timezone.now())
        except MoveRefused as refused:
            form.add_error("channel", refused.refusal.text)
            return self.ask(request, form, title, back=back, intro=intro, status=409)
        messages.success(request, _("Hecho: %(n)s transferencias.") % {"n": made.payouts_count})
        return HttpResponseRedirect(self.address("change", made.pk))

    @act(gettext_lazy("Descargar"), icon="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The file for the bank; that it was taken is written down (DOC-04)."""
        file = found(PayoutFile, object_id)
        by = operator(request.user)  # type: ignore[arg-type]
        answer = HttpResponse(paying.hand_out(file, by=by, at=timezone.now()), content_type="application/xml")
        answer["Content-Disposition"] = f'attachment; filename="{file.message_id}.xml"'
        answer["Cache-Control"] = "private, no-store"
        return answer

    @act(gettext_lazy("Anular"), icon="block")
    def make_void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say that the bank will not carry it out; its payouts go into the next file."""
        file, back = found(PayoutFile, object_id), self.address("change", object_id)
        form = VoidForm(request.POST if "apply" in request.POST else None)
        intro = _("Solo si el banco no lo ha ejecutado: sus transferencias irán en otro fichero.")
        if not form.is_valid():
            return self.ask(request, form, _("Anular"), back=back, intro=intro)
        try:
            by = operator(request.user)  # type: ignore[arg-type]
            paying.make_void(file.pk, reason=form.cleaned_data["reason"], by=by, at=timezone.now())
        except MoveRefused as refused:
            form.add_error(None, refused.refusal.text)
            return self.ask(request, form, _("Anular"), back=back, intro=intro, status=409)
        messages.success(request, _("Anulado."))
        return HttpResponseRedirect(back)

    @act(gettext_lazy("Leer la respuesta del banco"), icon="mark_email_read")
    def read_answer(self, request: HttpRequest) -> HttpResponse:
        """Show what each row of the bank's file will do, then write it down as it was shown (SET-05)."""
        title, back = _("Leer la respuesta del banco"), self.address("changelist")
        if "seal" in request.POST:
            return self._write_down(request, title, back)
        form = AnswerFileForm(*((request.POST, request.FILES) if "apply" in request.POST else ()))
        if not form.is_valid():
            return self.ask(request, form, title, back=back, status=422 if form.is_bound else 200)
        try:
            upload = form.cleaned_data["file"]
            said = bank_answers.read(upload.read(bank_answers.MOST_BYTES + 1))
        except Unreadable as error:
            form.add_error("file", str(error))
            return self.ask(request, form, title, back=back, status=422)
        seal = signing.dumps(said, salt=SALT, compress=True)
        if len(seal) > LONGEST_SEAL:
            form.add_error("file", _("Son demasiadas filas para una vez: pártelo en varios ficheros."))
            return self.ask(request, form, title, back=back, status=422)
        panels = _panels(bank_answers.judge(said))
        asked: dict[str, Any] = {
            "carried": [("seal", seal)],
            "panels": panels,
            "label": _("Anotar lo que se puede"),
        }
        return self.ask(request, RoomForm(), title, back=back, **asked)

    def _write_down(self, request: HttpRequest, title: str, back: str) -> HttpResponse:
        try:
            said = [Said(*row) for row in signing.loads(request.POST["seal"], salt=SALT, max_age=AN_HOUR)]
        except signing.BadSignature:
            messages.error(request, _("Ha caducado: vuelve a subir el fichero."))
            return HttpResponseRedirect(self.address("read_answer"))
        by = operator(request.user)  # type: ignore[arg-type]
        verdicts = bank_answers.write_down(said, by=by, at=timezone.now())
        bell.ring("notices")
        done = sum(not verdict.code for verdict in verdicts)
        intro = _("Anotado de %(done)s transferencias; %(rest)s filas no se han tocado.")
        told: dict[str, Any] = {"panels": _panels(verdicts), "back": back}
        return self.page(
            request,
            "rooms/page.html",
            title,
            intro=intro % {"done": done, "rest": len(verdicts) - done},
            **told,
        )


def _what_waits(waiting: list[paying.Waiting]) -> str:
    """The transfers that a file would hold, channel by channel, in a sentence each."""
    if not waiting:
        return _("Ninguna transferencia espera un fichero.")
    said = []
    for one in waiting:
        words = ngettext(
            "%(channel)s: espera %(n)s transferencia, %(amount)s.",
            "%(channel)s: esperan %(n)s transferencias, %(amount)s.",
            one.payouts,
        )
        cells = {"channel": one.channel, "n": one.payouts, "amount": money(one.cents, paying.CURRENCY)}
        said.append(words % cells)
        if one.without_account:
            words = ngettext(
                "%(n)s más no tiene cuenta en la que cobrar.",
                "%(n)s más no tienen cuenta en la que cobrar.",
                one.without_account,
            )
            said.append(words % {"n": one.without_account})
    return " ".join(said)


def _panels(verdicts: list[Verdict]) -> list[Panel]:
    """What is written down, and what is not and why."""
    good = [one for one in verdicts if not one.code]
    bad = [one for one in verdicts if one.code]
    heads = (_("Fila"), _("Referencia"), _("Importe"), _("Resultado"), _("Motivo"))
    return [
        Panel(
            _("Se anotan: %(n)s") % {"n": len(good)},
            heads,
            [_row(one) for one in good[:SHOWN_IN_A_PANEL]],
            (2,),
        ),
        Panel(
            _("No se tocan: %(n)s") % {"n": len(bad)},
            (*heads, _("Por qué no")),
            [(*_row(one), Code(one.code).label) for one in bad[:SHOWN_IN_A_PANEL]],
            (2,),
        ),
    ]


def _row(one: Verdict) -> tuple[object, ...]:
    said = one.said
    amount = money(said.cents, said.currency) if said.cents >= 0 else "–"
    return (
        said.row,
        said.reference or "–",
        amount,
        _("Pagada") if said.paid else _("Fallida"),
        said.reason or "–",
    )
