"""The filters of a recipe: pieces of SQL over the tables of the marketplace."""

_CANDIDATES = (
    "tminus_candidates AS (SELECT DISTINCT user_id FROM user_admin_informations WHERE is_trusted_trader_candidate)"
)
_SEEN = "tminus_seen AS (SELECT user_id, max(last_active) AS last_active FROM user_activities GROUP BY user_id)"
# Both sides of an offer that became a trade have traded.
_TRADED = """
tminus_validated AS (
    SELECT o.creator_user_id, o.receiver_user_id, t.validation_passed_date AS traded_at
    FROM trades t JOIN offers o ON o.id = t.offer_id
    WHERE t.validation_passed_date <= CAST($now AS TIMESTAMP)
),
tminus_traded AS (
    SELECT user_id, max(traded_at) AS traded_at
    FROM (SELECT creator_user_id AS user_id, traded_at FROM tminus_validated
          UNION ALL
          SELECT receiver_user_id, traded_at FROM tminus_validated) AS sides
    GROUP BY user_id
)"""


def _ago(parameter: str) -> str:
    return f"CAST($now AS TIMESTAMP) - CAST(${parameter} AS INTEGER) * INTERVAL '1 day'"


def _seen(condition: str) -> str:
    return f"u.id IN (SELECT user_id FROM tminus_seen WHERE last_active {condition})"  # noqa: S608 (made of constants)


def _traded_since(parameter: str) -> str:
    # NOT IN would be wrong where a user_id is NULL.
    return f"EXISTS (SELECT 1 FROM tminus_traded t WHERE t.user_id = u.id AND t.traded_at >= {_ago(parameter)})"  # noqa: S608 (as above)


VALUED = {
    "last_active_days": (_SEEN, _seen(f">= {_ago('last_active_days')}")),
    "inactive_days": (_SEEN, _seen(f"< {_ago('inactive_days')}")),
    "traded_days": (_TRADED, _traded_since("traded_days")),
    "not_traded_days": (_TRADED, f"NOT {_traded_since('not_traded_days')}"),
    "min_lifetime_trades": ("", "coalesce(u.completed_trades_count, 0) >= CAST($min_lifetime_trades AS INTEGER)"),
    "max_lifetime_trades": ("", "coalesce(u.completed_trades_count, 0) <= CAST($max_lifetime_trades AS INTEGER)"),
    "joined_after": ("", "u.created_at >= CAST($joined_after AS TIMESTAMP)"),
}
"""Each field of Criteria with a value: the WITH query that it needs, if any, and its condition on a user `u`."""
YES_OR_NO = {
    "trusted_trader": ("", "coalesce(u.is_trusted_trader, FALSE)"),
    "trusted_trader_candidate": (_CANDIDATES, "EXISTS (SELECT 1 FROM tminus_candidates d WHERE d.user_id = u.id)"),
}
"""The same for the fields that are true or false."""
