"""Randomness that depends only on the seed, a label and a key, not on threads or on the order of calls.

The macros read the variables `seed` (text), `users` (count) and `at_seconds` (epoch seconds of the anchor).
Instants inside the sample world are whole seconds relative to the anchor; days are 86,400 seconds.
"""

MACROS = """
-- [0, 1), from 53 bits of an md5: the same on every machine and in every DuckDB version.
CREATE MACRO unit(label, key) AS
    (md5_number_lower(getvariable('seed') || ':' || label || ':' || key) >> 11)::DOUBLE / 9007199254740992;

-- 0 .. n - 1
CREATE MACRO draw(label, key, n) AS floor(unit(label, key) * n)::BIGINT;

CREATE MACRO pick(label, key, options) AS options[1 + draw(label, key, len(options))];

CREATE MACRO digest(label, key) AS md5(getvariable('seed') || ':' || label || ':' || key);

-- Lowercase UUID text with the version (4) and a variant (a) of random ones: RFC 9562, 5.4.
CREATE MACRO identity(label, key) AS
    regexp_replace(digest(label, key), '^(.{8})(.{4}).(.{3}).(.{3})', '\\1-\\2-4\\3-a\\4-');

-- The first three members are the marketplace's own staff, who get test pushes. Their ids do not depend on the seed.
CREATE MACRO is_staff(i) AS i < 3;
CREATE MACRO member_id(i) AS
    CASE WHEN is_staff(i) THEN '00000000-0000-4000-8000-00000000000' || (i + 1) ELSE identity('user', i) END;

-- The shape of an FCM registration token: 22 characters, a marker, 134 characters of url-safe base64.
CREATE MACRO base64_156(label, key) AS
    translate(to_base64(unhex(
        sha256(digest(label, key) || 'a') || sha256(digest(label, key) || 'b')
        || sha256(digest(label, key) || 'c') || sha256(digest(label, key) || 'd'))), '+/', '-_');
CREATE MACRO fcm_token(label, key) AS
    substr(base64_156(label, key), 1, 22) || ':APA91b' || substr(base64_156(label, key), 23, 134);

CREATE MACRO days(n) AS floor(n * 86400)::BIGINT;

CREATE MACRO instant(seconds) AS make_timestamp((getvariable('at_seconds') + seconds) * 1000000);

-- Soft deletion: epoch seconds between a minute and five days after `since`, or 0 for a living row.
CREATE MACRO deletion(label, key, probability, since) AS
    CASE WHEN unit(label, key) < probability
         THEN getvariable('at_seconds') + since + 60 + draw(label || ' when', key, 5 * 86400)
         ELSE 0 END;

-- When a member does something. From 60 to nine days before the anchor the density grows linearly from zero,
-- then it stays constant until eight days after, so that a clock ahead of the export still finds fresh
-- activity. Members who join later act between joining and the end.
CREATE MACRO activity_days(u) AS
    CASE WHEN u < 0.4 THEN -9 + 17 * (u / 0.4) ELSE -9 - 51 * (1 - sqrt(1 - (u - 0.4) / 0.6)) END;
CREATE MACRO active_at(label, key, joined) AS
    CASE WHEN days(activity_days(unit(label, key))) >= joined THEN days(activity_days(unit(label, key)))
         ELSE joined + floor((days(8) - joined) * unit(label || ' late', key))::BIGINT END;
"""
