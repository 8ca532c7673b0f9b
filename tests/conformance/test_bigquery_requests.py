"""Requests to BigQuery as the engine and the catalog send them, against BigQuery's document."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client

from audience_jobs.engines.bigquery_catalog import bigquery_catalog
from audience_jobs.engines.bigquery_request import Limits
from audience_jobs.engines.bigquery_session import bigquery_session
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.workspace import marketplace
from tests.conformance.discovery import document
from tests.conformance.recorded import RecordedHttp, Sent

BIGQUERY = document("bigquery", "v2")
LIMITS = Limits(bytes_billed=10 * 2**30, time=TimeLimit(90, math.inf))
VALUES = {"now": datetime(2026, 11, 23, 18), "n": 3, "yes": True, "text": "'; --", "ids": ["a", "b"]}
_FIELDS = [{"name": "id", "type": "STRING", "mode": "NULLABLE"}]
_DATASET = {"projectId": "demo", "datasetId": "shop"}
_TABLE = {"tableReference": {**_DATASET, "tableId": "users"}, "type": "TABLE"}


def answered(sent: Sent) -> dict[str, Any]:
    """Answer as BigQuery does, where every query has one row."""
    path = sent.url.partition("?")[0]
    reference = {"projectId": "demo", "jobId": "j", "location": "EU"}
    if path.endswith("/jobs"):
        statistics = {"query": {}, "sessionInfo": {"sessionId": "s1"}}
        configuration = {"query": {"destinationTable": {**_DATASET, "tableId": "anon"}}, "jobType": "QUERY"}
        state = {"status": {"state": "DONE"}, "statistics": statistics, "configuration": configuration}
        return {"jobReference": reference, **state}
    if "/queries/" in path:
        result = {"totalRows": "1", "schema": {"fields": _FIELDS}, "rows": [{"f": [{"v": "a"}]}]}
        return {"jobReference": reference, "jobComplete": True, **result}
    if path.endswith("/data"):
        return {"totalRows": "1", "rows": [{"f": [{"v": "a"}]}]}
    if path.endswith("/tables"):
        return {"tables": [_TABLE]}
    if "/tables/" in path:
        return {**_TABLE, "schema": {"fields": _FIELDS}}
    return {"datasetReference": _DATASET, "location": "EU"}


@pytest.fixture
def bigquery() -> tuple[Client, RecordedHttp]:
    client = Client(
        project="demo",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": "http://bigquery.invalid"},
    )
    recorder = RecordedHttp(answered)
    client._http.mount("http://", recorder)
    return client, recorder


def faults(recorder: RecordedHttp) -> list[str]:
    return [fault for sent in recorder.sent for fault in BIGQUERY.request_faults(sent.method, sent.url, sent.body)]


def test_the_jobs_of_a_session_have_no_fault(bigquery: tuple[Client, RecordedHttp]) -> None:
    client, recorder = bigquery
    tables = marketplace().tables
    with bigquery_session(client, "demo.shop", tables, job_id="My.job", limits=LIMITS) as session:
        parameters = ", ".join(f"${name} AS {name}" for name in VALUES if name != "ids")
        assert session.rows(f"SELECT {parameters}", VALUES) == [("a",)]
        session.export("SELECT 1 AS one", {}, "gs://kicks/exports/x/*.parquet")
    jobs = [sent.body for sent in recorder.sent if sent.method == "POST"]
    assert faults(recorder) == []
    assert [job["configuration"]["query"]["maximumBytesBilled"] for job in jobs] == [str(10 * 2**30)] * 3
    assert jobs[0]["configuration"]["query"]["createSession"] is True
    sessions = [job["configuration"]["query"]["connectionProperties"] for job in jobs[1:]]
    assert sessions == [[{"key": "session_id", "value": "s1"}]] * 2


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        ("configuration.query.maximumBytesBilled", 10 * 2**30),
        ("configuration.jobTimeoutMs", 90_000),
        ("configuration.query.maximumBytes", "1"),
        ("configuration.query.queryParameters", {"now": "x"}),
        ("configuration.labels", ["tminus"]),
    ],
)
def test_a_job_with_one_wrong_field_is_refused(
    bigquery: tuple[Client, RecordedHttp], where: str, wrong: object
) -> None:
    client, recorder = bigquery
    with bigquery_session(client, "demo.shop", marketplace().tables, job_id="j", limits=LIMITS) as session:
        session.rows("SELECT 1 AS one")
    job = next(sent.body for sent in recorder.sent if sent.method == "POST")
    *path, name = where.split(".")
    place = job
    for step in path:
        place = place[step]
    place[name] = wrong
    assert len(BIGQUERY.faults("Job", job)) == 1


def test_a_look_at_a_dataset_has_no_fault(bigquery: tuple[Client, RecordedHttp]) -> None:
    client, recorder = bigquery
    ignore: Callable[[str], None] = lambda _: None  # noqa: E731 - a name for what is not wanted
    assert bigquery_catalog(client, "demo.shop", marketplace().tables, ignore).tables
    assert faults(recorder) == []
    assert {sent.url.partition("?")[0].rpartition("/")[2] for sent in recorder.sent} == {"tables", "users", "data"}
