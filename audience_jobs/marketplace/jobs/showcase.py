"""All users who may care about one product: they have it, want it, or could wear it (layer 2).

Users need a first name and a size, and to have been active. Each is in one audience: having counts before wanting,
and that before neither. Who has or wants several sizes gets the one that is their own, else the one of lowest id.
"""

from audience_jobs.contract import Audience, Check, Column, Freshness, Job, Parameter
from audience_jobs.sql import canonical, is_blank, lowest_first, preferred_sizes

_LONGEST_DAYS = 365
_PRODUCT = canonical("CAST($product_id AS TEXT)")


def _offers_since(days: int) -> str:
    return f"""deleted_at = 0 AND created_at
        BETWEEN CAST($now AS TIMESTAMP) - {days} * INTERVAL '1 day' AND CAST($now AS TIMESTAMP)"""


# Only what touches the product is kept of the events, and that is counted for each of its few variants once.
_SQL = f"""
WITH showcased AS (
    SELECT v.id AS variant_id, min(v.index_cache ->> 'mens_size') AS size
    FROM product_variants v JOIN products p ON p.id = v.product_id
    WHERE p.id = {_PRODUCT}
    GROUP BY v.id
),
active AS (
    SELECT user_id, max(last_active) AS last_active
    FROM user_activities
    GROUP BY user_id
    HAVING max(last_active) >= CAST($now AS TIMESTAMP) - CAST($activity_days AS INTEGER) * INTERVAL '1 day'
),
{preferred_sizes("active")},
holdings AS (
    SELECT user_id, product_variant_id AS variant_id FROM inventory_items
    WHERE status = 'OPEN_FOR_TRADE' AND deleted_at = 0
      AND product_variant_id IN (SELECT variant_id FROM showcased)
),
wished AS (
    SELECT user_id, product_variant_id AS variant_id FROM wishlist_items
    WHERE deleted_at = 0 AND product_variant_id IN (SELECT variant_id FROM showcased)
),
fitting AS (
    SELECT z.user_id, s.variant_id FROM sizes z JOIN showcased s ON s.size = z.size
),
links AS (
    SELECT 1 AS kind, user_id, variant_id FROM holdings
    UNION ALL
    SELECT 2, user_id, variant_id FROM wished
    UNION ALL
    SELECT 3, user_id, variant_id FROM fitting
),
chosen AS (
    SELECT kind, user_id, last_active, usersize, variant_id, size
    FROM (
        SELECT l.kind, l.user_id, a.last_active, z.size AS usersize, l.variant_id, s.size,
            row_number() OVER (PARTITION BY l.user_id ORDER BY l.kind,
                CASE WHEN s.size = z.size THEN 0 ELSE 1 END, {lowest_first("l.variant_id")}) AS choice
        FROM links l
        JOIN active a ON a.user_id = l.user_id
        JOIN sizes z ON z.user_id = l.user_id
        JOIN showcased s ON s.variant_id = l.variant_id
    ) AS choices
    WHERE choice = 1
),
everybody AS (
    SELECT id FROM users WHERE deleted_at = 0
),
inventory AS (
    SELECT variant_id, count(*) AS items FROM holdings
    WHERE user_id IN (SELECT id FROM everybody) GROUP BY variant_id
),
wishes AS (
    SELECT variant_id, count(*) AS items FROM wished
    WHERE user_id IN (SELECT id FROM everybody) GROUP BY variant_id
),
items AS (
    SELECT offer_id, product_variant_id AS variant_id FROM offer_items
    WHERE product_variant_id IN (SELECT variant_id FROM showcased)
),
open_offers AS (
    SELECT variant_id, count(DISTINCT offer_id) AS offers FROM items
    WHERE offer_id IN (SELECT id FROM offers WHERE offer_status IN ('OPEN', 'PENDING') AND {_offers_since(30)})
    GROUP BY variant_id
),
week AS (
    SELECT offer_id, variant_id FROM items WHERE offer_id IN (SELECT id FROM offers WHERE {_offers_since(7)})
),
variant_week AS (
    SELECT variant_id, count(DISTINCT offer_id) AS offers FROM week GROUP BY variant_id
),
product_week AS (
    SELECT count(DISTINCT offer_id) AS offers FROM week
),
product_month AS (
    SELECT count(DISTINCT id) AS trades FROM trades
    WHERE offer_id IN (SELECT offer_id FROM items) AND validation_passed_date
        BETWEEN CAST($now AS TIMESTAMP) - 30 * INTERVAL '1 day' AND CAST($now AS TIMESTAMP)
)
SELECT
    CASE c.kind WHEN 1 THEN 'haves' WHEN 2 THEN 'wants' ELSE 'everybody-else' END AS audience,
    u.id AS user_id,
    u.first_name AS "firstName",
    c.usersize,
    c.variant_id AS "variantID",
    c.size AS relevant_variant_size,
    coalesce(w.items, 0) AS wishlist_count,
    CASE WHEN c.kind = 1 THEN o.offers END AS variant_open_offers,
    CASE WHEN c.kind <> 1 THEN coalesce(i.items, 0) END AS inventory_count,
    coalesce(vw.offers, 0) AS variant_offers_7d,
    pw.offers AS product_offers_7d,
    pm.trades AS product_trades_30d,
    c.last_active AS "lastActive"
FROM chosen c
JOIN users u ON u.id = c.user_id
CROSS JOIN product_week pw
CROSS JOIN product_month pm
LEFT JOIN wishes w ON w.variant_id = c.variant_id
LEFT JOIN inventory i ON i.variant_id = c.variant_id
LEFT JOIN open_offers o ON o.variant_id = c.variant_id
LEFT JOIN variant_week vw ON vw.variant_id = c.variant_id
WHERE u.deleted_at = 0 AND NOT {is_blank("u.first_name")} AND (c.kind <> 1 OR o.offers >= 2)
"""  # noqa: S608 (made of this module's own constants; what a recipe gives is bound)

_WISHLIST_COUNT = Column(
    name="wishlist_count", type="integer", meaning="how many wishlists have the shoe in that size"
)


def _columns(at_hand: Column) -> tuple[Column, ...]:
    return (
        Column(name="user_id", type="text", meaning="the user's id"),
        Column(name="firstName", type="text", meaning="the user's first name; never blank"),
        Column(name="usersize", type="text", meaning="the user's own shoe size, as in their preferences"),
        Column(name="variantID", type="text", meaning="the shoe in the size of the next column, for deep links"),
        Column(name="relevant_variant_size", type="text", meaning="the size that they have, want or wear"),
        _WISHLIST_COUNT,
        at_hand,
        Column(name="variant_offers_7d", type="integer", meaning="offers for that size in the last 7 days"),
        Column(name="product_offers_7d", type="integer", meaning="offers for any size in the last 7 days"),
        Column(name="product_trades_30d", type="integer", meaning="validated trades of any size in the last 30 days"),
        Column(name="lastActive", type="timestamp", meaning="when the user last opened the app"),
    )


_HAVES = _columns(
    Column(
        name="variant_open_offers",
        type="integer",
        meaning="how many offers of the last 30 days for that size are open; at least 2",
    )
)
_OTHERS = _columns(
    Column(name="inventory_count", type="integer", meaning="how many of the shoe in that size are open for trade")
)

JOB = Job(
    id="generate_showcase_push_csvs",
    title="Showcase of one product",
    layer=2,
    parameters=(
        Parameter(name="product_id", type="text", meaning="the id of the product to show"),
        Parameter(
            name="activity_days",
            type="integer",
            default=90,
            minimum=1,
            maximum=_LONGEST_DAYS,
            meaning="how many days ago users may have opened the app at most",
        ),
    ),
    audiences=(
        Audience(name="haves", columns=_HAVES, meaning="users who have the shoe, in a size that others offer for"),
        Audience(name="wants", columns=_OTHERS, meaning="users who wish for the shoe and have none up for trade"),
        Audience(
            name="everybody-else", columns=_OTHERS, meaning="users who neither have nor want it and whose size exists"
        ),
    ),
    sql=_SQL,
    checks=(
        Check(
            name="product",
            failing_sql=f"SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM products WHERE id = {_PRODUCT}",  # noqa: S608 (as above)
            meaning="no product has the id that product_id gives: take one from the table products",
        ),
    ),
    freshness=Freshness(table="user_activities", column="last_active", hours=24 * 7),
)
