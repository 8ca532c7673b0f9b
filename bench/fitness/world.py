"""The user data of the condition audience, as Parquet: a fitness app with 20 events a member."""

from pathlib import Path

from bench.marketplace.world import write_tables

_TABLES = {
    "members": """
SELECT i AS id, ['Berlin', 'Wien', 'Zürich', 'Köln', 'Graz'][1 + i % 5] AS city,
    CASE WHEN i % 7 > 0 THEN ['free', 'plus', 'team'][1 + i % 3] END AS plan, 'Europe/Berlin' AS zone,
    (hash('level', i) % 60)::BIGINT AS level, ago(900 * chance('joined', i)) AS joined FROM range($users) t(i)""",
    "phones": """
SELECT i AS member_id, 'token' || i AS token, 'ios' AS platform, ago(1) AS updated_at FROM range($users) t(i)""",
    "workouts": """
SELECT (hash('athlete', i) % $users)::BIGINT AS member_id, ago(120 * chance('workout', i)) AS started_at,
    (10 + hash('minutes', i) % 80)::BIGINT AS minutes, ['run', 'swim', 'row', 'lift'][1 + i % 4] AS kind
FROM range(15 * $users) t(i)""",
    "visits": """
SELECT (hash('visitor', i) % $users)::BIGINT AS member_id, ago(120 * chance('visit', i)) AS at
FROM range(5 * $users) t(i)""",
}


def make(folder: Path, users: int) -> Path:
    """Write the tables of so many members, unless they exist; return the folder."""
    return write_tables(folder, users, _TABLES)
