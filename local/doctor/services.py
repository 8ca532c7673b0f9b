"""Services of Cloud Run: those of the functions, and the console with its proxy."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from local.doctor.compare import differences
from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Document, Google

_READY = "CONDITION_SUCCEEDED"


def checks(google: Google, deployment: Deployment) -> Iterator[Check]:
    """Yield a check for each service."""
    for service in deployment.services:
        name = service["name"].rpartition("/")[2]
        yield Check(kind="service", what=name, look=partial(_service, google, deployment, service))


def read_service(google: Google, name: str) -> Document:
    """Return a service by its full name."""
    return google.get("run", f"v2/{name}", "run.services.get")


def _service(google: Google, deployment: Deployment, expected: Document) -> Iterator[Problem]:
    found, name = read_service(google, expected["name"]), expected["name"].rpartition("/")[2]
    ready = found.get("terminalCondition", {})
    if ready.get("state") != _READY:
        where = f"--region={deployment.location} --project={deployment.project}"
        text = f"it is not ready: {ready.get('message') or ready.get('state', 'unknown state')}"
        yield Problem(text=text, fix=f"look at the log: gcloud run services logs read {name} {where}")
    if found.get("invokerIamDisabled"):
        yield Problem(text="anybody may call it: its check of callers is off")
    for each in differences(expected, _with_short_secrets(found)):
        yield Problem(text="Identity-Aware Proxy is off") if each.startswith("iapEnabled ") else Problem(text=each)


def _with_short_secrets(service: Document) -> Document:
    """Return a service in which a secret of the project has its id alone: both forms are valid."""
    template = service.get("template", {})
    containers = [{**each, "env": [*map(_short, each.get("env", ()))]} for each in template.get("containers", ())]
    return {**service, "template": {**template, "containers": containers}}


def _short(variable: Any) -> Any:
    key = variable.get("valueSource", {}).get("secretKeyRef")
    if not key:
        return variable
    return {**variable, "valueSource": {"secretKeyRef": {**key, "secret": key.get("secret", "").rpartition("/")[2]}}}
