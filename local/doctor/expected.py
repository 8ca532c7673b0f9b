"""What Terraform has made: the document that infra/deployment.tf puts into the source bucket."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.domain.errors import BadInput
from local.doctor.google import Document, Google, Missing, Unread

FORMAT = 1
"""The newest format of the document that this release reads."""
_NAME = "deployment.json"
_TEXTS = ("project", "number", "location", "api")
_OBJECTS = ("database", "job", "recipes", "console", "source")
_LISTS = ("apis", "accounts", "roles", "bindings", "queues", "secrets", "buckets", "functions", "services")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A deployment as it should be. Resources have the names and values of Google's APIs."""

    project: str
    number: str
    location: str
    api: str
    """The address of the function api."""
    apis: Sequence[str]
    accounts: Sequence[str]
    roles: Sequence[Document]
    bindings: Sequence[Document]
    database: Document
    queues: Sequence[Document]
    job: Document
    recipes: Document
    secrets: Sequence[str]
    buckets: Sequence[Document]
    functions: Sequence[Document]
    services: Sequence[Document]
    console: Document
    source: Document

    @property
    def place(self) -> str:
        """The name that regional resources begin with."""
        return f"projects/{self.project}/locations/{self.location}"


def deployment_in(file: Path, project: str, region: str) -> Deployment:
    """Return the deployment of a project and region from a file; BadInput, with the way out, if it has none."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}") from error
    return _matching(parsed(text, str(file)), str(file), project, region)


def stored_deployment(google: Google, project: str, region: str) -> Deployment:
    """Return the deployment of a project and region from the project's source bucket.

    Raises BadInput, with the way out, if there is none or it cannot be read.
    """
    where = f"gs://{_bucket(project)}/{_NAME}"
    return _matching(_stored(google, project, where), where, project, region)


def _matching(found: Deployment, where: str, project: str, region: str) -> Deployment:
    if found.project != project:
        raise BadInput(f"{where} describes the project {found.project}: write --project {found.project}")
    if found.location != region:
        raise BadInput(f"Tminus is deployed in {found.location}, not in {region}: write --region {found.location}")
    return found


def parsed(text: str, where: str) -> Deployment:
    """Read a document; BadInput if it is none, or of a newer release."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    return _checked(document, where)


def _checked(document: Any, where: str) -> Deployment:
    number = document.get("format") if isinstance(document, Mapping) else None
    if not isinstance(number, int):
        raise BadInput(
            f"{where} is not a document of infra/deployment.tf: run terraform apply, or correct --expected"
        )
    if number > FORMAT:
        raise BadInput(
            f"{where} has format {number}, this release reads {FORMAT}: update tminus to that of the deployment"
        )
    kinds = {**dict.fromkeys(_TEXTS, str), **dict.fromkeys(_OBJECTS, Mapping), **dict.fromkeys(_LISTS, list)}
    wrong = [name for name, kind in kinds.items() if not isinstance(document.get(name), kind)]
    if wrong:
        raise BadInput(f"{where} lacks {', '.join(wrong)}: run terraform apply with this release of Tminus")
    return Deployment(**{name: document[name] for name in kinds})


def _bucket(project: str) -> str:
    return f"{project}-tminus-source"


def _stored(google: Google, project: str, where: str) -> Deployment:
    path = f"storage/v1/b/{_bucket(project)}/o/{_NAME}"
    try:
        return _checked(google.get("storage", path, "storage.objects.get", alt="media"), where)
    except Missing:
        raise _not_there(google, project, where) from None
    except Unread as problem:
        way = f"{problem.fix}; or give the document with --expected FILE"
        raise BadInput(f"{where} cannot be read, because {problem.reason}: {way}") from None


def _not_there(google: Google, project: str, where: str) -> BadInput:
    try:
        found = google.get("cloudresourcemanager", f"v3/projects/{project}", "resourcemanager.projects.get")
    except Missing:
        return BadInput(f"there is no project {project}, or you have no access to it: correct --project")
    except Unread as problem:
        return BadInput(f"{where} does not exist, and of the project {project} {problem.reason}: correct --project")
    if found.get("state") != "ACTIVE":
        return BadInput(f"the project {project} is being deleted: correct --project, or restore it")
    return BadInput(
        f"{where} does not exist: Tminus is not deployed in the project {project}, or by an older release. "
        "Run terraform apply, or give the document with --expected FILE"
    )
