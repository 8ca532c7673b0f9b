"""Secrets: that each exists and has a value, which is never read."""

from collections.abc import Iterator
from functools import partial

from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Google, Missing


def checks(google: Google, deployment: Deployment) -> Iterator[Check]:
    """Yield a check for each secret. Terraform makes none, so a missing one has to be made by hand."""
    for secret in deployment.secrets:
        name = secret.rpartition("/")[2]
        missing = (
            f"gcloud secrets create {name} --data-file=FILE --project={deployment.project}, then terraform apply"
        )
        look = partial(_secret, google, deployment, secret, name)
        yield Check(kind="secret", what=name, look=look, missing=missing)


def _secret(google: Google, deployment: Deployment, secret: str, name: str) -> Iterator[Problem]:
    google.get("secretmanager", f"v1/{secret}", "secretmanager.secrets.get")
    add = f"gcloud secrets versions add {name} --data-file=FILE --project={deployment.project}"
    try:
        latest = google.get("secretmanager", f"v1/{secret}/versions/latest", "secretmanager.versions.get")
    except Missing:
        yield Problem(text="it has no version, so it has no value", fix=add)
        return
    if latest.get("state") != "ENABLED":
        yield Problem(text=f"its latest version, which functions read, is {latest.get('state')}", fix=add)
