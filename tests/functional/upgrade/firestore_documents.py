"""All documents of a project in the Firestore emulator, as the REST API writes them: JSON with types.

cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents
"""

import json
import os
import urllib.request
from collections.abc import Iterable
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

Document = dict[str, Any]
_ALL = {"structuredQuery": {"from": [{"allDescendants": True}]}}


def client_of(project: str) -> firestore.Client:
    """Return Google's client for a project in the emulator."""
    return firestore.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]


def dump(project: str) -> list[Document]:
    """Return the documents in the order of their creation, each with its `path` and its `fields`."""
    answers = _post(project, "runQuery", _ALL)
    found = [answer["document"] for answer in answers if "document" in answer]
    found.sort(key=lambda document: (document["createTime"], document["name"]))
    begin = len(_root(project)) + 1
    return [{"path": document["name"][begin:], "fields": document.get("fields", {})} for document in found]


def load(project: str, documents: Iterable[Document]) -> None:
    """Create documents, one after the other, so that Firestore orders them as before."""
    for document in documents:
        name = f"{_root(project)}/{document['path']}"
        write = {"update": {"name": name, "fields": document["fields"]}, "currentDocument": {"exists": False}}
        _post(project, "commit", {"writes": [write]})


def _root(project: str) -> str:
    return f"projects/{project}/databases/(default)/documents"


def _post(project: str, method: str, body: object) -> Any:
    url = f"http://{os.environ['FIRESTORE_EMULATOR_HOST']}/v1/{_root(project)}:{method}"
    headers = {"Authorization": "Bearer owner", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
