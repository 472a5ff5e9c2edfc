"""Forms of the operators' rooms of shops and people."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import UserChangeForm, UserCreationForm

from marketplace.rooms import RoomForm
from sellers.models import Membership, User

OPERATOR_IS_NO_MEMBER = gettext_lazy(
    "Es un operador: ya ve todas las tiendas y no puede ser miembro de una. Usa otro correo."
)
MEMBER_IS_NO_OPERATOR = gettext_lazy("Trabaja en una tienda (%(shops)s): quítale primero ese sitio.")


OWN_ROLES = [choice for choice in Membership.Role.choices if choice[0] != Membership.Role.SUPPLIER]
"""The roles of a shop's own staff; a supplier's people are let in at the supplier's."""


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """A place in a shop; an operator has none, whichever page it is given on (ROL-01, ROL-02)."""

    class Meta:
        model = Membership
        fields = ("user", "shop", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = OWN_ROLES  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        user = data.get("user")
        if user is not None and user.is_staff and self.has_changed():
            field = "user" if not self.fields["user"].widget.is_hidden else "shop"
            self.add_error(field, OPERATOR_IS_NO_MEMBER)
        return data


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

    def clean_is_staff(self) -> bool:
        """Whoever works in a shop is not made an operator: they would judge their own orders."""
        chosen = bool(self.cleaned_data["is_staff"])
        if chosen and not self.instance.is_staff and self.instance.pk:
            shops = self.instance.memberships.values_list("shop__name", flat=True)
            if shops:
                raise forms.ValidationError(MEMBER_IS_NO_OPERATOR % {"shops": ", ".join(shops)})
        return chosen


class InviteForm(RoomForm):
    """Whom to let into a shop, and as what (ROL-01)."""

    email = forms.EmailField(label=gettext_lazy("Correo"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Nombre"), max_length=120, required=False)
    role = forms.ChoiceField(label=gettext_lazy("Papel"), choices=OWN_ROLES, initial=Membership.Role.ORDERS)


class InviteToSupplierForm(RoomForm):
    """Whom to let in to work for a supplier (ROL-04)."""

    email = forms.EmailField(label=gettext_lazy("Correo"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Nombre"), max_length=120, required=False)
