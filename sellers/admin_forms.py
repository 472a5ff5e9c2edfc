"""Forms of the operators' rooms of shops and people."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import UserChangeForm, UserCreationForm

from marketplace.rooms import RoomForm
from sellers.models import Membership, User


class NewUserForm(UserCreationForm):  # type: ignore[misc]
    """A new person; without a password they set one themselves by "forgotten password"."""

    class Meta:
        model = User
        fields: ClassVar[tuple[str, ...]] = ("email", "name", "language")

    def clean_email(self) -> str:
        """One address is one person, however its letters are written."""
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Ya hay una persona con ese correo."))
        return email


class UserForm(UserChangeForm):  # type: ignore[misc]
    """A person as operators edit them."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, Any]] = {}

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class InviteForm(RoomForm):
    """Whom to let into a shop, and as what (ROL-01)."""

    email = forms.EmailField(label=gettext_lazy("Correo"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Nombre"), max_length=120, required=False)
    role = forms.ChoiceField(
        label=gettext_lazy("Papel"), choices=Membership.Role.choices, initial=Membership.Role.ORDERS
    )
