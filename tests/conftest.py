"""What every test stands on: the real services, a channel, two shops, and the people who work in them.

alice owns a shop, bob works there in support, charlie owns another; olga is an operator. The first shop has two
suppliers: nuria works for one of them, sergio for the other.
"""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, connections
from django.template import engines

if "DATABASE_URL" not in os.environ:
    pytest.exit("The tests run on the embedded services: ./run test", returncode=2)
from django.utils import translation

from marketplace import queries, waits
from marketplace.models import Channel
from marketplace.policy import Role
from marketplace.services import open_channel
from orders import services
from orders.models import Order
from sellers import queries as sellers_queries
from sellers.desk import PLATFORM, Actor, Right
from sellers.models import Membership, Shop, Supplier, User
from settlements import payees
from settlements.payees import Details
from tests import kept_checks, migrated

AT = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
"""A Tuesday morning; tests add to it instead of reading a clock."""

PASSWORD = "una clave de prueba"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
_numbers = count(1)


def pytest_sessionstart(session: pytest.Session) -> None:
    if WORKER == "alone" and not session.config.option.collectonly:
        session.config.add_cleanup(migrated.begin())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs no database goes first, while one is made; then what one worker does alone, for the longest."""
    items.sort(key=lambda item: (_needs_a_database(item), item.get_closest_marker("xdist_group") is None))


def _needs_a_database(item: pytest.Item) -> bool:
    return item.get_closest_marker("django_db") is not None or "_migrated" in getattr(
        item, "fixturenames", ()
    )


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through it for garbage again and again is a seventh of all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(autouse=True, scope="session")
def _quick() -> None:
    """Templates stay as they are for the length of a run, and passwords that everybody knows need no armour."""
    engines["jinja2"].env.auto_reload = False  # type: ignore[attr-defined]
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost = 1, 64


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture(autouse=True)
def _fresh_reads() -> Iterator[None]:
    queries.forget()
    sellers_queries.forget()
    waits.forget()
    translation.deactivate()
    yield
    queries.forget()
    sellers_queries.forget()
    waits.forget()


@pytest.fixture(autouse=True)
def _books_in_order(request: pytest.FixtureRequest) -> Iterator[None]:
    """Deferred constraints never fire in a rolled-back transaction: fire them, and check every invariant."""
    if request.node.get_closest_marker("django_db") is None:
        yield
        return
    request.getfixturevalue("db")
    yield
    if request.node.get_closest_marker("broken_books") is None and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            # Nothing that a test writes was ever counted: the planner takes thousands of rows for none.
            cursor.execute("SET LOCAL enable_nestloop = off")
        failed = kept_checks.failing()
        assert not failed, failed


@pytest.fixture(scope="session")
def _migrated() -> str:
    migrated.wait()
    return migrated.NAME


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, _migrated: str, django_db_blocker: Any) -> Iterator[None]:
    """The database of this worker, which knows every invariant."""
    with django_db_blocker.unblock(), migrated.copied(_migrated, f"test_{WORKER}") as name:
        connections.close_all()
        connections.settings["default"]["NAME"] = connections["default"].settings_dict["NAME"] = name
        kept_checks.keep()
        yield
        connections.close_all()


@pytest.fixture
def channel(db: None) -> Channel:
    return open_channel("tienda", "Tienda de pruebas", by="pruebas", at=AT - timedelta(days=30))


def _person(email: str, name: str, **fields: Any) -> User:
    user = User(email=email, name=name, **fields)
    user.set_unusable_password()
    user.save()
    return user


@pytest.fixture
def olga(db: None) -> User:
    return _person("olga@operador.example", "Olga Operadora", is_staff=True, is_superuser=True)


@pytest.fixture
def shop(db: None) -> Shop:
    return told(
        Shop.objects.create(
            code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example", city="Zaragoza"
        )
    )


NO_DETAILS = {"payout_needs_details": False}
"""Where shops are paid without having told their bank."""

ALBA = Details("Cerámicas Alba, S. L.", "B58378431", "Calle del Horno 3", "50001", "Zaragoza", "ES",
               "ES7999990000150200051332")  # fmt: skip


def told(shop: Shop, details: Details | None = None) -> Shop:
    """The shop, which has told how it is paid and billed."""
    payees.keep(shop, details or replace(ALBA, legal_name=shop.name), by=PLATFORM, at=AT - timedelta(days=30))
    return Shop.objects.get(id=shop.id)


@pytest.fixture
def other_shop(db: None) -> Shop:
    return told(Shop.objects.create(code="bruma", name="Bruma Textil", contact_email="pedidos@bruma.example"))


def _member(user: User, shop: Shop, role: str) -> User:
    Membership.objects.create(user=user, shop=shop, role=role)
    return user


@pytest.fixture
def alice(shop: Shop) -> User:
    return _member(_person("alice@alba.example", "Alicia Alba"), shop, Membership.Role.OWNER)


@pytest.fixture
def bob(shop: Shop) -> User:
    return _member(_person("bob@alba.example", "Bernardo Oliva"), shop, Membership.Role.SUPPORT)


@pytest.fixture
def charlie(other_shop: Shop) -> User:
    return _member(_person("charlie@bruma.example", "Carlos Bruma"), other_shop, Membership.Role.OWNER)


@pytest.fixture
def norte(shop: Shop) -> Supplier:
    """A supplier of the shop, written to in Spanish."""
    return Supplier.objects.create(
        shop=shop,
        code="norte",
        name="Talleres Norte",
        contact_name="Nuria Norte",
        email="taller@norte.example",
        phone="+34 555 020 020",
    )


@pytest.fixture
def sur(shop: Shop) -> Supplier:
    """Another supplier of the same shop."""
    return Supplier.objects.create(shop=shop, code="sur", name="Hornos del Sur", email="taller@sur.example")


def works_for(supplier: Supplier, email: str, name: str) -> User:
    """A person who works for a supplier, and nowhere else."""
    user = _person(email, name)
    Membership.objects.create(
        user=user, shop_id=supplier.shop_id, role=Membership.Role.SUPPLIER, supplier=supplier
    )
    return user


@pytest.fixture
def nuria(norte: Supplier) -> User:
    return works_for(norte, "nuria@norte.example", "Nuria Norte")


@pytest.fixture
def sergio(sur: Supplier) -> User:
    return works_for(sur, "sergio@sur.example", "Sergio Sur")


def actor_of(supplier: Supplier, name: str = "Nuria Norte") -> Actor:
    """Whoever acts for a supplier."""
    return Actor(Role.SUPPLIER, name, rights=frozenset({Right.WORK_ORDERS}), supplier_id=supplier.id)


SELLER = Actor(Role.SELLER, "Alicia Alba")
OPERATOR = Actor(Role.OPERATOR, "Olga Operadora")
CUSTOMER = Actor(Role.CUSTOMER, "Ana Soler")
CLOCK = PLATFORM

ANA = services.Customer(
    name="Ana Soler",
    email="ana@cliente.example",
    street="Calle Mayor 14",
    postal_code="50001",
    city="Zaragoza",
    country="ES",
)

JAR = ("JAR-AZUL", "Jarrón azul", 2, 3300, 400)
PLATE = ("PLA-HONDO", "Plato hondo", 1, 1200, 200)
"""SKU, title, quantity, unit price and shipping in cents: the worked example of the books (6600 + 400, 1200 + 200)."""


def basket(
    shop: Shop,
    *articles: tuple[str, str, int, int, int],
    at: datetime = AT,
    number: str = "",
    paid_cents: int | None = None,
    card: str = "ok",
    customer: services.Customer = ANA,
    served: Sequence[Supplier | None] = (),
) -> services.NewBasket:
    """A basket of one shop, paid to the cent unless told otherwise; `served` are who fulfils its first lines."""
    articles = articles or (JAR, PLATE)
    whose = [one.id if one else None for one in served] + [None] * len(articles)
    lines = tuple(
        services.NewLine(f"{n}", shop.id, sku, title, quantity, price, shipping, supplier_id=whose[n - 1])
        for n, (sku, title, quantity, price, shipping) in enumerate(articles, 1)
    )
    total = sum(line.unit_price_cents * line.quantity + line.shipping_cents for line in lines)
    return services.NewBasket(
        commercial_id=number or f"P-{next(_numbers):05}",
        currency="EUR",
        placed_at=at,
        customer=customer,
        lines=lines,
        payments=(
            {"method": "card", "amount_cents": total if paid_cents is None else paid_cents, "card": card},
        ),
    )


type Placing = Callable[..., Order]


@pytest.fixture
def place(channel: Channel, shop: Shop) -> Placing:
    """Place one order: `place()`, `place(JAR, at=…, card="slow", shop=…)`; answers the order as it stands."""

    def placing(*articles: tuple[str, str, int, int, int], shop: Shop = shop, **wishes: Any) -> Order:
        moved = services.place(channel, [basket(shop, *articles, **wishes)]).moved
        return Order.objects.get(id=moved[0].order_id)

    return placing


def sure[Value](value: Value | None) -> Value:
    """A value that is there."""
    assert value is not None
    return value


def again(order: Order) -> Order:
    """The order as the database has it now."""
    return Order.objects.get(id=order.id)


def row(order: Order) -> dict[str, Any]:
    """Every column of the order, for showing that a refusal changed nothing."""
    return dict(Order.objects.filter(id=order.id).values().get())


def anas(n: int) -> services.Customer:
    """The n-th of many customers."""
    return replace(ANA, name=f"Ana Soler {n}", email=f"ana{n}@cliente.example")


@contextmanager
def committed_to(source: str) -> Iterator[str]:
    """A copy of a database that all connections of this process go to in the block."""
    default = connections.settings["default"]
    before = default["NAME"]
    with migrated.copied(source, f"own_{WORKER}_{next(_numbers)}") as name:
        connections.close_all()
        default["NAME"] = connections["default"].settings_dict["NAME"] = name
        try:
            yield name
        finally:
            connections.close_all()
            default["NAME"] = connections["default"].settings_dict["NAME"] = before


@pytest.fixture
def own_database(_migrated: str, django_db_blocker: Any) -> Iterator[str]:
    """A database of the test's own, committed to for real, for races and processes; dropped afterwards."""
    with django_db_blocker.unblock(), committed_to(_migrated) as name:
        yield name
