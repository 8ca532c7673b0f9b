"""An alert as a webhook gets it: the JSON that Slack takes, which most other tools take too.

`text` is for notifications and for tools that know no blocks:
docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.domain.alerts.alert import Alert
from functions.domain.execution.execution import Execution

_LONGEST_NAME, _LONGEST_MESSAGE, _LONGEST_LINE = 100, 600, 200
_LONGEST_BLOCK = 3_000
"""In characters: docs.slack.dev/reference/block-kit/blocks/section-block."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """Web addresses that go with an alert; empty where there is none."""

    execution: str = ""
    cancel: str = ""


def payload(
    alert: Alert, execution: Execution | None, links: Links, *, late_since: datetime | None = None
) -> dict[str, Any]:
    """Return what to post; nothing in it can mention people or lead elsewhere, whatever a recipe is called.

    An alert that comes late says since when.
    """
    headline = _headline(execution)
    message = _escaped(alert.message, _LONGEST_MESSAGE)
    sign = ":warning:" if alert.urgent else ":information_source:"
    lines = [f"{sign} *{headline}*", message, *(f"• {_escaped(line, _LONGEST_LINE)}" for line in alert.details)]
    lines += [f"_This comes late: it was so at {late_since:%Y-%m-%d %H:%M} UTC._"] if late_since else []
    blocks: list[dict[str, Any]] = [_section("\n".join(lines))]
    led = [f"<{links.execution}|Open the execution>"] if links.execution else []
    led += [f"<{links.cancel}|Cancel this send>"] if links.cancel else []
    if led:
        blocks.append(_section("  ·  ".join(led)))
    return {"text": f"{headline}: {message}", "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_LONGEST_BLOCK]}}


def _headline(execution: Execution | None) -> str:
    """Return the recipe's name and its send time, on its own clock."""
    if execution is None:
        return "Tminus"
    name = execution.recipe.get("name")
    shown = name if isinstance(name, str) and name.strip() else execution.recipe_id
    return f"{_escaped(shown, _LONGEST_NAME)}, {local_send_time(execution)}"


def local_send_time(execution: Execution) -> str:
    """Return the send time on the recipe's own clock, or on UTC's where the recipe names none."""
    schedule = execution.recipe.get("schedule")
    name = schedule.get("timezone") if isinstance(schedule, dict) else None
    try:
        zone = ZoneInfo(name) if isinstance(name, str) else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return f"{execution.send_at.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"


def _escaped(text: str, longest: int) -> str:
    """Return text on one line in which Slack finds no mention and no link.

    Those take the three characters that are escaped: docs.slack.dev/messaging/formatting-message-text.
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        line = line.replace(letter, entity)
    return line
