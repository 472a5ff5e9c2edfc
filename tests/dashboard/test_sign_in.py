"""The door: signing in, too many tries, languages, the choice of a shop."""

import re
from itertools import count
from pathlib import Path
from secrets import randbelow

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client, override_settings
from django.urls import get_resolver, reverse

from sellers.models import Membership, Shop, User
from tests.conftest import PASSWORD
from tests.dashboard.pages import browser, get

pytestmark = pytest.mark.django_db
LOGIN = "/cuenta/entrar/"
_last = count(1)


@pytest.fixture
def visitor() -> Client:
    """A browser at an address that nobody has tried from."""
    return Client(REMOTE_ADDR=f"10.{randbelow(250)}.{randbelow(250)}.{next(_last) % 250}")


@pytest.fixture
def lucia(shop: Shop) -> User:
    user = User.objects.create_user(f"lucia{randbelow(10**9)}@alba.example", PASSWORD, name="Lucía Alba")
    Membership.objects.create(user=user, shop=shop, role="owner")
    return user


def sign_in(client: Client, email: str, password: str = PASSWORD, **also: str) -> tuple[int, str]:
    answer = client.post(LOGIN, {"login": email, "password": password} | also)
    return answer.status_code, answer.headers.get("Location", answer.content.decode())


def test_signs_in_by_mail_and_goes_where_one_wanted_to_go(visitor: Client, lucia: User) -> None:
    page = get(visitor, f"{LOGIN}?next=/pedidos/")
    assert "Entra en tu tienda" in page
    assert 'autocomplete="current-password"' in page
    assert "None" not in page
    assert sign_in(visitor, lucia.email.upper(), next="/pedidos/") == (302, "/pedidos/")
    assert "Lucía" in get(visitor, "/pedidos/")
    left = visitor.post("/cuenta/salir/")
    assert (left.status_code, left.headers["Location"]) == (302, LOGIN)
    assert visitor.get("/pedidos/").status_code == 302


def test_says_what_was_wrong_and_not_who_exists(visitor: Client, lucia: User) -> None:
    status, known = sign_in(visitor, lucia.email, "otra clave larga")
    again, unknown = sign_in(visitor, "quien@nada.example", "otra clave larga")
    assert (status, again) == (200, 200)
    said = re.compile(r'<div class="notice late" role="alert">(.*?)</div>', re.DOTALL)
    assert said.findall(known)
    assert said.findall(known) == said.findall(unknown)


def test_too_many_tries_are_stopped(visitor: Client, lucia: User) -> None:
    for _ in range(6):
        status, said = sign_in(visitor, lucia.email, "otra clave larga")
    assert status in (200, 429)
    assert sign_in(visitor, lucia.email)[0] != 302
    for n in range(30):
        status, said = sign_in(visitor, f"n{n}@nada.example", "otra clave larga")
        if status == 429:
            break
    assert status == 429
    assert "Demasiados intentos seguidos" in said


def test_a_forgotten_password_is_replaced_by_mail(visitor: Client, lucia: User) -> None:
    assert visitor.post("/cuenta/clave/olvidada/", {"email": lucia.email}).status_code == 302
    assert "Mira tu correo" in get(visitor, "/cuenta/clave/olvidada/enviada/")
    found = re.search(r"https?://[^/]+(/cuenta/clave/nueva/\S+)", str(mail.outbox[0].body))
    assert found
    step = visitor.get(found[1])
    assert step.status_code == 302
    assert "Elige una contraseña" in get(visitor, step.headers["Location"])
    new = {"password1": "jarrones azules 22", "password2": "jarrones azules 22"}
    assert visitor.post(step.headers["Location"], new).status_code == 302
    assert "La contraseña ha cambiado" in get(visitor, "/cuenta/clave/nueva/")
    assert sign_in(visitor, lucia.email, "jarrones azules 22") == (302, "/")
    assert "Este enlace ya no sirve" in get(Client(), found[1])


def test_a_password_is_changed_by_who_knows_it(lucia: User) -> None:
    client = browser(lucia)
    assert "La de ahora" in get(client, "/cuenta/clave/")
    new = {"oldpassword": PASSWORD, "password1": "jarrones azules 22", "password2": "jarrones azules 22"}
    assert client.post("/cuenta/clave/", new).status_code == 302
    lucia.refresh_from_db()
    assert lucia.check_password("jarrones azules 22")


def test_nobody_signs_themselves_up(visitor: Client) -> None:
    assert "Las cuentas las abre el operador" in get(visitor, "/cuenta/alta/")
    before = User.objects.count()
    new = {"email": "yo@x.example", "password1": "jarrones azules 22", "password2": "jarrones azules 22"}
    visitor.post("/cuenta/alta/", new)
    assert User.objects.count() == before


def test_every_account_page_is_one_of_ours(lucia: User, visitor: Client) -> None:
    names = [
        name for name in get_resolver().reverse_dict if isinstance(name, str) and name.startswith("account_")
    ]
    assert len(names) == 11
    plain = [name for name in names if name != "account_reset_password_from_key"]
    for client in (visitor, browser(lucia)):
        for name in plain:
            answer = client.get(reverse(name))
            assert answer.status_code in (200, 302), name
            if answer.status_code == 200:
                assert "Trastienda" in answer.content.decode(), name
    assert visitor.get("/cuenta/email/").status_code == 404


def test_errors_are_pages_of_ours(visitor: Client) -> None:
    answer = visitor.get("/no/existe/")
    assert answer.status_code == 404
    assert "Esta página no existe" in answer.content.decode()
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(LOGIN, {"login": "x"})
    assert answer.status_code == 403
    assert "La página había caducado" in answer.content.decode()


def test_visitors_are_spoken_to_as_their_browser_asks_and_may_choose(visitor: Client) -> None:
    assert '<html lang="en">' in get(visitor, LOGIN, **{"Accept-Language": "en"})
    assert '<html lang="es">' in get(visitor, LOGIN, **{"Accept-Language": "de"})
    visitor.post("/cuenta/idioma/", {"language": "en", "next": LOGIN})
    assert '<html lang="en">' in get(visitor, LOGIN, **{"Accept-Language": "es"})


def test_people_are_spoken_to_in_their_own_language(lucia: User) -> None:
    client = browser(lucia)
    assert '<html lang="es">' in get(client, "/", **{"Accept-Language": "en"})
    answer = client.post("/cuenta/idioma/", {"language": "en", "next": "/pedidos/?estado=debito"})
    assert answer.headers["Location"] == "/pedidos/?estado=debito"
    lucia.refresh_from_db()
    assert lucia.language == "en"
    assert '<html lang="en">' in get(browser(lucia), "/", **{"Accept-Language": "es"})
    client.post("/cuenta/idioma/", {"language": "xx"})
    lucia.refresh_from_db()
    assert lucia.language == "en"


@pytest.mark.rule("ROL-01")
def test_works_for_the_shop_one_chose_and_never_for_a_strangers(
    alice: User, shop: Shop, other_shop: Shop, charlie: User
) -> None:
    client = browser(alice)
    assert "Cambiar de tienda" not in get(client, "/")
    assert client.post("/cuenta/tienda/", {"shop": other_shop.id}).status_code == 404
    assert "Cerámicas Alba" in get(client, "/")
    Membership.objects.create(user=alice, shop=other_shop, role="reader")
    assert "Cambiar de tienda" in get(client, "/")
    assert client.post("/cuenta/tienda/", {"shop": other_shop.id}).headers["Location"] == "/"
    assert "Ahora trabajas en Bruma Textil." in get(client, "/")
    Membership.objects.filter(user=alice, shop=other_shop).delete()
    assert "Bruma Textil" not in get(client, "/")
    for nonsense in ("", "x", "99999999999999999999"):
        assert client.post("/cuenta/tienda/", {"shop": nonsense}).status_code == 404


def test_with_the_cache_down_the_door_still_opens(visitor: Client, lucia: User, tmp_path: Path) -> None:
    nobody = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}}
    with override_settings(CACHES=nobody):
        assert sign_in(visitor, lucia.email, "otra-cosa")[0] == 200
        assert sign_in(visitor, lucia.email) == (302, "/")
        answer = visitor.post("/cuenta/clave/olvidada/", {"email": lucia.email})
        assert answer.status_code == 302
