"""Pieces of SQL that several jobs or engines are made of, in the words that PostgreSQL and DuckDB share."""

from collections.abc import Iterable

from audience_jobs.contract import DEVICES_FILE

# What Unicode calls white space, and the invisible characters that people paste along with a name.
_BEYOND_ASCII = (
    "".join(map(chr, [0xA0, 0x1680, *range(0x2000, 0x200E)])) + "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
_INVISIBLE = "".join(map(chr, [*range(9, 14), *range(28, 33), 0x85])) + _BEYOND_ASCII
_TRIMMED = f" \t\n\r{_BEYOND_ASCII}"
"""Without control characters, which not every engine reads alike in a text that is no pattern."""
_AT_ENDS = " \t\n\r\u00a0\u200b\ufeff"
"""The white space that exports and clipboards leave at the end of a text."""

UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""The pattern of a UUID, alike in Python and the engines."""

FILE_ORDER = "md5(coalesce(user_id, ''))"
"""How audience files are sorted, and cut into partitions."""


RANKED = (*DEVICES_FILE, "place")
"""The columns of `ranked_devices`."""
OPTED_OUT = "opted_out"
"""What a file of devices has as the platform of a user who wants no pushes."""


_LONGEST_LOCALE = 100
"""No locale is longer; user data may hold anything in its place."""


def is_blank(text: str) -> str:
    """Return the condition that a text is NULL, empty or nothing but white space.

    The pattern says where it starts and ends, because `~` finds in PostgreSQL but matches as a whole in DuckDB.
    It is 25 times as fast as trimming.
    """
    return f"({text} IS NULL OR {text} ~ '^[{_INVISIBLE}]*$')"


def lowest_first(key: str) -> str:
    """Return the ORDER BY terms that put the lowest id first, alike for numbers (9 before 10) and UUIDs."""
    return f"length(CAST({key} AS TEXT)), CAST({key} AS TEXT)"


def ordinal(number: str) -> str:
    """Return a whole number as a text that people read: 1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = f"""CASE WHEN {number} % 100 BETWEEN 11 AND 13 THEN 'th' WHEN {number} % 10 = 1 THEN 'st'
        WHEN {number} % 10 = 2 THEN 'nd' WHEN {number} % 10 = 3 THEN 'rd' ELSE 'th' END"""
    return f"CAST({number} AS TEXT) || {ending}"


def preferred_sizes(of: str) -> str:
    """Return WITH queries of which the last, `sizes`, has `user_id` and `size` of the users in the WITH query `of`.

    A size is the preferred value of the attribute `mens_size` that is not blank; of several the one of lowest id.
    """
    return f"""
ranked_values AS (
    SELECT id, value, row_number() OVER (ORDER BY {lowest_first("id")}, value) AS place
    FROM attribute_values WHERE NOT {is_blank("value")}
),
lowest_values AS (
    SELECT p.user_id, min(v.place) AS place
    FROM user_preferences p
    JOIN attribute_preferences ap ON ap.user_preference_id = p.id
    JOIN attributes a ON a.id = ap.attribute_id
    JOIN ranked_values v ON v.id = ap.attribute_value_id
    WHERE p.user_id IN (SELECT user_id FROM {of}) AND a.name = 'mens_size' AND ap.preferred
    GROUP BY p.user_id
),
sizes AS (
    SELECT l.user_id, v.value AS size FROM lowest_values l JOIN ranked_values v ON v.place = l.place
)"""  # noqa: S608 (names of WITH queries)


def canonical(raw: str) -> str:
    """Lower a UUID's case. Comparing first is five times as fast as the pattern, and most ids are in lower case."""
    return f"CASE WHEN {raw} = lower({raw}) THEN {raw} WHEN {raw} ~ '^{UUID}$' THEN lower({raw}) ELSE {raw} END"


def finite(number: str) -> str:
    """Return a number as it is, and NULL for what is none, or infinite: engines compare those differently."""
    return f"CASE WHEN abs(CAST({number} AS DOUBLE PRECISION)) <= 1.7976931348623157E308 THEN {number} END"


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return a text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def in_file_order(select: str, columns: Iterable[str]) -> str:
    """Return a SELECT's rows in the order of audience files: by md5 of user_id, then by these columns.

    An id that is NULL is written as an empty field, and sorted as that: readers of the file see it in order.
    """
    order = ", ".join([FILE_ORDER, *columns])
    return f"SELECT * FROM ({select}) AS unordered ORDER BY {order}"  # noqa: S608 (made of an engine's own SQL)


def trimmed(text: str) -> str:
    """Return a text without white space around it; a test of its ends first is 15 times as fast as trimming."""
    ends = " AND ".join(f"{text} NOT LIKE '%{mark}'" for mark in _AT_ENDS)
    return f"CASE WHEN {text} >= '!' AND {text} < '\x7f' AND {ends} THEN {text} ELSE trim({text}, '{_TRIMMED}') END"


def ranked_devices(recipients: str, per_user: int, *, devices: str, opted_out: str = "", locales: str = "") -> str:
    """Return the SELECT of RANKED for a query of distinct `user_id`, in no order.

    At most `per_user` devices a user, the most recently updated first (place 1). A token belongs to its newest
    registration alone, even if another user registered it before: a phone whose owner has changed gets the pushes of
    its present one, and each of them once. Of registrations at the same time that of the lowest user id counts.

    `devices` is a query of registrations. It says in `notifications` whether a device takes pushes, and the others
    are left out; and in `fid` whether its token is a Firebase installation ID. `opted_out` is a query of the
    `user_id` of users who want none: such a user has one row, with an empty token and OPTED_OUT as platform.
    `locales` is a query of `user_id` and `locale`; without it all locales are empty.
    """
    left_out, kept, said = _without(opted_out) if opted_out else ("", "", "")
    spoken, speaks, locale = _speaking(locales) if locales else ("", "", "''")
    return f"""
WITH recipients AS (
    SELECT user_id, {canonical(trimmed("user_id"))} AS id FROM ({recipients}) AS given
),{left_out}{spoken}
registered AS (
    SELECT {canonical(trimmed("user_id"))} AS user_id, {trimmed("token")} AS token, platform, updated_at, fid,
        notifications
    FROM ({devices}) AS devices
    WHERE NOT {is_blank("token")}
),
owned AS (
    SELECT user_id, token, platform, updated_at, fid, notifications,
        row_number() OVER (
            PARTITION BY token ORDER BY updated_at DESC NULLS LAST, user_id NULLS LAST, platform NULLS LAST
        ) AS registration
    FROM registered
    WHERE token IN (SELECT token FROM registered WHERE user_id IN (SELECT id FROM recipients))
),
ranked AS (
    SELECT r.user_id, t.token, t.platform, t.updated_at, t.fid, {locale} AS locale,
        row_number() OVER (PARTITION BY r.user_id ORDER BY t.updated_at DESC NULLS LAST, t.token) AS place
    FROM owned t JOIN recipients r ON r.id = t.user_id{speaks}
    WHERE t.registration = 1 AND t.notifications{kept}
)
SELECT {", ".join(RANKED)} FROM ranked WHERE place <= {per_user:d}{said}"""  # noqa: S608 (our own SQL; ids are bound or already in a table)


def _without(opted_out: str) -> tuple[str, str, str]:
    """Return what `ranked_devices` has more where users may have opted out."""
    ids = f"SELECT DISTINCT {canonical(trimmed('user_id'))} AS id FROM ({opted_out}) AS asked"  # noqa: S608 (our own SQL)
    said = f"""
UNION ALL
SELECT user_id, '' AS token, '{OPTED_OUT}' AS platform, NULL AS updated_at, '' AS fid, '' AS locale, 1 AS place
FROM recipients
WHERE id IN (SELECT id FROM opted_out)"""  # noqa: S608 (our own SQL)
    return f"\nopted_out AS ({ids}),", " AND NOT r.id IN (SELECT id FROM opted_out)", said


def _speaking(locales: str) -> tuple[str, str, str]:
    """Return what `ranked_devices` has more where users have locales; of several of a user the last counts."""
    locale = f"substring({trimmed('locale')}, 1, {_LONGEST_LOCALE:d})"
    known = f"SELECT {canonical(trimmed('user_id'))} AS id, {locale} AS locale FROM ({locales}) AS asked"  # noqa: S608 (our own SQL)
    spoken = f"""
spoken AS (
    SELECT id, max(locale) AS locale FROM ({known}) AS known WHERE id IN (SELECT id FROM recipients) GROUP BY id
),"""  # noqa: S608 (our own SQL)
    return spoken, " LEFT JOIN spoken s ON s.id = r.id", "coalesce(s.locale, '')"


def devices_of(ranked: str) -> str:
    """Return the SELECT of a file of devices for what `ranked_devices` gives, in the order of the file.

    `updated_at` is in seconds since 1970; an instant without seconds, such as infinity, is none.
    """
    moment = "CAST(updated_at AS TIMESTAMP)"
    seconds = f"CAST(floor(extract(epoch FROM {moment})) AS BIGINT)"
    return f"""
SELECT user_id, token, platform,
    CASE WHEN {moment} BETWEEN TIMESTAMP '1970-01-01' AND TIMESTAMP '9999-12-31' THEN {seconds} END AS updated_at,
    nullif(fid, '') AS fid, nullif(locale, '') AS locale
FROM ({ranked}) AS ranked ORDER BY {FILE_ORDER}, user_id, place"""  # noqa: S608 (our own SQL)
