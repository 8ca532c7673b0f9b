"""An execution has one trace, from the request that starts it to its shards and its cleanup."""

import json
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from functions import bootstrap, logs
from functions.domain import tracing
from functions.domain.execution.execution import Kind, State
from functions.domain.recipe.timeline import Phase
from functions.usecases.by_hand.start import start_by_hand
from local.runtime.serving import SOURCE
from local.sample import generate
from tests.functional.cloud_lab import cloud_lab
from tests.functional.conftest import SEND_AT, START_AT, Lab

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STEPS = {"launch", "build_audience", "send_test", "checkpoint", "send_push", "send_shard", "finish"}
MINUTE = timedelta(minutes=1)


def launch(lab: Lab, header: str = f"00-{TRACE}-{PARENT}-01") -> None:
    """Start the execution of the first send by a request in a trace."""
    lab.run_to(START_AT, inclusive=False)
    named = {"X-CloudScheduler": "true", "X-CloudScheduler-ScheduleTime": f"{START_AT:%Y-%m-%dT%H:%M:%SZ}"}
    answer = lab.runtime.call("launch", {**named, "traceparent": header}, {"recipeId": "welcome"})
    assert answer.status == 200


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def traces(lab: Lab, path: Path) -> dict[str, set[str]]:
    """The traces of an execution's lines, by function."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in lines_of(path):
        if line.get("execution") == lab.id and line["function"] in STEPS:
            found[line["function"]].add(line["trace"])
    return found


@pytest.mark.slow
def test_all_steps_and_shards_are_in_the_trace_of_the_request_that_starts_them(lab: Lab, tmp_path: Path) -> None:
    lab.run_to(START_AT - MINUTE)
    with logs.written_to(tmp_path / "log"):
        launch(lab)
        lab.run_to(START_AT + MINUTE)
        lab.restart().run_to_the_end()  # another process
    assert lab.execution().state is State.COMPLETED
    found = traces(lab, tmp_path / "log")
    assert TRACE in found.pop("launch"), "the scheduler's own comes, too, and finds the execution"
    assert found == {function: {TRACE} for function in STEPS - {"launch"}}
    assert len({line["span"] for line in lines_of(tmp_path / "log") if line.get("trace") == TRACE}) > len(STEPS)


def test_an_execution_that_a_person_starts_is_in_the_trace_of_that_call(lab: Lab) -> None:
    with tracing.within(tracing.begin(f"00-{TRACE}-{PARENT}-00")):
        execution = start_by_hand(lab.ports, "welcome", Kind.TEST, lab.clock.now())
    assert execution.trace_id == TRACE
    assert lab.system is not None
    headers = lab.system.database.rows("SELECT traceparent FROM tasks")
    assert {row["traceparent"].split("-")[1] for row in headers} == {TRACE}


@pytest.mark.long
def test_a_task_that_reconcile_creates_again_stays_in_the_trace(lab: Lab, tmp_path: Path) -> None:
    launch(lab)
    lab.run_to(SEND_AT - MINUTE)
    assert lab.system is not None
    with lab.system.database.transaction() as connection:
        connection.execute("DELETE FROM tasks WHERE function = 'checkpoint'")
    with logs.written_to(tmp_path / "log"):
        lab.run_to_the_end()
    assert traces(lab, tmp_path / "log")["checkpoint"] == {TRACE}


@pytest.mark.slow
def test_an_execution_of_a_release_without_traces_has_one_of_its_own(lab: Lab, tmp_path: Path) -> None:
    launch(lab)
    lab.ports.executions.change(lab.id, lambda execution: replace(execution, trace=""))
    assert lab.system is not None
    with lab.system.database.transaction() as connection:
        connection.execute("UPDATE tasks SET traceparent = ''")
    with logs.written_to(tmp_path / "log"):
        lab.run_to_the_end()
    assert traces(lab, tmp_path / "log")["send_shard"] == {lab.execution().claim}


@pytest.mark.slow
def test_a_queue_of_a_release_without_traces_gets_the_column(lab: Lab) -> None:
    assert lab.system is not None
    lab.run_to(START_AT + MINUTE)
    with lab.system.database.transaction() as connection:
        connection.execute("ALTER TABLE tasks DROP COLUMN traceparent")
    lab.restart().run_to_the_end()
    assert lab.execution().state is State.COMPLETED


@pytest.mark.long
@pytest.mark.slow
def test_on_google_cloud_the_trace_goes_through_the_headers_of_tasks(
    emulators: Mapping[str, str], tmp_path: Path
) -> None:
    del emulators
    noon = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    generate(tmp_path / "data", users=200, seed=1, at=noon)
    with (
        cloud_lab(tmp_path / "lab", noon + timedelta(hours=2, minutes=29), tmp_path / "data") as lab,
        logs.written_to(tmp_path / "log"),
    ):
        lab.save("new-user-welcome")
        lab.cloud.run_until(noon + timedelta(hours=4))
        execution = lab.ports.executions.get("new-user-welcome_20260504T150000Z")
    assert execution is not None
    assert Phase.CLEANUP in execution.phases
    found = defaultdict(set)
    for line in lines_of(tmp_path / "log"):
        if line.get("execution") == execution.id:
            found[line["function"]].add(line["trace"])
    assert found == {function: {execution.trace_id} for function in STEPS}


class Collector:
    """An OpenTelemetry collector over HTTP, which keeps the spans that it gets."""

    def __init__(self, status: int = 200) -> None:
        self.status, self.spans, self.requests = status, [], 0
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(collector.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    spans: list[Any]

    def take(self, path: str, body: bytes) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415 - an optional package
            ExportTraceServiceRequest,
        )

        assert path == "/v1/traces"
        self.requests += 1
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collecting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a collector, and have functions export to it."""
    pytest.importorskip("opentelemetry.exporter.otlp", reason="pip install -r requirements-dev.txt")

    @contextmanager
    def collector(status: int = 200) -> Iterator[Collector]:
        made = Collector(status)
        thread = threading.Thread(target=made.serve)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.address)
        bootstrap.span_collector.cache_clear()
        try:
            yield made
        finally:
            made.close()
            thread.join()
            monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
            bootstrap.span_collector.cache_clear()

    return collector


@pytest.mark.long
def test_a_collector_gets_a_span_of_each_step_below_the_one_that_led_to_it(
    lab: Lab, collecting: Callable[..., Any]
) -> None:
    with collecting() as collector:
        launch(lab)
        lab.run_to_the_end()
    spans = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    assert {span.name for span in spans} == STEPS
    by_id = {span.span_id.hex(): span for span in spans}
    parents = {(span.name, by_id[span.parent_span_id.hex()].name) for span in spans if span.name != "launch"}
    assert {("build_audience", "launch"), ("send_push", "launch"), ("send_shard", "send_push")} <= parents
    [first] = [span for span in spans if span.parent_span_id.hex() == PARENT]
    assert first.name == "launch"
    attributes = {each.key: each.value for each in by_id[spans[-1].span_id.hex()].attributes}
    assert attributes["http.response.status_code"].int_value == 200
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in spans)


@pytest.mark.long
def test_a_collector_that_fails_costs_one_attempt_a_minute_and_no_send(
    lab: Lab, collecting: Callable[..., Any]
) -> None:
    with collecting(status=400) as collector:
        launch(lab)
        lab.run_to_the_end()
    assert lab.execution().state is State.COMPLETED
    assert collector.requests == 1


@pytest.mark.long
def test_without_an_address_nothing_of_it_is_loaded() -> None:
    code = "import main, sys; from functions import bootstrap; assert bootstrap.span_collector() is None; "
    code += "sys.exit('opentelemetry.sdk' in sys.modules or 'opentelemetry.exporter' in sys.modules)"
    environment = {"PYTHONPATH": str(SOURCE.parent)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=SOURCE.parent)
