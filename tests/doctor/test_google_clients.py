"""Google's own clients read the stand-in, so that it speaks as the APIs do."""

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import scheduler_v1, tasks_v2
from google.cloud.firestore_admin_v1 import FirestoreAdminClient, Index
from google.cloud.firestore_admin_v1.types.database import Database
from google.cloud.storage import Client

from tests.doctor.google_apis import GoogleApis

PLACE = "projects/kicks-test/locations/us-central1"
DATABASE = "projects/kicks-test/databases/tminus"


def options(apis: GoogleApis, service: str) -> dict[str, object]:
    endpoint = apis.url.replace("{service}", service)
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return {
        "transport": "rest",
        "credentials": credentials,
        "client_options": ClientOptions(api_endpoint=endpoint),
    }


def test_the_client_of_cloud_tasks_reads_the_queues(apis: GoogleApis) -> None:
    client = tasks_v2.CloudTasksClient(**options(apis, "cloudtasks"))  # type: ignore[arg-type]
    queue = client.get_queue(name=f"{PLACE}/queues/tminus-shards")
    assert queue.state is tasks_v2.Queue.State.RUNNING
    assert queue.rate_limits.max_dispatches_per_second == 0.5
    assert queue.retry_config.max_retry_duration.total_seconds() == 3600


def test_the_client_of_cloud_scheduler_reads_the_jobs_of_all_pages(apis: GoogleApis) -> None:
    client = scheduler_v1.CloudSchedulerClient(**options(apis, "cloudscheduler"))  # type: ignore[arg-type]
    jobs = list(client.list_jobs(parent=PLACE))
    assert len(jobs) == 6
    assert jobs[0].http_target.oidc_token.service_account_email.startswith("tminus-scheduler-caller@")


def test_the_client_of_firestore_reads_the_database_its_indexes_and_fields(apis: GoogleApis) -> None:
    client = FirestoreAdminClient(**options(apis, "firestore"))  # type: ignore[arg-type]
    parent = f"{DATABASE}/collectionGroups/-"
    assert client.get_database(name=DATABASE).type_ is Database.DatabaseType.FIRESTORE_NATIVE
    indexes = list(client.list_indexes(parent=parent))
    assert len(indexes) == len(apis.expected["database"]["indexes"])
    assert {index.state for index in indexes} == {Index.State.READY}
    fields = list(client.list_fields(parent=parent))
    expiring = [each for each in apis.expected["database"]["fields"] if each["expires"]]
    assert len([each for each in fields if each.ttl_config.state]) == len(expiring) > 0


def test_the_client_of_cloud_storage_reads_a_bucket_and_its_policy(apis: GoogleApis) -> None:
    endpoint = {"api_endpoint": apis.url.replace("{service}", "storage")}
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    client = Client(project="kicks-test", credentials=anonymous, client_options=endpoint)
    bucket = client.get_bucket("kicks-test-tminus-audiences")
    assert bucket.iam_configuration.public_access_prevention == "enforced"
    assert [rule["condition"]["age"] for rule in bucket.lifecycle_rules] == [7, 1, 1, 1, 90, 365, 1]
    policy = bucket.get_iam_policy(requested_policy_version=3)
    assert {binding["role"] for binding in policy.bindings} >= {"roles/storage.objectCreator"}
