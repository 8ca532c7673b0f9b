"""What queries are sent to BigQuery with, and what its errors mean: what its stand-in knows nothing of."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core import exceptions

from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.engines.bigquery_answers import meaning
from audience_jobs.engines.bigquery_request import Limits, label, request
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.errors import AudienceJobError, BadJob, NotAllowed, TooCostly, TooSlow, Unavailable
from audience_jobs.workspace import marketplace
from tests.audience_jobs.worlds import NOW
from tests.audience_jobs.written import sample_job


class StuckBigQuery:
    """A client of a BigQuery whose queries never end."""

    def __init__(self) -> None:
        self.cancelled = 0

    def get_dataset(self, _: str, **__: object) -> Any:
        return SimpleNamespace(location="EU")

    def query(self, *_: object, **__: object) -> "StuckBigQuery":
        return self

    def result(self, **_: object) -> None:
        raise TimeoutError

    def cancel(self) -> None:
        self.cancelled += 1


LIMITS = Limits(bytes_billed=10 * 2**30, time=TimeLimit(90))


def told(kind: type[exceptions.GoogleAPICallError], message: str, reason: str = "") -> AudienceJobError | Unavailable:
    errors: Any = [{"reason": reason, "message": message}] if reason else []
    return meaning(kind(message, errors=errors), "my_job", LIMITS)


def test_a_query_says_what_it_may_cost_how_long_it_may_take_and_whose_it_is() -> None:
    sent = request(LIMITS, job_id="My.job", session_id="abc", values={}).to_api_repr()
    assert sent["query"]["maximumBytesBilled"] == str(10 * 2**30)
    assert sent["jobTimeoutMs"] == "90000"
    assert sent["labels"] == {"application": "tminus", "audience_job": "my_job"}
    assert sent["query"]["connectionProperties"] == [{"key": "session_id", "value": "abc"}]
    assert "createSession" not in sent["query"] or sent["query"]["createSession"] is False


def test_the_first_query_opens_a_session() -> None:
    assert request(LIMITS, job_id="j", session_id=None, values={}).to_api_repr()["query"]["createSession"] is True


def test_values_are_bound_with_their_types() -> None:
    values = {"now": datetime(2026, 11, 23, 18), "n": 3, "yes": True, "text": "'; --", "ids": ["a", "b"]}
    sent = request(LIMITS, job_id="j", session_id=None, values=values).to_api_repr()["query"]["queryParameters"]
    assert {p["name"]: p["parameterType"]["type"] for p in sent} == {
        "now": "DATETIME",
        "n": "INT64",
        "yes": "BOOL",
        "text": "STRING",
        "ids": "ARRAY",
    }
    assert sent[3]["parameterValue"] == {"value": "'; --"}


@pytest.mark.parametrize(
    ("text", "expected"), [("generate_layer_3-x", "generate_layer_3-x"), ("Ä B.c", "__b_c"), ("x" * 99, "x" * 63)]
)
def test_labels_are_what_google_allows(text: str, expected: str) -> None:
    assert label(text) == expected


def test_a_query_over_the_limit_says_both_figures_and_the_setting() -> None:
    message = "Query exceeded limit for bytes billed: 10737418240. 25769803776 or higher required."
    error = told(exceptions.InternalServerError, message, "bytesBilledLimitExceeded")
    assert isinstance(error, TooCostly)
    assert (error.allowed, error.needed) == (10 * 2**30, 24 * 2**30)
    assert str(error) == (
        "my_job would read 24.00 GiB, more than the 10.00 GiB that a query may: make its SQL read less, or raise "
        "USER_DATASET_MAX_GIB_BILLED; for looks by the API or in the console it is USER_DATASET_MAX_GIB_LOOKED"
    )


@pytest.mark.parametrize(
    ("kind", "reason", "meant"),
    [
        (exceptions.BadRequest, "invalidQuery", BadJob),
        (exceptions.BadRequest, "resourcesExceeded", BadJob),
        (exceptions.Forbidden, "responseTooLarge", BadJob),
        (exceptions.NotFound, "notFound", BadJob),
        (exceptions.Forbidden, "accessDenied", NotAllowed),
        (exceptions.Forbidden, "billingNotEnabled", NotAllowed),
        (exceptions.Forbidden, "", NotAllowed),
        (exceptions.Cancelled, "stopped", TooSlow),
        (exceptions.InternalServerError, "backendError", Unavailable),
        (exceptions.InternalServerError, "internalError", Unavailable),
        (exceptions.Forbidden, "quotaExceeded", Unavailable),
        (exceptions.TooManyRequests, "rateLimitExceeded", Unavailable),
        (exceptions.ServiceUnavailable, "", Unavailable),
    ],
)
def test_an_error_says_what_to_change_unless_it_may_pass(
    kind: type[exceptions.GoogleAPICallError], reason: str, meant: type[Exception]
) -> None:
    error = told(kind, "Something is wrong; reason: twice\nLocation: US", reason)
    assert type(error) is meant
    if meant in (BadJob, NotAllowed):
        assert "my_job" in str(error)
        assert "Something is wrong" in str(error)
        assert "twice" not in str(error)


def test_a_job_that_takes_too_long_is_cancelled() -> None:
    client: Any = StuckBigQuery()
    engine = BigQueryEngine(
        client=client, bucket=None, dataset="demo.shop", workspace=marketplace(), timeout_seconds=0.5
    )
    job = sample_job("SELECT 'all' AS audience, 'u' AS user_id")
    with pytest.raises(TooSlow, match=r"sample was stopped after 0\.5 s"), engine.run(job, {}, now=NOW):
        pass
    assert client.cancelled == 1


def test_a_look_is_billed_for_less_than_an_execution() -> None:
    client: Any = StuckBigQuery()
    engine = BigQueryEngine(client=client, bucket=None, dataset="demo.shop", workspace=marketplace())
    assert engine.within(60).max_bytes_billed == 10 * 2**30 < engine.max_bytes_billed
    strict = BigQueryEngine(
        client=client, bucket=None, dataset="demo.shop", workspace=marketplace(), max_bytes_billed=2**30
    )
    assert strict.within(60).max_bytes_billed == 2**30


def test_a_refused_account_learns_which_roles_it_needs() -> None:
    error = told(exceptions.Forbidden, "Access Denied: Project kicks", "accessDenied")
    for role in ("roles/bigquery.jobUser", "roles/bigquery.dataViewer", "roles/storage.objectUser"):
        assert role in str(error)
