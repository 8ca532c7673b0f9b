"""What the command asks, reads and expects is in Google's discovery documents, which google-api-python-client has."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.doctor.conftest import Doctor
from tests.doctor.google_apis import GoogleApis
from tests.doctor.record import RECORDED

cache = pytest.importorskip("googleapiclient.discovery_cache")

Schema = Mapping[str, Any]
VERSIONS = {
    "artifactregistry": "v1",
    "bigquery": "v2",
    "cloudfunctions": "v2",
    "cloudresourcemanager": "v3",
    "cloudscheduler": "v1",
    "cloudtasks": "v2",
    "firebaserules": "v1",
    "firestore": "v1",
    "iam": "v1",
    "iap": "v1",
    "run": "v2",
    "secretmanager": "v1",
    "serviceusage": "v1",
    "storage": "v1",
}
SHARED = {"alt", "fields", "key"}


def document(service: str) -> Schema:
    found: Schema = json.loads(cache.get_static_doc(service, VERSIONS[service]))
    return found


def methods(place: Schema) -> Iterator[Schema]:
    yield from place.get("methods", {}).values()
    for resource in place.get("resources", {}).values():
        yield from methods(resource)


def called(service: Schema, verb: str, path: str) -> Schema:
    """Return the method that takes a path. Where several do, the longest fixed part decides: `:getIamPolicy`."""
    fitting = []
    for method in methods(service):
        words = re.split(r"\{\+?(\w+)\}", service["servicePath"] + method["path"])
        pattern = re.escape(words[0])
        for name, fixed in zip(words[1::2], words[2::2], strict=True):
            own = method["parameters"][name].get("pattern", "[^/]+")
            pattern += f"(?:{own.strip('^$')}){re.escape(fixed)}"
        if method["httpMethod"] == verb and re.fullmatch(pattern, path):
            fitting.append((len("".join(words[::2])), method["id"], method))
    assert fitting, f"no method of {service['name']} takes {verb} {path}"
    return max(fitting)[2]


def unknown(service: Schema, schema: Schema, value: object, at: str) -> Iterator[str]:
    """Yield the fields and values that a schema does not have."""
    schema = service["schemas"][schema["$ref"]] if "$ref" in schema else schema
    if isinstance(value, list):
        for each in value:
            yield from unknown(service, schema.get("items", {}), each, f"{at}[]")
    elif isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, each in value.items():
            if name not in known and others is None:
                yield f"{at}.{name}"
            else:
                yield from unknown(service, known.get(name, others), each, f"{at}.{name}")
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{at} = {value}"


def test_requests_and_what_is_read_of_the_answers_are_googles(doctor: Doctor, apis: GoogleApis) -> None:
    doctor()
    documents, wrong = {name: document(name) for name in VERSIONS}, set()
    for request in list(apis.requests):
        service = documents[request.service]
        path = request.path.replace("/o/source/", "/o/source%2F").replace("/function-", "%2Ffunction-")
        method = called(service, request.method, path)
        takes = {*method.get("parameters", {}), *SHARED}
        wrong |= {f"{method['id']}?{name}" for name, _ in parse_qsl(request.query) if name not in takes}
        if request.body not in ("", "null"):
            wrong |= {*unknown(service, method["request"], json.loads(request.body), method["id"])}
        if "alt=media" not in request.query:
            _, answer = apis.answer(request)
            wrong |= {*unknown(service, method["response"], answer, method["id"])}
    assert wrong == set()


RESOURCES = {
    "roles": ("iam", "Role"),
    "queues": ("cloudtasks", "Queue"),
    "job": ("cloudscheduler", "Job"),
    "buckets": ("storage", "Bucket"),
    "functions": ("cloudfunctions", "Function"),
    "services": ("run", "GoogleCloudRunV2Service"),
}


@pytest.mark.parametrize("part", RESOURCES)
def test_what_terraform_expects_has_the_names_and_values_of_the_api(part: str) -> None:
    service, schema = RESOURCES[part]
    expected = json.loads(RECORDED.read_text(encoding="utf-8"))[part]
    resources = expected if isinstance(expected, list) else [expected]
    known = document(service)
    assert resources
    assert [each for one in resources for each in unknown(known, {"$ref": schema}, one, schema)] == []


def test_what_terraform_expects_of_the_database_has_the_names_and_values_of_the_api() -> None:
    expected, known = json.loads(RECORDED.read_text(encoding="utf-8"))["database"], document("firestore")
    kinds = {"database": [expected["database"]], "index": expected["indexes"], "field": expected["fields"]}
    for kind, resources in kinds.items():
        schema = {"$ref": f"GoogleFirestoreAdminV1{kind.title()}"}
        found = {each for one in resources for each in unknown(known, schema, one, kind)}
        assert found <= {"index.collection", "field.expires"}, "these two are the document's own"
