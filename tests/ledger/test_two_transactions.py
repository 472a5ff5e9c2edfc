"""What can only be seen across transactions that really end."""

import pytest
from django.db import IntegrityError, connection

from ledger.models import Account, Posting
from ledger.services import adjust
from marketplace.services import open_channel
from sellers.models import Shop
from tests.conftest import AT


@pytest.mark.rule("SET-04")
def test_a_posting_that_comes_later_is_refused(own_database: str) -> None:
    """Only the transaction that made an entry may post to it."""
    channel = open_channel("tienda", "Tienda", by="x", at=AT)
    shop = Shop.objects.create(code="alba", name="Alba")
    (entry_id,) = adjust(shop.id, channel.id, 500, "EUR", key="1", note="", at=AT).values()
    rows = ((Account.BANK, 100), (Account.PAYABLE, -100))
    values = ", ".join(
        f"({entry_id}, {shop.id}, '{account}', 'PAYMENT', 'EUR', {cents})" for account, cents in rows
    )
    with pytest.raises(IntegrityError, match="came after"), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO ledger_posting (entry_id, shop_id, account, kind, currency, amount_cents) VALUES {values}"
        )
    assert Posting.objects.count() == 2
