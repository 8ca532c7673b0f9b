"""The pages of a cancel link: small, without scripts, and without external resources."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from string import Template

from functions.domain.alerts.payload import local_send_time
from functions.domain.execution.execution import Execution
from functions.usecases.alerting.cancel_by_link import Seen, Standing

_STYLE = (
    ":root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:10vh auto;"
    "padding:0 1rem}h1{font-size:1.5rem;line-height:1.25}button{font:inherit;font-weight:700;padding:.9rem 1.6rem;"
    "border:0;border-radius:.5rem;background:#b3261e;color:#fff;cursor:pointer;width:100%}"
    "button:focus-visible{outline:3px solid;outline-offset:3px}"
)
STYLE_HASH = f"sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"
"""The hash with which a Content-Security-Policy allows the pages' style."""
_PAGE = Template(
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>$title</title>'
    f"<style>{_STYLE}</style></head><body><main><h1>$title</h1>$rest</main></body></html>"
)
_FORM = '<form method="post"><button type="submit">Cancel this send</button></form>'

_TITLES: Mapping[Standing, str] = {
    Standing.OPEN: "Cancel this send?",
    Standing.DONE: "The send is cancelled",
    Standing.USED: "The send was cancelled already",
    Standing.LIVE: "Too late: the send is live",
    Standing.OVER: "There is nothing left to cancel",
    Standing.EXPIRED: "This link has expired",
    Standing.BAD: "This link does not work",
}
_WORDS: Mapping[Standing, str] = {
    Standing.DONE: "No message is sent. The next send of this recipe is not touched.",
    Standing.USED: "No message is sent, and you need not do anything.",
    Standing.LIVE: "Messages are going out. Stop the execution in the console: no new messages start after that.",
    Standing.OVER: "The execution has ended, and nothing more is sent for it.",
    Standing.EXPIRED: "Links like this one work until the send time. Stop the execution in the console.",
    Standing.BAD: "It is not genuine, or was not copied completely. Open it from the alert again.",
}


def page(seen: Seen, now: datetime) -> str:
    """Return the page for a link. Only an open link has a button."""
    rest = ""
    if seen.execution is not None:
        rest += _paragraph(_what(seen.execution))
    if seen.standing is Standing.OPEN and seen.execution is not None:
        rest += _paragraph(f"It goes out in {_minutes(seen.execution.send_at - now)} unless it is cancelled.") + _FORM
    else:
        rest += _paragraph(_WORDS[seen.standing])
    if seen.execution is not None and seen.execution.reason and seen.standing in (Standing.USED, Standing.OVER):
        rest += _paragraph(f"Its state is {seen.execution.state.value}: {seen.execution.reason}.")
    return _PAGE.substitute(title=escape(_TITLES[seen.standing]), rest=rest)


def sorry(title: str, words: str) -> str:
    """Return a page with an error and the way out."""
    return _PAGE.substitute(title=escape(title), rest=_paragraph(words))


def _what(execution: Execution) -> str:
    """Say which send it is."""
    return f"{execution.recipe.get('name') or execution.recipe_id}, {local_send_time(execution)}"


def _minutes(left: timedelta) -> str:
    minutes = left // timedelta(minutes=1)
    return "less than a minute" if minutes < 1 else f"{minutes} minute{'' if minutes == 1 else 's'}"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
