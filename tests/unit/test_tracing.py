"""The trace of a request: read from its headers, and passed on to the requests that follow from it."""

import json
import logging

import pytest

from functions import logs
from functions.domain.tracing import begin, traceparent, within

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_the_standard_header_is_followed() -> None:
    span = begin(f"00-{TRACE}-{PARENT}-01", "ignored")
    assert (span.trace_id, span.parent_id, span.sampled) == (TRACE, PARENT, True)
    assert span.id not in (PARENT, begin(f"00-{TRACE}-{PARENT}-01").id)


def test_a_later_version_of_the_standard_may_have_more_parts() -> None:
    assert begin(f"01-{TRACE}-{PARENT}-00-more").trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{PARENT}-01-more",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}" + "-1" * 10_000,
    ],
)
def test_a_trace_is_made_where_the_header_names_none(header: str) -> None:
    span = begin(header)
    assert span.trace_id != TRACE
    assert (len(span.trace_id), len(span.id), span.parent_id, span.sampled) == (32, 16, "", False)


def test_googles_older_header_counts_where_the_standard_one_is_missing() -> None:
    span = begin("", f"{TRACE}/{int(PARENT, 16)};o=1")
    assert (span.trace_id, span.parent_id, span.sampled) == (TRACE, PARENT, True)
    assert begin("", TRACE).trace_id == TRACE
    assert begin("", f"{TRACE}/99999999999999999999").parent_id == ""


def test_what_follows_from_a_request_has_its_trace_and_names_it_as_parent() -> None:
    span = begin(f"00-{TRACE}-{PARENT}-01")
    assert traceparent() == ""
    with within(span):
        assert traceparent() == f"00-{TRACE}-{span.id}-01"
        assert traceparent("c" * 32) == f"00-{'c' * 32}-{span.id}-01"
        assert traceparent("not a trace") == traceparent()
    assert traceparent("c" * 32) == f"00-{'c' * 32}-{'c' * 15}1-00"


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        pytest.param("", {"trace": TRACE, "span": PARENT}, id="locally"),
        pytest.param(
            "shop",
            {
                "logging.googleapis.com/trace": f"projects/shop/traces/{TRACE}",
                "logging.googleapis.com/spanId": PARENT,
                "logging.googleapis.com/trace_sampled": True,
            },
            id="on Google Cloud",
        ),
    ],
)
def test_a_line_has_its_trace_and_all_that_metrics_count(project: str, expected: dict[str, object]) -> None:
    record = logging.makeLogRecord({"msg": "done", "levelname": "INFO", "action": "step_done", "state": "completed"})
    with logs.context(trace=TRACE, span=PARENT, sampled=True), logs.context(function="finish", execution="e"):
        line = json.loads(logs.JsonFormatter(project).format(record))
    counted = {"action": "step_done", "state": "completed", "function": "finish", "execution": "e"}
    standard = {"severity": "INFO", "message": "done", "time": line["time"]}
    assert line == standard | counted | expected
