"""Jobs of Cloud Scheduler: Terraform's own, which reconciles, and those of recipes, which reconcile makes."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from functions.domain.instants import instant
from functions.ports.queue import Clock
from local.doctor.compare import differences
from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Document, Google

_SILENT = timedelta(minutes=15)
"""After this reconcile has missed three runs; the alert policy reconcile_silent waits as long."""
_PREFIX = "tminus-"
_CODES = {4: "DEADLINE_EXCEEDED", 5: "NOT_FOUND", 7: "PERMISSION_DENIED", 13: "INTERNAL", 14: "UNAVAILABLE"}
_RECONCILED = "reconcile corrects it within five minutes; if it stays, look at the log of tminus-reconcile"


def checks(google: Google, deployment: Deployment, clock: Clock) -> Iterator[Check]:
    """Yield a check of Terraform's job, and one of the jobs of all recipes."""
    own = deployment.job["name"].rpartition("/")[2]
    yield Check(kind="job", what=own, look=partial(_own, google, deployment, clock))
    yield Check(kind="jobs of recipes", what=deployment.location, look=partial(_recipes, google, deployment))


def _own(google: Google, deployment: Deployment, clock: Clock) -> Iterator[Problem]:
    expected = deployment.job
    found = google.get("cloudscheduler", f"v1/{expected['name']}", "cloudscheduler.jobs.get")
    name = expected["name"].rpartition("/")[2]
    where = f"--location={deployment.location} --project={deployment.project}"
    for each in differences(expected, found):
        stopped = each.startswith("state ")
        fix = f"gcloud scheduler jobs resume {name} {where}"
        yield Problem(text=each, fix=fix) if stopped else Problem(text=each)
    log = where.replace("--location", "--region")
    yield from _failed(found, f"look at the log: gcloud run services logs read tminus-reconcile {log}")
    since = _last(found)
    if found.get("state") == "ENABLED" and since is not None and clock.now() - since > _SILENT:
        text = f"it has not run since {since:%Y-%m-%d %H:%M} UTC"
        yield Problem(text=text, fix=f"gcloud scheduler jobs run {name} {where}, then look at its status")


def _last(job: Document) -> datetime | None:
    """Return when a job last ran or was last changed, the later of both."""
    return max((instant(job[name]) for name in ("lastAttemptTime", "userUpdateTime") if job.get(name)), default=None)


def _failed(job: Document, fix: str) -> Iterator[Problem]:
    status: Mapping[str, Any] = job.get("status") or {}
    if status.get("code"):
        code = _CODES.get(status["code"], f"code {status['code']}")
        told = f": {status['message']}" if status.get("message") else ""
        yield Problem(text=f"its last run failed with {code}{told}", fix=fix)


def _recipes(google: Google, deployment: Deployment) -> Iterator[Problem]:
    url, caller = deployment.recipes["url"], deployment.recipes["caller"]
    token = {"serviceAccountEmail": caller, "audience": url}
    expected = {"state": "ENABLED", "httpTarget": {"uri": url, "oidcToken": token}}
    jobs = google.all(
        "cloudscheduler", f"v1/{deployment.place}/jobs", "cloudscheduler.jobs.list", "jobs", pageSize="500"
    )
    for job in jobs:
        name = job["name"].rpartition("/")[2]
        if name.startswith(_PREFIX):
            problems = [Problem(text=each, fix=_RECONCILED) for each in differences(expected, job)]
            problems += _failed(job, "look at the log of tminus-launch")
            yield from (Problem(text=f"{name}: {each.text}", fix=each.fix) for each in problems)
