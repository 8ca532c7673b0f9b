"""`tminus up --alerts`: where alerts go on this machine, and cancel links that lead back to it."""

from dataclasses import replace
from secrets import token_urlsafe

from functions.domain.alerts.alert import EVERYTHING
from functions.settings import Settings
from functions.settings.read import webhooks_of


def with_alerts(settings: Settings, webhook: str | None, host: str, port: int) -> Settings:
    """Return settings whose alerts go to a webhook too, and link to the functions that are served at an address.

    Links are signed with a secret of this process, unless the settings have one: they end with it. Misconfigured for
    an address that alerts may not be sent to.
    """
    if webhook is None:
        return settings
    alerts, webhooks = settings.policy.alerts, {**settings.webhooks, **webhooks_of([f"{EVERYTHING}={webhook}"])}
    there = f"http://{host}:{port}/console" if port else ""
    alerts = replace(
        alerts,
        channels=tuple(dict.fromkeys([*alerts.channels, *webhooks])),
        console_url=alerts.console_url or there,
        link_secrets=alerts.link_secrets or (token_urlsafe(32),),
    )
    return replace(settings, webhooks=webhooks, policy=replace(settings.policy, alerts=alerts))
