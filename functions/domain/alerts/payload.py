"""The JSON that a webhook gets for an alert: Slack's format, which most other tools accept too.

`text` is for notifications and for tools without blocks:
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
    """Web addresses for an alert; an empty text means there is none."""

    execution: str = ""
    cancel: str = ""


def payload(
    alert: Alert, execution: Execution | None, links: Links, *, late_since: datetime | None = None
) -> dict[str, Any]:
    """Return the JSON to post. The name of a recipe cannot add mentions or links to it.

    A late alert says when it was raised.
    """
    headline = _headline(execution)
    message = _escaped(alert.message, _LONGEST_MESSAGE)
    sign = ":warning:" if alert.urgent else ":information_source:"
    lines = [f"{sign} *{headline}*", message, *(f"• {_escaped(line, _LONGEST_LINE)}" for line in alert.details)]
    lines += [f"_This alert is late: it was raised at {late_since:%Y-%m-%d %H:%M} UTC._"] if late_since else []
    blocks: list[dict[str, Any]] = [_section("\n".join(lines))]
    led = [f"<{links.execution}|Open the execution>"] if links.execution else []
    led += [f"<{links.cancel}|Cancel this send>"] if links.cancel else []
    if led:
        blocks.append(_section("  ·  ".join(led)))
    return {"text": f"{headline}: {message}", "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_LONGEST_BLOCK]}}


def _headline(execution: Execution | None) -> str:
    """Return the recipe's name and its send time, in the recipe's zone."""
    if execution is None:
        return "Tminus"
    name = execution.recipe.get("name")
    shown = name if isinstance(name, str) and name.strip() else execution.recipe_id
    return f"{_escaped(shown, _LONGEST_NAME)}, {local_send_time(execution)}"


def local_send_time(execution: Execution) -> str:
    """Return the send time in the recipe's zone, or in UTC if the recipe has none."""
    schedule = execution.recipe.get("schedule")
    name = schedule.get("timezone") if isinstance(schedule, dict) else None
    try:
        zone = ZoneInfo(name) if isinstance(name, str) else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return f"{execution.send_at.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"


def _escaped(text: str, longest: int) -> str:
    """Return the text on one line, without mentions or links for Slack.

    Slack needs the three escaped characters for them: docs.slack.dev/messaging/formatting-message-text.
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        line = line.replace(letter, entity)
    return line
