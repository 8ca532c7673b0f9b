"""Structured server logs: one JSON object a line, as Cloud Logging reads it.

Every line has the function, its trace and, once known, the execution. Tokens and message texts are never logged.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

log = logging.getLogger("tminus")

_context: ContextVar[dict[str, object]] = ContextVar("log context")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def context(**values: object) -> Iterator[None]:
    """Add values, such as the execution's id, to every line logged inside the context."""
    token = _context.set({**_context.get({}), **values})
    try:
        yield
    finally:
        _context.reset(token)


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON with Cloud Logging's `severity`, `message` and `time`.

    With a project, the trace has the names by which Cloud Logging shows a line beside its request:
    cloud.google.com/logging/docs/structured-logging. Without one, it is `trace` and `span`.
    """

    def __init__(self, trace_project: str = "") -> None:
        super().__init__()
        self._trace_project = trace_project

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; values passed as `extra` become fields of their own."""
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line: dict[str, object] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            **self._traced(_context.get({})),
            **extra,
        }
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)

    def _traced(self, values: dict[str, object]) -> dict[str, object]:
        values = dict(values)
        trace, span, sampled = (values.pop(name, None) for name in ("trace", "span", "sampled"))
        if trace is None:
            return values
        if not self._trace_project:
            return {**values, "trace": trace, "span": span}
        return {
            **values,
            "logging.googleapis.com/trace": f"projects/{self._trace_project}/traces/{trace}",
            "logging.googleapis.com/spanId": span,
            "logging.googleapis.com/trace_sampled": sampled,
        }


def configure(stream: TextIO, level: int = logging.INFO, *, trace_project: str = "") -> None:
    """Write Tminus's logs to a stream only; `trace_project` is the Google Cloud project of their traces."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(trace_project))
    log.handlers = [handler]
    log.setLevel(level)
    log.propagate = False


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """Append Tminus's logs to a file inside the context."""
    before = (log.handlers, log.level, log.propagate)
    with path.open("a", encoding="utf-8") as stream:
        configure(stream)
        try:
            yield
        finally:
            log.handlers, log.propagate = before[0], before[2]
            log.setLevel(before[1])
