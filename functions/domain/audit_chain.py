"""The hash chain of the audit log: links new entries, and finds changed, missing and reordered ones.

An entry's hash covers its subject, number, person, instant and action, the digests of its two documents, and the hash
of the entry before. The subject's head has the last number and hash. A digest has a salt, so that it does not give
away a short document after that was redacted.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.domain.audit import AFTER, BEFORE, AuditEntry, Head, Link
from functions.domain.instants import stamp

_FORM = 1
"""The number of the canonical form, part of each hash."""
Redacted = Mapping[tuple[str, int], frozenset[str]]
"""The digests that redactions have left, by subject and number."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with a subject's log, in words; `number` is the entry's, None for the log as a whole."""

    subject: str
    number: int | None
    reason: str

    @property
    def sentence(self) -> str:
        """The problem with its place."""
        place = f"entry {self.number} of {self.subject}" if self.number else f"the log of {self.subject}"
        return f"{place} {self.reason}"


def linked(entry: AuditEntry, head: Head | None, make_salt: Callable[[], str]) -> tuple[AuditEntry, Head]:
    """Return a new entry with its link behind a subject's head, and the head after it."""
    parts = {BEFORE: entry.before, AFTER: entry.after}
    salts = {name: make_salt() for name, document in parts.items() if document is not None}
    digests = {name: _digest(salts.get(name, ""), document) for name, document in parts.items()}
    previous = head.hash if head else ""
    link = Link(previous=previous, hash=_hash(entry, previous, **digests), **digests)
    new = head or Head(subject=entry.recipe_id, count=0, hash="", first=entry.number, checked=entry.number - 1)
    return replace(entry, link=link, salts=salts), replace(new, count=entry.number, hash=link.hash)


def redacted(entry: AuditEntry, redact: Callable[[Any], Any]) -> AuditEntry | None:
    """Return an entry with its documents redacted; None if `redact` changes neither.

    The digests in its link stay, and the salts of changed documents go, so that nothing confirms a guess.
    """
    parts = {BEFORE: entry.before, AFTER: entry.after}
    changed = {name: redact(document) for name, document in parts.items()}
    touched = {name for name in parts if changed[name] != parts[name]}
    if not touched:
        return None
    salts = {name: salt for name, salt in entry.salts.items() if name not in touched}
    return replace(entry, **changed, salts=salts, redactions=entry.redactions + 1)


def contents_digest(entry: AuditEntry) -> str:
    """Return the digest of both documents as they are; an erasure notes that of the entries that it redacts."""
    return _sha256([entry.before, entry.after])


def problems(
    subject: str,
    head: Head | None,
    entries: Iterable[AuditEntry],
    redactions: Redacted,
    mentioned: Head | None = None,
) -> Iterator[Problem]:
    """Yield what is wrong with all entries of a subject, which come in order of their numbers.

    `mentioned` is what the last checkpoint says of the subject's head.
    """
    found = list(entries)
    last = found[-1].number if found else 0
    count = max(last, head.count if head else 0, mentioned.count if mentioned else 0)
    yield from _missing(subject, range(1, count + 1), found)
    if head is None and (mentioned or any(entry.link for entry in found)):
        yield Problem(subject=subject, number=None, reason="has lost its head")
    elif head is not None and last > head.count:
        yield Problem(subject=subject, number=last, reason="is beyond the head of its log")
    if head is not None and head.checked >= head.first and (mentioned is None or mentioned.count < head.checked):
        yield Problem(subject=subject, number=None, reason="was verified, and no checkpoint says so")
    yield from _broken_links(head, found, redactions, number=0, previous="")
    for end, reason in ((head, "differs from the head of its log"), (mentioned, "differs from the last checkpoint")):
        yield from _wrong_end(end, found, reason)


def late_problems(entries: Iterable[AuditEntry], began_at: datetime | None) -> Iterator[Problem]:
    """Yield the entries without a link that were added after the first link of all, by something else than Tminus."""
    for entry in entries:
        if entry.readable and entry.link is None and began_at is not None and entry.deed.at > began_at:
            yield _problem(entry, "has no hash, although the chain has begun")


def new_problems(head: Head, entries: Iterable[AuditEntry], redactions: Redacted) -> Iterator[Problem]:
    """Yield what is wrong with the entries behind a head's last checkpoint, which come in order of their numbers."""
    found = [entry for entry in entries if entry.number <= head.count]
    yield from _missing(head.subject, range(head.checked + 1, head.count + 1), found)
    yield from _broken_links(head, found, redactions, number=head.checked, previous=head.checked_hash)
    yield from _wrong_end(head, found, "differs from the head of its log")


def _missing(subject: str, numbers: range, found: Sequence[AuditEntry]) -> Iterator[Problem]:
    for number in sorted({*numbers} - {entry.number for entry in found}):
        yield Problem(subject=subject, number=number, reason="is missing")


def _broken_links(
    head: Head | None, found: Sequence[AuditEntry], redactions: Redacted, *, number: int, previous: str
) -> Iterator[Problem]:
    """Yield the problems of entries that follow the one with a number and a hash."""
    for entry in found:
        if not entry.readable:
            yield _problem(entry, "cannot be read")
            continue
        if entry.link is None:
            if head is not None and entry.number >= head.first:
                yield _problem(entry, "has no hash, although the chain has begun")
            continue
        if entry.number == number + 1 and entry.link.previous != previous:
            yield _problem(entry, "does not follow the entry before it")
        yield from _changes(entry, entry.link, redactions)
        number, previous = entry.number, entry.link.hash


def _wrong_end(end: Head | None, found: Sequence[AuditEntry], reason: str) -> Iterator[Problem]:
    for entry in found:
        if end is not None and entry.number == end.count and entry.link and entry.link.hash != end.hash:
            yield _problem(entry, reason)


def _changes(entry: AuditEntry, link: Link, redactions: Redacted) -> Iterator[Problem]:
    """Yield what differs from an entry's own hashes."""
    if link.hash != _hash(entry, link.previous, before=link.before, after=link.after):
        yield _problem(entry, "was changed: its hash differs")
    if entry.redactions and contents_digest(entry) not in redactions.get((entry.recipe_id, entry.number), ()):
        yield _problem(entry, "was redacted, and no erasure says so")
    for name, document, digest in ((BEFORE, entry.before, link.before), (AFTER, entry.after, link.after)):
        if entry.redactions and document is not None and name not in entry.salts:
            continue  # the erasure covers it
        if _digest(entry.salts.get(name, ""), document) != digest:
            yield _problem(entry, f"was changed: the document {name} it differs")


def redactions_in(erasures: Iterable[AuditEntry]) -> Redacted:
    """Return the digests that redactions left, from the entries about erasures."""
    found: dict[tuple[str, int], frozenset[str]] = {}
    for erasure in erasures:
        with suppress(KeyError, TypeError, ValueError):  # an entry that was edited: its hash tells
            said = erasure.after or {}
            place = (str(said["redacted"]), int(said["number"]))
            found[place] = found.get(place, frozenset()) | {str(said["digest"])}
    return found


def redaction(entry: AuditEntry, user: str) -> dict[str, Any]:
    """Return what the log says about a redacted entry; `user` is the keyed hash of the user's id."""
    digest = contents_digest(entry)
    return {"user": user, "redacted": entry.recipe_id, "number": entry.number, "digest": digest}


def checkpoint(heads: Iterable[Head]) -> dict[str, Any]:
    """Return what a checkpoint says: the ends of the chains that have grown since the one before."""
    return {"heads": [{"subject": head.subject, "count": head.count, "hash": head.hash} for head in heads]}


def mentioned_in(checkpoints: Iterable[AuditEntry]) -> Mapping[str, Head]:
    """Return the mention of each subject's latest entry in checkpoints.

    Two processes that add one at once may mention an earlier end after a later one.
    """
    found: dict[str, Head] = {}
    for entry in checkpoints:
        with suppress(KeyError, TypeError, ValueError):  # an entry that was edited: its hash tells
            for said in (entry.after or {}).get("heads", ()):
                subject, count = str(said["subject"]), int(said["count"])
                if subject in found and found[subject].count > count:
                    continue
                found[subject] = Head(subject=subject, count=count, hash=str(said["hash"]), first=0)
    return found


def _problem(entry: AuditEntry, reason: str) -> Problem:
    return Problem(subject=entry.recipe_id, number=entry.number, reason=reason)


def _hash(entry: AuditEntry, previous: str, *, before: str, after: str) -> str:
    deed = entry.deed
    said = [entry.recipe_id, entry.number, deed.by, stamp(deed.at), deed.action.value]
    return _sha256([_FORM, *said, before, after, previous])


def _digest(salt: str, document: Mapping[str, Any] | None) -> str:
    return "" if document is None else _sha256([salt, document])


def _sha256(value: Sequence[Any]) -> str:
    """Return the SHA-256 of a value's canonical form: JSON in UTF-8, keys sorted, no blanks."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
