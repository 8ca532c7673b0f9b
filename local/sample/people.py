"""The members' accounts at the anchor: profile, standing, sizes, devices.

They are built last, because completed trades and the last activity follow from the members' actions.
"""

from local.sample.table import Part, Table

_BUILD = """
CREATE TABLE accounts AS
WITH deeds AS (
    SELECT i, max(done) AS latest FROM (
        SELECT i, added AS done FROM closet_items UNION ALL SELECT i, added FROM wishes
        UNION ALL SELECT i, made FROM offers_made) WHERE done <= 0 GROUP BY i
), recent AS (
    SELECT i, count(*) AS trades FROM (
        SELECT i, validated FROM trades_agreed UNION ALL SELECT owner, validated FROM trades_agreed)
    WHERE validated <= 0 GROUP BY i
), standing AS (
    SELECT i, level, joined, foot,
        -- No activity is later than the export, also of users who join after it.
        least(0, greatest(joined, coalesce(latest, joined), days(
            CASE WHEN zeal = 0 THEN -60 - 600 * unit('seen', i) ELSE -400 * pow(unit('seen', i), 3) END))) AS seen,
        coalesce(trades, 0) + CASE WHEN level > 0 THEN 0
            ELSE draw('history', i, 1 + zeal * joined / days(-500)) END AS trades
    FROM members LEFT JOIN deeds USING (i) LEFT JOIN recent USING (i)
)
SELECT *, trades >= 4 AND unit('trusted', i) < 0.5 AS trusted,
    unit('sized', i) < 0.92 AS sized,
    CASE WHEN is_staff(i) THEN 1 WHEN unit('devices', i) < 0.12 THEN 0 WHEN unit('devices', i) < 0.85 THEN 1
         WHEN unit('devices', i) < 0.96 THEN 2 ELSE 3 END AS devices
FROM standing ORDER BY i;

-- Preferred sizes (a few have several), sizes ruled out, and brands, which share the value table with sizes.
CREATE TABLE tastes AS
SELECT i, 'mens_size' AS attribute, unnest(CASE WHEN unit('sizes', i) < 0.94 THEN [foot]
    WHEN foot >= 11 THEN [foot, foot - 1] ELSE [foot, foot + 1] END) AS value, TRUE AS preferred
FROM accounts WHERE sized
UNION ALL SELECT i, 'mens_size', (foot + 4) % 13, FALSE FROM accounts WHERE unit('ruled out', i) < 0.1
UNION ALL SELECT i, 'brand', 13 + draw('brand', i, len(getvariable('brands'))), TRUE FROM accounts
WHERE unit('brand fan', i) < 0.35
ORDER BY i, attribute, value;

-- The activity of half a percent was never tracked.
CREATE TABLE activities AS SELECT i, seen FROM accounts WHERE unit('untracked', i) >= 0.005 ORDER BY i;

-- The back office has a file on nine in ten members, and on all that it has judged.
CREATE TABLE files AS
SELECT i, candidate, frozen
FROM (SELECT i, NOT trusted AND trades >= 2 AND unit('candidate', i) < 0.2 AS candidate,
          unit('frozen', i) < 0.01 AS frozen FROM accounts)
WHERE candidate OR frozen OR unit('on file', i) < 0.9 ORDER BY i;

-- Device 0 is the newest; each further device was last used in an earlier part of the time since joining.
CREATE TABLE phones AS
SELECT i, 10 * i + n AS key, joined + floor(greatest(seen - joined, 3600)
    * (1 - pow((n + unit('refreshed', 10 * i + n)) / devices, 2)))::BIGINT AS refreshed
FROM (SELECT *, unnest(range(devices)) AS n FROM accounts) ORDER BY key;
"""

_USERS = """
SELECT member_id(i) AS id,
    CASE WHEN unit('anonymous', i) >= 0.01 THEN pick('handle', i, getvariable('handles')) || '_' || i END AS username,
    CASE WHEN NOT is_staff(i) AND unit('nameless', i) < 0.02 THEN NULL
         WHEN NOT is_staff(i) AND unit('nameless', i) < 0.04 THEN ''
         ELSE pick('first name', i, getvariable('first_names')) END AS first_name,
    CASE WHEN unit('mailless', i) >= 0.02 THEN 'member' || i || '@example.com' END AS email,
    CASE WHEN level = 2 OR (level < 2 AND unit('bioless', i) < 0.4)
         THEN CASE WHEN unit('null bio', i) >= 0.5 THEN pick('blank bio', i, getvariable('blank_bios')) END
         ELSE pick('bio', i, getvariable('bios')) END AS bio,
    CASE WHEN unit('faceless', i) >= 0.2 THEN identity('avatar', i) END AS avatar_id,
    instant(joined) AS created_at,
    CASE WHEN NOT is_staff(i) AND unit('left', i) < 0.03
         THEN getvariable('at_seconds') + joined + draw('left at', i, greatest(-joined, 3600))
         ELSE 0 END AS deleted_at,
    trusted AS is_trusted_trader, trades::INTEGER AS completed_trades_count
FROM accounts"""

_ADMIN_INFORMATIONS = """
SELECT member_id(i) AS user_id, candidate AS is_trusted_trader_candidate,
    CASE WHEN frozen THEN pick('freeze', i, getvariable('freeze_reasons')) END AS freeze_reason
FROM files"""

_DEVICES = """
SELECT member_id(i) AS user_id, fcm_token('token', key) AS token,
    pick('platform', key, getvariable('platforms')) AS platform, instant(refreshed) AS updated_at
FROM phones"""

PART = Part(
    build=_BUILD,
    tables=(
        Table(name="users", query=_USERS),
        Table(
            name="user_activities",
            query="SELECT member_id(i) AS user_id, instant(seen) AS last_active FROM activities",
        ),
        Table(
            name="user_preferences",
            query="SELECT identity('preference', i) AS id, member_id(i) AS user_id FROM accounts",
        ),
        Table(
            name="attribute_preferences",
            query="""
SELECT identity('preference', i) AS user_preference_id, identity('attribute', attribute) AS attribute_id,
    identity('value', value) AS attribute_value_id, preferred
FROM tastes""",
        ),
        Table(name="user_admin_informations", query=_ADMIN_INFORMATIONS),
        Table(name="devices", query=_DEVICES),
    ),
)
