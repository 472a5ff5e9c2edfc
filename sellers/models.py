"""Who is at the desk: people, shops, and what a person may do in a shop."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class UserManager(BaseUserManager["User"]):
    """Makes users out of an e-mail address; Django's admin and commands ask for these two calls."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in, known by their e-mail address; `is_staff` makes them an operator."""

    email = models.EmailField(_("correo"), unique=True)
    name = models.CharField(_("nombre"), max_length=120, blank=True, default="")
    phone = models.CharField(_("teléfono"), max_length=40, blank=True, default="")
    language = models.CharField(
        _("idioma"), max_length=2, choices=[("es", "Español"), ("en", "English")], default="es"
    )
    is_staff = models.BooleanField(_("operador"), default=False)
    is_active = models.BooleanField(_("activo"), default=True)
    date_joined = models.DateTimeField(_("alta"), db_default=Now())

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("persona")
        verbose_name_plural = _("personas")
        ordering = ["email"]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email


class VatSeat(models.TextChoices):
    """Where a shop has its seat, as far as Spain's VAT on what the operator bills it is concerned (SET-05)."""

    DOMESTIC = "domestic", _("Península y Baleares: con IVA")
    CANARIES = "canaries", _("Canarias: sin IVA")
    CEUTA = "ceuta", _("Ceuta: sin IVA")
    MELILLA = "melilla", _("Melilla: sin IVA")
    UNION = "union", _("Otro país de la Unión, con número de IVA: sin IVA")
    OUTSIDE = "outside", _("Fuera de la Unión: sin IVA")


class Shop(models.Model):
    """A seller's shop: everything a seller sees belongs to exactly one (ROL-01)."""

    code = models.CharField(_("código"), max_length=64, unique=True)
    name = models.CharField(_("nombre"), max_length=120)
    legal_name = models.CharField(_("razón social"), max_length=160, blank=True, default="")
    tax_id = models.CharField(_("NIF"), max_length=20, blank=True, default="")
    contact_email = models.EmailField(_("correo de avisos"), blank=True, default="")
    city = models.CharField(_("ciudad"), max_length=80, blank=True, default="")
    address = models.CharField(_("dirección"), max_length=200, blank=True, default="")
    language = models.CharField(
        _("idioma"), max_length=2, choices=[("es", "Español"), ("en", "English")], default="es"
    )
    account_manager = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="managed_shops",
        limit_choices_to={"is_staff": True},
        verbose_name=_("gestor de cuenta"),
    )
    vat_seat = models.CharField(
        _("IVA según su sede"), max_length=12, choices=VatSeat.choices, default=VatSeat.DOMESTIC
    )
    active = models.BooleanField(_("activa"), default=True)
    created_at = models.DateTimeField(_("alta"), db_default=Now())

    class Meta:
        verbose_name = _("tienda")
        verbose_name_plural = _("tiendas")
        ordering = ["name"]
        indexes = [
            models.Index(
                fields=["id"], name="shop_without_vat", condition=~models.Q(vat_seat=VatSeat.DOMESTIC)
            )
        ]

    def __str__(self) -> str:
        return self.name


class Supplier(models.Model):
    """Somebody other than the seller who fulfils lines of a shop's orders (ROL-04): who, and how to write to them."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="suppliers", verbose_name=_("tienda"))
    code = models.CharField(_("código"), max_length=64)
    name = models.CharField(_("nombre"), max_length=120)
    contact_name = models.CharField(_("persona de contacto"), max_length=120, blank=True, default="")
    email = models.EmailField(_("correo de avisos"), blank=True, default="")
    phone = models.CharField(_("teléfono"), max_length=40, blank=True, default="")
    city = models.CharField(_("ciudad"), max_length=80, blank=True, default="")
    address = models.CharField(_("dirección"), max_length=200, blank=True, default="")
    language = models.CharField(
        _("idioma"), max_length=2, choices=[("es", "Español"), ("en", "English")], default="es"
    )
    notes = models.TextField(_("notas para la tienda"), max_length=1000, blank=True, default="")
    active = models.BooleanField(_("activo"), default=True)
    created_at = models.DateTimeField(_("alta"), db_default=Now())

    class Meta:
        verbose_name = pgettext_lazy("of a shop", "proveedor")
        verbose_name_plural = _("proveedores")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "code"], name="supplier_code_once"),
            models.UniqueConstraint(fields=["shop", "id"], name="supplier_of_shop"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in a shop; the role decides their rights (ROL-01).

    Whoever works for a supplier of the shop has that role and no other, and is limited to its lines (ROL-04).
    """

    class Role(models.TextChoices):
        OWNER = "owner", _("Propietaria")
        MANAGER = "manager", _("Encargada")
        ORDERS = "orders", _("Pedidos")
        SUPPORT = "support", _("Atención al cliente")
        FINANCE = "finance", _("Finanzas")
        READER = "reader", _("Solo lectura")
        SUPPLIER = "supplier", pgettext_lazy("of a shop", "Proveedor")

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("persona"))
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="memberships", verbose_name=_("tienda"))
    role = models.CharField(_("papel"), max_length=10, choices=Role, default=Role.ORDERS)
    supplier = models.ForeignKey(
        Supplier,
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=pgettext_lazy("of a shop", "proveedor"),
        db_constraint=False,
    )

    class Meta:
        verbose_name = _("miembro")
        verbose_name_plural = _("miembros")
        constraints = [
            models.UniqueConstraint(fields=["user", "shop"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role="supplier", supplier__isnull=False)
                | (~models.Q(role="supplier") & models.Q(supplier__isnull=True)),
                name="membership_supplier_by_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.shop}"


class ShopHoliday(models.Model):
    """Days on which a shop is closed, as it has told beforehand; the clocks that its policy says stand still (MSG-09).

    `last_day` is one of them. Days that have passed stay: clocks have been counted by them.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="holidays", verbose_name=_("tienda"))
    first_day = models.DateField(_("primer día"))
    last_day = models.DateField(_("último día"))
    note = models.CharField(_("qué se celebra"), max_length=60, blank=True, default="")
    published_at = models.DateTimeField(_("publicado"))
    published_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", verbose_name=_("quién lo publicó")
    )

    class Meta:
        verbose_name = _("cierre de una tienda")
        verbose_name_plural = _("cierres de las tiendas")
        ordering = ["first_day"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="holiday_ends_after_it_starts"
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_day:%d/%m/%Y} – {self.last_day:%d/%m/%Y}"
