"""Long numbers in a real browser: the page stays as wide as its window."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser

from marketplace.models import Channel
from orders import services
from sellers.models import Shop
from tests.conftest import basket
from tests.e2e.conftest import Site
from tests.e2e.test_first_journey import DESK, PHONE, _opened

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

NUMBER = "WEB-2026-" + "0123456789" * 5


def _placed() -> None:
    new = basket(Shop.objects.get(), at=timezone.now() - timedelta(minutes=5), number=NUMBER)
    services.one(services.place(Channel.objects.get(), [new]))


def test_a_number_of_sixty_letters_widens_no_page(site: Site, browser: Browser) -> None:
    site.inside(_placed)
    for size in (PHONE, DESK):
        page = _opened(browser, site, size)
        for address in ("/", "/pedidos/", f"/pedidos/{NUMBER}-A/"):
            page.goto(address)
            assert NUMBER in page.content()
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], (size, address)
            assert page.evaluate(
                "[...document.querySelectorAll('.orders td, .rows > li > *')]"
                f".every(one => one.getBoundingClientRect().right <= {size[0]})"
            ), (size, address)
