"""What people change about themselves, and who is let into a shop."""

from django.db import transaction

from sellers.models import Membership, Shop, Supplier, User


def speak(user: User, language: str) -> None:
    """Speak to this person in a language from now on, on every device and in their mails."""
    User.objects.filter(pk=user.pk).update(language=language)
    user.language = language


class AlreadyOperator(Exception):
    """An operator has the rooms of every shop, and none of their own: they are no member of one."""


@transaction.atomic
def invite(
    shop: Shop, email: str, *, name: str, role: str, supplier: Supplier | None = None
) -> tuple[Membership, bool]:
    """Give a person a place in a shop, its own or a supplier's (ROL-01, ROL-04); answers it, and whether it is new.

    Someone not known yet gets an account without a usable password, and sets one by "forgotten password".
    Raises AlreadyOperator.
    """
    user = User.objects.filter(email=email.lower()).first()
    if user and user.is_staff:
        raise AlreadyOperator
    if user is None:
        user = User.objects.create_user(email, None, name=name, language=shop.language)
    return Membership.objects.get_or_create(
        user=user, shop=shop, defaults={"role": role, "supplier": supplier}
    )
