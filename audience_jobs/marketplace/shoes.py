"""Which shoe a user wants most, or has and others want: pieces of SQL that several jobs are made of."""

from audience_jobs.sql import lowest_first

SHOES = """
shoes AS (
    SELECT v.id AS variant_id, min(p.name) AS product_name
    FROM product_variants v JOIN products p ON p.id = v.product_id
    GROUP BY v.id
)"""
"""The WITH query of every variant that has a product: `variant_id` and `product_name`."""


def target_shoes(of: str, *, offers: str, wishes: str) -> str:
    """Return WITH queries of which the last, `target_shoes`, has `user_id`, `variant_id` and `product_name`.

    It has the users of the WITH query `of` (of distinct `user_id`) who seem to want a shoe: the first that exists of
    the desired item (most offers, then newest), an item of the newest offer, the newest wish, and any offered item
    whose shoe is gone, which is named Unknown Product. `offers` is a WITH query of offers (`id`, `user_id`,
    `created_at`, `deleted_at`) and `wishes` one of wishes that are not deleted (`id`, `user_id`,
    `product_variant_id`, `created_at`); both may hold more users. `SHOES` has to come before.
    """
    return f"""
desired AS (
    SELECT d.user_id, s.variant_id, s.product_name,
        row_number() OVER (PARTITION BY d.user_id ORDER BY d.offers_count DESC NULLS LAST,
            d.created_at DESC NULLS LAST, {lowest_first("s.variant_id")}) AS place
    FROM desired_items d JOIN shoes s ON s.variant_id = d.product_variant_id
    WHERE d.deleted_at = 0 AND d.user_id IN (SELECT user_id FROM {of})
),
standing_offers AS (
    SELECT id, user_id,
        row_number() OVER (PARTITION BY user_id ORDER BY created_at DESC NULLS LAST, {lowest_first("id")}) AS place
    FROM {offers} WHERE deleted_at = 0 AND user_id IN (SELECT user_id FROM {of})
),
-- Two rankings by id in one pass: items of the newest offer whose shoe exists, and items whose shoe is gone.
own_items AS (
    SELECT o.user_id, o.place AS offer_place, i.product_variant_id AS variant_id, s.product_name,
        s.variant_id IS NULL AS is_gone,
        row_number() OVER (PARTITION BY o.user_id, s.variant_id IS NULL, s.variant_id IS NOT NULL AND o.place = 1
            ORDER BY {lowest_first("i.id")}, i.product_variant_id) AS place
    FROM standing_offers o
    JOIN offer_items i ON i.offer_id = o.id
    LEFT JOIN shoes s ON s.variant_id = i.product_variant_id
    WHERE i.product_variant_id IS NOT NULL
),
wished AS (
    SELECT w.user_id, s.variant_id, s.product_name,
        row_number() OVER (PARTITION BY w.user_id
            ORDER BY w.created_at DESC NULLS LAST, {lowest_first("w.id")}, s.variant_id) AS place
    FROM {wishes} w JOIN shoes s ON s.variant_id = w.product_variant_id
    WHERE w.user_id IN (SELECT user_id FROM {of})
),
target_shoes AS (
    SELECT k.user_id,
        coalesce(d.variant_id, o.variant_id, w.variant_id, g.variant_id) AS variant_id,
        CASE WHEN d.user_id IS NOT NULL THEN d.product_name
             WHEN o.user_id IS NOT NULL THEN o.product_name
             WHEN w.user_id IS NOT NULL THEN w.product_name
             ELSE 'Unknown Product' END AS product_name
    FROM {of} k
    LEFT JOIN desired d ON d.user_id = k.user_id AND d.place = 1
    LEFT JOIN own_items o ON o.user_id = k.user_id AND o.place = 1 AND NOT o.is_gone AND o.offer_place = 1
    LEFT JOIN wished w ON w.user_id = k.user_id AND w.place = 1
    LEFT JOIN own_items g ON g.user_id = k.user_id AND g.place = 1 AND g.is_gone
    WHERE coalesce(d.variant_id, o.variant_id, w.variant_id, g.variant_id) IS NOT NULL
)"""  # noqa: S608 (names of WITH queries)


def hottest_shoes(name: str, of: str, *, counted: str) -> str:
    """Return WITH queries of which the last, `name`, has `user_id`, `variant_id`, `product_name` and `times`.

    For each user of the WITH query `of` it is the variant that they offer for trade which comes most often in
    `counted`, a SELECT of `variant_id` and `times` (at least 1); of equal ones that of the lowest id. `SHOES` has to
    come before.
    """
    return f"""
{name}_counts AS ({counted}),
{name}_own AS (
    SELECT DISTINCT user_id, product_variant_id AS variant_id FROM inventory_items
    WHERE status = 'OPEN_FOR_TRADE' AND deleted_at = 0 AND user_id IN (SELECT user_id FROM {of})
      AND product_variant_id IN (SELECT variant_id FROM {name}_counts)
),
{name} AS (
    SELECT user_id, variant_id, product_name, times
    FROM (
        SELECT o.user_id, o.variant_id, s.product_name, c.times, row_number() OVER (
            PARTITION BY o.user_id ORDER BY c.times DESC, {lowest_first("o.variant_id")}) AS place
        FROM {name}_own o
        JOIN {name}_counts c ON c.variant_id = o.variant_id
        JOIN shoes s ON s.variant_id = o.variant_id
    ) AS ranked
    WHERE place = 1
)"""  # noqa: S608 (names of WITH queries)
