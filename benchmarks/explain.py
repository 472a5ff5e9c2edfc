"""`./run bench explain [N]`: the page that explains a payout of N orders (20,000) against one of 20.

Both are asked for through the whole site, in turns, by a signed-in person; the file of every posting, the page of what
holds the money and that of a past day are told beside it.
"""

import sys
import time
from statistics import median

from benchmarks import ground
from benchmarks.ground import sql
from benchmarks.inbox import reader
from benchmarks.settle import CLOSES_AT, product, received

FEW = 20
ROUNDS = 30


def of_one_shop(channel_id: int, shop_id: int, count: int) -> None:
    """So many received orders of one shop, with their entries and its balance."""
    batch = f"E{shop_id}-"
    received(channel_id, count, batch)
    mine = "SELECT id FROM orders_order WHERE reference LIKE %s"
    entries = f"SELECT id FROM ledger_entry WHERE order_id IN ({mine})"
    whose = {
        "orders_order": f"id IN ({mine})",
        "orders_event": f"order_id IN ({mine})",
        "orders_line": f"order_id IN ({mine})",
        "ledger_posting": f"entry_id IN ({entries})",
        "ledger_entry": f"order_id IN ({mine})",
    }
    sql("SET session_replication_role = replica")  # a past is never changed: here it is given to another shop
    for table, where in whose.items():
        sql(f"UPDATE {table} SET shop_id = %s WHERE {where}", shop_id, batch + "%")
    sql("SET session_replication_role = DEFAULT")
    sql("DELETE FROM ledger_balance")
    sql(
        """
        INSERT INTO ledger_balance (shop_id, channel_id, currency, payable_cents)
        SELECT e.shop_id, e.channel_id, p.currency, -sum(p.amount_cents)
          FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id WHERE p.account = 'payable' GROUP BY 1, 2, 3
        """
    )


def seconds(client: object, address: str) -> float:
    started = time.perf_counter()
    answer = client.get(address)  # type: ignore[attr-defined]
    size = len(answer.getvalue())
    if answer.status_code != 200 or size < 1000:
        raise SystemExit(f"{address} answered {answer.status_code} with {size} bytes")
    return time.perf_counter() - started


def main() -> None:
    from sellers.models import Shop, User
    from settlements.models import Statement

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    User.objects.filter(email__startswith="bench").delete()
    channel_id = ground.fresh(shops=2)
    few_shop, many_shop = Shop.objects.order_by("id").values_list("id", flat=True)
    shops = {few_shop: FEW, many_shop: count}
    for shop_id, orders in shops.items():
        of_one_shop(channel_id, shop_id, orders)
    product(channel_id, CLOSES_AT)
    ground.settle_down()
    pages, clients = {}, {}
    for shop_id, orders in shops.items():
        one = Statement.objects.get(shop_id=shop_id)
        if one.lines_count != orders:
            raise SystemExit(f"the statement has {one.lines_count} lines, not {orders}")
        pages[shop_id], clients[shop_id] = f"/liquidaciones/{one.id}/", reader(shop_id)
    times: dict[int, list[float]] = {shop_id: [] for shop_id in shops}
    for _round in range(ROUNDS):
        for shop_id in shops:
            times[shop_id].append(seconds(clients[shop_id], pages[shop_id]))
    few, many = (median(times[shop_id]) for shop_id in shops)
    print(f"a payout of {FEW} orders: {1000 * few:.1f} ms; of {count:,}: {1000 * many:.1f} ms")
    print(f"ratio {many / few:.2f} (wanted at most 3)")
    for name, address in (
        ("its file of every posting", pages[many_shop].rstrip("/") + ".csv"),
        ("what holds the money", "/liquidaciones/retenido/"),
        ("a past day", "/liquidaciones/a-fecha/?at=2026-03-28T12:00"),
    ):
        print(f"{name}: {1000 * seconds(clients[many_shop], address):.0f} ms")


if __name__ == "__main__":
    main()
