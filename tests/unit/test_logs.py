"""A line of the log is one line of JSON, whatever is written into it."""

import json
import logging

import pytest

from functions.logs import JsonFormatter, context

FORGED = 'x\n{"severity": "INFO", "message": "forged"}\r\n\u0085"\\\0\x1b[31m'


def record(message: str, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "tminus", "levelname": "INFO", "msg": message, **extra})


@pytest.mark.parametrize("place", ["message", "extra", "context", "stack"])
def test_no_value_begins_a_line_of_its_own(place: str) -> None:
    if place == "stack":
        try:
            raise ValueError(FORGED)
        except ValueError as error:
            written = record("failed", exc_info=(ValueError, error, error.__traceback__))
    else:
        written = record(FORGED if place == "message" else "done", **({"path": FORGED} if place == "extra" else {}))
    with context(**({"by": FORGED} if place == "context" else {})):
        line = JsonFormatter().format(written)
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line
    read = json.loads(line)
    assert read["severity"] == "INFO"
    key = {"message": "message", "extra": "path", "context": "by", "stack": "stack"}[place]
    assert FORGED in read[key]
