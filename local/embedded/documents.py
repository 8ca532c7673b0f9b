"""Documents as the embedded runtime stores them: compact JSON, unicode kept."""

import json
from collections.abc import Mapping

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def to_text(document: Mapping[str, object]) -> str:
    """Write a document on one line, with keys in the given order; TypeError names a value that JSON lacks."""
    return _encoder.encode(document)
