"""A stand-in for Google's REST APIs with a sound deployment, in which a test plants faults."""

import copy
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.doctor.record import RECORDED

_PAGE = 3
"""Small, so that every list has several pages."""
_DIGEST = "sha256:" + "3f" * 32
_COPY = "gcf-v2-sources-123456789-us-central1"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came."""

    method: str
    service: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]


@dataclass
class GoogleApis:
    """The resources by `service/path`, and their lists with the field that has the items. A test changes them.

    `denied` has the services that answer 403, `silent` the number of 503 that each service answers first, and
    `refusals` what a service answers instead.
    """

    expected: dict[str, Any]
    resources: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, tuple[str, list[dict[str, Any]]]] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    silent: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def __getitem__(self, name: str) -> Any:
        """Return the one resource, or the items of the one list, whose address ends so."""
        found = [value for key, value in self.resources.items() if key.endswith(name)]
        found += [items for key, (_, items) in self.lists.items() if key.endswith(name)]
        assert len(found) == 1, (name, len(found))
        return found[0]

    def remove(self, name: str) -> None:
        """Remove the one resource whose address ends so."""
        (key,) = (key for key in self.resources if key.endswith(name))
        del self.resources[key]

    def answer(self, request: Request) -> tuple[int, Any]:
        """Return the status and the document of an answer."""
        self.requests.append(request)
        if self.silent.get(request.service, 0) > 0:
            self.silent[request.service] -= 1
            return 503, _error(503, "UNAVAILABLE", "The service is currently unavailable.")
        if request.service in self.denied:
            return 403, _error(403, "PERMISSION_DENIED", "The caller does not have permission")
        if request.service in self.refusals:
            return self.refusals[request.service]
        place = f"{request.service}/{request.path}"
        if place in self.lists:
            return 200, self._page(place, dict(parse_qsl(request.query)))
        if place in self.resources:
            return 200, self.resources[place]
        return 404, _error(404, "NOT_FOUND", f"{place} was not found")

    def _page(self, place: str, query: Mapping[str, str]) -> dict[str, Any]:
        items_field, items = self.lists[place]
        start = int(query.get("pageToken", 0))
        more = {"nextPageToken": str(start + _PAGE)} if start + _PAGE < len(items) else {}
        return {items_field: items[start : start + _PAGE], **more}


@contextmanager
def google_apis() -> Iterator[GoogleApis]:
    """Serve a sound deployment: the one that Terraform's tests record."""
    apis = sound(json.loads(RECORDED.read_text(encoding="utf-8")))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(apis))
    server.daemon_threads = True
    apis.url = f"http://127.0.0.1:{server.server_port}/{{service}}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield apis
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sound(document: Mapping[str, Any]) -> GoogleApis:
    """Return the APIs of a project in which everything is as the document says, and as Google's APIs add to it."""
    doc: dict[str, Any] = copy.deepcopy(dict(document))
    apis = GoogleApis(expected=doc)
    put, project, place = apis.resources, doc["project"], f"projects/{doc['project']}/locations/{doc['location']}"
    put[f"storage/storage/v1/b/{doc['source']['bucket']}/o/deployment.json"] = doc
    put[f"cloudresourcemanager/v3/projects/{project}"] = {"projectId": project, "state": "ACTIVE"}
    number = f"projects/{doc['number']}"
    services = [{"name": f"{number}/services/{api}", "state": "ENABLED"} for api in doc["apis"]]
    apis.lists[f"serviceusage/v1/projects/{project}/services"] = ("services", services)
    accounts = [{"email": email, "name": f"projects/{project}/serviceAccounts/{email}"} for email in doc["accounts"]]
    apis.lists[f"iam/v1/projects/{project}/serviceAccounts"] = ("accounts", accounts)
    put.update({f"iam/v1/{role['name']}": {**copy.deepcopy(role), "stage": "GA"} for role in doc["roles"]})
    _policies(apis, doc, place)
    _firestore(apis, doc["database"])
    put.update({f"cloudtasks/v2/{queue['name']}": copy.deepcopy(queue) for queue in doc["queues"]})
    _jobs(apis, doc, place)
    for secret in doc["secrets"]:
        put[f"secretmanager/v1/{secret}"] = {"name": secret}
        put[f"secretmanager/v1/{secret}/versions/latest"] = {"name": f"{secret}/versions/1", "state": "ENABLED"}
    put.update({f"storage/storage/v1/b/{bucket['name']}": copy.deepcopy(bucket) for bucket in doc["buckets"]})
    _source(apis, doc, place)
    return apis


def _policies(apis: GoogleApis, doc: Mapping[str, Any], place: str) -> None:
    addresses = {
        "project": "cloudresourcemanager/v3/projects/{}:getIamPolicy",
        "queue": f"cloudtasks/v2/{place}/queues/{{}}:getIamPolicy",
        "account": "iam/v1/{}:getIamPolicy",
        "bucket": "storage/storage/v1/b/{}/iam",
        "secret": f"secretmanager/v1/projects/{doc['project']}/secrets/{{}}:getIamPolicy",
        "service": f"run/v2/{place}/services/{{}}:getIamPolicy",
        "repository": f"artifactregistry/v1/{place}/repositories/{{}}:getIamPolicy",
        "proxy": f"iap/v1/{_proxied(doc)}/services/{{}}:getIamPolicy",
    }
    for binding in doc["bindings"]:
        one = {"role": binding["role"], "members": [binding["member"]]}
        one |= {"condition": binding["condition"]} if binding["condition"] else {}
        if binding["kind"] == "dataset":
            owner, dataset = binding["name"].split(".")
            where = f"bigquery/bigquery/v2/projects/{owner}/datasets/{dataset}"
            entry = {"role": "READER", "userByEmail": binding["member"].partition(":")[2]}
            apis.resources.setdefault(where, {"access": []})["access"].append(entry)
        else:
            where = addresses[binding["kind"]].format(binding["name"])
            apis.resources.setdefault(where, {"version": 3, "bindings": []})["bindings"].append(one)
    owner = {"role": "roles/owner", "members": ["user:ana@kicks.example"]}
    apis.resources[addresses["project"].format(doc["project"])]["bindings"].append(owner)


def _proxied(doc: Mapping[str, Any]) -> str:
    return f"projects/{doc['number']}/iap_web/cloud_run-{doc['location']}"


def _firestore(apis: GoogleApis, expected: Mapping[str, Any]) -> None:
    name = expected["database"]["name"]
    apis.resources[f"firestore/v1/{name}"] = {**expected["database"], "uid": "6f1c"}
    indexes = [
        {
            "name": f"{name}/collectionGroups/{index['collection']}/indexes/CICA{position}",
            "queryScope": index["queryScope"],
            "fields": [*index["fields"], {"fieldPath": "__name__", "order": index["fields"][-1]["order"]}],
            "state": "READY",
        }
        for position, index in enumerate(expected["indexes"])
    ]
    apis.lists[f"firestore/v1/{name}/collectionGroups/-/indexes"] = ("indexes", indexes)
    fields = []
    for each in copy.deepcopy(expected["fields"]):
        indexed = [{**index, "state": "READY"} for index in each["indexConfig"]["indexes"]]
        ttl = {"ttlConfig": {"state": "ACTIVE"}} if each["expires"] else {}
        fields.append({"name": each["name"], "indexConfig": {"indexes": indexed} if indexed else {}, **ttl})
    apis.lists[f"firestore/v1/{name}/collectionGroups/-/fields"] = ("fields", fields)
    rules = expected["rules"]
    ruleset = f"{rules['release'].partition('/releases/')[0]}/rulesets/8d"
    apis.resources[f"firebaserules/v1/{rules['release']}"] = {"name": rules["release"], "rulesetName": ruleset}
    files = [{"name": "firestore.rules", "content": rules["content"]}]
    apis.resources[f"firebaserules/v1/{ruleset}"] = {"name": ruleset, "source": {"files": files}}


def _jobs(apis: GoogleApis, doc: Mapping[str, Any], place: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    own = {**copy.deepcopy(doc["job"]), "lastAttemptTime": now, "status": {}}
    token = {"serviceAccountEmail": doc["recipes"]["caller"], "audience": doc["recipes"]["url"]}
    recipe = {
        "name": f"{place}/jobs/tminus-welcome",
        "state": "ENABLED",
        "httpTarget": {"uri": doc["recipes"]["url"], "httpMethod": "POST", "oidcToken": token},
    }
    others = [{"name": f"{place}/jobs/backup-{number}", "state": "PAUSED"} for number in range(4)]
    apis.resources[f"cloudscheduler/v1/{doc['job']['name']}"] = own
    apis.lists[f"cloudscheduler/v1/{place}/jobs"] = ("jobs", [own, *others, recipe])


def _source(apis: GoogleApis, doc: Mapping[str, Any], place: str) -> None:
    """Put services, functions, and what they were built from: Cloud Functions says the copy of the archive."""
    put, image = apis.resources, f"{doc['location']}-docker.pkg.dev/{doc['project']}/tminus/kicks__api"
    for each in copy.deepcopy(doc["services"]):
        container = each["template"]["containers"][0]
        for variable in container["env"]:
            variable.setdefault("value", "7") if "valueSource" not in variable else None
        container["env"].append({"name": "LOG_EXECUTION_ID", "value": "true"})
        container["image"] = f"{image}@{_DIGEST}" if each["name"].endswith("-console") else f"{image}:version_1"
        ready = {"type": "Ready", "state": "CONDITION_SUCCEEDED"}
        put[f"run/v2/{each['name']}"] = {**each, "terminalCondition": ready}
    tag = f"{place}/repositories/tminus/packages/kicks__api/tags/version_1"
    version = f"{place}/repositories/tminus/packages/kicks__api/versions/{_DIGEST}"
    put[f"artifactregistry/v1/{tag}"] = {"name": tag, "version": version}
    put[f"storage/storage/v1/b/{doc['source']['bucket']}/o/{doc['source']['object']}"] = {"crc32c": "yZRlqg=="}
    for each in copy.deepcopy(doc["functions"]):
        archive = {"bucket": _COPY, "object": f"{each['name'].rpartition('/')[2]}/function-source.zip"}
        put[f"storage/storage/v1/b/{_COPY}/o/{archive['object']}"] = {"crc32c": "yZRlqg=="}
        each["buildConfig"] |= {
            "source": {"storageSource": archive},
            "sourceProvenance": {"resolvedStorageSource": {**archive, "generation": "1690472461635740"}},
        }
        put[f"cloudfunctions/v2/{each['name']}"] = each


def _error(code: int, status: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": message}}


def _handler(apis: GoogleApis) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            service, _, path = unquote(parts.path).removeprefix("/").partition("/")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            told = {**self.headers}
            request = Request(
                method=self.command, service=service, path=path, query=parts.query, body=body, headers=told
            )
            status, document = apis.answer(request)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Handler
