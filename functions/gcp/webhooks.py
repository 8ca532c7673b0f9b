"""Channels as webhooks, over libcurl: one short request for each alert. The answer's body is not read."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from functions.domain.errors import Misconfigured, QuotaExceeded, Refused, Transient

_PATIENCE = timedelta(seconds=5)
_LONGEST_WAIT_SECONDS = 600
"""The longest wait that a channel can ask for: it must not exceed the retries of the queue."""
_TOO_MANY, _TIMEOUT = 429, 408
_MOST_ANSWER_BYTES = 64 * 1024


class WebhookChannels:
    """Implements Channels. Addresses come from the deployment's settings only, so a recipe can name none of its own.

    Only the status of the answer counts. An error names the channel, never the address.
    """

    def __init__(self, urls: Mapping[str, str], patience: timedelta = _PATIENCE) -> None:
        self._urls, self._patience = urls, patience

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        """Post JSON to a channel, in one request with a timeout. Redirects are not followed."""
        if channel not in self._urls:
            raise Misconfigured("ALERT_WEBHOOKS", f"has no address for channel {channel!r}")
        status, wait_seconds, problem = self._request(self._urls[channel], payload)
        if 200 <= status < 300:
            return
        if problem:
            raise Transient(f"channel {channel} cannot be reached: {problem}")
        if status == _TOO_MANY or (status >= 500 and wait_seconds):
            raise QuotaExceeded(min(max(1, wait_seconds), _LONGEST_WAIT_SECONDS))
        if status >= 500 or status == _TIMEOUT:
            raise Transient(f"channel {channel} answers {status}")
        raise Refused(
            f"channel {channel} answers {status}: it will not take this; look at its address (ALERT_WEBHOOKS)"
        )

    def _request(self, url: str, payload: Mapping[str, Any]) -> tuple[int, int, str]:
        """Return the status, the seconds to wait, and libcurl's message if there is no answer."""
        import certifi  # noqa: PLC0415 - only one function posts
        import pycurl  # noqa: PLC0415

        answer_bytes = 0

        def throw_away(part: bytes) -> int:
            nonlocal answer_bytes
            answer_bytes += len(part)
            return len(part) if answer_bytes <= _MOST_ANSWER_BYTES else 0

        curl = pycurl.Curl()
        try:
            curl.setopt(pycurl.URL, url)
            curl.setopt(pycurl.CAINFO, certifi.where())
            curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS if url.startswith("https:") else pycurl.PROTO_HTTP)
            curl.setopt(pycurl.FOLLOWLOCATION, 0)
            curl.setopt(pycurl.NOSIGNAL, 1)
            curl.setopt(pycurl.TIMEOUT_MS, self._patience // timedelta(milliseconds=1))
            curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json; charset=utf-8", "Expect:"])
            curl.setopt(pycurl.POSTFIELDS, json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"))
            curl.setopt(pycurl.WRITEFUNCTION, throw_away)
            try:
                curl.perform()
            except pycurl.error as error:
                status = curl.getinfo(pycurl.RESPONSE_CODE)
                # A channel that answered with success has the alert, even if the rest of its answer got lost.
                return (status, 0, "") if 200 <= status < 300 else (0, 0, f"libcurl's error {error.args[0]}")
            return curl.getinfo(pycurl.RESPONSE_CODE), curl.getinfo(pycurl.RETRY_AFTER), ""
        finally:
            curl.close()
