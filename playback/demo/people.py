"""Who is in the demonstration: the shops, the people who work in them, and the operator who looks after them."""

import json
import os
from datetime import datetime
from pathlib import Path

from schwifty import IBAN

from playback.demo.goods import TRADERS, Trader
from sellers.desk import Actor, operator, seller, supplier
from sellers.models import Membership, Shop, Supplier, User
from sellers.services import invite
from settlements import payees
from settlements.payees import Details

PASSWORD = "barro-y-canela"
"""The demonstration's own, for its four sign-ins; it is only ever made on a development site."""

OWNER = f"lucia@{TRADERS[0].domain}"
SUPPORT = f"bruno@{TRADERS[0].domain}"
OPERATOR = "operador@trastienda.example"
SUPPLIER = "nuria@talleresnorte.example"
SIGN_INS = (
    ("shop owner", OWNER),
    ("shop support", SUPPORT),
    ("shop supplier", SUPPLIER),
    ("operator", OPERATOR),
)
FILE = "sign-ins.json"


class People:
    """The shops by their traders, and the actors for what is done in them."""

    def __init__(
        self, shops: dict[str, Shop], sellers: dict[str, Actor], workshop: Actor, operator: Actor
    ) -> None:
        self._shops, self._sellers, self.workshop, self.operator = shops, sellers, workshop, operator

    def shop(self, trader: Trader) -> Shop:
        return self._shops[trader.code]

    def seller(self, trader: Trader) -> Actor:
        return self._sellers[trader.code]


def move_in(*, at: datetime) -> People:
    """Open the shops and give everybody their place; four of them can sign in."""
    boss = User.objects.create_superuser(OPERATOR, PASSWORD, name="Olga Prieto", phone="+34 555 010 010")
    shops, sellers = {}, {}
    for number, trader in enumerate(TRADERS, 1):
        shops[trader.code] = shop = Shop.objects.create(
            code=trader.code,
            name=trader.name,
            legal_name=trader.legal_name,
            tax_id=trader.tax_id,
            contact_email=f"pedidos@{trader.domain}",
            city=trader.city,
            address=trader.address,
            account_manager=boss,
        )
        email = OWNER if trader is TRADERS[0] else f"propiedad@{trader.domain}"
        member, _ = invite(shop, email, name=trader.owner, role=Membership.Role.OWNER)
        sellers[trader.code] = seller(member)
        payees.keep(shop, _details(trader, number), by=sellers[trader.code], at=at)
    invite(shops[TRADERS[0].code], SUPPORT, name="Bruno Santos Gil", role=Membership.Role.SUPPORT)
    workshop = _workshop(shops[TRADERS[0].code])
    for user in User.objects.filter(email__in=[OWNER, SUPPORT, SUPPLIER]):
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    return People(shops, sellers, workshop, operator(boss))


def _details(trader: Trader, number: int) -> Details:
    """How a shop of the demonstration is paid; no bank has that code, so no account is anybody's."""
    return Details(
        trader.legal_name,
        trader.tax_id,
        trader.address,
        _POSTAL_CODES[trader.city],
        trader.city,
        "ES",
        _account(number),
    )


def _account(number: int) -> str:
    """An account that no bank has."""
    return str(IBAN.generate("ES", bank_code="9999", account_code=f"{number:010}"))


_POSTAL_CODES = {
    "Zaragoza": "50001",
    "Lugo": "27001",
    "Granada": "18001",
    "Salamanca": "37001",
    "Alicante": "03001",
    "Murcia": "30001",
    "Valencia": "46001",
    "Valladolid": "47001",
}

ISSUER = Details(
    "Lonja de Demostración, S. A.",
    "A00000091",
    "Calle de la Lonja 1",
    "50003",
    "Zaragoza",
    "ES",
    _account(900),
)
"""Who pays the shops of the demonstration and bills them the commission."""


def _workshop(shop: Shop) -> Actor:
    """A supplier of the first shop, and who works there (ROL-04)."""
    norte = Supplier.objects.create(
        shop=shop,
        code="talleres-norte",
        name="Talleres Norte",
        contact_name="Nuria Lasarte Ruiz",
        email="pedidos@talleresnorte.example",
        phone="+34 555 020 020",
        city="Huesca",
        address="Polígono del Horno, nave 4",
    )
    role = Membership.Role.SUPPLIER
    return supplier(invite(shop, SUPPLIER, name=norte.contact_name, role=role, supplier=norte)[0])


def write_sign_ins(home: Path) -> bool:
    """Say in a file how to sign in, for those who are here and kept the known password; whole or not at all."""
    known = {user.email: user for user in User.objects.filter(email__in=[email for _, email in SIGN_INS])}
    rows = [
        {"role": role, "email": email, "password": PASSWORD}
        for role, email in SIGN_INS
        if email in known and known[email].check_password(PASSWORD)
    ]
    if not rows:
        return False
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f"{FILE}.{os.getpid()}"
    draft.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    draft.replace(home / FILE)
    return True
