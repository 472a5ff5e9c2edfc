"""What an address asks of a list of the rooms: nonsense is never an error, it is left out and named."""

import re
from typing import Any

from django.contrib.admin import FieldListFilter, SimpleListFilter, options
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.utils import NotRelationField, get_fields_from_path, prepare_lookup_value
from django.contrib.admin.views import main as admin_list
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db.models import BooleanField
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

_UNTYPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FREE = (
    admin_list.SEARCH_VAR,
    admin_list.ALL_VAR,
    admin_list.ERROR_FLAG,
    options.IS_FACETS_VAR,
    options.IS_POPUP_VAR,
)
"""What may have any value."""

_PAGE = re.compile(r"[0-9]{1,9}")
_ORDER = re.compile(r"-?[0-9]{1,3}(\.-?[0-9]{1,3})*")
_KEY = re.compile(r"[0-9]{1,18}")
_COMPARISONS = ("exact", "isnull", "in", "gt", "gte", "lt", "lte")
"""Others, a pattern among them, can be sound for Django and break in the database."""

_NO_LOOKUP = (
    DisallowedModelAdminLookup,
    FieldDoesNotExist,
    FieldError,
    NotRelationField,
    OverflowError,
    TypeError,
    ValueError,
    ValidationError,
)
_YES_NO = ("0", "1", "True", "False")


def typed(words: str) -> bool:
    """Whether it could have been typed: the database takes no control characters."""
    return not _UNTYPED.search(words)


def named(name: object, value: str) -> str:
    """That a part of an address was not understood, in the active language."""
    said, shown = _UNTYPED.sub("\ufffd", str(name)), _UNTYPED.sub("\ufffd", value)
    shown = shown if len(shown) <= 40 else shown[:39] + "…"
    return _("%(name)s: no se entiende “%(value)s”") % {"name": said[:40], "value": shown}


def understood(room: Any, request: HttpRequest) -> tuple[QueryDict, list[str]]:
    """What of the request's question the list of a room can answer; and what it cannot, named.

    A filter that is set to nothing is left out and not named: the form of filters sends all it has.
    """
    kept, unclear = QueryDict(mutable=True), list[str]()
    specs = _specs(room, request)
    for name, values in request.GET.lists():
        spec = specs.get(name)
        for value in values:
            if not value and name not in _FREE:
                continue
            if typed(name + value) and _is_clear(room, request, name, value, spec):
                kept.appendlist(name, value)
            else:
                unclear.append(named(_title(name, spec), value))
    return kept, unclear


def _title(name: str, spec: Any) -> str:
    if spec is not None:
        title = str(spec.title)
        return title[:1].upper() + title[1:]
    words = {
        admin_list.PAGE_VAR: _("Página"),
        admin_list.SEARCH_VAR: _("Busca"),
        admin_list.ORDER_VAR: _("Orden"),
    }
    return words.get(name, name)


def _specs(room: Any, request: HttpRequest) -> dict[str, Any]:
    """The filters of a room by the parameters that they read; only those that something is said to."""
    found: dict[str, Any] = {}
    for one in room.get_list_filter(request):
        if callable(one):
            spec = one(request, {}, room.model, room)
        else:
            path, kind = one if isinstance(one, tuple | list) else (one, FieldListFilter.create)
            if not any(name.startswith(path) for name in request.GET):
                continue
            field = get_fields_from_path(room.model, path)[-1]
            spec = kind(field, request, {}, room.model, room, field_path=path)
        found |= dict.fromkeys(spec.expected_parameters(), spec)
    return found


def _is_clear(room: Any, request: HttpRequest, name: str, value: str, spec: Any) -> bool:
    if name in _FREE:
        return True
    if name == admin_list.PAGE_VAR:
        return bool(_PAGE.fullmatch(value))
    if name == admin_list.ORDER_VAR:
        columns = len(room.get_list_display(request)) + 1  # the first is the box that chooses a row
        return bool(_ORDER.fullmatch(value)) and all(int(n) < columns for n in re.findall("[0-9]+", value))
    if name == options.TO_FIELD_VAR:
        return bool(room.to_field_allowed(request, value))
    if spec is not None:
        return _fits(spec, name, value)
    return _can_be_looked_up(room, request, name, value)


def _fits(spec: Any, name: str, value: str) -> bool:
    """Whether a filter has an answer to a value; one that knows best says so by its own `understands`."""
    if hasattr(spec, "understands"):
        return bool(spec.understands(value))
    if isinstance(spec, SimpleListFilter):
        return value in {str(choice) for choice, _words in spec.lookup_choices}
    if name.endswith("__isnull") or isinstance(spec.field, BooleanField):
        return value in _YES_NO
    if spec.field.is_relation:
        rows = spec.field.related_model._default_manager
        return bool(_KEY.fullmatch(value)) and bool(rows.filter(pk=value).exists())
    return not spec.field.flatchoices or value in {str(choice) for choice, _words in spec.field.flatchoices}


def _can_be_looked_up(room: Any, request: HttpRequest, name: str, value: str) -> bool:
    """Whether a parameter that no filter reads is a field that links between rooms may narrow a list by."""
    path, _lookup, lookup = name.rpartition("__")
    try:
        get_fields_from_path(room.model, path if lookup in _COMPARISONS else name)
        if not room.lookup_allowed(name, value, request):
            return False
        room.model._default_manager.filter(**{name: prepare_lookup_value(name, [value])[0]})
    except _NO_LOOKUP:
        return False
    return True
