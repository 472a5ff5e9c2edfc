"""Bank and tax data: checked, kept version by version, and what VAT follows from where a shop has its seat (SET-05)."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from stdnum.es import nif
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

from marketplace import bulk, queries
from marketplace.models import Channel
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Refusal
from sellers.desk import Actor, Right
from sellers.models import Shop, VatSeat
from settlements.models import Issuer, Payee

_OUTSIDE_VAT = {"35": VatSeat.CANARIES, "38": VatSeat.CANARIES, "51": VatSeat.CEUTA, "52": VatSeat.MELILLA}
"""Provinces of Spain that are not in the territory of its VAT (art. 3.Dos of Ley 37/1992), by their postal codes."""

EU = frozenset(code.upper() for code in vat.MEMBER_STATES) - {"XI"}


@dataclass(frozen=True, slots=True)
class Details:
    """Who somebody is to the tax office and to the bank, as it was typed."""

    legal_name: str
    tax_id: str
    street: str
    postal_code: str
    city: str
    country: str
    iban: str


class NotRight(ValueError):
    """Something that was typed is not what it should be; `flaws` are (field, what is wrong with it)."""

    def __init__(self, flaws: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(words for _field, words in flaws))
        self.flaws = flaws


def checked(details: Details) -> Details:
    """The same details as they are kept: without spaces around, the numbers compact. Raises NotRight."""
    told = {name: " ".join(text.split()) for name, text in asdict(details).items()}
    told["country"] = told["country"].upper()
    flaws = [(name, _("Hace falta.")) for name, text in told.items() if not text]
    unprintable = [name for name, text in told.items() if not text.isprintable()]
    flaws += [(name, _("Lleva signos que no se pueden escribir.")) for name in unprintable]
    if told["country"] == "ES" and told["postal_code"] and not _is_spanish_code(told["postal_code"]):
        flaws.append(
            ("postal_code", _("Un código postal de España son cinco cifras, de 01 a 52 las dos primeras."))
        )
    try:
        told["tax_id"] = _tax_id(told["tax_id"], told["country"])
    except ValidationError:
        flaws.append(
            ("tax_id", _("No es un NIF ni un número de IVA de ese país: revisa sus letras y cifras."))
        )
    try:
        iban = IBAN(told["iban"], validate_bban=True)
        told["iban"] = iban.compact
        if not iban.in_sepa_zone:
            flaws.append(("iban", _("Las transferencias SEPA no llegan a ese país.")))
    except SchwiftyException:
        flaws.append(("iban", _("No es un IBAN: revisa sus cifras.")))
    if flaws:
        raise NotRight(list(dict(reversed(flaws)).items()))
    return Details(**told)


def _is_spanish_code(code: str) -> bool:
    return len(code) == 5 and code.isascii() and code.isdecimal() and "01" <= code[:2] <= "52"


def _tax_id(text: str, country: str) -> str:
    """The number compact: of Spain without its prefix, of the rest of the Union with it. Raises ValidationError."""
    if country == "ES":
        return str(nif.validate(text))
    compact = text.upper().replace(" ", "").replace("-", "").replace(".", "")
    prefix = "EL" if country == "GR" else country
    if country in EU:
        own = compact.removeprefix(prefix)
        if vat.is_valid(prefix + own):
            return prefix + own
    return compact


def seat_of(details: Details) -> VatSeat:
    """Where a shop has its seat, as far as Spain's VAT on a commission is concerned (art. 69 of Ley 37/1992).

    Who is in another country of the Union without a VAT number that holds is billed like one in Spain.
    """
    if details.country == "ES":
        return _OUTSIDE_VAT.get(details.postal_code[:2], VatSeat.DOMESTIC)
    if details.country not in EU:
        return VatSeat.OUTSIDE
    return VatSeat.UNION if vat.is_valid(details.tax_id) else VatSeat.DOMESTIC


@transaction.atomic
def keep(shop: Shop, details: Details, *, by: Actor, at: datetime) -> Payee:
    """Write down how a shop is paid and billed from now on; the same again writes nothing.

    Orders accepted from now on have their commission's VAT by the new seat. Raises MoveRefused (`not_allowed`) and
    NotRight.
    """
    if by.role not in (Role.SELLER, Role.PLATFORM) or not by.may(Right.BANK):
        raise MoveRefused(Refusal(0, Code.NOT_ALLOWED))
    details = checked(details)
    locked = Shop.objects.select_for_update(no_key=True).get(id=shop.id)
    last = payee(shop)
    if last and all(getattr(last, name) == text for name, text in asdict(details).items()):
        return last
    seat = seat_of(details)
    locked.legal_name, locked.tax_id, locked.vat_seat = details.legal_name, details.tax_id, seat
    locked.save(update_fields=["legal_name", "tax_id", "vat_seat"])
    queries.forget()
    return Payee.objects.create(
        shop=locked, vat_seat=seat, told_at=at, told_by=by.label, user_id=by.user_id, **asdict(details)
    )


@transaction.atomic
def keep_issuer(channel: Channel, details: Details, *, by: Actor, at: datetime) -> Issuer:
    """Write down who pays and bills on a channel from now on. Raises MoveRefused (`not_allowed`), NotRight."""
    if by.role not in (Role.OPERATOR, Role.PLATFORM):
        raise MoveRefused(Refusal(0, Code.NOT_ALLOWED))
    details = checked(details)
    return Issuer.objects.create(
        channel=channel, told_at=at, told_by=by.label, user_id=by.user_id, **asdict(details)
    )


def payee(shop: Shop) -> Payee | None:
    """How a shop is paid and billed now, if it has told."""
    return Payee.objects.filter(shop=shop).order_by("-id").first()


def issuer(channel_id: int) -> Issuer | None:
    """Who pays and bills on a channel now, if operators have said."""
    return Issuer.objects.filter(channel_id=channel_id).order_by("-id").first()


def told(shop_ids: Collection[int]) -> dict[int, int]:
    """The payees that count now of those shops that have told: {shop: payee}."""
    rows = bulk.fetch(
        "SELECT shop_id, max(id) FROM settlements_payee WHERE shop_id = ANY(%s::bigint[]) GROUP BY 1",
        [list(shop_ids)],
    )
    return dict(rows)
