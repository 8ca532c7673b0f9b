"""Which campaigns use a segment, when they send next, and how many people are in it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audience_jobs.errors import AudienceJobError
from functions.domain.errors import BadRecipe
from functions.ports import Ports
from functions.usecases.dry_run.query_audience import preview_audience
from functions.usecases.recipes.launched_sends import launched_sends, next_send
from functions.usecases.recipes.segments import used_in
from functions.usecases.reports.campaign_index import Labelled, campaign_index


@dataclass(frozen=True, kw_only=True)
class CampaignUsing:
    """A campaign that uses a segment, and its next send, if it has one."""

    id: str
    name: str
    status: str
    zone: str
    next_send_at: datetime | None


def campaigns_by_segment(ports: Ports) -> Mapping[str, Sequence[Labelled]]:
    """Return the campaigns that use each segment, by the segment's id, in order of their names."""
    found: dict[str, list[Labelled]] = {}
    for each in campaign_index(ports):
        for segment in used_in(each.document):
            found.setdefault(segment, []).append(each)
    return found


def campaigns_using(ports: Ports, wanted: str) -> Sequence[CampaignUsing]:
    """Return the campaigns that use a segment, in order of their names."""
    using = campaigns_by_segment(ports).get(wanted, ())
    now = ports.clock.now()
    launched = launched_sends(ports, now) if using else {}
    return [
        CampaignUsing(
            id=each.id,
            name=each.name,
            status=each.status,
            zone=each.recipe.schedule.zone.key if each.recipe else "UTC",
            next_send_at=next_send(each.recipe, now, launched) if each.recipe else None,
        )
        for each in using
    ]


def count_people(ports: Ports, where: Any) -> int | None:
    """Return how many people fit conditions now; None if they cannot be counted within a minute."""
    with TemporaryDirectory(prefix="tminus-") as name, suppress(AudienceJobError, BadRecipe):
        criteria = {"where": where}
        return preview_audience(
            ports.engine, criteria, ports.workspace, now=ports.clock.now(), folder=Path(name)
        ).count
    return None
