"""`./run bench statement [N]`: the PDF of a statement of N lines (5,000): how long it takes, and the most memory."""

import sys
import time

from benchmarks import ground
from benchmarks.settle import CLOSES_AT, product, received

WANTED_S, WANTED_MB = 60, 500


def main() -> None:
    from settlements.documents import statement_pdf
    from settlements.models import Statement

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    channel_id = ground.fresh(shops=1)
    received(channel_id, count, "S-")
    product(channel_id, CLOSES_AT)
    ground.settle_down()
    statement = Statement.objects.select_related("shop", "channel", "cycle").get()
    if statement.lines_count != count:
        raise SystemExit(f"the statement has {statement.lines_count} lines, not {count}")
    started = time.perf_counter()
    made = statement_pdf(statement)
    seconds = time.perf_counter() - started
    print(
        f"{count:,} lines: {len(made) / 1024:,.0f} KB in {seconds:.1f} s, {ground.peak_mb():.0f} MB at most"
    )
    print(
        f"ratio {seconds / WANTED_S:.2f} of {WANTED_S} s, {ground.peak_mb() / WANTED_MB:.2f} of {WANTED_MB} MB"
    )


if __name__ == "__main__":
    main()
