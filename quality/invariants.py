"""A shop's score is its reviews."""

from datetime import datetime

from marketplace.invariants import Broken, broken, invariant


@invariant("I23", "A shop's score is the number and the stars of its reviews that are not hidden.")
def scores_are_their_reviews(at: datetime | None) -> Broken:
    return broken(
        """
        WITH said AS (SELECT shop_id, count(*) AS n, sum(stars) AS stars FROM quality_review
                       WHERE hidden_at IS NULL GROUP BY shop_id)
        SELECT 'shop ' || s.code
          FROM sellers_shop s LEFT JOIN quality_score q ON q.shop_id = s.id LEFT JOIN said r ON r.shop_id = s.id
         WHERE coalesce(q.reviews_count, 0) <> coalesce(r.n, 0) OR coalesce(q.stars_sum, 0) <> coalesce(r.stars, 0)
        """
    )
