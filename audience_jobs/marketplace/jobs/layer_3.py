"""Users who made an offer, added to their closet or wished for a shoe in the last days (layer 3).

The action has to be old enough that no user is interrupted, and its shoe wanted or at hand often enough that the
push has something to offer. Each user is in one audience: an offer counts before a closet item, and that
before a wish; then the newest action counts.
"""

from audience_jobs.contract import Audience, Check, Column, Job, Parameter
from audience_jobs.sql import is_blank, lowest_first, preferred_sizes

_LONGEST_HOURS = 24 * 365

_IN_WINDOW = """BETWEEN CAST($now AS TIMESTAMP) - CAST($lookback_hours AS INTEGER) * INTERVAL '1 hour'
                     AND CAST($now AS TIMESTAMP) - CAST($cooling_hours AS INTEGER) * INTERVAL '1 hour'"""

# Events are filtered by time first, so that all that follows is as small as the days looked at. "The first of each"
# is row_number() = 1 and not DISTINCT ON, which takes DuckDB three times the memory and cannot spill.
_SQL = f"""
WITH recent_offers AS (
    SELECT id, creator_user_id, created_at FROM offers WHERE deleted_at = 0 AND created_at {_IN_WINDOW}
),
items AS (
    SELECT offer_id, product_variant_id,
        row_number() OVER (PARTITION BY offer_id ORDER BY {lowest_first("id")}, product_variant_id) AS place
    FROM offer_items
    WHERE offer_id IN (SELECT id FROM recent_offers)
),
actions AS (
    SELECT 1 AS kind, o.id, o.creator_user_id AS user_id, i.product_variant_id AS variant_id, o.created_at
    FROM recent_offers o JOIN items i ON i.offer_id = o.id AND i.place = 1
    UNION ALL
    SELECT 2, id, user_id, product_variant_id, created_at
    FROM inventory_items
    WHERE status = 'OPEN_FOR_TRADE' AND deleted_at = 0 AND created_at {_IN_WINDOW}
    UNION ALL
    SELECT 3, id, user_id, product_variant_id, created_at
    FROM wishlist_items
    WHERE deleted_at = 0 AND created_at {_IN_WINDOW}
),
chosen AS (
    SELECT user_id, kind, variant_id
    FROM (
        SELECT user_id, kind, variant_id, row_number() OVER (
            PARTITION BY user_id ORDER BY kind, created_at DESC, {lowest_first("id")}, variant_id) AS place
        FROM actions
        WHERE variant_id IN (SELECT id FROM product_variants WHERE product_id IN (SELECT id FROM products))
    ) AS ranked
    WHERE place = 1
),
shoes AS (
    SELECT v.id AS variant_id, min(p.name) AS product_name, min(v.index_cache ->> 'mens_size') AS size
    FROM product_variants v JOIN products p ON p.id = v.product_id
    WHERE v.id IN (SELECT variant_id FROM chosen)
    GROUP BY v.id
),
{preferred_sizes("chosen")},
members AS (
    SELECT id FROM users WHERE deleted_at = 0
),
inventory AS (
    SELECT product_variant_id AS variant_id, count(*) AS items
    FROM inventory_items
    WHERE status = 'OPEN_FOR_TRADE' AND deleted_at = 0
      AND product_variant_id IN (SELECT variant_id FROM chosen WHERE kind <> 2)
      AND user_id IN (SELECT id FROM members)
    GROUP BY product_variant_id
),
wishes AS (
    SELECT product_variant_id AS variant_id, count(*) AS items
    FROM wishlist_items
    WHERE deleted_at = 0
      AND product_variant_id IN (SELECT variant_id FROM chosen WHERE kind = 2)
      AND user_id IN (SELECT id FROM members)
    GROUP BY product_variant_id
),
activity AS (
    SELECT user_id, max(last_active) AS last_active
    FROM user_activities
    WHERE user_id IN (SELECT user_id FROM chosen)
    GROUP BY user_id
)
SELECT
    CASE c.kind WHEN 1 THEN 'recent-offer-creators' WHEN 2 THEN 'recent-closet-adders'
                ELSE 'recent-wishlist-adders' END AS audience,
    u.id AS user_id,
    u.username,
    u.first_name AS "firstName",
    z.size AS usersize,
    s.size AS relevant_variant_size,
    s.product_name,
    c.variant_id AS "variantID",
    l.last_active AS "lastActive",
    CASE WHEN c.kind <> 2 THEN i.items END AS inventory_count,
    CASE WHEN c.kind = 2 THEN w.items END AS wishlist_count
FROM chosen c
JOIN shoes s ON s.variant_id = c.variant_id
JOIN users u ON u.id = c.user_id
JOIN sizes z ON z.user_id = c.user_id
LEFT JOIN inventory i ON i.variant_id = c.variant_id
LEFT JOIN wishes w ON w.variant_id = c.variant_id
LEFT JOIN activity l ON l.user_id = c.user_id
WHERE u.deleted_at = 0 AND NOT {is_blank("u.first_name")}
  AND ((c.kind <> 2 AND i.items >= 3) OR (c.kind = 2 AND w.items >= 2))
"""  # noqa: S608 (made of this module's own constants; what a recipe gives is bound)

_ABOUT_USER_AND_SHOE = (
    Column(name="user_id", type="text", meaning="the user's id"),
    Column(name="username", type="text", meaning="the user's public name"),
    Column(name="firstName", type="text", meaning="the user's first name; never blank"),
    Column(name="usersize", type="text", meaning="the user's own shoe size, as in their preferences; never blank"),
    Column(name="relevant_variant_size", type="text", meaning="the size of the shoe that they acted on"),
    Column(name="product_name", type="text", meaning="the name of the shoe that they acted on"),
    Column(name="variantID", type="text", meaning="that shoe in that size, for deep links"),
    Column(name="lastActive", type="timestamp", meaning="when the user last opened the app; empty if unknown"),
)
_WITH_INVENTORY = (
    *_ABOUT_USER_AND_SHOE,
    Column(name="inventory_count", type="integer", meaning="how many of that shoe are open for trade; at least 3"),
)
_WITH_WISHES = (
    *_ABOUT_USER_AND_SHOE,
    Column(name="wishlist_count", type="integer", meaning="how many wishlists have that shoe; at least 2"),
)

JOB = Job(
    id="generate_layer_3_push_csvs",
    title="Recent offer creators, closet adders and wishlist adders",
    layer=3,
    parameters=(
        Parameter(
            name="lookback_hours",
            type="integer",
            default=48,
            minimum=1,
            maximum=_LONGEST_HOURS,
            meaning="how many hours old an action may be at most",
        ),
        Parameter(
            name="cooling_hours",
            type="integer",
            default=12,
            minimum=0,
            maximum=_LONGEST_HOURS,
            meaning="how many hours old an action has to be at least",
        ),
    ),
    audiences=(
        Audience(
            name="recent-offer-creators",
            columns=_WITH_INVENTORY,
            meaning="users who made an offer; the shoe is the first item of their newest one",
        ),
        Audience(
            name="recent-closet-adders",
            columns=_WITH_WISHES,
            meaning="users who made no offer but put a shoe up for trade",
        ),
        Audience(
            name="recent-wishlist-adders",
            columns=_WITH_INVENTORY,
            meaning="users who made no offer and put nothing up for trade but wished for a shoe",
        ),
    ),
    sql=_SQL,
    checks=(
        Check(
            name="window",
            failing_sql="""
SELECT CASE WHEN CAST($cooling_hours AS INTEGER) > CAST($lookback_hours AS INTEGER) THEN 1 ELSE 0 END""",
            meaning="cooling_hours is larger than lookback_hours, so that no action can be between the two: "
            "lower cooling_hours or raise lookback_hours",
        ),
    ),
)
