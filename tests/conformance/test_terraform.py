"""What Terraform sets exists in Google's APIs: each argument is a field, each literal value one that the field takes.

The offline check of Terraform knows the provider's schema, but no enum: `tf-offline` says so. The provider passes
most arguments on under the API's own names, so the discovery documents know them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from googleapiclient import discovery_cache

from tests.conformance.discovery import Document, camel_case, document
from tests.terraform import EXPRESSION, INFRA, Resource, local_values, resources

OF_TERRAFORM = {"count", "depends_on", "for_each", "lifecycle", "provider", "provisioner", "timeouts"}
OF_THE_NAME = {"project", "location", "region", "name"}
"""Parts of the resource's name in the API; some are fields too."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """The schema behind a type of resource.

    `renamed` has the field of each argument that is called otherwise. `own` are arguments that only the provider
    knows.
    """

    service: str
    version: str
    schema: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    @property
    def document(self) -> Document:
        """The service's document, which is read when a test needs it."""
        return document(self.service, self.version)


def api(service: str, version: str, schema: str, *own: str, **renamed: str) -> Api:
    return Api(service=service, version=version, schema=schema, own=frozenset(OF_THE_NAME | {*own}), renamed=renamed)


APIS = {
    "google_artifact_registry_repository": api("artifactregistry", "v1", "Repository", "repository_id"),
    "google_cloud_run_v2_service": api("run", "v2", "GoogleCloudRunV2Service", "deletion_protection"),
    "google_cloud_scheduler_job": api("cloudscheduler", "v1", "Job"),
    "google_cloud_tasks_queue": api("cloudtasks", "v2", "Queue"),
    "google_cloudfunctions2_function": api("cloudfunctions", "v2", "Function"),
    "google_firebaserules_ruleset": api("firebaserules", "v1", "Ruleset"),
    "google_firebaserules_release": api("firebaserules", "v1", "Release"),
    "google_firestore_database": api("firestore", "v1", "GoogleFirestoreAdminV1Database", "deletion_policy"),
    "google_firestore_field": api(
        "firestore", "v1", "GoogleFirestoreAdminV1Field", "database", "collection", "field", order="fields.order"
    ),
    "google_firestore_index": api("firestore", "v1", "GoogleFirestoreAdminV1Index", "database", "collection"),
    "google_logging_metric": api("logging", "v2", "LogMetric"),
    "google_monitoring_alert_policy": api("monitoring", "v3", "AlertPolicy"),
    "google_project_iam_custom_role": api("iam", "v1", "Role", "role_id", permissions="includedPermissions"),
    "google_storage_bucket": api(
        "storage",
        "v1",
        "Bucket",
        "force_destroy",
        lifecycle_rule="lifecycle.rule",
        public_access_prevention="iamConfiguration.publicAccessPrevention",
        uniform_bucket_level_access="iamConfiguration.uniformBucketLevelAccess.enabled",
    ),
}
NO_PAYLOAD_OF_OURS = ("_iam_member", "_service_account", "_service_identity", "_project_service", "_bucket_object")
"""Resources without values to get wrong but names, which other tests of infra/ look at."""
ELSEWHERE = {"google_monitoring_dashboard", "terraform_data"}


def faults(api: Api, schema: Mapping[str, Any], body: Mapping[str, Any], at: str) -> Iterator[str]:
    """Yield the arguments of a block that are no fields, and the literal values that fields do not take."""
    for name, value in _arguments(body):
        if name in OF_TERRAFORM or (at.count(".") == 1 and name in api.own):
            continue
        found = _field(api.document, schema, api.renamed.get(name, camel_case(name)))
        if found is None:
            yield f"{at}.{name}: the API has no such field"
        else:
            yield from _value_faults(api, found, value, f"{at}.{name}")


def _arguments(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        if name == "dynamic":
            yield from ((block, each["content"]) for dynamic in value for block, each in dynamic.items())
        else:
            yield name, value


def _field(document: Document, schema: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    for name in path.split("."):
        schema = document.resolved(schema["items"]) if schema.get("type") == "array" else schema
        found = schema.get("properties", {}).get(name)
        if found is None:
            return None
        schema = document.resolved(found)
    return schema


def _value_faults(api: Api, schema: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    schema = api.document.resolved(schema)
    if isinstance(value, str) and (EXPRESSION in value or value.startswith("<<")):
        return
    if schema.get("type") == "array":
        for each in value:
            yield from _value_faults(api, schema["items"], each, at)
    elif "properties" in schema:
        for each in value if isinstance(value, list) else [value]:
            yield from faults(api, schema, each, at)
    elif "additionalProperties" in schema and isinstance(value, list):  # blocks with a name, which is their key
        named = [{name: each for name, each in block.items() if name != "id"} for block in value]
        yield from _value_faults(api, schema["additionalProperties"], named, at)
    elif "additionalProperties" in schema:
        literal = {name: each for name, each in value.items() if EXPRESSION not in str(each)}
        yield from api.document.value_faults(schema, literal, at)
    else:
        is_text = schema.get("type") == "string" and not isinstance(value, bool)
        yield from api.document.value_faults(schema, str(value) if is_text else value, at)
        if "enum" not in schema and isinstance(value, str) and value.isupper() and value not in _words(schema):
            yield f"{at}: {value} is not in the field's description"


def _words(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", ""))


RESOURCES = list(resources())


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: f"{each.type}.{each.name}")
def test_a_resource_has_no_argument_or_value_that_the_api_does_not_know(resource: Resource) -> None:
    found = APIS.get(resource.type)
    if found is None:
        known = resource.type in ELSEWHERE or resource.type.endswith(NO_PAYLOAD_OF_OURS)
        assert known, f"name the schema of {resource.type} ({resource.file}) in APIS"
        return
    schema = found.document.root["schemas"][found.schema]
    assert list(faults(found, schema, resource.body, f"{resource.type}.{resource.name}")) == []


@pytest.mark.parametrize(
    ("kind", "body", "fault"),
    [
        (
            "google_cloud_tasks_queue",
            {"rate_limit": [{"max_dispatches_per_second": 1}]},
            "rate_limit: the API has no",
        ),
        ("google_cloud_tasks_queue", {"retry_config": [{"min_backoff": 1}]}, "'1' is no google-duration"),
        ("google_cloud_tasks_queue", {"retry_config": [{"max_attempts": "many"}]}, "'many' is no int32"),
        ("google_cloud_scheduler_job", {"http_target": [{"http_method": "Post"}]}, "'Post' is none of"),
        ("google_firestore_index", {"query_scope": "GROUP"}, "'GROUP' is none of"),
        ("google_firestore_index", {"fields": [{"order": "DOWN"}]}, "'DOWN' is none of"),
        ("google_cloudfunctions2_function", {"service_config": [{"ingress_settings": "ALL"}]}, "'ALL' is none of"),
        ("google_storage_bucket", {"lifecycle_rule": [{"condition": [{"prefix": ["a"]}]}]}, "prefix: the API has no"),
        ("google_cloud_run_v2_service", {"ingress": "ALLOW_ALL"}, "'ALLOW_ALL' is none of"),
        ("google_monitoring_alert_policy", {"severity": "HIGH"}, "'HIGH' is none of"),
    ],
)
def test_a_wrong_argument_or_value_is_found(kind: str, body: dict[str, Any], fault: str) -> None:
    found = APIS[kind]
    [said] = faults(found, found.document.root["schemas"][found.schema], body, f"{kind}.wrong")
    assert fault in said


def test_the_ingress_of_each_function_is_one_that_cloud_functions_has() -> None:
    functions = local_values(INFRA / "functions.tf")["functions"]
    schema = document("cloudfunctions", "v2").field("ServiceConfig", "ingressSettings")
    assert len(functions) > 9
    assert {each["ingress"] for each in functions.values()} <= {*schema["enum"][1:]}


def test_the_indexes_have_scopes_and_orders_that_firestore_has() -> None:
    values = local_values(INFRA / "modules" / "firestore" / "main.tf")
    firestore = document("firestore", "v1")
    scopes = firestore.field("GoogleFirestoreAdminV1Index", "queryScope")["enum"][1:]
    orders = firestore.field("GoogleFirestoreAdminV1IndexField", "order")["enum"][1:]
    assert {index["scope"] for index in values["indexes"].values()} <= {*scopes}
    assert {order for index in values["indexes"].values() for _, order in index["fields"]} <= {*orders}
    assert {entry["order"] for entry in values["searched_everywhere"]} <= {*orders}


def test_what_a_bucket_does_with_old_files_is_what_cloud_storage_can_do() -> None:
    storage = document("storage", "v1")
    action = storage.field("Bucket", "lifecycle", "rule", "action", "type")
    prevention = storage.field("Bucket", "iamConfiguration", "publicAccessPrevention")
    for bucket in (each.body for each in RESOURCES if each.type == "google_storage_bucket"):
        assert bucket["public_access_prevention"] in prevention["description"]
        for rule in bucket.get("lifecycle_rule", []):
            assert rule["action"][0]["type"] in action["description"]


def test_each_api_that_is_enabled_is_one_of_googles() -> None:
    text = str(local_values(INFRA / "main.tf")["apis"])
    enabled = {*re.findall(r"([a-z]+)\.googleapis\.com", text)}
    described = {path.name.partition(".")[0] for path in Path(discovery_cache.DISCOVERY_DOC_DIR).glob("*.json")}
    assert len(enabled) > 9
    assert enabled <= described
