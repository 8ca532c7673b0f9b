"""What members own and want: inventory, wishlists and desired items.

A row's key is 100 * member + its number within the member (no member has a hundred).
"""

from local.sample.table import Part, Table

_BUILD = """
CREATE TABLE closet_items AS
SELECT i, key, variant, added, status, deleted_at
FROM (
    SELECT i, 100 * i + n AS key, popular_variant('closet', 100 * i + n, foot) AS variant,
        active_at('closet', 100 * i + n, joined) AS added,
        pick('closet status', 100 * i + n, getvariable('item_statuses')) AS status,
        -- A newcomer's first pair stays, or the waterfall level would depend on how a job counts it.
        CASE WHEN level > 0 AND n = 0 THEN 0
             ELSE deletion('closet gone', 100 * i + n, 0.04, active_at('closet', 100 * i + n, joined))
             END AS deleted_at
    FROM (SELECT *, unnest(range(closet)) AS n FROM members)
) ORDER BY key;

-- A member wishes for a variant once: the first draw counts.
CREATE TABLE wishes AS
SELECT i, key, variant, active_at('wish', key, joined) AS added,
    CASE level WHEN 4 THEN deletion('wish gone', key, 1, active_at('wish', key, joined))
               WHEN 5 THEN 0
               ELSE deletion('wish gone', key, 0.08, active_at('wish', key, joined)) END AS deleted_at
FROM (
    SELECT i, level, joined, popular_variant('wish', 100 * i + n, foot) AS variant, min(100 * i + n) AS key
    FROM (SELECT *, unnest(range(wishes)) AS n FROM members) GROUP BY ALL
) ORDER BY key;

CREATE TABLE desires AS
SELECT i, key, variant, active_at('desire', key, joined) AS added,
    floor(pow(12, unit('desire offers', key)) - 1)::INTEGER AS offers_count,
    deletion('desire gone', key, 0.03, active_at('desire', key, joined)) AS deleted_at
FROM (
    SELECT i, joined, popular_variant('desire', 100 * i + n, foot) AS variant, min(100 * i + n) AS key
    FROM (SELECT *, unnest(range(desires)) AS n FROM members) GROUP BY ALL
) ORDER BY key;
"""

PART = Part(
    build=_BUILD,
    tables=(
        Table(
            name="inventory_items",
            query="""
SELECT identity('closet', key) AS id, member_id(i) AS user_id,
    identity('variant', variant) AS product_variant_id, status, instant(added) AS created_at, deleted_at
FROM closet_items""",
        ),
        Table(
            name="wishlist_items",
            query="""
SELECT identity('wish', key) AS id, member_id(i) AS user_id,
    identity('variant', variant) AS product_variant_id, instant(added) AS created_at, deleted_at
FROM wishes""",
        ),
        Table(
            name="desired_items",
            query="""
SELECT member_id(i) AS user_id, identity('variant', variant) AS product_variant_id, offers_count,
    instant(added) AS created_at, deleted_at
FROM desires""",
        ),
    ),
)
