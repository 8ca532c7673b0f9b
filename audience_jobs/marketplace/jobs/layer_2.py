"""Users who have a shoe for which many users currently make offers (layer 2)."""

from audience_jobs.contract import Audience, Column, Freshness, Job, Parameter
from audience_jobs.sql import is_blank, lowest_first, ordinal, preferred_sizes

_LONGEST_DAYS = 365

# An offer targets the variants of its items. Those that count are found by time first: the rest is looked at only
# for their few products.
_SQL = f"""
WITH recent_offers AS (
    SELECT id FROM offers
    WHERE deleted_at = 0 AND created_at <= CAST($now AS TIMESTAMP)
      AND created_at >= CAST($now AS TIMESTAMP) - CAST($lookback_days AS INTEGER) * INTERVAL '1 day'
),
shoes AS (
    SELECT v.id AS variant_id, v.product_id, min(p.name) AS product_name, min(v.index_cache ->> 'mens_size') AS size
    FROM product_variants v JOIN products p ON p.id = v.product_id
    GROUP BY v.id, v.product_id
),
targeted AS (
    SELECT s.product_id, count(DISTINCT i.offer_id) AS offers
    FROM offer_items i JOIN shoes s ON s.variant_id = i.product_variant_id
    WHERE i.offer_id IN (SELECT id FROM recent_offers)
    GROUP BY s.product_id
),
ranked AS (
    SELECT product_id, row_number() OVER (ORDER BY offers DESC, {lowest_first("product_id")}) AS place
    FROM targeted
),
trending AS (
    SELECT s.variant_id, s.product_name, s.size, r.place
    FROM ranked r JOIN shoes s ON s.product_id = r.product_id
    WHERE r.place <= CAST($top AS INTEGER)
),
standing_offers AS (
    SELECT id FROM offers
    WHERE deleted_at = 0 AND offer_status IN ('OPEN', 'PENDING') AND created_at
        BETWEEN CAST($now AS TIMESTAMP) - 30 * INTERVAL '1 day' AND CAST($now AS TIMESTAMP)
),
open_offers AS (
    SELECT product_variant_id AS variant_id, count(DISTINCT offer_id) AS offers
    FROM offer_items
    WHERE product_variant_id IN (SELECT variant_id FROM trending) AND offer_id IN (SELECT id FROM standing_offers)
    GROUP BY product_variant_id
),
active AS (
    SELECT user_id, max(last_active) AS last_active
    FROM user_activities
    GROUP BY user_id
    HAVING max(last_active) >= CAST($now AS TIMESTAMP) - CAST($activity_days AS INTEGER) * INTERVAL '1 day'
),
-- The best rank counts; of two sizes of one product the lowest.
chosen AS (
    SELECT user_id, variant_id, product_name, size, place, last_active
    FROM (
        SELECT i.user_id, t.variant_id, t.product_name, t.size, t.place, a.last_active,
            row_number() OVER (PARTITION BY i.user_id ORDER BY t.place, {lowest_first("t.variant_id")}) AS choice
        FROM inventory_items i
        JOIN trending t ON t.variant_id = i.product_variant_id
        JOIN active a ON a.user_id = i.user_id
        WHERE i.status = 'OPEN_FOR_TRADE' AND i.deleted_at = 0
    ) AS choices
    WHERE choice = 1
),
{preferred_sizes("chosen")},
members AS (
    SELECT id FROM users WHERE deleted_at = 0
),
wishes AS (
    SELECT product_variant_id AS variant_id, count(*) AS items
    FROM wishlist_items
    WHERE deleted_at = 0 AND product_variant_id IN (SELECT variant_id FROM trending)
      AND user_id IN (SELECT id FROM members)
    GROUP BY product_variant_id
)
SELECT
    CASE c.place WHEN 1 THEN 'trending-closet-items-top1' ELSE 'trending-closet-items' END AS audience,
    u.id AS user_id,
    u.username,
    u.first_name AS "firstName",
    z.size AS usersize,
    c.product_name,
    {ordinal("c.place")} AS trending_rank,
    c.variant_id AS "variantID",
    c.size AS relevant_variant_size,
    coalesce(w.items, 0) AS wishlist_count,
    o.offers AS variant_open_offers,
    c.last_active AS "lastActive"
FROM chosen c
JOIN users u ON u.id = c.user_id
JOIN sizes z ON z.user_id = c.user_id
JOIN open_offers o ON o.variant_id = c.variant_id
LEFT JOIN wishes w ON w.variant_id = c.variant_id
WHERE u.deleted_at = 0 AND NOT {is_blank("u.first_name")} AND NOT {is_blank("u.email")}
  AND NOT {is_blank("u.username")} AND o.offers >= 2
"""  # noqa: S608 (made of this module's own constants; what a recipe gives is bound)

_COLUMNS = (
    Column(name="user_id", type="text", meaning="the user's id"),
    Column(name="username", type="text", meaning="the user's public name; never blank"),
    Column(name="firstName", type="text", meaning="the user's first name; never blank"),
    Column(name="usersize", type="text", meaning="the user's own shoe size, as in their preferences; never blank"),
    Column(name="product_name", type="text", meaning="the name of the trending shoe that they have"),
    Column(name="trending_rank", type="text", meaning="how much it trends, in words: 1st, 2nd, 3rd, 4th"),
    Column(name="variantID", type="text", meaning="that shoe in the size that they have, for deep links"),
    Column(name="relevant_variant_size", type="text", meaning="the size that they have"),
    Column(name="wishlist_count", type="integer", meaning="how many wishlists have that shoe in that size"),
    Column(
        name="variant_open_offers",
        type="integer",
        meaning="how many offers of the last 30 days for that shoe in that size are open; at least 2",
    ),
    Column(name="lastActive", type="timestamp", meaning="when the user last opened the app"),
)

JOB = Job(
    id="generate_layer_2_push_csv",
    title="Owners of trending shoes",
    layer=2,
    parameters=(
        Parameter(
            name="lookback_days",
            type="integer",
            default=7,
            minimum=1,
            maximum=_LONGEST_DAYS,
            meaning="how many days of offers say what trends",
        ),
        Parameter(
            name="activity_days",
            type="integer",
            default=90,
            minimum=1,
            maximum=_LONGEST_DAYS,
            meaning="how many days ago users may have opened the app at most",
        ),
        Parameter(name="top", type="integer", default=10, minimum=1, maximum=1000, meaning="how many products trend"),
    ),
    audiences=(
        Audience(
            name="trending-closet-items-top1", columns=_COLUMNS, meaning="users who have the shoe that trends most"
        ),
        Audience(name="trending-closet-items", columns=_COLUMNS, meaning="users who have another shoe that trends"),
    ),
    sql=_SQL,
    freshness=Freshness(table="user_activities", column="last_active", hours=24 * 7),
)
