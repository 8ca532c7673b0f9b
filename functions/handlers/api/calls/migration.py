"""Migration: scheduled pushes and recipes of the old system, sent as documents."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from functions.domain.errors import BadFields, FieldError
from functions.domain.roles import Role
from functions.handlers.api.route import Call, Model, Reply, Route
from functions.usecases.moving_in.migrate import (
    MigratedShown,
    MigrationStatus,
    OldDocument,
    Outcome,
    migrate,
    migration_status,
)

_AT = "/api/automation/migrate"
_MOST_BODY_BYTES = 20_000_000


class OldDocuments(Model):
    """Documents of the old system, as it kept them in its files."""

    scheduled_pushes: list[Any] = Field(default=[], description="Scheduled pushes.")
    recipes: list[Any] = Field(default=[], description="Recipes.")
    dry_run: bool = Field(default=True, description="Only answer what would happen, and create nothing.")


@dataclass(frozen=True, kw_only=True)
class MigrationReport:
    """The result for each document, or what it would be."""

    dry_run: bool
    created: int
    unchanged: int
    refused: int
    documents: Sequence[MigratedShown]


def get_migration(call: Call) -> Reply:
    """Answer how many recipes were migrated so far."""
    return Reply(data=migration_status(call.ports))


def post_migration(call: Call) -> Reply:
    """Migrate documents, or answer what a migration would do."""
    asked: OldDocuments = call.body
    lists = {"scheduledPushes": asked.scheduled_pushes, "recipes": asked.recipes}
    documents = [
        OldDocument(name=f"{name}[{place}]", content=content)
        for name, contents in lists.items()
        for place, content in enumerate(contents)
    ]
    if not documents:
        raise BadFields([FieldError("scheduledPushes", "is empty, as is recipes: send the documents along")])
    found = list(migrate(call.ports, documents, by=call.caller.name, dry_run=asked.dry_run))
    return Reply(data=_report(found, dry_run=asked.dry_run), message=_summary(found, dry_run=asked.dry_run))


def _report(found: Sequence[MigratedShown], *, dry_run: bool) -> MigrationReport:
    counts = Counter(each.outcome for each in found)
    return MigrationReport(
        dry_run=dry_run,
        created=counts[Outcome.CREATED],
        unchanged=counts[Outcome.UNCHANGED],
        refused=counts[Outcome.REFUSED],
        documents=found,
    )


def _summary(found: Sequence[MigratedShown], *, dry_run: bool) -> str:
    created = sum(each.outcome is Outcome.CREATED for each in found)
    return f"{created:,} of {len(found):,} documents {'would become' if dry_run else 'became'} recipes"


ROUTES = (
    Route(
        method="GET",
        path=_AT,
        least=Role.VIEWER,
        summary="See how many recipes of the old system were migrated",
        serve=get_migration,
        answer=MigrationStatus,
    ),
    Route(
        method="POST",
        path=_AT,
        least=Role.ADMIN,
        summary="Migrate scheduled pushes and recipes of the old system",
        serve=post_migration,
        body=OldDocuments,
        answer=MigrationReport,
        most_body_bytes=_MOST_BODY_BYTES,
    ),
)
