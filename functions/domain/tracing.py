"""Traces: which requests belong together, from the one that starts an execution to its shards and its cleanup.

A request carries its trace in the header `traceparent`: www.w3.org/TR/trace-context.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "traceparent"
GOOGLES_HEADER = "X-Cloud-Trace-Context"
"""Older than the standard: cloud.google.com/trace/docs/trace-context#legacy-http-header."""
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_GOOGLES = re.compile(r"([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;o=([0-9]+))?")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


@dataclass(frozen=True, kw_only=True)
class Span:
    """One request of a trace. Ids are in hexadecimal; `parent_id` is empty at the beginning of a trace."""

    trace_id: str
    id: str
    parent_id: str = ""
    sampled: bool = False


_current: ContextVar[Span] = ContextVar("span")


def begin(header: str = "", googles_header: str = "") -> Span:
    """Return the span of a request with these headers: in the trace that one of them names, else in a new one.

    >>> begin("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").trace_id
    '0af7651916cd43dd8448eb211c80319c'
    """
    known = _standard(header) or _googles(googles_header)
    trace_id, parent_id, sampled = known or (secrets.token_hex(16), "", False)
    return Span(trace_id=trace_id, id=secrets.token_hex(8), parent_id=parent_id, sampled=sampled)


@contextmanager
def within(span: Span) -> Iterator[None]:
    """Make a span the current one inside the context."""
    token = _current.set(span)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Span | None:
    """Return the span of the request that is being served, if one is."""
    return _current.get(None)


def traceparent(trace_id: str = "") -> str:
    """Return the header for a request that follows from the current one; empty if it belongs to no trace.

    It is in the trace `trace_id`, or without one in the current trace.
    """
    span, known = current(), _TRACE_ID.fullmatch(trace_id) and trace_id != _NO_TRACE
    if not known and span is None:
        return ""
    trace = trace_id if known or span is None else span.trace_id
    parent = span.id if span else trace[:15] + "1"
    return f"00-{trace}-{parent}-{'01' if span and span.sampled else '00'}"


def _standard(header: str) -> tuple[str, str, bool] | None:
    found = _TRACEPARENT.fullmatch(header.strip())
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or parent_id == _NO_SPAN:
        return None
    return trace_id, parent_id, bool(int(flags, 16) & 1)


def _googles(header: str) -> tuple[str, str, bool] | None:
    found = _GOOGLES.fullmatch(header.strip())
    if found is None or found[1] == _NO_TRACE:
        return None
    parent = int(found[2] or 0)
    parent_id = f"{parent:016x}" if 0 < parent < 2**64 else ""
    return found[1].lower(), parent_id, found[3] == "1"
