"""The Firestore database, its indexes, its fields, and the rules for phones and browsers."""

from collections.abc import Iterator
from functools import partial

from local.doctor.compare import differences
from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Document, Google

_OVERRIDDEN = "indexConfig.usesAncestorConfig=false OR ttlConfig:*"
_WAIT = "wait until Firestore has built it; queries that need it fail until then"
_EVERY_ROW = "__name__"
"""The last field of each composite index, which Firestore adds itself."""


def checks(google: Google, deployment: Deployment) -> Iterator[Check]:
    """Yield a check of the database, and one each of its indexes, fields and rules."""
    expected = deployment.database
    name = expected["database"]["name"].rpartition("/")[2]
    for kind, look in {"database": _database, "indexes": _indexes, "fields": _fields, "rules": _rules}.items():
        yield Check(kind=kind, what=f"database {name}", look=partial(look, google, expected))


def _database(google: Google, expected: Document) -> Iterator[Problem]:
    found = google.get("firestore", f"v1/{expected['database']['name']}", "datastore.databases.getMetadata")
    for each in differences(expected["database"], found):
        lasting = each.startswith(("type ", "locationId "))
        way = (
            "a database cannot change it: use another one, with the variable firestore_database, and terraform apply"
        )
        yield Problem(text=each, fix=way) if lasting else Problem(text=each)


def _indexes(google: Google, expected: Document) -> Iterator[Problem]:
    place = f"v1/{expected['database']['name']}/collectionGroups/-/indexes"
    found = {_shape(each): each for each in google.all("firestore", place, "datastore.indexes.list", "indexes")}
    for each in expected["indexes"]:
        state = found.get(_shape(each), {}).get("state")
        if state is None:
            yield Problem(text=f"the index {_shown(each)} is missing")
        elif state != "READY":
            yield _unready(f"the index {_shown(each)}", state)


def _unready(what: str, state: str) -> Problem:
    if state == "CREATING":
        return Problem(text=f"{what} is still being built", fix=_WAIT)
    return Problem(text=f"{what} is in the state {state}", fix="delete it in Firestore, then terraform apply")


def _shape(index: Document) -> tuple[str, ...]:
    """Return what makes an index: collection, scope, and fields with their order."""
    collection = index.get("collection") or index["name"].split("/collectionGroups/")[1].partition("/")[0]
    fields = [f"{each['fieldPath']} {each.get('order', '')}" for each in index["fields"]]
    return collection, index["queryScope"], *(each for each in fields if not each.startswith(_EVERY_ROW))


def _shown(index: Document) -> str:
    collection, _, *fields = _shape(index)
    return f"{collection} ({', '.join(fields)})"


def _fields(google: Google, expected: Document) -> Iterator[Problem]:
    place = f"v1/{expected['database']['name']}/collectionGroups/-/fields"
    listed = google.all("firestore", place, "datastore.indexes.list", "fields", filter=_OVERRIDDEN)
    found = {each["name"].partition("/collectionGroups/")[2]: each for each in listed}
    for each in expected["fields"]:
        place = each["name"].partition("/collectionGroups/")[2]
        yield from _field(each, found.get(place, {}), place.replace("/fields/", "."))


def _field(expected: Document, found: Document, shown: str) -> Iterator[Problem]:
    ttl = found.get("ttlConfig", {}).get("state")
    if not found:
        what = (
            "expires documents" if expected["expires"] else "is exempt from indexing, or indexed across collections"
        )
        yield Problem(text=f"the field {shown} has no settings of its own: it should be one that {what}")
    elif expected["expires"] and ttl is None:
        yield Problem(text=f"the field {shown} does not expire documents")
    elif expected["expires"] and ttl != "ACTIVE":
        yield _unready(f"the expiry by {shown}", ttl)
    elif not expected["expires"] and ttl is not None:
        yield Problem(
            text=f"the field {shown} expires documents", fix="remove its TTL policy: Terraform did not add it"
        )
    if found:
        indexes = found.get("indexConfig", {}).get("indexes", [])
        for each in differences(expected["indexConfig"]["indexes"], indexes, f"{shown}.indexes"):
            yield Problem(text=each)


def _rules(google: Google, expected: Document) -> Iterator[Problem]:
    release = google.get("firebaserules", f"v1/{expected['rules']['release']}", "firebaserules.releases.get")
    ruleset = google.get("firebaserules", f"v1/{release['rulesetName']}", "firebaserules.rulesets.get")
    files = [each.get("content", "").strip() for each in ruleset.get("source", {}).get("files", ())]
    if files != [expected["rules"]["content"].strip()]:
        yield Problem(text="the rules differ from those that let no phone or browser in")
