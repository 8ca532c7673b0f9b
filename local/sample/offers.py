"""Offers of trades between users, and their outcomes.

An offer's key is 100 * creator + its number within the creator; an item's key is 10 * offer + its number.
"""

from local.sample.table import Part, Table

_BUILD = """
-- Tradeable pairs by size: an offer goes to a user who owns the pair, so large closets get most offers.
CREATE TABLE shelves AS
SELECT i AS owner, variant, variant % 13 AS size,
    row_number() OVER (PARTITION BY variant % 13 ORDER BY key) - 1 AS place
FROM closet_items WHERE status = 'OPEN_FOR_TRADE' AND deleted_at = 0;

CREATE TABLE offers_made AS
WITH intents AS (
    SELECT i, n, 100 * i + n AS key, level, foot, active_at('offer', 100 * i + n, joined) AS made,
        fitting('offer', 100 * i + n, foot) AS size
    FROM (SELECT *, unnest(range(offers)) AS n FROM members)
)
SELECT i, key, foot, owner, variant, made, pick('offer status', key, getvariable('offer_statuses')) AS status,
    CASE WHEN level > 0 AND n = 0 THEN 0 ELSE deletion('offer gone', key, 0.02, made) END AS deleted_at
FROM intents
JOIN (SELECT size, count(*) AS depth FROM shelves GROUP BY size) USING (size)
JOIN shelves USING (size)
WHERE place = draw('offer for', key, depth) AND owner <> i
ORDER BY key;

-- Three in four offers are for one pair, the others for up to four.
CREATE TABLE pairs_offered AS
SELECT offer, 10 * offer + n AS key,
    CASE WHEN n = 0 THEN variant ELSE popular_variant('offer item', 10 * offer + n, foot) END AS variant
FROM (
    SELECT key AS offer, foot, variant,
        unnest(range(CASE WHEN unit('several', key) < 0.75 THEN 1 ELSE 2 + draw('items', key, 3) END)) AS n
    FROM offers_made
) ORDER BY key;

-- `validated` is NULL while (or because) the shoes have not passed the check.
CREATE TABLE trades_agreed AS
SELECT key, i, owner,
    CASE WHEN unit('validated', key) < 0.75 THEN made + days(1) + draw('validation', key, 6 * 86400) END AS validated
FROM offers_made WHERE status = 'ACCEPTED' AND unit('traded', key) < 0.9 ORDER BY key;
"""

PART = Part(
    build=_BUILD,
    tables=(
        Table(
            name="offers",
            query="""
SELECT identity('offer', key) AS id, member_id(i) AS creator_user_id,
    member_id(owner) AS receiver_user_id, status AS offer_status, instant(made) AS created_at, deleted_at
FROM offers_made""",
        ),
        Table(
            name="offer_items",
            query="""
SELECT identity('offer item', key) AS id, identity('offer', offer) AS offer_id,
    identity('variant', variant) AS product_variant_id
FROM pairs_offered""",
        ),
        Table(
            name="trades",
            query="""
SELECT identity('trade', key) AS id, identity('offer', key) AS offer_id,
    instant(validated) AS validation_passed_date
FROM trades_agreed""",
        ),
    ),
)
