"""New users, each in the audience of the first step of the product that they have not taken (layer 5).

The steps: have a shoe, have a bio, make an offer, wish for a shoe. A user who took all four is a new star. A user
of level n passed every step before the n-th, which the job's checks work out again from the source tables.
"""

from audience_jobs.contract import Audience, Check, Column, Job, Parameter
from audience_jobs.marketplace.shoes import SHOES, target_shoes
from audience_jobs.sql import is_blank

_IS_NEW = f"""u.deleted_at = 0 AND NOT {is_blank("u.first_name")}
      AND u.created_at BETWEEN CAST($now AS TIMESTAMP) - CAST($max_days AS INTEGER) * INTERVAL '1 day'
                           AND CAST($now AS TIMESTAMP) - CAST($min_hours AS INTEGER) * INTERVAL '1 hour'"""
_LACKS_BIO = f"""({is_blank("u.bio")} OR (CAST($require_avatar AS BOOLEAN) AND u.avatar_id IS NULL))"""

# A table of events is cut down to new users wherever it is read: they are few, and events are many.
_SQL = f"""
WITH new_users AS (
    SELECT u.id, u.username, u.first_name, {_LACKS_BIO} AS lacks_bio FROM users u WHERE {_IS_NEW}
),
owners AS (
    SELECT DISTINCT user_id FROM inventory_items WHERE user_id IN (SELECT id FROM new_users)
),
own_offers AS (
    SELECT id, creator_user_id AS user_id, created_at, deleted_at
    FROM offers WHERE creator_user_id IN (SELECT id FROM new_users)
),
own_wishes AS (
    SELECT id, user_id, product_variant_id, created_at
    FROM wishlist_items WHERE deleted_at = 0 AND user_id IN (SELECT id FROM new_users)
),
-- A user who is in the table twice gets one level: the lowest.
leveled AS (
    SELECT u.id, u.username, u.first_name,
        min(CASE WHEN i.user_id IS NULL THEN 1 WHEN u.lacks_bio THEN 2 WHEN o.user_id IS NULL THEN 3
                 WHEN w.user_id IS NULL THEN 4 ELSE 5 END) OVER (PARTITION BY u.id) AS level
    FROM new_users u
    LEFT JOIN owners i ON i.user_id = u.id
    LEFT JOIN (SELECT DISTINCT user_id FROM own_offers) o ON o.user_id = u.id
    LEFT JOIN (SELECT DISTINCT user_id FROM own_wishes) w ON w.user_id = u.id
),
seekers AS (
    SELECT DISTINCT id AS user_id FROM leveled WHERE level >= 3
),
{SHOES},
{target_shoes("seekers", offers="own_offers", wishes="own_wishes")}
SELECT
    CASE l.level WHEN 1 THEN 'no-shoes' WHEN 2 THEN 'no-bio' WHEN 3 THEN 'no-offers'
                 WHEN 4 THEN 'no-wishlist' ELSE 'new-stars' END AS audience,
    l.id AS user_id,
    l.username,
    l.first_name AS "firstName",
    l.level AS new_user_level,
    t.product_name AS top_target_shoe,
    t.variant_id AS top_target_shoe_variantid
FROM leveled l LEFT JOIN target_shoes t ON t.user_id = l.id
"""  # noqa: S608 (made of this module's own constants; what a recipe gives is bound)

_CHECKS = (
    Check(
        name="window",
        failing_sql="""
SELECT CASE WHEN CAST($min_hours AS INTEGER) > 24 * CAST($max_days AS INTEGER) THEN 1 ELSE 0 END""",
        meaning="min_hours is longer than max_days, so that no user can be new: lower min_hours or raise max_days",
    ),
    Check(
        name="disjoint",
        failing_sql="""
SELECT count(*)
FROM (SELECT user_id FROM job_rows GROUP BY user_id HAVING count(DISTINCT audience) > 1) AS torn""",
        meaning="some new users are in more than one audience and would get two pushes of the series",
    ),
    Check(
        name="complete",
        failing_sql=f"""
SELECT count(*)
FROM (SELECT u.id FROM users u WHERE {_IS_NEW} EXCEPT SELECT user_id FROM job_rows) AS lost""",  # noqa: S608 (as above)
        meaning="some new users are in no audience and would be left out of the series",
    ),
    Check(
        name="monotone",
        failing_sql=f"""
SELECT (SELECT count(*) FROM job_rows r WHERE r.new_user_level >= 2
            AND NOT EXISTS (SELECT 1 FROM inventory_items i WHERE i.user_id = r.user_id))
     + (SELECT count(*) FROM job_rows r JOIN users u ON u.id = r.user_id
        WHERE r.new_user_level >= 3 AND {_LACKS_BIO} AND {_IS_NEW})
     + (SELECT count(*) FROM job_rows r WHERE r.new_user_level >= 4
            AND NOT EXISTS (SELECT 1 FROM offers o WHERE o.creator_user_id = r.user_id))
     + (SELECT count(*) FROM job_rows r WHERE r.new_user_level >= 5
            AND NOT EXISTS (SELECT 1 FROM wishlist_items w WHERE w.user_id = r.user_id AND w.deleted_at = 0))
""",  # noqa: S608 (as above)
        meaning="some new users are on a later step of the series than they have reached",
    ),
)

_ABOUT_USER = (
    Column(name="user_id", type="text", meaning="the user's id"),
    Column(name="username", type="text", meaning="the user's public name"),
    Column(name="firstName", type="text", meaning="the user's first name; never blank"),
    Column(name="new_user_level", type="integer", meaning="the step they are on: 1 (no shoes) to 5 (new star)"),
)
_WITH_SHOE = (
    *_ABOUT_USER,
    Column(
        name="top_target_shoe",
        type="text",
        meaning="the name of the shoe they seem to want most; empty if unknown, "
        "Unknown Product where it is no longer in the shop",
    ),
    Column(
        name="top_target_shoe_variantid",
        type="text",
        meaning="that shoe in its size, for deep links; empty if unknown",
    ),
)

JOB = Job(
    id="generate_new_user_waterfall",
    title="New user waterfall",
    layer=5,
    parameters=(
        Parameter(
            name="min_hours",
            type="integer",
            default=12,
            minimum=0,
            maximum=24 * 365,
            meaning="the least number of hours since a user joined",
        ),
        Parameter(
            name="max_days",
            type="integer",
            default=14,
            minimum=1,
            maximum=365,
            meaning="how many days ago users may have joined at most",
        ),
        Parameter(
            name="require_avatar",
            type="boolean",
            default=False,
            meaning="whether a bio without a picture counts as no bio",
        ),
    ),
    audiences=(
        Audience(name="no-shoes", columns=_ABOUT_USER, meaning="new users whose closet has always been empty"),
        Audience(name="no-bio", columns=_ABOUT_USER, meaning="new users with a shoe but no bio"),
        Audience(name="no-offers", columns=_WITH_SHOE, meaning="new users with shoe and bio who never made an offer"),
        Audience(name="no-wishlist", columns=_WITH_SHOE, meaning="new users who made an offer but wish for nothing"),
        Audience(name="new-stars", columns=_WITH_SHOE, meaning="new users who have taken every step"),
    ),
    sql=_SQL,
    checks=_CHECKS,
)
