"""Reads the settings of alerts."""

import re
from collections.abc import Mapping, Sequence

from functions.domain.alerts.alert import EVERYTHING
from functions.domain.alerts.cancel_link import SHORTEST_SECRET
from functions.domain.errors import Misconfigured
from functions.domain.policy import AlertPolicy
from functions.settings.variables import Variables

_CHANNEL = re.compile(r"[A-Za-z0-9_-]{1,50}")
_WEB = re.compile(r"https://[^\s/]|http://(127\.0\.0\.1|localhost):[0-9]")


def webhooks_of(words: Sequence[str]) -> Mapping[str, str]:
    """Read the addresses of channels, each as `NAME=URL`. A URL alone is the channel for everything.

    Misconfigured for an invalid one. The error does not show the value: anyone who knows an address can post to it.
    """
    setting, webhooks = "ALERT_WEBHOOKS", dict[str, str]()
    for place, word in enumerate(words, start=1):
        name, url = (EVERYTHING, word) if _WEB.match(word) else (word.partition("=")[0], word.partition("=")[2])
        if not _CHANNEL.fullmatch(name) or not _WEB.match(url):
            raise Misconfigured(setting, f"entry {place} must be NAME=URL, with a URL that begins with https://")
        if webhooks.setdefault(name, url) != url:
            raise Misconfigured(setting, f"channel {name} has two addresses; give one of them another name")
    return webhooks


def alert_policy(reader: Variables) -> AlertPolicy:
    """Read who gets alerts, and what their links need."""
    channels, console, secrets = "ALERT_CHANNELS", "CONSOLE_URL", "CANCEL_LINK_SECRETS"
    names = reader.words(channels) or tuple(webhooks_of(reader.words("ALERT_WEBHOOKS")))
    for place, name in enumerate(names, start=1):
        if not _CHANNEL.fullmatch(name):
            raise Misconfigured(channels, f"entry {place} must be a name of letters, digits, '-' and '_'")
    for place, secret in enumerate(reader.words(secrets), start=1):
        if len(secret) < SHORTEST_SECRET:
            raise Misconfigured(
                secrets, f"secret {place} is shorter than {SHORTEST_SECRET} characters; make a random one"
            )
    return AlertPolicy(
        channels=names,
        console_url=reader.url(console).rstrip("/") if reader.text(console, "") else "",
        link_secrets=reader.words(secrets),
    )
