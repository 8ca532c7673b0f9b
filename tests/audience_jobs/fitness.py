"""A workspace of another team: a fitness app with numbers for ids, names in capitals and names that SQL reserves."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from audience_jobs.workspace import Workspace

_TABLES = """
[members.columns]
id = "id"
username = "text"
first_name = "text"
phone = { type = "text", private = true }
bio = "text"
created_at = "timestamp"

[workouts.columns]
memberId = "id"
At = "timestamp"
order = "integer"
minutes = "integer"
done = "boolean"
details = "json"

[profiles.columns]
memberId = "id"
weight = "number"
born = "date"
tags = "text[]"
pro = "boolean"

[Group.columns]
select = "id"

[tokens]
private = true

[tokens.columns]
user_id = "id"
token = "text"
"""
DEVICES = """
[devices.columns]
user_id = "id"
token = "text"
platform = "text"
updated_at = "timestamp"
"""
SECRET = "hush"
_ROWS = {
    "members": f"""id,username,first_name,phone,bio,created_at
1,ann,Ann,{SECRET}-ann,runs,2026-01-01T00:00:00Z
2,bob,Bob,{SECRET}-bob,,2026-02-01T00:00:00Z
30,Zoë,Zoë,{SECRET}-zoe,swims,2026-11-01T00:00:00Z
""",
    "workouts": """memberId,At,order,minutes,done,details
1,2026-11-20T10:00:00Z,1,30,true,"{""kind"": ""run""}"
1,2026-11-21T10:00:00Z,2,45,false,
2,2026-10-01T10:00:00Z,1,15,true,"{""kind"": ""swim""}"
""",
    "profiles": """memberId,weight,born,tags,pro
1,61.5,1990-02-28,"[""pro"", ""de""]",true
2,80,2000-11-24,[],false
30,,,,
""",
    "Group": "select\n1\n30\n",
    "tokens": f"user_id,token\n1,{SECRET}-ann\n",
    "devices": f"""user_id,token,platform,updated_at
1,{SECRET}-phone-ann,ios,2026-11-01T00:00:00Z
2,{SECRET}-phone-bob,android,2026-11-01T00:00:00Z
""",
}


MODELS = {
    "people": """
        SELECT m.id AS user_id, m.username, m.first_name AS "firstName", m.bio, m.created_at AS joined,
            m.phone AS call_me, p.weight, p.born, p.tags, p.pro
        FROM members m LEFT JOIN profiles p ON p.memberId = m.id
    """,
    "devices": "SELECT user_id, token, platform, updated_at FROM devices",
    "trained": """
        SELECT memberId AS user_id, at, "order" AS place, minutes, done, details ->> 'kind' AS kind
        FROM workouts
    """,
    "totals": """
        SELECT user_id, count(*) AS times, max(at) AS latest, sum(minutes) AS minutes FROM trained GROUP BY user_id
    """,
}


def fitness(folder: Path, *, devices: bool = False, models: Mapping[str, str] | None = None) -> Workspace:
    """Write the workspace into a folder, with its user data in `data` below it, and models as in MODELS."""
    if models is not None:
        (folder / "models").mkdir(parents=True)
        for name, sql in models.items():
            (folder / "models" / f"{name}.sql").write_text(dedent(sql).strip(), encoding="utf-8")
    (folder / "data").mkdir(parents=True)
    (folder / "tminus.toml").write_text('name = "fitness"\n')
    (folder / "tables.toml").write_text(_TABLES + (DEVICES if devices else ""))
    for table, rows in _ROWS.items():
        if devices or table != "devices":
            (folder / "data" / f"{table}.csv").write_text(rows, encoding="utf-8")
    return Workspace(folder)
