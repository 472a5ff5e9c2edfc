"""How allauth lets people in: shops are set up by operators, nobody signs themselves up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("El correo o la contraseña no son correctos."),
        "too_many_login_attempts": _("Demasiados intentos seguidos. Prueba dentro de unos minutos."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
