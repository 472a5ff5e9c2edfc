"""The operators' room of templates: the usual messages that every shop can choose from (MSG-12)."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace.rooms import ChannelFilter, Room, column, language_word, register, shortened
from messaging.admin_forms import TemplateForm
from messaging.models import Template
from messaging.templates import Variable


@register(Template)
class TemplateAdmin(Room):
    """The operators' templates. A shop's own are the shop's: they are not here."""

    form = TemplateForm
    list_display = ("name", "language_name", "audience_name", "channel_name", "subject_word", "is_active")
    list_filter = (
        ("language", ChoicesDropdownFilter),
        ("audience", ChoicesDropdownFilter),
        ("channel", ChannelFilter),
        "active",
    )
    list_select_related = ("channel",)
    search_fields = ("name", "subject")
    ordering = ("language", "name", "id")
    sortable_by = ()
    fields = (
        ("name", "language"), ("audience", "channel"), "subject", "body", "variables", "active"
    )  # fmt: skip
    readonly_fields = ("variables",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        rows: QuerySet[Template] = super().get_queryset(request)
        return rows.filter(shop=None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        obj.changed_by = str(request.user)[:150]
        super().save_model(request, obj, form, change)

    @column(gettext_lazy("Variables"))
    def variables(self, template: Template) -> SafeString:
        """What the text can ask for, in words."""
        rows = format_html_join("", "<li><code>{}</code> {}</li>", _variables())
        says = _("Lo que el pedido no diga se pide a quien escribe: nunca sale vacío.")
        return format_html('<ul class="room-variables">{}</ul><p class="room-note">{}</p>', rows, says)

    @column(gettext_lazy("Idioma"))
    def language_name(self, template: Template) -> str:
        return language_word(template.language)

    @column(gettext_lazy("Para"))
    def audience_name(self, template: Template) -> str:
        return str(template.get_audience_display()).capitalize()

    @column(gettext_lazy("Canal"))
    def channel_name(self, template: Template) -> str:
        return str(template.channel or _("Todos"))

    @column(gettext_lazy("Asunto"))
    def subject_word(self, template: Template) -> str:
        return shortened(template.subject)

    @column(gettext_lazy("Estado"), label={"yes": "success", "no": "default"})
    def is_active(self, template: Template) -> tuple[str, str]:
        return ("yes", _("En uso")) if template.active else ("no", _("Retirada"))


def _variables() -> list[tuple[str, str]]:
    return [(f"{{{{{one.value}}}}}", str(one.label)) for one in Variable]
