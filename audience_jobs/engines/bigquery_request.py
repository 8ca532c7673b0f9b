"""The configuration of a BigQuery query: its limits, its labels and its parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from google.cloud.bigquery import ArrayQueryParameter, QueryJobConfig, ScalarQueryParameter
from google.cloud.bigquery.query import ConnectionProperty

from audience_jobs.engines.time_limit import TimeLimit

_LONGEST_LABEL = 63


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a query: billed bytes, and how long it may take."""

    bytes_billed: int
    time: TimeLimit


def request(limits: Limits, *, job_id: str, session_id: str | None, values: Mapping[str, object]) -> QueryJobConfig:
    """Return the configuration of a job's query in a BigQuery session; without a session the query opens one.

    `values` are bound to `@name`: texts, whole numbers, booleans, times without zone, and lists of texts.
    """
    config = QueryJobConfig(
        maximum_bytes_billed=limits.bytes_billed,
        labels={"application": "tminus", "audience_job": label(job_id)},
        query_parameters=[_parameter(name, value) for name, value in values.items()],
        create_session=session_id is None,
        connection_properties=[ConnectionProperty("session_id", session_id)] if session_id else [],
    )
    config.job_timeout_ms = max(1, round(limits.time.left(job_id) * 1000))
    return config


def label(text: str) -> str:
    """Return a text as a label: at most 63 of a-z, 0-9, _ and -: cloud.google.com/bigquery/docs/labels-intro."""
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:_LONGEST_LABEL]


def _parameter(name: str, value: object) -> ScalarQueryParameter | ArrayQueryParameter:
    if isinstance(value, list):
        return ArrayQueryParameter(name, "STRING", value)
    if isinstance(value, datetime):
        return ScalarQueryParameter(name, "DATETIME", value)
    if isinstance(value, int):
        return ScalarQueryParameter(name, "BOOL" if isinstance(value, bool) else "INT64", value)
    return ScalarQueryParameter(name, "STRING", str(value))
