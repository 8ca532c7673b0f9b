"""A sound deployment, and what keeps the command from examining one."""

import json
from pathlib import Path

import pytest

from local.standins.fcm.credentials import write_service_account
from tests.doctor.conftest import Doctor
from tests.doctor.google_apis import GoogleApis


def test_a_sound_deployment_has_no_finding(doctor: Doctor) -> None:
    answer = doctor()
    assert answer.status == 0, answer.out
    *lines, total = answer.out.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert total == f"{len(lines)} checks: all is well"


def test_it_changes_nothing(doctor: Doctor, apis: GoogleApis) -> None:
    doctor()
    posts = {request.path.rpartition(":")[2] for request in apis.requests if request.method != "GET"}
    assert posts == {"getIamPolicy"}
    assert {request.method for request in apis.requests} == {"GET", "POST"}


def test_no_secret_is_read(doctor: Doctor, apis: GoogleApis) -> None:
    doctor()
    assert not [request for request in apis.requests if request.path.endswith(":access")]


def test_every_part_of_the_document_is_compared(doctor: Doctor) -> None:
    report = doctor("--json").report
    assert report["sound"] is True
    assert {each["kind"] for each in report["findings"]} == {
        *(
            "accounts",
            "apis",
            "bucket",
            "database",
            "fields",
            "function",
            "image",
            "indexes",
            "job",
            "jobs of recipes",
        ),
        *("permissions", "queue", "role", "rules", "secret", "service"),
    }


def test_a_passing_error_is_no_finding(doctor: Doctor, apis: GoogleApis) -> None:
    apis.silent["cloudtasks"] = 2
    assert doctor().status == 0


@pytest.mark.parametrize(
    ("service", "permission"),
    [
        ("artifactregistry", "artifactregistry.repositories.getIamPolicy"),
        ("bigquery", "bigquery.datasets.get"),
        ("cloudfunctions", "cloudfunctions.functions.get"),
        ("cloudresourcemanager", "resourcemanager.projects.getIamPolicy"),
        ("cloudscheduler", "cloudscheduler.jobs.get"),
        ("cloudtasks", "cloudtasks.queues.get"),
        ("firebaserules", "firebaserules.releases.get"),
        ("firestore", "datastore.indexes.list"),
        ("iam", "iam.serviceAccounts.list"),
        ("iap", "iap.webServices.getIamPolicy"),
        ("run", "run.services.get"),
        ("secretmanager", "secretmanager.secrets.get"),
        ("serviceusage", "serviceusage.services.list"),
    ],
)
def test_what_a_permission_hides_is_a_finding(
    doctor: Doctor, apis: GoogleApis, service: str, permission: str
) -> None:
    apis.denied.add(service)
    answer = doctor("--json")
    hidden = [each for each in answer.report["findings"] if each["state"] != "ok"]
    assert answer.status == 1
    assert {each["state"] for each in hidden} == {"cannot see"}
    assert f"you lack the permission {permission}" in {each["problem"] for each in hidden}


def test_buckets_that_a_permission_hides_are_a_finding(doctor: Doctor, apis: GoogleApis, tmp_path: Path) -> None:
    document = tmp_path / "deployment.json"
    document.write_text(json.dumps(apis.expected))
    apis.denied.add("storage")
    answer = doctor("--expected", document)
    assert answer.status == 1
    assert "you lack the permission storage.buckets.get." in answer.out


def test_a_document_that_a_permission_hides(doctor: Doctor, apis: GoogleApis) -> None:
    apis.denied.add("storage")
    answer = doctor()
    assert answer.status == 2
    assert "you lack the permission storage.objects.get" in answer.err
    assert "--expected FILE" in answer.err


def test_a_project_that_does_not_exist(doctor: Doctor) -> None:
    answer = doctor(project="kicks-tset")
    assert answer.status == 2
    assert "there is no project kicks-tset, or you have no access to it: correct --project" in answer.err


def test_a_project_without_tminus(doctor: Doctor, apis: GoogleApis) -> None:
    apis.remove("/o/deployment.json")
    answer = doctor()
    assert answer.status == 2
    assert "Tminus is not deployed in the project kicks-test" in answer.err
    assert "Run terraform apply" in answer.err


def test_the_wrong_region(doctor: Doctor) -> None:
    answer = doctor(region="europe-west1")
    assert answer.status == 2
    assert "Tminus is deployed in us-central1, not in europe-west1: write --region us-central1" in answer.err


def test_a_document_of_a_newer_release(doctor: Doctor, apis: GoogleApis) -> None:
    apis.expected["format"] = 2
    answer = doctor()
    assert answer.status == 2
    assert "has format 2, this release reads 1: update tminus" in answer.err


def test_a_document_that_lacks_a_part(doctor: Doctor, apis: GoogleApis) -> None:
    del apis.expected["queues"]
    answer = doctor()
    assert answer.status == 2
    assert "lacks queues: run terraform apply with this release" in answer.err


@pytest.mark.usefixtures("without_credentials")
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[]", "is not a document of infra/deployment.tf"),
        (b"", "is not a document of infra/deployment.tf"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "is not a document of infra/deployment.tf"),
    ],
)
def test_a_file_that_is_no_document_is_refused_before_credentials_are_asked_for(
    doctor: Doctor, tmp_path: Path, content: bytes, problem: str
) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(content)
    answer = doctor("--google-apis", "https://{service}.example", "--expected", other)
    assert answer.status == 2
    assert problem in answer.err


@pytest.fixture
def without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the credentials of this machine."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.mark.usefixtures("without_credentials")
def test_a_machine_without_credentials(doctor: Doctor) -> None:
    answer = doctor("--google-apis", "https://{service}.example")
    assert answer.status == 2
    assert "has no credentials for Google Cloud" in answer.err
    assert "gcloud auth application-default login" in answer.err


def test_an_unreachable_token_service_says_nothing_about_the_credentials(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key.json"
    write_service_account(key, project="elsewhere", token_uri="https://127.0.0.1:1/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    answer = doctor("--google-apis", "https://{service}.example")
    assert answer.status == 2
    assert "Google's token service does not answer: HTTPSConnectionPool" in answer.err
    assert "credentials" not in answer.err


def test_a_test_needs_a_token(doctor: Doctor) -> None:
    answer = doctor("--send-test", "--recipe", "welcome", "--test-user", "1", "--yes")
    assert answer.status == 2
    assert "--audiences=https://tminus-api-123456789.us-central1.run.app --include-email" in answer.err
