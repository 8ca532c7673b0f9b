"""What `tminus tables` finds in a dataset of BigQuery."""

from typing import Any

from google.cloud import bigquery

from audience_jobs.engines.bigquery_catalog import bigquery_catalog
from audience_jobs.schema import Tables
from tests.bigquery.emulator import PROJECT


def test_a_dataset_says_its_types(emulated: tuple[bigquery.Client, Any]) -> None:
    client, _ = emulated
    dataset = f"{PROJECT}.quiz"
    client.delete_dataset(dataset, delete_contents=True, not_found_ok=True)
    client.create_dataset(dataset)
    fields = {
        "player_id": "INT64",
        "contact": "STRING",
        "score": "FLOAT64",
        "paid": "BOOL",
        "seen": "TIMESTAMP",
        "born": "DATE",
        "photo": "BYTES",
    }
    declared = ", ".join(f"{name} {type_}" for name, type_ in fields.items())
    client.query(f"CREATE TABLE quiz.Players ({declared}, tags ARRAY<STRING>)").result()
    client.query("INSERT INTO quiz.Players (player_id, contact) VALUES (1, 'ann@quiz.example')").result()
    names: list[str] = []
    found = bigquery_catalog(client, dataset, Tables([]), names.append)
    assert names == ["Players"]
    [players] = found.tables
    assert {column.name: column.type for column in players.columns} == {
        "player_id": "id",
        "contact": "text",
        "score": "number",
        "paid": "boolean",
        "seen": "timestamp",
        "born": "date",
        "tags": "text[]",
    }
    assert [column.name for column in players.columns if column.guess.private] == ["contact"]
    assert found.left_out == ['"photo" (column of Players): is BYTES: read it through a view, as JSON']
