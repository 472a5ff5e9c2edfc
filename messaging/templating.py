"""Keeping templates: writing one down, and taking one away (MSG-12). Whose they are decides who may."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from marketplace.lettering import visible
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging.models import Audience, Template
from messaging.templates import unknown
from sellers.desk import Actor, Right
from sellers.models import Shop

LONGEST_BODY = 4000
MOST_TEMPLATES = 100
"""Templates of one shop."""


@dataclass(frozen=True, slots=True)
class Written:
    """A template as it is typed."""

    name: str
    body: str
    language: str
    subject: str = ""
    audience: Audience = Audience.CUSTOMER


@transaction.atomic
def keep_template(
    shop: Shop,
    typed: Written,
    *,
    template_id: int | None = None,
    seen: datetime | None = None,
    by: Actor,
    at: datetime,
) -> Template:
    """Write down a template of a shop, a new one or, by its id, one of its own that was `seen` when it was last
    changed.

    Raises MoveRefused: `not_allowed`, `empty_message`, `too_long`, `no_such_variable`, `name_taken`,
    `too_many_templates`, `changed`; Template.DoesNotExist for one that is not the shop's.
    """
    if not may_keep(by):
        raise _refuse(Code.NOT_ALLOWED)
    typed = _checked(typed)
    Shop.objects.select_for_update(no_key=True).only("id").get(id=shop.id)
    own = Template.objects.filter(shop=shop)
    if own.filter(language=typed.language, name=typed.name).exclude(id=template_id or 0).exists():
        raise _refuse(Code.NAME_TAKEN)
    if template_id is None:
        if own.count() >= MOST_TEMPLATES:
            raise _refuse(Code.TOO_MANY_TEMPLATES)
        template = Template(shop=shop)
    else:
        template = own.get(id=template_id)
        if seen is not None and template.changed_at != seen:
            raise _refuse(Code.CHANGED)
    template.name, template.body, template.subject = typed.name, typed.body, typed.subject
    template.language, template.audience = typed.language, typed.audience
    template.changed_at, template.changed_by = at, by.label
    template.save()
    return template


def _checked(typed: Written) -> Written:
    """The template with the blanks around its words taken off, or why it cannot be kept."""
    name, body = " ".join(visible(typed.name).split()), visible(typed.body)
    subject = " ".join(visible(typed.subject).split())
    if not name or not body:
        raise _refuse(Code.EMPTY_MESSAGE)
    if len(body) > LONGEST_BODY:
        raise _refuse(Code.TOO_LONG)
    if strangers := unknown(f"{subject}\n{body}"):
        raise _refuse(Code.NO_SUCH_VARIABLE, ", ".join(strangers))
    return Written(name, body, typed.language, subject, typed.audience)


@transaction.atomic
def drop_template(shop: Shop, template_id: int, *, by: Actor) -> None:
    """Take a template of the shop's own away; messages that were written with it stay as they are.

    Raises MoveRefused: `not_allowed`; Template.DoesNotExist for one that is not the shop's.
    """
    if not may_keep(by):
        raise _refuse(Code.NOT_ALLOWED)
    Template.objects.select_for_update().get(shop=shop, id=template_id).delete()


def may_keep(by: Actor) -> bool:
    """Whether somebody may change their shop's templates (MSG-12)."""
    return by.role == Role.SELLER and by.may(Right.TEMPLATES)


def _refuse(code: Code, detail: str = "") -> MoveRefused:
    return MoveRefused(Refusal(0, code, detail))
