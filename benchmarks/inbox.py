"""`./run bench inbox [N]`: the inbox of a shop with N messages (200,000) against the same page of a shop with 200.

Both are asked for through the whole site, by a signed-in person, in turns; a search and the filters are told beside it.
It says too whether the search reads an index.
"""

import sys
import time
from statistics import median

from benchmarks import ground
from benchmarks.ground import sql

FEW = 200
ROUNDS = 60
PAGES = (
    ("the inbox", "/mensajes/"),
    ("awaiting my answer", "/mensajes/?ver=esperan"),
    ("unread", "/mensajes/?ver=sin-leer"),
    ("with the operator", "/mensajes/?de=operador"),
    ("a rare word", "/mensajes/?buscar=palabra77"),
    ("a frequent word", "/mensajes/?buscar=pedido"),
)


def talk(channel_id: int, shop_id: int, count: int) -> None:
    """`count` messages of a shop in conversations of four about an order each; one in eight waits and is unread."""
    batch = f"I{shop_id}-"
    ground.orders(channel_id, count // 4, "shipped", batch)
    sql(
        "SET session_replication_role = replica"
    )  # a history is never changed: here it is given to another shop
    sql("UPDATE orders_event SET shop_id = %s FROM orders_order o WHERE o.id = order_id AND o.reference LIKE %s",
        shop_id, batch + "%")  # fmt: skip
    sql("UPDATE orders_order SET shop_id = %s WHERE reference LIKE %s", shop_id, batch + "%")
    sql("SET session_replication_role = DEFAULT")
    sql(
        """
        INSERT INTO messaging_thread (shop_id, channel_id, order_id, reason_code, subject, started_at, written_at,
                                      messages_count, waiting, answer_by, with_customer, with_operator)
        SELECT o.shop_id, o.channel_id, o.id, 'delivery', '', now() - n * interval '1 minute',
               now() - n * interval '1 minute', 4, w::int, CASE WHEN w THEN now() + n * interval '1 minute' END, n %% 16 <> 0,
               n %% 16 = 0
          FROM (SELECT *, row_number() OVER (ORDER BY id) AS n, row_number() OVER (ORDER BY id) %% 8 = 0 AS w
                  FROM orders_order WHERE reference LIKE %s) AS o
        """,
        batch + "%",
    )
    sql(
        """
        INSERT INTO messaging_message (shop_id, thread_id, role, author, to_customer, to_operator, to_shop, to_supplier,
            body, came_by, misdirected, written_at, visible_at, answer_by, answered_at, needs_no_answer, read_by_shop_at)
        SELECT t.shop_id, t.id, CASE WHEN k %% 2 = 0 THEN 'customer' ELSE 'seller' END, 'Ana Soler', k %% 2 = 1, false,
               k %% 2 = 0, false,
               'Sobre mi pedido ' || t.id || ': ' || repeat('el jarrón azul que llegó ayer por la tarde ', 2)
               || 'palabra' || (t.id * 7 + k) %% 5000,
               'page', false, t.written_at, t.written_at, CASE WHEN k = 4 THEN t.answer_by END, NULL, false,
               CASE WHEN k = 4 AND t.waiting > 0 THEN NULL ELSE t.written_at END
          FROM messaging_thread t CROSS JOIN generate_series(1, 4) AS k WHERE t.shop_id = %s ORDER BY t.id, k
        """,
        shop_id,
    )


def reader(shop_id: int) -> object:
    """A browser of somebody who answers in a shop."""
    from django.test import Client

    from sellers.models import Membership, User

    user = User.objects.create_user(f"bench{shop_id}@tienda.example", "no matter", name="Bench")
    Membership.objects.create(user=user, shop_id=shop_id, role=Membership.Role.OWNER)
    client = Client()
    client.force_login(user)
    return client


def once(client: object, address: str) -> float:
    started = time.perf_counter()
    answer = client.get(address)  # type: ignore[attr-defined]
    seconds = time.perf_counter() - started
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")
    return seconds


def plan(shop_id: int) -> str:
    """How the search for a word of a shop is done."""
    from django.db import connection
    from django.utils import timezone

    from dashboard.inbox_queries import said
    from sellers.desk import seller
    from sellers.models import Membership

    member = Membership.objects.select_related("user").get(shop_id=shop_id)
    rows = said(member, "palabra77", by=seller(member), at=timezone.now()).values("id")
    statement, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", params)
        return "\n".join(row[0] for row in cursor.fetchall())


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    from sellers.models import Shop, User

    User.objects.filter(email__startswith="bench").delete()
    channel_id = ground.fresh(shops=3)
    many, few, other = Shop.objects.order_by("id").values_list("id", flat=True)
    for shop_id, messages in ((many, count), (few, FEW), (other, count // 4)):
        talk(channel_id, shop_id, messages)
    ground.settle_down()
    clients = [reader(shop_id) for shop_id in (many, few)]
    for shop_id in (many, few):
        print(plan(shop_id), flush=True)
    ratios = {}
    for name, address in PAGES:
        took: list[list[float]] = [[], []]
        for number in range(ROUNDS + 5):
            for seconds, client in zip(took, clients, strict=True):
                spent = once(client, address)
                if number >= 5:
                    seconds.append(spent)
        large, small = (median(seconds) * 1000 for seconds in took)
        ratios[name] = large / small
        print(
            f"{name:<20} {large:7.1f} ms over {count:,}  {small:7.1f} ms over {FEW}  × {large / small:.2f}",
            flush=True,
        )
    print(
        f"ratio {ratios['the inbox']:.2f}, the p50 of the inbox over {count:,} against {FEW} (wanted: at most 3)"
    )


if __name__ == "__main__":
    main()
