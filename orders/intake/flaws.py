"""What is wrong with a basket, said in the active language and by the name that its file gives to the field."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from marketplace import money
from orders.intake.schema import EMAIL, NUMBER, ONE_WAY, VISIBLE

SHOWN_FLAWS = 3

type Loc = tuple[str | int, ...]


def dotted(loc: Loc) -> str:
    """The path to a field of the object: lines.0.quantity."""
    return ".".join(str(step) for step in loc)


_WORDS: dict[str, Promise] = {
    "missing": gettext_lazy("falta"),
    "extra_forbidden": gettext_lazy("no existe ese campo"),
    "string_type": gettext_lazy("debe ser un texto"),
    "string_unicode": gettext_lazy("no es texto Unicode válido"),
    "string_too_short": gettext_lazy("no puede estar vacío"),
    "string_too_long": gettext_lazy("pasa de {max_length} caracteres"),
    "string_pattern_mismatch": gettext_lazy("no tiene la forma debida"),
    "int_type": gettext_lazy("debe ser un número entero"),
    "int_parsing": gettext_lazy("debe ser un número entero"),
    "int_from_float": gettext_lazy("debe ser un número entero"),
    "int_parsing_size": gettext_lazy("es demasiado grande"),
    "greater_than_equal": gettext_lazy("debe ser al menos {ge}"),
    "less_than_equal": gettext_lazy("debe ser como mucho {le}"),
    "datetime_parsing": gettext_lazy("no es una fecha y hora que exista"),
    "datetime_from_date_parsing": gettext_lazy("no es una fecha y hora que exista"),
    "timezone_aware": gettext_lazy("le falta la zona horaria, por ejemplo Z o +02:00"),
    "rate": gettext_lazy("debe ser un tanto por ciento de 0 a 100, con dos decimales como mucho"),
    "moment": gettext_lazy("debe ser una fecha y hora ISO 8601, por ejemplo 2026-03-01T10:00:00Z"),
    "list_type": gettext_lazy("debe ser una lista"),
    "model_type": gettext_lazy("debe ser un objeto con campos"),
    "model_attributes_type": gettext_lazy("debe ser un objeto con campos"),
    "too_short": gettext_lazy("no puede estar vacío"),
    "too_long": gettext_lazy("tiene más de {max_length} elementos"),
    "twice": gettext_lazy("la línea {id} está dos veces"),
    "enum": gettext_lazy("debe ser una de estas: {expected}"),
    "not_digital": gettext_lazy("lo que se envía no lo lleva"),
    "total": gettext_lazy("el total es demasiado grande"),
}
_PATTERNS: dict[str, Promise] = {
    ONE_WAY: gettext_lazy("no puede llevar caracteres nulos ni que inviertan el sentido de la lectura"),
    VISIBLE: gettext_lazy("no puede llevar caracteres de control ni invisibles"),
    NUMBER: gettext_lazy("no puede llevar / \\ ? # % ni caracteres invisibles"),
    EMAIL: gettext_lazy("no parece una dirección de correo"),
}


def why(error: ValidationError, name: Callable[[Loc], str] = dotted) -> str:
    """What is wrong with a basket, in the active language: «lines.0.quantity: debe ser al menos 1».

    `name` says where: the path in the object, unless the file has other names for its fields.
    """
    details = error.errors(include_url=False, include_input=False)
    shown = [_one(name(d["loc"]), d["type"], d.get("ctx", {}), d["msg"]) for d in details[:SHOWN_FLAWS]]
    if len(details) > SHOWN_FLAWS:
        shown.append(_("y {count} más").format(count=len(details) - SHOWN_FLAWS))
    return "; ".join(shown)


def _one(where: str, kind: str, ctx: Mapping[str, Any], fallback: str) -> str:
    if kind == "amount":
        words = str(money.FLAW_WORDS[money.Flaw(ctx["flaw"])]).rstrip(".")
        said = words[:1].lower() + words[1:]
    elif kind == "string_pattern_mismatch" and ctx.get("pattern") in _PATTERNS:
        said = str(_PATTERNS[ctx["pattern"]])
    elif kind in _WORDS:
        said = str(_WORDS[kind]).format_map(ctx)
    else:
        said = fallback
    return f"{where[:120]}: {said}" if where else said
