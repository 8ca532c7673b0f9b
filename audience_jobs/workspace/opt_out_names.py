"""What the names of columns and tables say about users who want no pushes.

A wrong guess would send to people who do not want it, or to no one: only names that leave no doubt have a sense.
"""

import re
from typing import Literal

Sense = Literal["out", "switch", "consent"]
"""What TRUE in a column says: `out`, no pushes; `switch`, pushes are on; `consent`, the user has said yes to them.

Where there is no value, a switch is on, and there is no consent.
"""
_PUSH = r"(app_?|mobile_?)?(push|pushes|notif|notifs|notifications?|push_?notifications?)"
_ALL = r"(marketing|promos?|promotions?|promotional|commercials?|campaigns?|messages?|messaging)"
_WHAT = f"({_PUSH}|{_ALL})(_?{_PUSH}|_messages?)?"
_OUT = re.compile(
    rf"({_WHAT}_?)?(opt(ed)?_?out|unsubscribed?)((_of|_from)?_({_WHAT}|all))?"
    rf"|{_WHAT}_?(disabled|off|muted|blocked|declined|denied|refused|rejected|suppressed|silenced)"
    rf"|(no|disable|disabled|mute|muted|block|blocked|stop|decline|declined|refuse|without)_?{_WHAT}"
    r"|do_?not_?(push|notify|contact|message|send)"
)
_SWITCH = re.compile(
    rf"{_PUSH}(_?(enabled|on|active|allowed|permission|granted))?|(enable|enabled|allow|allows|allowed)_?{_PUSH}"
)
_CONSENT = re.compile(
    rf"({_WHAT}_?)?opt(ed)?_?in((_to)?_{_WHAT})?"
    rf"|{_WHAT}_?(consent|consented|accepted|agreed|subscribed|allowed|enabled|permission|ok)"
    r"|(accepts?|accepted|wants?|receives?|gets|consents?|consented|consent|agrees?|agreed|subscribed|subscribes|allow|allows)"
    rf"(_to|_for)?_?{_WHAT}"
)
_HINTS = re.compile(
    r"push|notif|(^|_)opt(ed)?_?(in|out)|unsubscri|subscribed|consent|marketing|promo|(^|_)(dnd|mute|muted)(_|$)"
)
_OTHER_CHANNELS = re.compile(
    r"(^|_)(e_?mails?|mail|mailing|newsletters?|sms|text|phone|calls?|post|postal|letter|whatsapp|telegram|web)(_|$)"
)
_TABLE = re.compile(r"unsubscri|opt(ed)?_?outs?(_|$)|suppress|(^|_)do_?not_?(push|contact|send|notify)|no_?push")
_UNDONE = re.compile(
    r"(re_?subscribed|revoked|undone|lifted|withdrawn|opt(ed)?_?(back_?)?in|ended|removed)(_?(at|on|date))?"
)
_TOPIC = re.compile(r"(topic|list|category|notification_type|campaign_type|message_type)(_?(name|id|key))?")
_STATE = re.compile(r"status|state|action|type|event|active|enabled|value|opt(ed)?_?in|subscribed")
_CHANNEL = re.compile(r"channel|medium|channel_(name|type)")
_PUSH_CHANNEL = re.compile(rf"{_PUSH}|app|in_app|fcm|all|any|\*")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\W_]+")
_PREFIX, _OF_TIME = re.compile(r"(is|has|was|user)_"), re.compile(r"_(at|on|date|time)")
EVERYTHING = ("all", "any", "everything", "*")
"""What a topic may be called that stands for all of them."""


def words(name: str) -> str:
    """Return a name in small letters, its words joined by _."""
    return _BETWEEN.sub("_", _CAPITAL.sub("_", name).lower()).strip("_")


def sense_of(name: str) -> Sense | None:
    """Return what TRUE in a column of this name says about pushes; None where its name says nothing for sure."""
    plain = _PREFIX.sub("", words(name), count=1) if _PREFIX.match(words(name)) else words(name)
    if _is_about_another_channel(plain):
        return None
    senses: list[tuple[Sense, re.Pattern[str]]] = [("out", _OUT), ("switch", _SWITCH), ("consent", _CONSENT)]
    return next((sense for sense, pattern in senses if pattern.fullmatch(plain)), None)


def ends_it(name: str) -> bool:
    """Whether a time of this name says when a user has opted out."""
    plain = words(name)
    cut = re.sub(f"{_OF_TIME.pattern}$", "", plain)
    return cut != plain and sense_of(cut) == "out"


def may_be_opt_out(name: str) -> bool:
    """Whether a column of this name has to do with pushes that users want or not."""
    return _HINTS.search(words(name)) is not None


def is_of_opt_outs(table: str) -> bool:
    """Whether a table of this name lists users who have opted out."""
    return _TABLE.search(words(table)) is not None


def is_about_another_channel(name: str) -> bool:
    """Whether a name is about e-mail, text messages or the like, and not about pushes."""
    return _is_about_another_channel(words(name))


def undoes(name: str) -> bool:
    """Whether a time of this name says that an opt-out has ended."""
    return _UNDONE.fullmatch(words(name)) is not None


def is_topic(name: str) -> bool:
    """Whether a column of this name says what an opt-out is about."""
    return _TOPIC.fullmatch(words(name)) is not None


def is_state(name: str) -> bool:
    """Whether a column of this name may say whether an opt-out holds."""
    return _STATE.fullmatch(words(name)) is not None


def is_channel(name: str) -> bool:
    """Whether a column of this name says by which channel messages come."""
    return _CHANNEL.fullmatch(words(name)) is not None


def is_push_channel(value: str) -> bool:
    """Whether a channel of this name is that of pushes, or stands for all channels."""
    return _PUSH_CHANNEL.fullmatch(words(value.strip())) is not None


def _is_about_another_channel(plain: str) -> bool:
    return _OTHER_CHANNELS.search(plain) is not None and "push" not in plain
