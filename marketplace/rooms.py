"""What the operators' rooms share: who may do what, panels of figures, a page that asks before it acts."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ActionLocation, IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import DateTimeField, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import date as written
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold import widgets
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter
from unfold.decorators import action as unfold_action
from unfold.decorators import display as unfold_display

from marketplace.admin_site import is_operator
from marketplace.list_questions import named, understood
from marketplace.money import format_money
from marketplace.refusals import Code, Outcome

EXACT_UP_TO = 10_000
SHOWN_IN_A_PANEL = 200
SHOWN_REFUSALS = 10
DIGITS_OF_A_KEY = 18


class EstimatingPaginator(Paginator):  # type: ignore[type-arg]
    """Counts short lists and asks the planner about long ones: a million rows are never counted."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list).order_by()
        plan = json.loads(rows.values("pk").explain(format="json") or "[]")
        if not plan:  # Django does not ask about what cannot match anything
            return 0
        estimate = int(plan[0]["Plan"]["Plan Rows"])
        return estimate if estimate > EXACT_UP_TO else rows.count()


@dataclass(frozen=True, slots=True)
class Panel:
    """A table on a room's page: a title, the heads of its columns, rows of cells."""

    title: object
    headers: Sequence[object]
    rows: Sequence[Sequence[object]]
    numbers: Collection[int] = ()
    """Which columns are figures, written under each other from the right."""

    ways: Sequence[tuple[object, str]] = ()
    """Buttons under it: what each says, and where it leads."""

    @property
    def table(self) -> dict[str, object]:
        headers = [self._cell(at, str(header)) for at, header in enumerate(self.headers)]
        rows = [[self._cell(at, cell) for at, cell in enumerate(row)] for row in self.rows]
        return {"headers": headers, "rows": rows}

    def _cell(self, at: int, content: object) -> object:
        return {"content": content, "class": "room-number"} if at in self.numbers else content


def act[F: Callable[..., Any]](
    description: object, *, icon: str = "", variant: Any = None
) -> Callable[[F], F]:
    """Make a method an action of a room: a button with its address, or a bulk action of the list."""
    made = unfold_action(description=description, icon=icon or None, variant=variant)
    return cast("Callable[[F], F]", made)


def column[F: Callable[..., Any]](description: object, **options: Any) -> Callable[[F], F]:
    """Name a method as a column of a room; `label={value: colour}` shows it as a badge."""
    return cast("Callable[[F], F]", unfold_display(description=description, **options))


def money(cents: int | None, currency: str) -> str:
    """An amount as people read it; a dash for none."""
    return "–" if cents is None else format_money(cents, currency)


def moment(value: datetime | None) -> str:
    """A moment to the minute in the site's time zone; a dash for none."""
    return "–" if value is None else written(timezone.localtime(value), "d/m/Y H:i")


def link(instance: Model, text: object = None) -> SafeString | str:
    """The name of a record, leading to its page in the rooms where it has one."""
    meta = instance._meta
    words = str(instance if text is None else text)
    try:
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[instance.pk])
    except NoReverseMatch:
        return words
    return format_html('<a href="{}" class="text-link">{}</a>', address, words)


def badge(words: object, tone: str) -> SafeString:
    """A word with the colour of its meaning: "success", "warning", "danger", "info"."""
    return render_to_string("unfold/helpers/label.html", {"text": words, "type": tone, "size": "md"})


def shortened(words: str, most: int = 80) -> str:
    """Words of a list cut to a length that leaves the row a line; a dash for none."""
    return Truncator(words).chars(most) or "–"


def language_word(code: str) -> str:
    """A language by its own name; a code that is none of ours stands as it is."""
    return {"es": "Español", "en": "English"}.get(code, code)


def is_key(word: str) -> bool:
    """Whether a word of an address can be the key of a record: digits, and not too many."""
    return word.isascii() and word.isdecimal() and len(word) <= DIGITS_OF_A_KEY


def found[M: Model](rows: type[M] | QuerySet[M], key: str) -> M:
    """The record that an address names; what is no key leads nowhere, like a key of nothing.

    Raises Http404.
    """
    if not is_key(key):
        raise Http404
    return get_object_or_404(rows, pk=key)


def _stamp(field: "DateTimeField[Any, Any]") -> Callable[[Model], str]:
    """A column of moments, short and to the minute."""

    def cell(row: Model) -> str:
        return moment(getattr(row, field.name))

    cell.__name__ = field.name
    return column(field.verbose_name, ordering=field.name)(cell)


class ShopFilter(AutocompleteSelectFilter):  # type: ignore[misc]
    """Rows of one shop, chosen by typing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("tienda")


class ChannelFilter(RelatedDropdownFilter):  # type: ignore[misc]
    """Rows of one channel."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("canal")


class RoomList(ChangeList):
    """A list that says how many rows it found only where something was looked for."""

    def get_results(self, request: HttpRequest) -> None:
        """A page that there is not is named, and the first one shown."""
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            self._first_page(request)
            super().get_results(request)
        if not 1 <= self.page_num <= self.paginator.num_pages:
            self._first_page(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count

    def _first_page(self, request: HttpRequest) -> None:
        messages.warning(request, named(_("Página"), str(self.page_num)))
        self.page_num = 1


class Room(ModelAdmin):  # type: ignore[misc]
    """A room open to every operator; what may be done in it is said by the room itself."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_filter_submit = True
    change_form_outer_after_template = "rooms/panels.html"

    def get_action_choices(
        self,
        request: HttpRequest,
        default_choices: list[tuple[str, str]] | None = None,
        action_location: ActionLocation = ActionLocation.CHANGE_LIST,
    ) -> list[tuple[str, str]]:
        # unfold's own still has the signature that Django 6.1 warns about.
        choices = default_choices or [("", _("Elige qué hacer"))]
        made: Any = admin.ModelAdmin.get_action_choices(
            self, request, choices, action_location=action_location
        )
        return cast("list[tuple[str, str]]", made)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns of the list; moments are written short, so that a row stays a line."""
        moments = {
            field.name: field for field in self.opts.concrete_fields if isinstance(field, DateTimeField)
        }
        names = super().get_list_display(request)
        return [_stamp(moments[name]) if name in moments else name for name in names]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RoomList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; the part of the question that is not understood is left out and named."""
        if request.GET:
            request.GET, unclear = understood(self, request)  # type: ignore[assignment]
            for words in unclear:
                messages.warning(request, words)
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def response_action(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        action_location: ActionLocation = ActionLocation.CHANGE_LIST,
    ) -> HttpResponse | None:
        """Act on the rows chosen; keys that are none, or of rows that are gone, are answered with a word."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        across = request.POST.get("select_across") not in (None, "", "0")
        known = all(is_key(key) for key in chosen)
        if chosen and not (known and (across or queryset.filter(pk__in=chosen).exists())):
            messages.error(request, _("No queda ninguna de las filas elegidas: no se ha hecho nada."))
            return HttpResponseRedirect(request.get_full_path())
        answer: HttpResponse | None = super().response_action(
            request, queryset, action_location=action_location
        )
        return answer

    def name_of(self, row: Any) -> str:
        """What a record is called at the head of its page, in the reader's language."""
        return str(row)

    @column(gettext_lazy("Tienda"))
    def shop_word(self, row: Any) -> str:
        return str(row.shop or "–")

    @column(gettext_lazy("Canal"))
    def channel_word(self, row: Any) -> str:
        return str(row.channel)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def panels(self, request: HttpRequest, obj: Any) -> Iterable[Panel]:
        """The tables under a record's own fields."""
        return ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj:
            context["panels"] = list(self.panels(request, obj))
            context["subtitle"] = request.room_name = self.name_of(obj)  # type: ignore[attr-defined]
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return response

    def page(
        self, request: HttpRequest, template: str, title: object, *, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of this room with the site's frame around it."""
        request.current_app = self.admin_site.name
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "model_admin": self,
        }
        return TemplateResponse(request, template, {**shared, **context}, status=status)

    def ask(
        self,
        request: HttpRequest,
        form: "RoomForm",
        title: object,
        *,
        back: str,
        status: int = 200,
        **context: Any,
    ) -> TemplateResponse:
        """Ask for what an act needs, and for the click itself: nothing is done on a link alone."""
        return self.page(request, "rooms/ask.html", title, status=status, form=form, back=back, **context)

    def address(self, name: str, *args: Any) -> str:
        """The address of one of this room's pages: `changelist`, `change` …"""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)


class ReadingRoom(Room):
    """A room where records are only read: they change through the services, or not at all."""

    actions_on_top = True

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context["show_history"] = False  # nobody edits here, so the admin's own log has nothing to tell
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RoomForm(forms.Form):
    """A form in the looks of the rooms."""

    _LOOKS: ClassVar[tuple[tuple[type[forms.Widget], list[str]], ...]] = (
        (forms.HiddenInput, []),
        (forms.CheckboxSelectMultiple, widgets.CHECKBOX_CLASSES),
        (forms.CheckboxInput, widgets.CHECKBOX_CLASSES),
        (forms.Select, widgets.SELECT_CLASSES),
        (forms.Textarea, widgets.TEXTAREA_CLASSES),
        (forms.Widget, widgets.INPUT_CLASSES),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            self.dress(field)

    def dress(self, field: forms.Field) -> None:
        """Give a field's widget the classes of its kind."""
        looks = next(looks for kind, looks in self._LOOKS if isinstance(field.widget, kind))
        field.widget.attrs["class"] = " ".join(looks)


def tell(
    request: HttpRequest, outcome: Outcome[Any], done: str, names: Callable[[int], str] | None = None
) -> None:
    """Say how many rows were moved (`done` has `%(n)s` in it), and which were refused and why."""
    if outcome.moved:
        messages.success(request, done % {"n": len(outcome.moved)})
    for refusal in outcome.refused[:SHOWN_REFUSALS]:
        name = names(refusal.id) if names else str(refusal.id)
        messages.error(request, f"{name}: {refusal.text}")
    rest = len(outcome.refused) - SHOWN_REFUSALS
    if rest > 0:
        more = ngettext("y %(n)s más, rechazado.", "y %(n)s más, rechazados.", rest) % {"n": rest}
        codes = " ".join(f"{Code(code).label} × {n}" for code, n in outcome.codes.most_common())
        messages.error(request, f"{more} {codes}")
    if not outcome.moved and not outcome.refused:
        messages.warning(request, _("No había nada que hacer."))


register = admin.register
