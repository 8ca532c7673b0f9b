"""Terraform's grants, read for an emulated project."""

import pytest

from local.standins.cloud_tasks.access import CUSTOM_ROLES
from local.standins.grants import Grant, Grants
from tests.grants import deployed
from tests.terraform import resources


def test_the_grants_of_the_deployment_are_read_for_another_project() -> None:
    grants = deployed("demo-1a2b")
    assert "kicks-test" not in str(grants)
    assert grants.has("tminus-launch", "roles/cloudtasks.enqueuer", "queue tminus-steps")
    assert not grants.has("tminus-launch", "roles/cloudtasks.enqueuer", "queue tminus-shards")
    assert grants.may_act_as("tminus-launch", "tminus-task-caller@demo-1a2b.iam.gserviceaccount.com")
    assert not grants.may_act_as("tminus-launch", "tminus-scheduler-caller@demo-1a2b.iam.gserviceaccount.com")
    assert grants.may_invoke("tminus-task-caller", "tminus-send-shard")
    assert not grants.may_invoke("tminus-task-caller", "tminus-launch")


def test_a_condition_on_folders_names_them() -> None:
    folders = {grant.where: grant.folders for grant in deployed("demo").all if "bucket" in grant.what}
    assert folders["only-audiences-devices-folders"] == ("audiences/", "devices/")
    assert Grant(account="a", role="r", what="project", where="only-tminus").folders is None


@pytest.mark.parametrize("line", ["-", "tminus-launch", "tminus-launch: roles/x", "a: b on"])
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="must have the form"):
        Grants.read([line], project="demo")


def test_the_roles_for_jobs_are_those_of_terraform() -> None:
    roles = (each for each in resources() if each.type == "google_project_iam_custom_role")
    [role] = [each.body for each in roles if each.name == "schedules"]
    made = role["for_each"] if isinstance(role["for_each"], dict) else {}
    assert {f"tminusSchedules{name.title()}": frozenset(verbs) for name, verbs in made.items()} == CUSTOM_ROLES
