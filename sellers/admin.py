"""The operators' rooms of shops and people (ROL-01, ROL-02)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm

from marketplace.admin_site import is_operator
from marketplace.rooms import Room, RoomForm, ShopFilter, act, column, found, register
from sellers import services
from sellers.admin_forms import (
    OPERATOR_IS_NO_MEMBER,
    InviteForm,
    InviteToSupplierForm,
    MemberForm,
    NewUserForm,
    UserForm,
)
from sellers.models import Membership, Shop, Supplier, User


class Members(TabularInline):  # type: ignore[misc]
    """Who works in the shop, and as what (ROL-01)."""

    model = Membership
    form = MemberForm
    extra = 0
    show_title = False
    autocomplete_fields = ("user",)
    verbose_name_plural = gettext_lazy("miembros")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.filter(supplier=None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


class Places(Members):
    """The shops that a person works in."""

    autocomplete_fields = ("shop",)
    verbose_name_plural = gettext_lazy("tiendas")


@register(Shop)
class ShopAdmin(Room):
    """Shops with their members and their account manager, an operator (ROL-02)."""

    list_display = ("name", "code", "city", "manager_word", "contact_email", "is_active")
    list_filter = ("active",)
    list_select_related = ("account_manager",)
    search_fields = ("name", "code", "contact_email")
    inlines = (Members,)
    actions_detail = ("write", "invite")
    readonly_fields = ("created_at",)
    fieldsets = (
        (None, {"fields": ("code", "name", "account_manager", "active", "created_at")}),
        (
            gettext_lazy("Datos"),
            {"fields": ("legal_name", "tax_id", "vat_seat", "address", "city", "contact_email", "language")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Shop | None = None) -> tuple[str, ...]:
        return ("code", "created_at", "vat_seat") if obj else ("created_at", "vat_seat")

    @column(gettext_lazy("Gestor de cuenta"), ordering="account_manager__name")
    def manager_word(self, shop: Shop) -> str:
        return str(shop.account_manager or "–")

    @column(gettext_lazy("Estado"), ordering="active", label={"yes": "success", "no": "default"})
    def is_active(self, shop: Shop) -> tuple[str, str]:
        return ("yes", _("Activa")) if shop.active else ("no", _("Cerrada"))

    @act(gettext_lazy("Escribir a la tienda"), icon="chat")
    def write(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Start a conversation with the shop, about no order (MSG-14); the room of conversations does it."""
        return HttpResponseRedirect(
            f"{reverse('admin:messaging_thread_add')}?shop={found(Shop, object_id).pk}"
        )

    @act(gettext_lazy("Invitar a alguien"), icon="person_add")
    def invite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a person into the shop; one who is new sets a password by "forgotten password" (ROL-01)."""
        form = InviteForm(request.POST if request.method == "POST" else None)
        return _invite(self, request, found(Shop, object_id), form)


def _invite(
    room: Room, request: HttpRequest, shop: Shop, form: RoomForm, supplier: Supplier | None = None
) -> HttpResponse:
    """Ask whom to let into a shop, or in for one of its suppliers, and do it."""
    whose = supplier or shop
    back = room.address("change", whose.pk)
    if form.is_valid():
        given = form.cleaned_data
        role = given.get("role", Membership.Role.SUPPLIER)
        try:
            member, new = services.invite(
                shop, given["email"], name=given["name"], role=role, supplier=supplier
            )
        except services.AlreadyOperator:
            form.add_error("email", OPERATOR_IS_NO_MEMBER)
        else:
            if new:
                words = _("%(person)s ya puede entrar en la tienda.") % {"person": member.user}
                messages.success(request, words)
                return HttpResponseRedirect(back)
            form.add_error("email", _("Ya está en la tienda."))
    title = _("%(shop)s: invitar a alguien") % {"shop": whose}
    intro = _("Quien no tenga cuenta entra la primera vez por «¿Has olvidado tu contraseña?».")
    return room.ask(request, form, title, back=back, label=_("Invitar"), intro=intro)


class SuppliersPeople(Members):
    """Who works for the supplier; they are let in by an act of the room, which asks for their address."""

    form = forms.ModelForm  # type: ignore[assignment]  # nothing is typed in it
    fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return Membership.objects.select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_add_permission


@register(Supplier)
class SupplierAdmin(Room):
    """Those who fulfil lines of a shop's orders, and their people (ROL-04).

    One with orders stays; without `active` its people are out, and it is given no more lines.
    """

    list_display = ("name", "code", "shop", "contact_name", "email", "phone", "is_active")
    list_filter = ("active", ("shop", ShopFilter))
    list_select_related = ("shop",)
    search_fields = ("name", "code", "email", "contact_name")
    autocomplete_fields = ("shop",)
    inlines = (SuppliersPeople,)
    actions_detail = ("invite",)
    readonly_fields = ("created_at",)
    fieldsets = (
        (None, {"fields": ("shop", "code", "name", "active", "created_at")}),
        (
            gettext_lazy("Cómo escribirle"),
            {"fields": ("contact_name", "email", "phone", "address", "city", "language", "notes")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Supplier | None = None) -> tuple[str, ...]:
        return ("shop", "code", "created_at") if obj else ("created_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Supplier | None = None) -> bool:
        return False

    @column(gettext_lazy("Estado"), ordering="active", label={"yes": "success", "no": "default"})
    def is_active(self, supplier: Supplier) -> tuple[str, str]:
        return ("yes", _("Activo")) if supplier.active else ("no", _("Cerrado"))

    @act(gettext_lazy("Invitar a alguien"), icon="person_add")
    def invite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a person in to work for the supplier, limited to its lines (ROL-04)."""
        supplier = found(Supplier.objects.select_related("shop"), object_id)
        form = InviteToSupplierForm(request.POST if request.method == "POST" else None)
        return _invite(self, request, supplier.shop, form, supplier)


@register(User)
class UserAdmin(DjangoUserAdmin, Room):  # type: ignore[type-arg, misc]
    """People. Who is an operator is a superuser's to say, and so is everything about operators."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "part", "language", "access", "last_login")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    inlines = (Places,)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "phone", "language")}),
        (gettext_lazy("Puede entrar"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (gettext_lazy("Fechas"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "language", "usable_password", "password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows

    @column(gettext_lazy("Papel"), ordering="is_staff", label={"operator": "primary", "member": "default"})
    def part(self, person: User) -> tuple[str, str]:
        return ("operator", _("Operador")) if person.is_staff else ("member", _("Tienda"))

    @column(gettext_lazy("Acceso"), ordering="is_active", label={"yes": "success", "no": "danger"})
    def access(self, person: User) -> tuple[str, str]:
        return ("yes", _("Puede entrar")) if person.is_active else ("no", _("Cerrado"))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        ruler = bool(getattr(request.user, "is_superuser", False))
        return is_operator(request) and (ruler or obj is None or not (obj.is_staff or obj.is_superuser))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if getattr(request.user, "is_superuser", False):
            return self.readonly_fields
        return (*self.readonly_fields, "is_staff", "is_superuser")
