"""The file for the bank, and what the bank answers (SET-05)."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sepaxml
import xmlschema
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.test import Client
from django.urls import reverse

from ledger.models import Balance, Entry, Posting
from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused, Tally
from marketplace.services import open_channel
from messaging.models import Notice
from orders.states import State
from sellers.desk import PLATFORM
from sellers.models import Shop, User
from settlements import bank_answers, payees, paying
from settlements.bank_answers import Unreadable
from settlements.models import PaperDownload, Payout, PayoutFile, PayoutInFile
from settlements.services import answer_payouts, close_cycle
from settlements.states import PayoutState
from tests.conftest import ALBA, AT, NO_DETAILS, OPERATOR, SELLER
from tests.orders.lives import brought_to, tick

pytestmark = [pytest.mark.django_db, pytest.mark.rule("SET-05")]
APRIL = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
NET = 8400 - 1008 - 212
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
SCHEMA = Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd"


@pytest.fixture
def travelling(channel: Channel, shop: Shop, other_shop: Shop) -> list[Payout]:
    """Two payouts on their way: two orders of one shop, one of another."""
    payees.keep_issuer(channel, ALBA, by=OPERATOR, at=AT)
    brought_to(State.RECEIVED, channel, shop, 2)
    brought_to(State.RECEIVED, channel, other_shop, 1)
    tick("statements", APRIL)
    return list(Payout.objects.order_by("amount_cents"))


def told(file: PayoutFile) -> list[tuple[str | None, ...]]:
    root = ElementTree.fromstring(bytes(file.content))
    paths = ("p:PmtId/p:EndToEndId", "p:Amt/p:InstdAmt", "p:CdtrAcct/p:Id/p:IBAN", "p:Cdtr/p:Nm")
    return [
        tuple(one.findtext(path, namespaces=NS) for path in paths)
        for one in root.iterfind(".//p:CdtTrfTxInf", NS)
    ]


def test_the_file_is_of_the_scheme_and_says_each_payout(channel: Channel, travelling: list[Payout]) -> None:
    file = paying.make_file(channel, by=OPERATOR, at=APRIL)
    xmlschema.XMLSchema(str(SCHEMA)).validate(bytes(file.content).decode())
    one, two = travelling
    assert told(file) == [
        (paying.end_to_end(payout), amount, ALBA.iban, name)
        for payout, amount, name in sorted(
            [(two, "143.60", "Ceramicas Alba"), (one, "71.80", "Bruma Textil")], key=lambda row: row[0].id
        )
    ]
    root = ElementTree.fromstring(bytes(file.content))
    assert root.findtext(".//p:GrpHdr/p:CtrlSum", namespaces=NS) == "215.40"
    assert root.findtext(".//p:GrpHdr/p:MsgId", namespaces=NS) == file.message_id
    assert (file.payouts_count, file.total_cents, file.made_by) == (2, 3 * NET, "Olga Operadora")
    assert file.sha256 == hashlib.sha256(bytes(file.content)).hexdigest()


def test_a_payout_is_in_one_live_file_at_most(channel: Channel, travelling: list[Payout]) -> None:
    first = paying.make_file(channel, by=OPERATOR, at=APRIL)
    with pytest.raises(MoveRefused) as error:
        paying.make_file(channel, by=OPERATOR, at=APRIL)
    assert (error.value.refusal.code, PayoutFile.objects.count()) == (Code.NOTHING_TO_PAY, 1)
    line = PayoutInFile.objects.values("shop_id", "payout_id", "payee_id", "amount_cents")[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutInFile.objects.create(file=first, end_to_end="otra", **line)
    paying.make_void(first.pk, reason="rechazado", by=OPERATOR, at=APRIL)
    second = paying.make_file(channel, by=OPERATOR, at=APRIL + timedelta(minutes=1))
    assert told(second) == told(first)
    answer_payouts([travelling[0].id], paid=True, at=APRIL)
    with pytest.raises(MoveRefused) as error:
        paying.make_void(second.pk, reason="x", by=OPERATOR, at=APRIL)
    assert error.value.refusal.code == Code.ANSWERED
    assert PayoutInFile.objects.filter(live=True).count() == 2


def test_what_waits_is_what_the_file_will_hold(
    client: Client, channel: Channel, travelling: list[Payout], olga: User
) -> None:
    lax = open_channel("abaco", "Ábaco", changes=NO_DETAILS, by="pruebas", at=AT)
    untold = Shop.objects.create(code="muda", name="La Muda", contact_email="hola@muda.example")
    brought_to(State.RECEIVED, lax, untold, 1)
    tick("statements", APRIL)
    client.force_login(olga)
    make = reverse("admin:settlements_payoutfile_make")
    assert paying.waiting() == [paying.Waiting(channel, 2, 3 * NET, 0), paying.Waiting(lax, 0, 0, 1)]
    page = client.get(make).content.decode().replace("\xa0", " ")
    assert "Tienda de pruebas: esperan 2 transferencias, 215,40 €." in page
    assert "Ábaco: esperan 0 transferencias, 0,00 €. 1 más no tiene cuenta en la que cobrar." in page
    # The channel that has something to pay is chosen, not the first by its name.
    assert f'value="{channel.id}" selected' in page

    file = paying.make_file(channel, by=OPERATOR, at=APRIL)
    assert (file.payouts_count, file.total_cents) == (2, 3 * NET)
    assert paying.waiting() == [paying.Waiting(lax, 0, 0, 1)]
    Payout.objects.filter(shop=untold).update(currency="PLN")
    assert paying.waiting() == []
    assert "Ninguna transferencia espera un fichero." in client.get(make).content.decode()


def test_the_same_bytes_each_time_and_each_time_on_record(
    client: Client, channel: Channel, travelling: list[Payout], olga: User, alice: User
) -> None:
    client.force_login(olga)
    make = reverse("admin:settlements_payoutfile_make")
    client.post(make, {"channel": channel.id, "apply": "1"})
    file = PayoutFile.objects.get()
    page = reverse("admin:settlements_payoutfile_download", args=[file.pk])
    taken = [client.get(page).content for _ in range(2)]
    assert taken == [bytes(file.content)] * 2
    assert list(PaperDownload.objects.values_list("paper", "by")) == [("payout_file", str(olga))] * 2
    assert client.post(make, {"channel": channel.id, "apply": "1"}).status_code == 409
    client.force_login(alice)
    assert client.get(page).status_code == 404
    PayoutFile.objects.update(content=b"otra cosa")
    with pytest.raises(paying.Damaged):
        paying.hand_out(PayoutFile.objects.get(), by=OPERATOR, at=APRIL)


def test_what_cannot_be_written_is_refused(channel: Channel, shop: Shop) -> None:
    for by, code in ((SELLER, Code.NOT_ALLOWED), (OPERATOR, Code.NO_ISSUER)):
        with pytest.raises(MoveRefused) as error:
            paying.make_file(channel, by=by, at=APRIL)
        assert error.value.refusal.code == code
    assert not PayoutFile.objects.exists()


def entry(
    reference: str, amount: str, *, back: str = "", direction: str = "DBIT", status: str = "BOOK"
) -> str:
    returned = f"<RtrInf><Rsn><Cd>{back}</Cd></Rsn></RtrInf>" if back else ""
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>{status}</Cd></Sts><NtryDtls>'
        f'<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt>'
        f"{returned}</TxDtls></NtryDtls></Ntry>"
    )


def camt(*entries: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">'
        f"<BkToCstmrDbtCdtNtfctn><Ntfctn><Id>1</Id>{''.join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def table(rows: Sequence[tuple[str, ...]]) -> bytes:
    heads = ("referencia", "importe", "resultado", "motivo")
    return "\r\n".join(";".join(row) for row in (heads, *rows)).encode()


def states() -> list[str]:
    return list(Payout.objects.order_by("amount_cents").values_list("state", flat=True))


@pytest.mark.parametrize("kind", ["camt", "csv"])
def test_the_bank_says_paid_or_failed(channel: Channel, travelling: list[Payout], kind: str) -> None:
    paying.make_file(channel, by=OPERATOR, at=APRIL)
    small, large = (paying.end_to_end(payout) for payout in travelling)
    content = (
        camt(entry(small, "71.80", back="AC04", direction="CRDT"), entry(large, "143.60000"))
        if kind == "camt"
        else table([(small, "71,80", "fallida", "AC04"), (large, "143,60", "pagada", "")])
    )
    verdicts = bank_answers.write_down(bank_answers.read(content), by=OPERATOR, at=APRIL)
    assert [one.code for one in verdicts] == ["", ""]
    assert states() == [PayoutState.FAILED, PayoutState.PAID]
    assert Payout.objects.get(id=travelling[0].id).answer == "AC04"
    assert sorted(Balance.objects.values_list("payable_cents", flat=True)) == [0, NET]


def test_what_was_paid_can_come_back_days_later_and_is_paid_anew(
    channel: Channel, travelling: list[Payout]
) -> None:
    paying.make_file(channel, by=OPERATOR, at=APRIL)
    _small, large = travelling
    name = paying.end_to_end(large)
    bank_answers.write_down(bank_answers.read(camt(entry(name, "143.60"))), by=OPERATOR, at=APRIL)
    back = bank_answers.read(camt(entry(name, "143.60", back="AC06", direction="CRDT")))
    later = APRIL + timedelta(days=3)
    assert [one.code for one in bank_answers.write_down(back, by=OPERATOR, at=later)] == [""]
    assert states() == [PayoutState.IN_TRANSIT, PayoutState.FAILED]
    entries = [Entry.objects.get(key=f"{kind}:{large.id}") for kind in ("payout_paid", "payout_failed")]
    sums = Posting.objects.filter(entry__in=entries).values_list("account").annotate(Sum("amount_cents"))
    assert dict(sums) == {"in_transit": 14360, "bank": 0, "payable": -14360}
    told = Notice.objects.get(event="payout_failed")
    assert (told.shop_id, told.payload["answer"], told.payload["amount_cents"]) == (
        large.shop_id,
        "AC06",
        14360,
    )
    assert [one.code for one in bank_answers.write_down(back, by=OPERATOR, at=later)] == ["answered"]
    paid = bank_answers.read(camt(entry(name, "143.60")))
    assert [one.code for one in bank_answers.write_down(paid, by=OPERATOR, at=later)] == ["answered"]
    close_cycle(channel, later, tally=Tally(), at=later)
    anew = Payout.objects.get(shop=large.shop_id, state=PayoutState.IN_TRANSIT)
    assert (anew.amount_cents, anew.statement.returned_cents) == (14360, 14360)


def test_unknown_twice_named_differing_and_answered_rows_change_nothing(
    channel: Channel, travelling: list[Payout]
) -> None:
    paying.make_file(channel, by=OPERATOR, at=APRIL)
    small, large = (paying.end_to_end(payout) for payout in travelling)
    content = camt(
        entry("OTRO-1", "71.80"),
        entry(small, "71.81"),
        entry(large, "143.60"), entry(large, "143.60", back="AC04", direction="CRDT"),
        entry(large, "9.00", direction="CRDT"),
        entry(small, "71.80", status="PDNG"),
    )  # fmt: skip
    before = Entry.objects.count()
    verdicts = bank_answers.write_down(bank_answers.read(content), by=OPERATOR, at=APRIL)
    assert [one.code for one in verdicts] == [
        "unknown_payout", "amount_differs", "duplicate", "duplicate", "unknown_payout",
    ]  # fmt: skip
    assert (states(), Entry.objects.count()) == ([PayoutState.IN_TRANSIT] * 2, before)
    good = bank_answers.read(camt(entry(large, "143.60")))
    assert [one.code for one in bank_answers.write_down(good, by=SELLER, at=APRIL)] == ["not_allowed"]
    assert [one.code for one in bank_answers.write_down(good, by=PLATFORM, at=APRIL)] == [""]
    after = Entry.objects.count()
    assert [one.code for one in bank_answers.write_down(good, by=OPERATOR, at=APRIL)] == ["answered"]
    assert Entry.objects.count() == after


ENTITIES = [b'<!ENTITY lol0 "lol">']
ENTITIES += [b'<!ENTITY lol%d "%s">' % (n, b"&lol%d;" % (n - 1) * 10) for n in range(1, 10)]
BOMB = b"<!DOCTYPE lolz [" + b"".join(ENTITIES) + b"]><Document>&lol9;</Document>"
"""A file of some hundred bytes that would be a thousand million."""


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document><Ntry>&x;</Ntry></Document>',
        b"<Document><Ntry>",
        b"<Document></Document>",
        b"",
        b"\xff\xfe\x00",
        b"a,b,c\n1,2,3\n",
        b"<a>" * 50,
        b"<" + b" " * (bank_answers.MOST_BYTES + 1),
        b'reference,amount,result\n"abc',
        b"referencia,importe,resultado\nTRASTIENDA-17\0,10,pagada\n",
        "referencia;importe;resultado;motivo\n1;1;fallida;cuenta errónea\n".encode("latin-1"),
        b"<Document><Ntry>" + b"<a/>" * (bank_answers.MOST_NODES + 1),
    ],
    ids=[
        "bomb",
        "outside",
        "cut",
        "empty",
        "nothing",
        "bytes",
        "heads",
        "deep",
        "huge",
        "quotes",
        "nul",
        "latin",
        "swarm",
    ],
)
def test_what_is_no_answer_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        bank_answers.read(content)


def test_amounts_are_read_as_people_write_them_and_what_is_none_is_said(
    channel: Channel, travelling: list[Payout]
) -> None:
    paying.make_file(channel, by=OPERATOR, at=APRIL)
    small, large = (paying.end_to_end(payout) for payout in travelling)
    rows = [(small, "0,071.80", "pagada", ""), (large, "0.143,60", "pagada", ""), ("OTRA", "x", "pagada", "")]
    said = bank_answers.read(table(rows))
    assert [one.cents for one in said] == [7180, 14360, -1]
    assert [one.code for one in bank_answers.judge(said)] == ["", "", "unknown_payout"]
    unread = bank_answers.read(table([(small, "71,8O", "pagada", "")]))
    assert [one.code for one in bank_answers.write_down(unread, by=OPERATOR, at=APRIL)] == ["no_amount"]
    assert states() == [PayoutState.IN_TRANSIT] * 2


def test_more_rows_than_a_form_carries_are_refused_when_they_are_shown(
    client: Client, channel: Channel, olga: User
) -> None:
    client.force_login(olga)
    rows = [(f"R-{n}", "1,00", "fallida", hashlib.sha512(str(n).encode()).hexdigest()) for n in range(22_000)]
    page = reverse("admin:settlements_payoutfile_read_answer")
    sent = client.post(page, {"file": SimpleUploadedFile("r.csv", table(rows)), "apply": "1"})
    assert (sent.status_code, "pártelo en varios ficheros" in sent.content.decode()) == (422, True)


def test_the_room_shows_first_and_writes_what_it_showed(
    client: Client, channel: Channel, travelling: list[Payout], olga: User
) -> None:
    paying.make_file(channel, by=OPERATOR, at=APRIL)
    client.force_login(olga)
    page = reverse("admin:settlements_payoutfile_read_answer")

    def sent(content: bytes) -> Any:
        return client.post(page, {"file": SimpleUploadedFile("r.xml", content), "apply": "1"})

    assert sent(BOMB).status_code == 422
    shown = sent(camt(entry(paying.end_to_end(travelling[1]), "143.60"), entry("OTRO", "1.00")))
    assert "No es ninguna de nuestras transferencias." in shown.content.decode()
    assert states() == [PayoutState.IN_TRANSIT] * 2
    (seal,) = [value for name, value in shown.context["carried"] if name == "seal"]
    assert client.post(page, {"seal": seal + "x"}, follow=True).status_code == 200
    assert states() == [PayoutState.IN_TRANSIT] * 2
    done = client.post(page, {"seal": seal})
    assert "Anotado de 1 transferencias; 1 filas no se han tocado." in done.content.decode()
    assert states() == [PayoutState.IN_TRANSIT, PayoutState.PAID]
