"""The operators' room of suppliers, and saying who fulfils a line from the order's (ROL-04)."""

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import Order
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import Placing, again
from tests.orders.acting import Untouched, debited

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-04")]


def test_a_supplier_is_opened_and_its_people_let_in(desk: Client, shop: Shop) -> None:
    add = reverse("admin:sellers_supplier_add")
    given = {"shop": shop.id, "code": "norte", "name": "Talleres Norte", "language": "es", "active": "on"}
    inline = {"members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"}
    assert desk.get(add).status_code == 200
    assert desk.post(add, {**given, **inline}).status_code == 302
    norte = Supplier.objects.get(shop=shop, code="norte")
    assert desk.post(add, {**given, **inline}).status_code == 200, "the code is the shop's one time"
    assert Supplier.objects.count() == 1
    page = reverse("admin:sellers_supplier_change", args=[norte.id])
    assert desk.get(page).status_code == 200
    invite = reverse("admin:sellers_supplier_invite", args=[norte.id])
    assert desk.post(invite, {"email": "nuria@norte.example", "name": "Nuria"}).status_code == 302
    member = Membership.objects.get(user__email="nuria@norte.example")
    assert (member.shop, member.role, member.supplier) == (shop, "supplier", norte)
    assert "Nuria" in desk.get(page).content.decode()
    assert desk.get(reverse("admin:sellers_supplier_changelist")).status_code == 200
    assert desk.post(reverse("admin:sellers_supplier_delete", args=[norte.id])).status_code == 403


def test_the_shops_own_people_and_a_suppliers_are_let_in_at_their_own_doors(
    desk: Client, shop: Shop, alice: User, nuria: User, olga: User
) -> None:
    page = desk.get(reverse("admin:sellers_shop_change", args=[shop.id])).content.decode()
    assert "alice@alba.example" in page or str(alice) in page
    assert str(nuria) not in page
    assert 'value="supplier"' not in page
    invite = reverse("admin:sellers_shop_invite", args=[shop.id])
    answer = desk.post(invite, {"email": "otra@norte.example", "name": "", "role": "supplier"})
    assert answer.status_code == 200
    assert not User.objects.filter(email="otra@norte.example").exists()
    norte = Supplier.objects.get()
    door = reverse("admin:sellers_supplier_invite", args=[norte.id])
    for taken in (alice.email, nuria.email, olga.email):
        assert desk.post(door, {"email": taken, "name": ""}).status_code == 200
    assert Membership.objects.filter(supplier=norte).count() == 1


def test_the_operator_says_who_fulfils_a_line(
    desk: Client, fresh: Placing, norte: Supplier, other_shop: Shop
) -> None:
    order = debited(fresh())
    jar, plate = order.lines.order_by("id")
    act = reverse("admin:orders_order_assign", args=[order.id])
    page = desk.get(reverse("admin:orders_order_change", args=[order.id])).content.decode()
    assert act in page
    foreign = Supplier.objects.create(shop=other_shop, code="ajeno", name="Ajeno")
    with Untouched(order):
        assert desk.post(act, {f"line_{jar.id}": foreign.id, f"line_{plate.id}": ""}).status_code == 200
        assert desk.post(act, {f"line_{jar.id}": "", f"line_{plate.id}": ""}).status_code == 409
    assert desk.post(act, {f"line_{jar.id}": norte.id, f"line_{plate.id}": ""}).status_code == 302
    assert (again(order).shared, Order.objects.get().lines.get(id=jar.id).supplier_id) == (True, norte.id)
    page = desk.get(reverse("admin:orders_order_change", args=[order.id])).content.decode()
    assert "Talleres Norte" in page
    assert "la tienda → Talleres Norte" in page


def test_a_shop_without_suppliers_is_not_asked(desk: Client, fresh: Placing) -> None:
    order = debited(fresh())
    page = desk.get(reverse("admin:orders_order_change", args=[order.id])).content.decode()
    assert reverse("admin:orders_order_assign", args=[order.id]) not in page
