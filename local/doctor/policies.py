"""Who may do what: the IAM policy of each resource that Tminus has bindings on."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Document, Google

_EVERYBODY = ("allUsers", "allAuthenticatedUsers")
_VERSION = {"options.requestedPolicyVersion": "3"}
_ASKED = {"options": {"requestedPolicyVersion": 3}}
_CLOSED = {"service": "roles/run.invoker", "proxy": "roles/iap.httpsResourceAccessor"}
"""Roles that only the expected members should have, by the kind of resource."""
_DATASET_ROLES = {
    "READER": "roles/bigquery.dataViewer",
    "WRITER": "roles/bigquery.dataEditor",
    "OWNER": "roles/bigquery.dataOwner",
}


class _Held(NamedTuple):
    """A role that a member has, under a condition in CEL, or without one."""

    role: str
    member: str
    condition: str = ""


def checks(google: Google, deployment: Deployment) -> Iterator[Check]:
    """Yield a check for each resource that has bindings."""
    ordered = sorted(deployment.bindings, key=_resource)
    for (kind, name), bindings in groupby(ordered, key=_resource):
        what = deployment.project if kind == "project" else f"{kind} {name.rpartition('/')[2]}"
        look = partial(_compare, google, deployment, kind, name, list(bindings))
        yield Check(kind="permissions", what=what, look=look)


def _resource(binding: Document) -> tuple[str, str]:
    return binding["kind"], binding["name"]


def _compare(
    google: Google, deployment: Deployment, kind: str, name: str, bindings: Sequence[Document]
) -> Iterator[Problem]:
    expected = [_Held(each["role"], each["member"], _expression(each)) for each in bindings]
    held = set(_dataset(google, name) if kind == "dataset" else _policy(google, deployment, kind, name))
    for each in sorted(set(expected) - held):
        others = {other.condition for other in held if other[:2] == each[:2]}
        how = f"has {each.role} under another condition" if others else f"lacks {each.role}"
        yield Problem(text=f"{_short(each.member)} {how}")
    for each in sorted(held - set(expected)):
        if each.member in _EVERYBODY:
            yield Problem(text=f"{each.role} is open to {each.member}", fix=_removal(kind, each))
        elif _too_much(deployment, kind, each):
            yield Problem(text=f"{_short(each.member)} has {each.role} in addition", fix=_removal(kind, each))


def _too_much(deployment: Deployment, kind: str, held: _Held) -> bool:
    """Return whether a role was given to one of Tminus's accounts, or opens a service, without Terraform."""
    ours = held.member.partition(":")[2] in deployment.accounts
    return ours or held.role == _CLOSED.get(kind)


def _removal(kind: str, held: _Held) -> str:
    return f"remove the member {held.member} from {held.role} of this {kind}: Terraform did not add it"


def _short(member: str) -> str:
    """Return the id of a service account, or the whole member."""
    account = member.removeprefix("serviceAccount:")
    return member if account == member else account.partition("@")[0]


def _expression(binding: Document) -> str:
    return str((binding.get("condition") or {}).get("expression", ""))


def _policy(google: Google, deployment: Deployment, kind: str, name: str) -> Iterator[_Held]:
    for binding in _read(google, deployment, kind, name).get("bindings", ()):
        for member in binding.get("members", ()):
            yield _Held(binding["role"], member, _expression(binding))


def _read(google: Google, deployment: Deployment, kind: str, name: str) -> Document:
    """Read the policy of a resource. Some APIs have a GET for it, others a POST."""
    place, project = deployment.place, deployment.project
    gets: dict[str, tuple[str, str, str]] = {
        "service": ("run", f"v2/{place}/services/{name}", "run.services.getIamPolicy"),
        "secret": ("secretmanager", f"v1/projects/{project}/secrets/{name}", "secretmanager.secrets.getIamPolicy"),
        "repository": (
            "artifactregistry",
            f"v1/{place}/repositories/{name}",
            "artifactregistry.repositories.getIamPolicy",
        ),
    }
    if kind in gets:
        service, path, permission = gets[kind]
        return google.get(service, f"{path}:getIamPolicy", permission, **_VERSION)
    if kind == "bucket":
        version = {"optionsRequestedPolicyVersion": "3"}
        return google.get("storage", f"storage/v1/b/{name}/iam", "storage.buckets.getIamPolicy", **version)
    return _asked(google, deployment, kind, name)


def _asked(google: Google, deployment: Deployment, kind: str, name: str) -> Document:
    if kind == "account":
        return google.ask("iam", f"v1/{name}:getIamPolicy", "iam.serviceAccounts.getIamPolicy", None, **_VERSION)
    proxied = f"v1/projects/{deployment.number}/iap_web/cloud_run-{deployment.location}/services/{name}"
    table = "/tables/".join(name.rsplit(".", 1)).replace(".", "/datasets/", 1) if kind == "table" else ""
    posts: dict[str, tuple[str, str, str]] = {
        "project": ("cloudresourcemanager", f"v3/projects/{name}", "resourcemanager.projects.getIamPolicy"),
        "queue": ("cloudtasks", f"v2/{deployment.place}/queues/{name}", "cloudtasks.queues.getIamPolicy"),
        "proxy": ("iap", proxied, "iap.webServices.getIamPolicy"),
        "table": ("bigquery", f"bigquery/v2/projects/{table}", "bigquery.tables.getIamPolicy"),
    }
    service, path, permission = posts[kind]
    return google.ask(service, f"{path}:getIamPolicy", permission, _ASKED)


def _dataset(google: Google, name: str) -> Iterator[_Held]:
    """Read who has access to a dataset, which is a part of it."""
    project, _, dataset = name.rpartition(".")
    path = f"bigquery/v2/projects/{project}/datasets/{dataset}"
    for entry in google.get("bigquery", path, "bigquery.datasets.get").get("access", ()):
        role: Any = entry.get("role", "")
        email = entry.get("userByEmail", "")
        kind = "serviceAccount" if email.endswith(".gserviceaccount.com") else "user"
        member = f"{kind}:{email}" if email else entry.get("iamMember", "")
        yield _Held(_DATASET_ROLES.get(role, role), member, str((entry.get("condition") or {}).get("expression", "")))
