"""Mails that are broken, made to harm, or sent by machines: turned away and counted, or made harmless (MSG-07)."""

import base64
import time
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rounds
from hypothesis import strategies as st
from pytest_django import Settings

from marketplace.models import Channel
from marketplace.policy import FileType
from marketplace.services import publish_policy
from messaging import conversing, replying
from messaging.conversing import Words
from messaging.models import Correspondent, Message, ReceivedMail
from messaging.recipients import CUSTOMER
from orders.models import Order
from sellers.models import Shop
from tests.conftest import AT, SELLER, Placing, sure
from tests.mail_in.conftest import LATER, address, last, mail, notice_to, outcome, refusals, stands, take

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-07")]


def raw(to: str, body: bytes, *headers: str) -> bytes:
    """A mail written by hand: its headers, then whatever follows."""
    told = [f"To: {to}", f"Message-ID: <{abs(hash(body))}@x.example>", *headers]
    return "\r\n".join(told).encode("latin-1") + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; reason=x"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X_Auto_Response_Suppress": "All"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<x.example>"},
        {"List_Unsubscribe": "<mailto:x@x.example>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@x.example"},
        {"Message_ID": "<notice-7@localhost>"},
        {"X_Loop": "x"},
    ],
)
def test_what_machines_send_is_left_aside(customers: str, headers: dict[str, str]) -> None:
    before = stands()
    assert outcome(mail(customers, **headers)) == "automatic=1"
    assert (stands(), refusals()) == (before, {"automatic": 1})


def test_a_report_of_a_mail_that_came_back_is_left_aside(customers: str) -> None:
    before = stands()
    report = raw(customers, b"--b\r\n\r\nx\r\n--b--\r\n", 'Content-Type: Multipart/Report; boundary="b"')
    assert outcome(report) == "automatic=1"
    assert outcome(mail(customers), sender="<>") == "automatic=1"
    assert stands() == before


def test_our_own_mail_that_comes_back_is_left_aside(order: Order, customers: str) -> None:
    from messaging.documents import Letters

    sent = Letters().mail(notice_to("customer")).message()
    del sent["To"]
    sent["To"] = customers
    before = stands()
    assert outcome(sent.as_bytes()) == "automatic=1"
    assert stands() == before


@pytest.mark.parametrize(
    "forge",
    [
        lambda one: one[:-1] + ("a" if one[-1] != "a" else "b"),
        lambda one: "b" + one,
        lambda one: one[1:],
        lambda one: "a" * len(one),
        lambda one: "7" * 13 + one[-32:],
        lambda one: replying._number(10**9) + one[-32:],
    ],
)
def test_a_token_that_nobody_was_given_is_turned_away(customers: str, forge: Callable[[str], str]) -> None:
    token = customers.removeprefix("reply+").partition("@")[0]
    before = stands()
    assert outcome(mail(f"reply+{forge(token)}@respuestas.example")) == "unknown=1"
    assert (stands(), refusals()) == (before, {"unknown": 1})


def test_the_token_is_of_that_domain_alone(customers: str) -> None:
    before = stands()
    for other in (
        customers + ".example.org",
        customers.replace("@", "@x."),
        "x" + customers,
        customers + "x",
    ):
        assert outcome(mail(other)) == "unknown=1"
    assert stands() == before


def test_one_customers_token_writes_into_their_conversation_alone(
    order: Order, customers: str, place: Placing, other_shop: Shop
) -> None:
    """Whatever thread, order or shop the mail claims to be about."""
    other = place(shop=other_shop)
    conversing.start(other_shop, Words("¿Te va bien?"), to=CUSTOMER, order=other, by=SELLER, at=AT)
    theirs = notice_to("customer")
    claims = {"In_Reply_To": f"<notice-{theirs.pk}@localhost>", "References": f"<notice-{theirs.pk}@localhost>",
              "Subject": f"Re: {other.reference}", "From": "ana@cliente.example"}  # fmt: skip
    assert outcome(mail(customers, **claims)) == "taken=1"
    assert (last().thread.order_id, last().shop_id) == (order.id, order.shop_id)
    assert not Message.objects.filter(thread__order=other, role="customer").exists()


def test_the_seal_of_one_fits_no_other(customers: str, sellers: str) -> None:
    one, other = (text.removeprefix("reply+").partition("@")[0] for text in (customers, sellers))
    before = stands()
    assert outcome(mail(f"reply+{one[:-32]}{other[-32:]}@respuestas.example")) == "unknown=1"
    first, second = Correspondent.objects.order_by("id")[:2]
    assert (first.audience, second.audience) == ("customer", "seller")
    assert stands() == before


NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_markup_in_every_field_is_text(customers: str) -> None:
    headers = dict.fromkeys(("From", "Subject", "Sender", "X_Original_From"), f'"{NASTY}" <a@x.example>')
    assert outcome(mail(customers, NASTY, **headers)) == "taken=1"
    assert (last().body, last().author) == (NASTY, "Ana Soler")


def test_a_page_is_read_as_what_a_person_sees(customers: str) -> None:
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body onload=a()><div style='display:none'>oculto</div>"
        "<p>Hola,<br>no me va bien.</p><script>alert(1)</script><ul><li>uno</li></ul><a href='javascript:x'>aquí</a>"
        "<a href='https://x.example/y'>foto</a><!-- nada --><svg><text>x</text></svg>"
        "<blockquote>Lo de antes</blockquote></body></html>"
    )
    message = mail(customers, " ")
    message.set_content(html, subtype="html")
    assert outcome(message) == "taken=1"
    assert last().body == "Hola,\nno me va bien.\n\n- uno\n\naquífoto <https://x.example/y>"


@pytest.mark.parametrize(
    ("body", "headers", "kept"),
    [
        ("áéí €".encode(), ["Content-Type: text/plain; charset=us-ascii"], "áéí €"),
        ("áéí".encode("latin-1"), ["Content-Type: text/plain; charset=utf-8"], "áéí"),
        ("áéí €".encode("cp1252"), ["Content-Type: text/plain"], "áéí €"),
        ("áéí".encode("utf-16"), ["Content-Type: text/plain; charset=utf-16"], "áéí"),
        (b"hola", ["Content-Type: text/plain; charset=zlib"], "hola"),
        (b"hola", ["Content-Type: text/plain; charset=unicode_escape"], "hola"),
        (b"hola", ["Content-Type: text/plain; charset*=x'y'%FF%00"], "hola"),
        (b"hola", ["Content-Type: text/plain; charset=" + "x" * 9000], "hola"),
        (b"ho\x00la\x07", [], "hola"),
        ("a\u202eb\u2066c".encode(), [], "abc"),
        ("שלום".encode(), [], "שלום"),
        (b"aG9sYQ==", ["Content-Transfer-Encoding: base64"], "hola"),
        (b"hola=", ["Content-Transfer-Encoding: quoted-printable"], "hola"),
        (b"hola", ["Content-Transfer-Encoding: x-nothing"], "hola"),
        (b"hola", ["Content-Type: nonsense"], "hola"),
        (b"hola", ["Content-Type: \xff/\xfe; x=\xff"], None),
    ],
)
def test_a_text_is_read_whatever_it_claims_to_be(
    customers: str, body: bytes, headers: list[str], kept: str | None
) -> None:
    assert outcome(raw(customers, body, *headers)) == ("taken=1")
    assert kept is None or last().body == kept


def _nested(depth: int) -> bytes:
    parts = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(depth)
    )
    return parts + b"\r\nhola\r\n"


BROKEN: dict[str, Callable[[str], bytes]] = {
    "no boundary": lambda to: raw(to, b"x", "Content-Type: multipart/mixed"),
    "nested": lambda to: f"To: {to}\r\n".encode() + _nested(200),
    "nested deep": lambda to: f"To: {to}\r\n".encode() + _nested(20_000),
    "mails in mails": lambda to: f"To: {to}\r\n".encode() + b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    "a header of a megabyte": lambda to: raw(to, b"x", "X-A: " + "a" * 1_000_000),
    "headers without end": lambda to: f"To: {to}\r\n".encode() + b"X: y\r\n" * 100_000,
    "many headers": lambda to: f"To: {to}\r\n".encode() + b"X: y\r\n" * 2_000 + b"\r\nhola",
    "many parts": lambda to: raw(
        to, b"--b\r\n\r\nx\r\n" * 5_000, 'Content-Type: multipart/mixed; boundary="b"'
    ),
    "many lines": lambda to: raw(to, b"\n" * 3_000_000),
    "many short lines": lambda to: raw(to, b"a\r" * 3_000_000),
    "no headers": lambda to: b"hola\r\n\r\n" + to.encode(),
    "nothing": lambda to: b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_built_to_take_time_or_memory_is_turned_away_at_once(customers: str, name: str) -> None:
    one = BROKEN[name](customers)
    before = stands()
    started = time.process_time()
    assert outcome(one) == "broken=1"
    assert time.process_time() - started < 2
    assert (stands(), refusals()) == (before, {"broken": 1})


def test_a_thousand_recipients_are_read(customers: str) -> None:
    others = ", ".join(f"Persona {n} <p{n}@x.example>" for n in range(1_000))
    assert outcome(raw(f"{others},\r\n {customers}", b"hola")) == "taken=1"
    before = stands()
    forged = ", ".join(f"reply+{'a' * 33}{n % 6 + 2}@respuestas.example" for n in range(1_000))
    assert set(take(raw(forged, b"hola")).refused) == {"unknown"}
    assert stands() == before


def test_what_is_too_large_is_turned_away(customers: str, settings: Settings) -> None:
    settings.MAIL_MOST_BYTES = 20_000
    before = stands()
    assert outcome(raw(customers, b"x" * 20_001)) == "too_large=1"
    assert (stands(), refusals()) == (before, {"too_large": 1})


@pytest.mark.parametrize(
    "text", ["", " \n\t\n", "> lo de antes\n> más", "-- \nAna Soler", "\x00\x01", "\u202e"]
)
def test_who_says_nothing_writes_nothing(customers: str, text: str) -> None:
    before = stands()
    assert outcome(raw(customers, text.encode())) == "empty=1"
    assert (stands(), refusals()) == (before, {"empty": 1})


def test_an_encoding_that_holds_nothing_says_nothing(customers: str) -> None:
    before = stands()
    assert outcome(raw(customers, b"\xff\xfe\xfd!", "Content-Transfer-Encoding: base64")) == "empty=1"
    assert stands() == before


def test_a_text_that_is_too_long_is_cut_and_says_so(customers: str) -> None:
    assert outcome(mail(customers, "Hola. " * 1_500)) == "taken=1"
    assert last().body == ("Hola. " * 1_500).strip()
    assert outcome(mail(customers, "Hola. " * 4_000)) == "taken=1"
    assert len(last().body) <= conversing.LONGEST
    assert last().body.endswith("\n\n(El correo seguía: es demasiado largo para un mensaje.)")


def test_names_of_files_are_made_harmless(customers: str) -> None:
    message = mail(customers, "Mira")
    for name in ("../../etc/passwd", "a\u202egpj.exe", "=?utf-8?b?//4=?=", "<b>.html", "x" * 5_000):
        message.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename=name)
    attached = EmailMessage()
    attached.set_content("otro correo")
    message.add_attachment(attached)
    assert outcome(message) == "taken=1"
    notes = [line for line in last().body.splitlines() if line.startswith("No se adjuntó")]
    assert len(notes) == 6
    assert not any("/" in note or "\u202e" in note for note in notes)
    assert len(last().body) < 3_000


def test_seals_invitations_and_pictures_of_signatures_are_no_files(customers: str) -> None:
    message = mail(customers, "Vale")
    message.add_attachment(b"x", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    message.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="x.ics")
    message.add_attachment(b"GIF89a", maintype="image", subtype="gif", cid="<logo>", disposition="inline")
    assert outcome(message) == "taken=1"
    assert last().body == "Vale"


@pytest.mark.rule("MSG-13")
def test_a_mail_inside_a_mail_is_turned_away_even_where_texts_are_taken(
    channel: Channel, order: Order, customers: str
) -> None:
    every = sure(channel.policy).rules.model_copy(update={"attachment_types": tuple(FileType)})
    Order.objects.update(policy=publish_policy(channel, every, by="pruebas", at=AT))
    message = mail(customers, "Te reenvío lo que me dijeron")
    message.add_attachment(mail("x@x.example", "Lo que dijeron"), filename="dicho.eml")
    message.add_attachment("Sí", filename="nota.txt")
    assert outcome(message) == "taken=1"
    assert [one.name for one in last().attachments.all()] == ["nota.txt"]
    assert "No se adjuntó «dicho.eml»: No es de un tipo que se admita" in last().body


def test_base64_rubbish_is_a_broken_file(customers: str) -> None:
    rubbish = (
        b"--b\r\n\r\nMira\r\n--b\r\nContent-Type: image/jpeg; name=a.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"\xff\x00!!!! no es base64 ====\r\n--b--\r\n"
    )
    assert outcome(raw(customers, rubbish, 'Content-Type: multipart/mixed; boundary="b"')) == "taken=1"
    assert last().body.startswith("Mira\n\nNo se adjuntó «a.jpg»")


SPICE = st.sampled_from(
    [b"\r\n", b"\n\n", b"To: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"--b\r\n", b"text/html", b": ",
     b"Content-Transfer-Encoding: base64\r\n", b"charset=", b"=?utf-8?q?", b"message/rfc822", b"\x00", b"\xff", b"<!--",
     b"reply+", b"@respuestas.example", b"Message-ID: <", b"filename*0*=x''%", b"Content-Disposition: attachment; "]
)  # fmt: skip
RUBBISH = st.lists(SPICE | st.binary(max_size=20), max_size=40).map(b"".join)


@rounds(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rubbish=RUBBISH)
def test_rubbish_is_never_an_error_and_never_a_message(customers: str, rubbish: bytes) -> None:
    before = Message.objects.count()
    receipt = take(rubbish)
    assert not receipt.is_done
    assert receipt.refused
    assert Message.objects.count() == before


@rounds(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rubbish=RUBBISH)
def test_rubbish_to_a_good_address_is_never_an_error(customers: str, rubbish: bytes) -> None:
    before = Message.objects.count()
    ReceivedMail.objects.update(at=AT - timedelta(days=1))
    receipt = take(f"To: {customers}\r\n".encode() + rubbish, at=LATER)
    assert Message.objects.count() - before == len(receipt.taken)
    assert receipt.is_done or receipt.refused


def test_a_photo_in_a_text_that_is_a_page_is_kept_once(customers: str) -> None:
    from messaging.models import Attachment
    from tests.files.samples import picture

    large = picture(size=(400, 400), quality=100)
    encoded = base64.encodebytes(large + b"\x00" * 11_000)
    body = (
        b'--b\r\nContent-Type: text/html\r\n\r\n<p>Mira<img src="cid:x"></p>\r\n--b\r\nContent-Type: image/jpeg\r\n'
        b"Content-ID: <x>\r\nContent-Disposition: inline; filename=f.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + encoded + b"\r\n--b--\r\n"
    )  # fmt: skip
    assert outcome(raw(customers, body, 'Content-Type: multipart/related; boundary="b"')) == "taken=1"
    assert [one.name for one in Attachment.objects.all()] == ["f.jpg"]
    assert address(notice_to("customer")) == customers
