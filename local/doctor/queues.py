"""Queues of Cloud Tasks."""

from collections.abc import Iterator
from functools import partial

from local.doctor.compare import differences
from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Document, Google


def checks(google: Google, deployment: Deployment) -> Iterator[Check]:
    """Yield a check for each queue."""
    for queue in deployment.queues:
        name = queue["name"].rpartition("/")[2]
        missing = "terraform apply; a name that was deleted less than a week ago cannot be used again yet"
        yield Check(kind="queue", what=name, look=partial(_queue, google, deployment, queue, name), missing=missing)


def _queue(google: Google, deployment: Deployment, expected: Document, name: str) -> Iterator[Problem]:
    found = google.get("cloudtasks", f"v2/{expected['name']}", "cloudtasks.queues.get")
    where = f"--location={deployment.location} --project={deployment.project}"
    for each in differences(expected, found):
        paused = each.startswith("state ")
        fix = f"gcloud tasks queues resume {name} {where}"
        yield Problem(text=each, fix=fix) if paused else Problem(text=each)
