"""The local mailbox: mails as files, and its page, which exists only where mails are kept."""

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives, mailers
from django.test import Client
from pytest_django import Settings

from messaging import mailbox
from tests.conftest import AT, Placing
from tests.messaging.conftest import drain


@pytest.fixture(autouse=True)
def kept(settings: Settings, tmp_path: Path) -> Path:
    """The folder of the mailbox of a machine that has no mail server."""
    settings.DEVELOPMENT = True
    settings.MAILBOX = tmp_path / "mailbox"
    settings.MAILERS = {"default": {"BACKEND": "messaging.mailbox.MailboxBackend", "OPTIONS": {}}}
    return tmp_path / "mailbox"


def put(
    subject: str, *, html: str = "", date: str = "Tue, 03 Mar 2026 10:00:00 +0000", message_id: str = ""
) -> None:
    mail = EmailMultiAlternatives(
        subject, "texto de " + subject, to=["ana@cliente.example"],
        headers={"Date": date, "Message-ID": message_id or f"<{subject}@localhost>"},
    )  # fmt: skip
    if html:
        mail.attach_alternative(html, "text/html")
    assert mailers.default.send_messages([mail]) == 1


def test_files_sort_by_time_and_are_whole(kept: Path) -> None:
    put("segundo", date="Tue, 03 Mar 2026 10:00:01 +0000")
    put("primero", date="Tue, 03 Mar 2026 10:00:00 +0000")
    names = sorted(path.name for path in kept.iterdir())
    assert [name.rpartition("-")[0] for name in names] == ["20260303T100000-000000", "20260303T100001-000000"]
    assert [one.message["Subject"] for one in mailbox.latest(start=0, count=9)] == ["segundo", "primero"]
    assert [one.message["Subject"] for one in mailbox.latest(start=1, count=9)] == ["primero"]


def test_a_mail_sent_again_takes_the_place_of_the_first(kept: Path) -> None:
    put("uno", message_id="<notice-1@localhost>")
    put("uno otra vez", message_id="<notice-1@localhost>", date="Tue, 03 Mar 2026 10:05:00 +0000")
    (one,) = mailbox.latest(start=0, count=9)
    assert one.message["Subject"] == "uno otra vez"
    assert len(list(kept.iterdir())) == 1


def test_a_mail_that_cannot_be_put_away_leaves_nothing_behind(kept: Path) -> None:
    kept.mkdir(parents=True)
    put("uno")
    (path,) = kept.iterdir()
    path.unlink()
    path.mkdir()
    (path / "x").touch()
    with pytest.raises(OSError, match="directory"):
        put("uno")
    assert list(kept.iterdir()) == [path]


@pytest.mark.django_db
def test_notices_land_in_it_and_its_page_shows_them(place: Placing, client: Client, kept: Path) -> None:
    order = place()
    assert drain(AT).done == 2
    page = client.get("/buzon/")
    assert page.status_code == 200
    names = [one.name for one in mailbox.latest(start=0, count=9)]
    assert len(names) == 2
    for name in names:
        assert f'href="/buzon/{name}/"' in page.text
        one = client.get(f"/buzon/{name}/")
        assert one.status_code == 200
        assert f'src="/buzon/{name}/html/"' in one.text
        assert order.reference in one.text


@pytest.mark.django_db
def test_the_html_of_a_mail_may_do_nothing_but_be_read(client: Client, kept: Path) -> None:
    put("malo", html="<html><head></head><body><script>alert(1)</script><a href='/'>x</a></body></html>")
    (one,) = mailbox.latest(start=0, count=9)
    answer = client.get(f"/buzon/{one.name}/html/")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; ")) == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "allow-top-navigation-by-user-activation",
    }
    assert answer.text.startswith('<html><head><base target="_top">')
    page = client.get(f"/buzon/{one.name}/")
    assert "alert(1)" not in page.text
    assert 'sandbox="allow-top-navigation-by-user-activation"' in page.text


@pytest.mark.django_db
def test_a_mail_without_html_has_no_frame(client: Client, kept: Path) -> None:
    put("solo texto")
    (one,) = mailbox.latest(start=0, count=9)
    page = client.get(f"/buzon/{one.name}/")
    assert ("texto de solo texto" in page.text, "<iframe" in page.text) == (True, False)
    assert client.get(f"/buzon/{one.name}/html/").status_code == 404


@pytest.mark.django_db
def test_it_is_paged_and_nonsense_is_the_first_page(client: Client, kept: Path) -> None:
    for n in range(60):
        put(f"correo-{n:02}", date=f"Tue, 03 Mar 2026 10:00:{n:02} +0000")
    first, second = client.get("/buzon/"), client.get("/buzon/?pagina=2")
    assert (first.text.count("correo-"), second.text.count("correo-")) == (50, 10)
    assert ("correo-59" in first.text, "correo-09" in second.text) == (True, True)
    assert ("pagina=2" in first.text, "pagina=1" in second.text) == (True, True)
    for nonsense in ("x", "-1", "0", "²", "9" * 40, ""):
        assert client.get("/buzon/", {"pagina": nonsense}).text.count("correo-") == 50
    assert client.get("/buzon/?pagina=999999").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["../settings", "..%2f..%2fetc%2fpasswd", "20260303T100000-000000-zzzzzzzzzzzzzzzz", "x",
             "20260303T100000-000000-0123456789abcdef"],
)  # fmt: skip
def test_other_names_are_not_found(name: str, client: Client, kept: Path) -> None:
    assert client.get(f"/buzon/{name}/").status_code == 404
    assert mailbox.find(name) is None


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["a server", "a mail server"])
def test_there_is_no_page_where_mail_really_goes_out(
    reason: str, client: Client, kept: Path, settings: Settings
) -> None:
    put("uno", html="<html><head></head></html>")
    (one,) = mailbox.latest(start=0, count=9)
    if reason == "a server":
        settings.DEVELOPMENT = False
    else:
        backend = "django.core.mail.backends.smtp.EmailBackend"
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"host": "mail.example"}}}
    for path in ("/buzon/", f"/buzon/{one.name}/", f"/buzon/{one.name}/html/"):
        assert client.get(path).status_code == 404
