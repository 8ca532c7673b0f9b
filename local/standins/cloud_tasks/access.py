"""Who may call which method: IAM, as far as Cloud Tasks and Cloud Scheduler check it.

cloud.google.com/tasks/docs/reference-access-control and cloud.google.com/scheduler/docs/access-control
"""

from collections.abc import Mapping
from typing import Any

from local.standins.cloud_tasks.errors import PermissionDenied
from local.standins.grants import Grants

_ENQUEUER = "roles/cloudtasks.enqueuer"
_JOB_VERBS: Mapping[str, str] = {
    "CreateJob": "create",
    "DeleteJob": "delete",
    "GetJob": "get",
    "ListJobs": "list",
    "PauseJob": "pause",
    "ResumeJob": "enable",
    "RunJob": "run",
    "UpdateJob": "update",
}
CUSTOM_ROLES: Mapping[str, frozenset[str]] = {
    "tminusSchedulesEdit": frozenset(
        {"create", "delete", "enable", "fullView", "get", "list", "pause", "update"},
    ),
    "tminusSchedulesRemove": frozenset({"delete", "get"}),
}
"""What the roles that infra/modules/identity makes may do to jobs."""


class Access:
    """What one account may call."""

    def __init__(self, grants: Grants, account: str) -> None:
        self._grants, self._account = grants, account

    def check(self, method: str, request: Any) -> None:
        """Raise PermissionDenied if the account may not make this call."""
        if method in _JOB_VERBS:
            self._check_job(method, request)
        elif method == "CreateTask":
            queue = request.parent.rpartition("/")[2]
            if not self._grants.has(self._account, _ENQUEUER, f"queue {queue}"):
                raise self._denied("cloudtasks.tasks.create", request.parent)
            self._check_acting(request.task.http_request)
        else:
            raise self._denied(f"cloudtasks, which {method} takes", "the project")

    def _check_job(self, method: str, request: Any) -> None:
        verb = _JOB_VERBS[method]
        roles = [grant.role.rpartition("/")[2] for grant in self._grants.of(self._account, "project")]
        if not any(verb in CUSTOM_ROLES.get(role, ()) for role in roles):
            raise self._denied(f"cloudscheduler.jobs.{verb}", "the project")
        if method in ("CreateJob", "UpdateJob"):
            self._check_acting(request.job.http_target)

    def _check_acting(self, target: Any) -> None:
        email = target.oidc_token.service_account_email
        if email and not self._grants.may_act_as(self._account, email):
            raise self._denied("iam.serviceAccounts.actAs", email)

    def _denied(self, permission: str, resource: str) -> PermissionDenied:
        return PermissionDenied(
            f"The principal {self._account} lacks IAM permission {permission!r} for the resource {resource!r}"
            " (or the resource may not exist)."
        )
