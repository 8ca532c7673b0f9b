"""The FCM message of a push: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.

FCM gets exactly this object, and the outbox shows it.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from functions.domain.push.links import LINK_KEY
from functions.domain.push.outcomes import Envelope, Message
from functions.domain.push.slots import Filler, filler, slot
from functions.domain.recipe.content_fields import Priority
from functions.domain.recipe.push_fields import RecipePush

BUTTONS_KEY, TM_KEY = "buttons", "tm"
"""The keys of the buttons, and of the push that a message belongs to, in a message's data."""
OWN_KEYS = (BUTTONS_KEY, TM_KEY)
_APNS_PRIORITY = {Priority.HIGH: "10", Priority.NORMAL: "5"}
"""At once, or by the phone's power: developer.apple.com/documentation/usernotifications."""
_HTTPS = "https://"
_TOKEN, _BASIC, _FIRST_OF_MORE = 0, {"title": 1, "body": 2, "deepLink": 3}, 4


def message_writer(envelope: Envelope, now: datetime, time_to_live: timedelta) -> Callable[[Message], str]:
    """Return a function that writes the JSON of a push's messages, in ASCII.

    A message replaces an earlier one of the same push on the device: the notification tag does it on Android,
    `apns-collapse-id` on iOS, Topic in browsers.
    """
    push = envelope.content
    if not push.translations:
        return _writer(envelope, push, now, time_to_live)
    in_language = cache(lambda tag: _writer(envelope, push.in_language(tag), now, time_to_live))
    return lambda message: in_language(message.language)(message)


def _writer(envelope: Envelope, push: RecipePush, now: datetime, time_to_live: timedelta) -> Callable[[Message], str]:
    document = _document(envelope, push, now, time_to_live)
    fill = filler({"token": slot(_TOKEN), **document}, ascii_only=True)
    fill_for_fid = filler({"fid": slot(_TOKEN), **document}, ascii_only=True)
    write_buttons = buttons_writer(push)

    def write(message: Message) -> str:
        texts: Any = (*message[1:5], *message.more)
        if write_buttons is not None:
            texts = (*texts, write_buttons(texts))
        return fill_for_fid(texts) if message.is_fid else fill(texts)

    return write


def buttons_writer(push: RecipePush) -> Filler | None:
    """Return what writes the list of buttons, which is a text in the data; None if all users get the same.

    FCM has no buttons for Android, and the values of data are texts. The text's slot is behind those of all others.
    """
    varies = any(name.startswith("buttons[") for name in push.more_texts)
    return filler(_buttons(push, _shown(push)), ascii_only=False) if varies else None


def content(push: RecipePush) -> dict[str, Any]:
    """Return the parts of a message that a phone or the app gets, with slots for texts that differ between users."""
    texts = _shown(push)
    return _present(
        {
            "notification": _present({name: texts.get(name) for name in ("title", "body", "image")}),
            "data": _data(push, texts),
            "android": _present({"notification": _android(push)}),
            "apns": _present({"payload": _present({"aps": _aps(push, texts)})}),
            "webpush": _present({"notification": _web(push, texts), "fcm_options": _web_options(push, texts)}),
        }
    )


def _shown(push: RecipePush) -> Mapping[str, str]:
    """Return what a message has for each text, by its path: a slot, or the text itself if all users get the same."""
    places = _BASIC | {path: place for place, path in enumerate(push.more_texts, start=_FIRST_OF_MORE)}
    return {path: slot(places[path]) if path in places else text.source for path, text in push.own_texts.items()}


def _document(envelope: Envelope, push: RecipePush, now: datetime, time_to_live: timedelta) -> dict[str, Any]:
    key = envelope.collapse_key
    lifetime = time_to_live if push.ttl_minutes is None else timedelta(minutes=push.ttl_minutes)
    seconds, expires_at = int(lifetime.total_seconds()), int((now + lifetime).timestamp())
    shown = content(push)
    android, apns, web = (shown.pop(name, {}) for name in ("android", "apns", "webpush"))
    return {
        "notification": shown["notification"],
        "data": shown.get("data", {}) | {TM_KEY: envelope.attribution},
        "android": {
            "notification": {"tag": key, **android.get("notification", {})},
            "priority": push.priority.name,
            "ttl": f"{seconds}s",
        },
        "apns": {
            "headers": {
                "apns-collapse-id": key,
                "apns-expiration": str(expires_at),
                "apns-priority": _APNS_PRIORITY[push.priority],
            },
            **apns,
        },
        "fcm_options": {"analytics_label": envelope.analytics_label},
        "webpush": {"headers": {"TTL": str(seconds), "Topic": key}, **web},
    }


def _data(push: RecipePush, texts: Mapping[str, str]) -> Mapping[str, Any]:
    data = {LINK_KEY: texts.get("deepLink"), **{key: texts[f"data.{key}"] for key in push.data}}
    if push.buttons:
        written = json.dumps(_buttons(push, texts), ensure_ascii=False, separators=(",", ":"))
        data[BUTTONS_KEY] = slot(_FIRST_OF_MORE + len(push.more_texts)) if buttons_writer(push) else written
    return _present(data)


def _buttons(push: RecipePush, texts: Mapping[str, str]) -> list[Mapping[str, Any]]:
    return [
        _present(
            {
                "id": button.id,
                "title": texts[f"buttons[{place}].title"],
                "deepLink": texts.get(f"buttons[{place}].deepLink"),
            }
        )
        for place, button in enumerate(push.buttons)
    ]


def _android(push: RecipePush) -> Mapping[str, Any]:
    android = push.android
    return _present(
        {
            "channel_id": android.channel_id,
            "sound": android.sound,
            "color": android.color,
            "icon": android.icon,
            "notification_count": android.count,
        }
    )


def _aps(push: RecipePush, texts: Mapping[str, str]) -> Mapping[str, Any]:
    ios, subtitle = push.ios, texts.get("ios.subtitle")
    alert = {"title": texts["title"], "subtitle": subtitle, "body": texts["body"]}
    return _present(
        {
            "alert": alert if subtitle else None,
            "badge": ios.badge,
            "category": ios.category,
            "interruption-level": ios.interruption_level,
            "mutable-content": 1 if push.image else None,  # the app's extension may then load the image
            "relevance-score": ios.relevance_score,
            "sound": ios.sound,
            "thread-id": ios.thread_id,
        }
    )


def _web(push: RecipePush, texts: Mapping[str, str]) -> Mapping[str, Any]:
    titles = [(button.id, texts[f"buttons[{place}].title"]) for place, button in enumerate(push.buttons)]
    return _present(
        {
            "actions": [{"action": name, "title": title} for name, title in titles] or None,
            "badge": texts.get("web.badge"),
            "icon": texts.get("web.icon"),
            "requireInteraction": push.web.require_interaction or None,
        }
    )


def _web_options(push: RecipePush, texts: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what a click on the notification opens in a browser, which takes https only.

    A push without content for browsers has none, and its app reads the link in the data as before. Nor has a push
    whose scheme could come from a value.
    """
    link = push.deep_link
    if not push.shows_in_browsers or link is None or link.leads_by_data or not link.opening.startswith(_HTTPS):
        return {}
    return {"link": texts["deepLink"]}


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is there, without empty objects."""
    return {name: value for name, value in values.items() if value is not None and value != {}}
