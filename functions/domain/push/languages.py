"""How many devices get each language of a push, and which locales have no translation."""

from collections import Counter
from collections.abc import Mapping

from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.recipe.push_fields import RecipePush

_MOST_NAMED = 10
_UNKNOWN = "no locale"


def language_note(push: RecipePush, locales: Mapping[str, int]) -> str:
    """Say how many devices get which language; `locales` counts the devices by the locale of their user."""
    if not push.translations:
        return ""
    languages = Counter[str]()
    for locale, devices in locales.items():
        languages[push.translation_for(locale)] += devices
    own = languages.pop("", 0)
    counts = [_named(languages)] if languages else []
    if own:
        others = {locale: count for locale, count in locales.items() if not push.translation_for(locale)}
        counts.append(f"{own:,} get the push's own text ({_named(others)})")
    return f"devices by language: {'; '.join(counts)}" if counts else ""


def untranslated(push: RecipePush, locales: Mapping[str, int]) -> dict[str, int]:
    """Return the devices of people whose locale has no translation, by locale; the most common ones."""
    if not push.translations:
        return {}
    found = {locale: count for locale, count in locales.items() if locale and not push.translation_for(locale)}
    return dict(Counter(found).most_common(_MOST_NAMED))


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
    common = Counter(counts).most_common(_MOST_NAMED)
    named = [f"{name or _UNKNOWN} {count:,}" for name, count in common]
    more = len(counts) - len(common)
    return ", ".join([*named, *([f"{more:,} more"] if more else [])])
