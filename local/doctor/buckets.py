"""Buckets: who can be let in, and what is deleted when."""

from collections.abc import Iterator
from functools import partial

from local.doctor.compare import differences
from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Document, Google


def checks(google: Google, deployment: Deployment) -> Iterator[Check]:
    """Yield a check for each bucket."""
    for bucket in deployment.buckets:
        yield Check(kind="bucket", what=bucket["name"], look=partial(_bucket, google, bucket))


def _bucket(google: Google, expected: Document) -> Iterator[Problem]:
    found = google.get("storage", f"storage/v1/b/{expected['name']}", "storage.buckets.get")
    yield from (Problem(text=each) for each in differences(expected, found))
