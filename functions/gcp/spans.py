"""Spans for an OpenTelemetry collector: opentelemetry.io/docs/specs/otlp. Used only if an address is set."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from functions.domain.tracing import Span
from functions.logs import log
from functions.ports.queue import Clock

Attributes = dict[str, str | int]
_PATIENCE_SECONDS = 2.0
_REST = timedelta(minutes=1)
"""How long nothing is exported after a failure, so that a missing collector costs little time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SERVER_ERROR = 500


class SpanCollector:
    """Exports each span when its request is answered: an instance on Cloud Run has no processor time afterwards.

    A span that cannot be exported is lost. That never fails or repeats a request.
    """

    def __init__(self, endpoint: str, version: str, clock: Clock) -> None:
        address = f"{endpoint.rstrip('/')}/v1/traces"
        self._exporter = OTLPSpanExporter(endpoint=address, timeout=_PATIENCE_SECONDS)
        self._resource = _resource(version)
        self._clock = clock
        self._rests_until = _EPOCH

    @contextmanager
    def measured(self, span: Span, name: str, about: Mapping[str, str | int]) -> Iterator[Attributes]:
        """Measure what happens inside the context, and export it; the caller can add attributes."""
        attributes, begun, failed = dict(about), self._clock.now(), False
        try:
            yield attributes
        except BaseException:
            failed = True
            raise
        finally:
            self._export(span, name, attributes, begun, failed=failed)

    def _export(self, span: Span, name: str, attributes: Attributes, begun: datetime, *, failed: bool) -> None:
        ended = self._clock.now()
        if ended < self._rests_until:
            return
        status = attributes.get("http.response.status_code", 0)
        wrong = failed or (isinstance(status, int) and status >= _SERVER_ERROR)
        made = ReadableSpan(
            name=name,
            context=_context(span.trace_id, span.id, sampled=span.sampled),
            parent=_context(span.trace_id, span.parent_id, sampled=span.sampled) if span.parent_id else None,
            resource=self._resource,
            attributes=attributes,
            kind=SpanKind.CONSUMER if "messaging.message.id" in attributes else SpanKind.SERVER,
            status=Status(StatusCode.ERROR if wrong else StatusCode.UNSET),
            start_time=_nanoseconds(begun),
            end_time=_nanoseconds(ended),
        )
        try:
            lost = self._exporter.export([made]) is not SpanExportResult.SUCCESS
        except Exception:  # observing must not fail what is observed
            lost = True
        if lost:
            self._rests_until = ended + _REST
            log.warning("spans are not exported for a minute", extra={"action": "spans_lost"})


def _resource(version: str) -> Resource:
    """Return what all spans have in common. OpenTelemetry's variables, such as OTEL_SERVICE_NAME, add to it."""
    named = Resource.create({"service.namespace": "tminus", "service.version": version})
    unnamed = str(named.attributes["service.name"]).startswith("unknown_service")
    return named.merge(Resource({"service.name": "tminus"})) if unnamed else named


def _context(trace_id: str, span_id: str, *, sampled: bool) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(int(sampled)))


def _nanoseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
