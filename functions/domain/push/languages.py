"""How many devices get each language of a push, and which locales have no translation."""

from collections import Counter
from collections.abc import Mapping

from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.translations import tag_of

_MOST_NAMED, _MOST_KEPT = 10, 200
_UNKNOWN, _UNREADABLE = "", "?"
_WORDS = {_UNKNOWN: "no locale", _UNREADABLE: "a locale that is no language tag"}


def counted_as(locale: str) -> str:
    """Return the language tag as which a person's locale is counted, such as `pt-BR`.

    Other texts are counted together: they may be personal data, and nothing of them stands in logs.
    """
    return tag_of(locale) or (_UNREADABLE if locale.strip() else _UNKNOWN)


def devices_by_language(push: RecipePush, locales: Mapping[str, int]) -> dict[str, int]:
    """Return the devices that get each translation, and under an empty tag those that get the push's own text.

    `locales` counts the devices by `counted_as`. A push without translations has no languages.
    """
    if not push.translations:
        return {}
    languages = Counter[str]()
    for locale, devices in locales.items():
        languages[push.translation_for(locale)] += devices
    return dict(languages)


def language_note(push: RecipePush, locales: Mapping[str, int]) -> str:
    """Say how many devices get which language; empty if the push has only one."""
    languages = devices_by_language(push, locales)
    own = languages.pop("", 0)
    counts = [_named(languages)] if languages else []
    if own:
        others = {locale: count for locale, count in locales.items() if not push.translation_for(locale)}
        counts.append(f"{own:,} get the push's own text ({_named(others)})")
    return f"devices by language: {'; '.join(counts)}" if counts and push.translations else ""


def untranslated(push: RecipePush, locales: Mapping[str, int]) -> dict[str, int]:
    """Return the devices of people whose locale has no translation, by locale, if the push asks for locales."""
    if not push.asks_locales:
        return {}
    known = {locale: count for locale, count in locales.items() if locale not in _WORDS}
    found = {locale: count for locale, count in known.items() if not push.translation_for(locale)}
    return dict(Counter(found).most_common(_MOST_KEPT))


def language_finding(number: int, push: RecipePush, untranslated: Mapping[str, int]) -> Finding | None:
    """Return the breach if a push requires a translation for each locale, and lacks one."""
    if not push.require_locales or not untranslated:
        return None
    return Finding(
        type=ViolationType.MISSING_TRANSLATION,
        severity=Severity.CRITICAL,
        message=f"push {number} has no translation for some people's locale (devices: {_named(untranslated)}); add "
        "them to translations, or set requireLocales to false",
        action="blocked",
        data={"push": number, "locales": dict(untranslated)},
    )


def _named(counts: Mapping[str, int]) -> str:
    common = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_MOST_NAMED]
    named = [f"{_WORDS.get(name, name)} {count:,}" for name, count in common]
    more = len(counts) - len(common)
    return ", ".join([*named, *([f"{more:,} more"] if more else [])])
