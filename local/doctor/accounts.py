"""Enabled APIs, service accounts and custom roles."""

from collections.abc import Iterator
from functools import partial

from local.doctor.compare import differences
from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Document, Google


def checks(google: Google, deployment: Deployment) -> Iterator[Check]:
    """Yield a check of all APIs, one of all accounts, and one for each custom role."""
    yield Check(kind="apis", what=deployment.project, look=partial(_apis, google, deployment))
    yield Check(kind="accounts", what=deployment.project, look=partial(_accounts, google, deployment))
    for role in deployment.roles:
        yield Check(kind="role", what=role["name"].rpartition("/")[2], look=partial(_role, google, role))


def _apis(google: Google, deployment: Deployment) -> Iterator[Problem]:
    place = f"v1/projects/{deployment.project}/services"
    options = {"filter": "state:ENABLED", "pageSize": "200"}
    found = google.all("serviceusage", place, "serviceusage.services.list", "services", **options)
    enabled = {each["name"].rpartition("/")[2] for each in found}
    for api in deployment.apis:
        if api not in enabled:
            fix = f"gcloud services enable {api} --project={deployment.project}"
            yield Problem(text=f"the API {api} is disabled", fix=fix)


def _accounts(google: Google, deployment: Deployment) -> Iterator[Problem]:
    place = f"v1/projects/{deployment.project}/serviceAccounts"
    found = {
        each["email"]: each
        for each in google.all("iam", place, "iam.serviceAccounts.list", "accounts", pageSize="100")
    }
    for email in deployment.accounts:
        if email not in found:
            yield Problem(text=f"the account {email} does not exist")
        elif found[email].get("disabled"):
            fix = f"gcloud iam service-accounts enable {email} --project={deployment.project}"
            yield Problem(text=f"the account {email} is disabled", fix=fix)


def _role(google: Google, expected: Document) -> Iterator[Problem]:
    found = google.get("iam", f"v1/{expected['name']}", "iam.roles.get")
    if found.get("deleted"):
        yield Problem(text="it is deleted", fix="undelete it with gcloud iam roles undelete, then terraform apply")
    yield from (Problem(text=each) for each in differences(expected, found))
