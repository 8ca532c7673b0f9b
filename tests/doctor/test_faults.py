"""Faults of a deployment: each is found by the check that it concerns, and by no other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.doctor.conftest import Doctor
from tests.doctor.google_apis import GoogleApis

PROJECT_POLICY = "cloudresourcemanager/v3/projects/kicks-test:getIamPolicy"
JOB = "jobs/reconcile-tminus"
TIMES = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What somebody does to a deployment, and the one finding that says so."""

    name: str
    plant: Callable[[GoogleApis], object]
    kind: str
    what: str
    problem: str
    fix: str = "terraform apply"


def changed(place: str, **fields: Any) -> Callable[[GoogleApis], object]:
    """Return what changes fields of a resource; None removes one."""

    def change(apis: GoogleApis) -> None:
        resource = apis[place]
        resource.update(fields)
        for name in [name for name, value in fields.items() if value is None]:
            del resource[name]

    return change


def inside(place: str, path: str, value: Any) -> Callable[[GoogleApis], object]:
    """Return what sets a field in a resource: `a.0.b`."""

    def change(apis: GoogleApis) -> None:
        found = apis[place]
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in way:
            found = found[step]
        found[last] = value

    return change


def without(place: str, fits: Callable[[dict[str, Any]], bool]) -> Callable[[GoogleApis], object]:
    """Return what removes the elements of a list that fit, of which there is at least one."""

    def change(apis: GoogleApis) -> None:
        items = apis[place]
        left = [item for item in items if not fits(item)]
        assert len(left) < len(items)
        items[:] = left

    return change


def in_list(place: str, fits: Callable[[dict[str, Any]], bool], **fields: Any) -> Callable[[GoogleApis], object]:
    """Return what changes the one element of a list that fits."""

    def change(apis: GoogleApis) -> None:
        (item,) = (item for item in apis[place] if fits(item))
        item.update(fields)

    return change


def unbound(policy: str, member: str, role: str) -> Callable[[GoogleApis], object]:
    """Return what takes a role from a member."""

    def change(apis: GoogleApis) -> None:
        bindings = apis[policy]["bindings"]
        left = [each for each in bindings if each["role"] != role or not each["members"][0].startswith(member)]
        assert len(left) == len(bindings) - 1
        bindings[:] = left

    return change


def bound(policy: str, member: str, role: str) -> Callable[[GoogleApis], object]:
    """Return what gives a role to a member."""
    return lambda apis: apis[policy]["bindings"].append({"role": role, "members": [member]})


def without_variable(apis: GoogleApis) -> None:
    container = apis["services/tminus-send-push"]["template"]["containers"][0]
    container["env"] = [each for each in container["env"] if each["name"] != "SHARD_QUEUE"]


def without_setting(apis: GoogleApis) -> None:
    container = apis["services/tminus-launch"]["template"]["containers"][0]
    container["env"] = [each for each in container["env"] if each["name"] != "MAX_EXECUTIONS_AT_ONCE"]


def another_secret(apis: GoogleApis) -> None:
    container = apis["services/tminus-console"]["template"]["containers"][0]
    (variable,) = (each for each in container["env"] if each["name"] == "CONSOLE_KEY")
    variable["valueSource"]["secretKeyRef"]["secret"] = "projects/123456789/secrets/old-key"


def old_archive(apis: GoogleApis) -> None:
    apis["tminus-send-shard/function-source.zip"]["crc32c"] = "AAAAAA=="


def other_condition(apis: GoogleApis) -> None:
    binding = next(each for each in apis[PROJECT_POLICY]["bindings"] if "tminus-finish" in each["members"][0])
    del binding["condition"]


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).strftime(TIMES)


def index_of(collection: str, fields: int) -> Callable[[dict[str, Any]], bool]:
    return lambda index: f"/{collection}/" in index["name"] and len(index["fields"]) == fields


def named(end: str) -> Callable[[dict[str, Any]], bool]:
    return lambda item: str(item.get("name", item.get("email"))).endswith(end)


RUN = "run/v2/projects/kicks-test/locations/us-central1/services/"
QUEUE = "cloudtasks/v2/projects/kicks-test/locations/us-central1/queues/"
FAULTS = [
    Fault(
        name="a disabled API",
        plant=without("v1/projects/kicks-test/services", named("/iap.googleapis.com")),
        kind="apis",
        what="kicks-test",
        problem="the API iap.googleapis.com is disabled",
        fix="gcloud services enable iap.googleapis.com --project=kicks-test",
    ),
    Fault(
        name="a missing account",
        plant=without("kicks-test/serviceAccounts", named("tminus-finish@kicks-test.iam.gserviceaccount.com")),
        kind="accounts",
        what="kicks-test",
        problem="the account tminus-finish@kicks-test.iam.gserviceaccount.com does not exist",
    ),
    Fault(
        name="a disabled account",
        plant=in_list(
            "kicks-test/serviceAccounts", named("tminus-api@kicks-test.iam.gserviceaccount.com"), disabled=True
        ),
        kind="accounts",
        what="kicks-test",
        problem="the account tminus-api@kicks-test.iam.gserviceaccount.com is disabled",
        fix="gcloud iam service-accounts enable",
    ),
    Fault(
        name="a custom role without a permission",
        plant=inside("roles/tminusSchedulesRemove", "includedPermissions", ["cloudscheduler.jobs.get"]),
        kind="role",
        what="tminusSchedulesRemove",
        problem="includedPermissions lacks cloudscheduler.jobs.delete",
    ),
    Fault(
        name="a deleted custom role",
        plant=changed("roles/tminusSchedulesEdit", deleted=True),
        kind="role",
        what="tminusSchedulesEdit",
        problem="it is deleted",
        fix="gcloud iam roles undelete",
    ),
    Fault(
        name="a missing role",
        plant=unbound(PROJECT_POLICY, "serviceAccount:tminus-send-shard@", "roles/datastore.user"),
        kind="permissions",
        what="kicks-test",
        problem="tminus-send-shard lacks roles/datastore.user",
    ),
    Fault(
        name="a role without its condition",
        plant=other_condition,
        kind="permissions",
        what="kicks-test",
        problem="tminus-finish has roles/datastore.user",
        fix="",
    ),
    Fault(
        name="an account with too much",
        plant=bound(PROJECT_POLICY, "serviceAccount:tminus-api@kicks-test.iam.gserviceaccount.com", "roles/editor"),
        kind="permissions",
        what="kicks-test",
        problem="tminus-api has roles/editor in addition",
        fix="remove the member serviceAccount:tminus-api@",
    ),
    Fault(
        name="a queue that nobody may add to",
        plant=unbound(
            f"{QUEUE}tminus-shards:getIamPolicy", "serviceAccount:tminus-send-push@", "roles/cloudtasks.enqueuer"
        ),
        kind="permissions",
        what="queue tminus-shards",
        problem="tminus-send-push lacks roles/cloudtasks.enqueuer",
    ),
    Fault(
        name="a function that its caller cannot call",
        plant=unbound(f"{RUN}tminus-finish:getIamPolicy", "serviceAccount:tminus-task-caller@", "roles/run.invoker"),
        kind="permissions",
        what="service tminus-finish",
        problem="tminus-task-caller lacks roles/run.invoker",
    ),
    Fault(
        name="a public service",
        plant=bound(f"{RUN}tminus-api:getIamPolicy", "allUsers", "roles/run.invoker"),
        kind="permissions",
        what="service tminus-api",
        problem="roles/run.invoker is open to allUsers",
        fix="remove the member allUsers",
    ),
    Fault(
        name="a proxy that cannot call the console",
        plant=unbound(f"{RUN}tminus-console:getIamPolicy", "serviceAccount:service-", "roles/run.invoker"),
        kind="permissions",
        what="service tminus-console",
        problem="service-123456789 lacks roles/run.invoker",
    ),
    Fault(
        name="a proxy without visitors",
        plant=inside("cloud_run-us-central1/services/tminus-console:getIamPolicy", "bindings", []),
        kind="permissions",
        what="proxy tminus-console",
        problem="user:ana@kicks.example lacks roles/iap.httpsResourceAccessor",
    ),
    Fault(
        name="a visitor that Terraform does not know",
        plant=bound(
            "cloud_run-us-central1/services/tminus-console:getIamPolicy",
            "user:eve@kicks.example",
            "roles/iap.httpsResourceAccessor",
        ),
        kind="permissions",
        what="proxy tminus-console",
        problem="user:eve@kicks.example has roles/iap.httpsResourceAccessor in addition",
        fix="remove the member user:eve@kicks.example",
    ),
    Fault(
        name="a public bucket",
        plant=bound("b/kicks-test-tminus-audiences/iam", "allUsers", "roles/storage.objectViewer"),
        kind="permissions",
        what="bucket kicks-test-tminus-audiences",
        problem="roles/storage.objectViewer is open to allUsers",
        fix="remove the member allUsers",
    ),
    Fault(
        name="a secret that its function cannot read",
        plant=unbound("secrets/console-key:getIamPolicy", "serviceAccount:", "roles/secretmanager.secretAccessor"),
        kind="permissions",
        what="secret console-key",
        problem="tminus-console lacks roles/secretmanager.secretAccessor",
    ),
    Fault(
        name="a dataset that a function cannot read",
        plant=lambda apis: apis["datasets/shop"]["access"].pop(0),
        kind="permissions",
        what="dataset kicks-data.shop",
        problem="lacks roles/bigquery.dataViewer",
    ),
    Fault(
        name="a database of the wrong type",
        plant=changed("databases/tminus", type="DATASTORE_MODE"),
        kind="database",
        what="database tminus",
        problem="type is DATASTORE_MODE instead of FIRESTORE_NATIVE",
        fix="use another one, with the variable firestore_database",
    ),
    Fault(
        name="a database that can be deleted",
        plant=changed("databases/tminus", deleteProtectionState="DELETE_PROTECTION_DISABLED"),
        kind="database",
        what="database tminus",
        problem="deleteProtectionState is DELETE_PROTECTION_DISABLED",
    ),
    Fault(
        name="no database",
        plant=lambda apis: apis.remove("databases/tminus"),
        kind="database",
        what="database tminus",
        problem="it does not exist",
    ),
    Fault(
        name="a missing index",
        plant=without("collectionGroups/-/indexes", index_of("violations", 3)),
        kind="indexes",
        what="database tminus",
        problem="the index violations (resolved ASCENDING, at DESCENDING) is missing",
    ),
    Fault(
        name="an index that is being built",
        plant=in_list("collectionGroups/-/indexes", index_of("violations", 4), state="CREATING"),
        kind="indexes",
        what="database tminus",
        problem="is still being built",
        fix="wait until Firestore has built it",
    ),
    Fault(
        name="a broken index",
        plant=in_list("collectionGroups/-/indexes", index_of("violations", 4), state="NEEDS_REPAIR"),
        kind="indexes",
        what="database tminus",
        problem="is in the state NEEDS_REPAIR",
        fix="delete it in Firestore, then terraform apply",
    ),
    Fault(
        name="no expiry",
        plant=in_list("collectionGroups/-/fields", named("/days/fields/expireAt"), ttlConfig={}),
        kind="fields",
        what="database tminus",
        problem="the field days.expireAt does not expire documents",
    ),
    Fault(
        name="a field that is indexed again",
        plant=without("collectionGroups/-/fields", named("/shards/fields/outcomes")),
        kind="fields",
        what="database tminus",
        problem="the field shards.outcomes has no settings of its own",
    ),
    Fault(
        name="a search over all collections without its index",
        plant=in_list("collectionGroups/-/fields", named("/shards/fields/leaseUntil"), indexConfig={}),
        kind="fields",
        what="database tminus",
        problem="shards.leaseUntil.indexes lacks",
    ),
    Fault(
        name="open rules",
        plant=lambda apis: apis["rulesets/8d"]["source"]["files"][0].update(content="allow read, write;"),
        kind="rules",
        what="database tminus",
        problem="the rules differ from those that let no phone or browser in",
    ),
    Fault(
        name="rules that were never released",
        plant=lambda apis: apis.remove("releases/cloud.firestore/tminus"),
        kind="rules",
        what="database tminus",
        problem="it does not exist",
    ),
    Fault(
        name="a missing queue",
        plant=lambda apis: apis.remove("queues/tminus-alerts"),
        kind="queue",
        what="tminus-alerts",
        problem="it does not exist",
        fix="a name that was deleted less than a week ago cannot be used again yet",
    ),
    Fault(
        name="a paused queue",
        plant=changed("queues/tminus-steps", state="PAUSED"),
        kind="queue",
        what="tminus-steps",
        problem="state is PAUSED instead of RUNNING",
        fix="gcloud tasks queues resume tminus-steps --location=us-central1 --project=kicks-test",
    ),
    Fault(
        name="a queue with another rate",
        plant=inside("queues/tminus-shards", "rateLimits.maxDispatchesPerSecond", 500),
        kind="queue",
        what="tminus-shards",
        problem="rateLimits.maxDispatchesPerSecond is 500 instead of 0.5",
    ),
    Fault(
        name="a queue with fewer retries",
        plant=inside("queues/tminus-steps", "retryConfig.maxRetryDuration", "60s"),
        kind="queue",
        what="tminus-steps",
        problem="retryConfig.maxRetryDuration is 60s instead of 3600s",
    ),
    Fault(
        name="a paused job",
        plant=changed(JOB, state="PAUSED"),
        kind="job",
        what="reconcile-tminus",
        problem="state is PAUSED instead of ENABLED",
        fix="gcloud scheduler jobs resume reconcile-tminus",
    ),
    Fault(
        name="a stale job",
        plant=changed(JOB, lastAttemptTime=ago(hours=2)),
        kind="job",
        what="reconcile-tminus",
        problem="it has not run since",
        fix="gcloud scheduler jobs run reconcile-tminus",
    ),
    Fault(
        name="a job that never ran",
        plant=changed(JOB, lastAttemptTime=None, userUpdateTime=ago(hours=2)),
        kind="job",
        what="reconcile-tminus",
        problem="it has not run since",
        fix="gcloud scheduler jobs run reconcile-tminus",
    ),
    Fault(
        name="a failing job",
        plant=changed(JOB, status={"code": 7}),
        kind="job",
        what="reconcile-tminus",
        problem="its last run failed with PERMISSION_DENIED",
        fix="gcloud run services logs read tminus-reconcile --region=us-central1",
    ),
    Fault(
        name="a job that calls as another account",
        plant=inside(JOB, "httpTarget.oidcToken.serviceAccountEmail", "me@kicks-test.iam.gserviceaccount.com"),
        kind="job",
        what="reconcile-tminus",
        problem="httpTarget.oidcToken.serviceAccountEmail is me@kicks-test.iam.gserviceaccount.com instead of",
    ),
    Fault(
        name="a job that calls another address",
        plant=inside(JOB, "httpTarget.uri", "https://us-central1-kicks-test.cloudfunctions.net/reconcile"),
        kind="job",
        what="reconcile-tminus",
        problem="httpTarget.uri is https://us-central1-kicks-test.cloudfunctions.net/reconcile instead of",
    ),
    Fault(
        name="a recipe's job that an update broke",
        plant=in_list("us-central1/jobs", named("/tminus-welcome"), state="UPDATE_FAILED"),
        kind="jobs of recipes",
        what="us-central1",
        problem="tminus-welcome: state is UPDATE_FAILED instead of ENABLED",
        fix="reconcile corrects it within five minutes",
    ),
    Fault(
        name="a missing secret",
        plant=lambda apis: apis.remove("secrets/alert-webhooks"),
        kind="secret",
        what="alert-webhooks",
        problem="it does not exist",
        fix="gcloud secrets create alert-webhooks --data-file=FILE --project=kicks-test",
    ),
    Fault(
        name="a secret without a version",
        plant=lambda apis: apis.remove("secrets/console-key/versions/latest"),
        kind="secret",
        what="console-key",
        problem="it has no version",
        fix="gcloud secrets versions add console-key",
    ),
    Fault(
        name="a secret whose latest version is disabled",
        plant=changed("secrets/console-key/versions/latest", state="DISABLED"),
        kind="secret",
        what="console-key",
        problem="its latest version, which functions read, is DISABLED",
        fix="gcloud secrets versions add console-key",
    ),
    Fault(
        name="a bucket that can become public",
        plant=inside("b/kicks-test-tminus-source", "iamConfiguration.publicAccessPrevention", "inherited"),
        kind="bucket",
        what="kicks-test-tminus-source",
        problem="iamConfiguration.publicAccessPrevention is inherited instead of enforced",
    ),
    Fault(
        name="a bucket with access by object",
        plant=inside("b/kicks-test-tminus-source", "iamConfiguration.uniformBucketLevelAccess", {}),
        kind="bucket",
        what="kicks-test-tminus-source",
        problem="iamConfiguration.uniformBucketLevelAccess.enabled is missing, and should be true",
    ),
    Fault(
        name="a bucket without a lifecycle rule",
        plant=lambda apis: apis["b/kicks-test-tminus-audiences"]["lifecycle"]["rule"].pop(0),
        kind="bucket",
        what="kicks-test-tminus-audiences",
        problem="lifecycle.rule lacks",
    ),
    Fault(
        name="a bucket that deletes receipts early",
        plant=lambda apis: apis["b/kicks-test-tminus-audiences"]["lifecycle"]["rule"].append(
            {"action": {"type": "Delete"}, "condition": {"age": 2}}
        ),
        kind="bucket",
        what="kicks-test-tminus-audiences",
        problem="in addition",
    ),
    Fault(
        name="deleted files that stay for a week",
        plant=inside("b/kicks-test-tminus-audiences", "softDeletePolicy.retentionDurationSeconds", "604800"),
        kind="bucket",
        what="kicks-test-tminus-audiences",
        problem="softDeletePolicy.retentionDurationSeconds is 604800 instead of 0",
    ),
    Fault(
        name="a service that is not ready",
        plant=changed(
            f"{RUN}tminus-send-push",
            terminalCondition={
                "type": "Ready",
                "state": "CONDITION_FAILED",
                "message": "The container did not start",
            },
        ),
        kind="service",
        what="tminus-send-push",
        problem="it is not ready: The container did not start",
        fix="gcloud run services logs read tminus-send-push --region=us-central1",
    ),
    Fault(
        name="a service that runs as another account",
        plant=inside(
            f"{RUN}tminus-launch", "template.serviceAccount", "123456789-compute@developer.gserviceaccount.com"
        ),
        kind="service",
        what="tminus-launch",
        problem="template.serviceAccount is 123456789-compute@developer.gserviceaccount.com instead of",
    ),
    Fault(
        name="a service that the internet reaches",
        plant=changed(f"{RUN}tminus-send-shard", ingress="INGRESS_TRAFFIC_ALL"),
        kind="service",
        what="tminus-send-shard",
        problem="ingress is INGRESS_TRAFFIC_ALL instead of INGRESS_TRAFFIC_INTERNAL_ONLY",
    ),
    Fault(
        name="a service that checks no caller",
        plant=changed(f"{RUN}tminus-api", invokerIamDisabled=True),
        kind="service",
        what="tminus-api",
        problem="anybody may call it",
    ),
    Fault(
        name="a variable that is missing",
        plant=without_variable,
        kind="service",
        what="tminus-send-push",
        problem="env lacks SHARD_QUEUE",
    ),
    Fault(
        name="a setting of the team that is missing",
        plant=without_setting,
        kind="service",
        what="tminus-launch",
        problem="env lacks MAX_EXECUTIONS_AT_ONCE",
    ),
    Fault(
        name="another secret",
        plant=another_secret,
        kind="service",
        what="tminus-console",
        problem="env[CONSOLE_KEY].valueSource.secretKeyRef.secret is old-key instead of console-key",
    ),
    Fault(
        name="a shorter timeout",
        plant=inside(f"{RUN}tminus-build-audience", "template.timeout", "60s"),
        kind="service",
        what="tminus-build-audience",
        problem="template.timeout is 60s instead of",
    ),
    Fault(
        name="another concurrency",
        plant=inside(f"{RUN}tminus-send-shard", "template.maxInstanceRequestConcurrency", 80),
        kind="service",
        what="tminus-send-shard",
        problem="template.maxInstanceRequestConcurrency is 80 instead of 1",
    ),
    Fault(
        name="less memory",
        plant=inside(f"{RUN}tminus-launch", "template.containers.0.resources.limits.memory", "256Mi"),
        kind="service",
        what="tminus-launch",
        problem="resources.limits.memory is 256Mi instead of 512Mi",
    ),
    Fault(
        name="no proxy",
        plant=changed(f"{RUN}tminus-console", iapEnabled=None),
        kind="service",
        what="tminus-console",
        problem="Identity-Aware Proxy is off",
    ),
    Fault(
        name="a function whose build failed",
        plant=changed(
            "functions/tminus-finish",
            state="FAILED",
            stateMessages=[{"severity": "ERROR", "message": "Build failed"}],
        ),
        kind="function",
        what="tminus-finish",
        problem="state is FAILED instead of ACTIVE: Build failed",
    ),
    Fault(
        name="a missing function",
        plant=lambda apis: apis.remove("functions/tminus-checkpoint"),
        kind="function",
        what="tminus-checkpoint",
        problem="it does not exist",
    ),
    Fault(
        name="an old archive",
        plant=old_archive,
        kind="function",
        what="tminus-send-shard",
        problem="it was built from another archive than source/3f2a.zip",
    ),
    Fault(
        name="a console with another image",
        plant=inside(
            f"{RUN}tminus-console",
            "template.containers.0.image",
            "us-central1-docker.pkg.dev/kicks-test/tminus/kicks__api@sha256:00",
        ),
        kind="image",
        what="tminus-console",
        problem="the console runs the image sha256:00, and the function api sha256:3f3f",
    ),
]


SOME_FAULTS = [
    pytest.param(fault, id=fault.name.replace(" ", "_"), marks=pytest.mark.long if place % 3 else ())
    for place, fault in enumerate(FAULTS)
]


@pytest.mark.parametrize("fault", SOME_FAULTS)
def test_a_fault_is_found_by_its_check_alone(doctor: Doctor, apis: GoogleApis, fault: Fault) -> None:
    fault.plant(apis)
    answer = doctor("--json")
    wrong = [each for each in answer.report["findings"] if each["state"] != "ok"]
    assert answer.status == 1
    assert {(each["kind"], each["what"], each["state"]) for each in wrong} == {(fault.kind, fault.what, "wrong")}
    assert any(fault.problem in each["problem"] and fault.fix in each["fix"] for each in wrong), wrong


def test_a_disabled_api_hides_what_it_serves(doctor: Doctor, apis: GoogleApis) -> None:
    info = {"reason": "SERVICE_DISABLED", "metadata": {"service": "firebaserules.googleapis.com"}}
    apis.refusals["firebaserules"] = (403, {"error": {"code": 403, "message": "not used before", "details": [info]}})
    answer = doctor()
    assert answer.status == 1
    assert "cannot see  rules database tminus: the API firebaserules.googleapis.com is disabled" in answer.out
    assert "Fix: gcloud services enable firebaserules.googleapis.com --project=kicks-test" in answer.out


def test_a_tag_of_the_console_is_looked_up(doctor: Doctor, apis: GoogleApis) -> None:
    apis[f"{RUN}tminus-console"]["template"]["containers"][0]["image"] = apis[f"{RUN}tminus-api"]["template"][
        "containers"
    ][0]["image"]
    assert doctor().status == 0


def test_credentials_that_google_refuses(doctor: Doctor, apis: GoogleApis) -> None:
    apis.refusals["cloudtasks"] = (401, {"error": {"code": 401, "message": "Request had invalid credentials"}})
    answer = doctor()
    assert answer.status == 2
    assert "Google does not accept your credentials" in answer.err
    assert "gcloud auth application-default login" in answer.err


def test_names_of_a_project_cannot_move_the_cursor(doctor: Doctor, apis: GoogleApis) -> None:
    apis[PROJECT_POLICY]["bindings"].append({"role": "roles/\x1b[2Jx", "members": ["allUsers"]})
    out = doctor().out
    assert "\x1b" not in out
    assert "roles/\\x1b[2Jx is open to allUsers" in out


def test_a_job_that_was_resumed_just_now_is_not_stale(doctor: Doctor, apis: GoogleApis) -> None:
    apis[JOB].update(lastAttemptTime=ago(hours=2), userUpdateTime=ago(minutes=1))
    assert doctor().status == 0


def test_an_answer_of_another_form_does_not_end_the_command(doctor: Doctor, apis: GoogleApis) -> None:
    apis[f"{RUN}tminus-console"]["template"]["containers"][0]["image"] = "console"
    apis["collectionGroups/-/indexes"].append({"name": "odd"})
    answer = doctor()
    assert answer.status == 1
    assert "cannot see  image tminus-console: Google's answer has another form than expected" in answer.out
    assert "cannot see  indexes database tminus: Google's answer has another form than expected" in answer.out


def test_a_project_that_the_caller_may_not_use(doctor: Doctor, apis: GoogleApis) -> None:
    info = {"reason": "USER_PROJECT_DENIED", "metadata": {"consumer": "projects/kicks-test"}}
    error = {"code": 403, "message": "Caller does not have required permission to use project", "details": [info]}
    apis.refusals["run"] = (403, {"error": error})
    assert "you lack the permission serviceusage.services.use" in doctor().out


def test_the_permission_that_google_names_is_shown(doctor: Doctor, apis: GoogleApis) -> None:
    told = "Permission 'cloudtasks.queues.getSomething' denied on resource (or it may not exist)."
    apis.refusals["cloudtasks"] = (403, {"error": {"code": 403, "message": told}})
    assert "you lack the permission cloudtasks.queues.getSomething." in doctor().out
