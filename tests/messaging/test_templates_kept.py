"""Keeping templates: a shop's on its page, the operators' in their room, and who may (MSG-12)."""

from datetime import timedelta

import pytest
from django.test import Client

from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused
from messaging.models import Audience, Template
from messaging.templating import MOST_TEMPLATES, Written, drop_template, keep_template
from sellers.desk import Actor
from sellers.models import Membership, Shop, User
from tests.conftest import AT, OPERATOR, SELLER
from tests.dashboard.pages import browser, get

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-12")]

PAGE = "/mensajes/plantillas/"
EVIL = "<script>alert(1)</script>"
GIVEN = {
    "name": "Mía",
    "language": "es",
    "audience": "customer",
    "subject": "{{order_number}}",
    "body": "Hola",
}


def kept(shop: Shop, name: str = "Una", body: str = "Hola, {{customer_name}}") -> Template:
    return keep_template(shop, Written(name, body, "es"), by=SELLER, at=AT)


def rows(shop: Shop) -> list[dict[str, object]]:
    return [dict(one) for one in Template.objects.filter(shop=shop).order_by("id").values()]


def test_a_shop_keeps_changes_and_drops_its_own(shop: Shop) -> None:
    one = kept(shop, " Una\n más ", " Hola ")
    assert (one.name, one.body, one.shop, one.audience, one.changed_by) == (
        "Una más", "Hola", shop, Audience.CUSTOMER, SELLER.label,
    )  # fmt: skip
    later = AT + timedelta(hours=1)
    typed = Written("Otra", "{{items}}", "en", "s", Audience.OPERATOR)
    keep_template(shop, typed, template_id=one.pk, seen=AT, by=SELLER, at=later)
    one.refresh_from_db()
    assert (one.name, one.language, one.subject, one.audience, one.changed_at) == (
        "Otra", "en", "s", "operator", later,
    )  # fmt: skip
    drop_template(shop, one.pk, by=SELLER)
    assert rows(shop) == []


@pytest.mark.parametrize(
    ("typed", "by", "code", "detail"),
    [
        (Written("", "x", "es"), SELLER, Code.EMPTY_MESSAGE, ""),
        (Written("a", " \u200b", "es"), SELLER, Code.EMPTY_MESSAGE, ""),
        (Written("a", "x" * 4001, "es"), SELLER, Code.TOO_LONG, ""),
        (Written("a", "{{nombre}} {{items}}", "es"), SELLER, Code.NO_SUCH_VARIABLE, "{{nombre}}"),
        (Written("a", "x", "es", "{{items"), SELLER, Code.NO_SUCH_VARIABLE, "{{"),
        (Written("Una", "x", "es"), SELLER, Code.NAME_TAKEN, ""),
        (Written("a", "x", "es"), Actor(SELLER.role, "x", rights=frozenset()), Code.NOT_ALLOWED, ""),
        (Written("a", "x", "es"), OPERATOR, Code.NOT_ALLOWED, ""),
    ],
)
def test_what_cannot_be_kept_is_refused(
    typed: Written, by: Actor, code: Code, detail: str, shop: Shop
) -> None:
    kept(shop)
    before = rows(shop)
    with pytest.raises(MoveRefused) as refused:
        keep_template(shop, typed, by=by, at=AT)
    assert (refused.value.refusal.code, refused.value.refusal.detail) == (code, detail)
    assert rows(shop) == before


def test_one_that_was_changed_meanwhile_is_not_written_over(shop: Shop) -> None:
    one = kept(shop)
    keep_template(
        shop, Written("Otra", "x", "es"), template_id=one.pk, seen=AT, by=SELLER, at=AT + timedelta(hours=1)
    )
    before = rows(shop)
    with pytest.raises(MoveRefused) as refused:
        keep_template(shop, Written("Mía", "y", "es"), template_id=one.pk, seen=AT, by=SELLER, at=AT)
    assert (refused.value.refusal.code, rows(shop)) == (Code.CHANGED, before)


def test_a_shop_has_room_for_so_many(shop: Shop) -> None:
    Template.objects.bulk_create(
        Template(shop=shop, name=f"{n}", body="x", changed_at=AT) for n in range(MOST_TEMPLATES)
    )
    with pytest.raises(MoveRefused) as refused:
        kept(shop)
    assert (refused.value.refusal.code, len(rows(shop))) == (Code.TOO_MANY_TEMPLATES, MOST_TEMPLATES)


def test_the_page_shows_ones_own_beside_the_operators(bob: User, shop: Shop, other_shop: Shop) -> None:
    """bob works in support, and may (MSG-12)."""
    kept(shop, EVIL, EVIL)
    kept(other_shop, "De otra tienda")
    page = get(browser(bob), PAGE)
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert "Un retraso" in page
    assert "De otra tienda" not in page


def test_one_is_made_changed_and_dropped_on_the_page(bob: User, shop: Shop) -> None:
    seller = browser(bob)
    assert "{{presale_date}}" in get(seller, f"{PAGE}nueva/")
    assert seller.post(f"{PAGE}nueva/", {**GIVEN, "name": EVIL, "body": EVIL}).status_code == 303
    one = Template.objects.get(shop=shop)
    mine = f"{PAGE}{one.pk}/"
    shown = get(seller, mine)
    assert EVIL not in shown
    seen = {"seen": one.changed_at.isoformat()}
    assert seen["seen"] in shown.replace("&#43;", "+")
    assert seller.post(mine, {**GIVEN, **seen}).status_code == 303
    assert seller.post(mine, {**GIVEN, **seen, "name": "Tarde"}).status_code == 409
    one.refresh_from_db()
    assert (one.name, one.changed_by) == ("Mía", str(bob))
    assert seller.post(f"{mine}quitar/").status_code == 303
    assert rows(shop) == []


def test_a_copy_begins_with_the_operators_words(bob: User) -> None:
    one = Template.objects.get(name="Un retraso", language="es")
    seller = browser(bob)
    assert "va con retraso y lo sentimos" in get(seller, f"{PAGE}nueva/?de={one.pk}")
    for asked in ("x", "0", "9" * 40, "-1"):
        assert seller.get(f"{PAGE}nueva/?de={asked}").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"name": ""}, 422, "Ponle un nombre."),
        ({"body": ""}, 422, "Escribe el texto."),
        ({"language": "fr"}, 422, ""),
        ({"audience": "supplier"}, 422, ""),
        ({"body": "x" * 4001}, 422, ""),
        ({"body": "Hola, {{nombre}}"}, 409, "No es ninguna variable: {{nombre}}"),
        ({"name": "Una"}, 409, "Ya hay una con ese nombre en ese idioma."),
        ({"seen": "2026-99-99T99:99"}, 422, ""),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    wrong: dict[str, str], status: int, says: str, bob: User, shop: Shop
) -> None:
    kept(shop)
    before = rows(shop)
    answer = browser(bob).post(f"{PAGE}nueva/", {**GIVEN, **wrong})
    assert answer.status_code == status
    assert says in answer.content.decode()
    assert rows(shop) == before


@pytest.mark.rule("ROL-01")
def test_only_the_shops_own_people_who_may(
    alice: User, bob: User, charlie: User, nuria: User, shop: Shop
) -> None:
    one, everybodys = kept(shop), Template.objects.get(name="Un retraso", language="es")
    before = rows(shop)
    for who, template in ((charlie, one), (alice, everybodys)):
        client, mine = browser(who), f"{PAGE}{template.pk}/"
        assert client.get(mine).status_code == 404
        assert client.post(mine, GIVEN).status_code == 404
        assert client.post(f"{mine}quitar/").status_code == 404
    assert browser(nuria).get(PAGE).status_code == 404
    for role in (Membership.Role.ORDERS, Membership.Role.FINANCE, Membership.Role.READER):
        Membership.objects.filter(user=bob).update(role=role)
        client, mine = browser(bob), f"{PAGE}{one.pk}/"
        assert "Nueva plantilla" not in get(client, PAGE)
        assert [client.post(a, GIVEN).status_code for a in (f"{PAGE}nueva/", mine, f"{mine}quitar/")] == [
            403
        ] * 3
    assert rows(shop) == before
    Membership.objects.filter(user=bob).update(role=Membership.Role.MANAGER)
    assert browser(bob).post(f"{PAGE}nueva/", GIVEN).status_code == 303
    assert Template.objects.filter(shop=None).count() == 16


@pytest.mark.rule("ROL-02")
def test_the_operators_keep_theirs_in_a_room(
    client: Client, olga: User, channel: Channel, shop: Shop
) -> None:
    own = kept(shop, "De la tienda")
    client.force_login(olga)
    room = "/admin/messaging/template/"
    listed = client.get(room).content.decode()
    assert "Un retraso" in listed
    assert "De la tienda" not in listed
    assert client.get(f"{room}{own.pk}/change/").status_code == 302, "a shop's is not here"
    given = {**GIVEN, "name": EVIL, "channel": str(channel.pk), "active": "on"}
    assert client.post(f"{room}add/", given).status_code == 302
    one = Template.objects.get(name=EVIL)
    assert (one.shop, one.channel, one.changed_by) == (None, channel, str(olga))
    page = client.get(f"{room}{one.pk}/change/").content.decode()
    assert EVIL not in page
    assert "{{presale_date}}" in page
    for wrong in ({"body": "{{nombre}}"}, {"subject": "{{"}, {"name": EVIL}):
        answer = client.post(f"{room}add/", {**given, "name": "otra", **wrong})
        assert answer.status_code == 200
        assert set(answer.context["adminform"].form.errors) == set(wrong)
    assert client.post(f"{room}{one.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Template.objects.filter(shop=None).count() == 16
    client.force_login(
        Membership.objects.create(user=User.objects.create(email="a@b.example"), shop=shop).user
    )
    assert client.get(room).status_code == 404
