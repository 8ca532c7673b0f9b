"""What runs: the archive that each function was built from, and the image of the console."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

from local.doctor.compare import differences
from local.doctor.expected import Deployment
from local.doctor.finding import Check, Problem
from local.doctor.google import Document, Google, Missing
from local.doctor.services import read_service


def checks(google: Google, deployment: Deployment) -> Iterator[Check]:
    """Yield a check for each function, and one of the console's image."""
    for function in deployment.functions:
        name = function["name"].rpartition("/")[2]
        yield Check(kind="function", what=name, look=partial(_function, google, deployment, function))
    yield Check(kind="image", what="tminus-console", look=partial(_image, google, deployment))


def _function(google: Google, deployment: Deployment, expected: Document) -> Iterator[Problem]:
    found = google.get("cloudfunctions", f"v2/{expected['name']}", "cloudfunctions.functions.get")
    told = "; ".join(each.get("message", "") for each in found.get("stateMessages", ()))
    for each in differences(expected, found):
        because = f": {told}" if told and each.startswith("state ") else ""
        yield Problem(text=f"{each}{because}")
    yield from _archive(google, deployment, found)


def _archive(google: Google, deployment: Deployment, function: Document) -> Iterator[Problem]:
    """Compare contents: Cloud Functions builds from a copy of the archive, in a bucket of its own."""
    build, wanted = function.get("buildConfig", {}), deployment.source
    copied = build.get("sourceProvenance", {}).get("resolvedStorageSource")
    built = copied or build.get("source", {}).get("storageSource") or {}
    if (built.get("bucket"), built.get("object")) == (wanted["bucket"], wanted["object"]):
        return
    if not built.get("object"):
        yield Problem(text="Cloud Functions does not say what it was built from")
        return
    try:
        archive = _checksum(google, wanted)
    except Missing:
        yield Problem(text=f"the archive {wanted['object']} is not in the bucket {wanted['bucket']}")
        return
    if _checksum(google, built) != archive:
        yield Problem(text=f"it was built from another archive than {wanted['object']}")


def _checksum(google: Google, place: Document) -> str:
    path = f"storage/v1/b/{place['bucket']}/o/{quote(place['object'], safe='')}"
    generation = {"generation": str(place["generation"])} if place.get("generation") else {}
    return str(google.get("storage", path, "storage.objects.get", **generation).get("crc32c"))


def _image(google: Google, deployment: Deployment) -> Iterator[Problem]:
    names = (deployment.console["service"], deployment.console["image_of"])
    console, api = (_digest(google, read_service(google, name)) for name in names)
    if console != api:
        yield Problem(
            text=f"the console runs the image {console}, and the function api {api}: they should be the same"
        )


def _digest(google: Google, service: Document) -> str:
    """Return the digest of the image that a service runs; a tag is looked up in its repository."""
    image = next((each.get("image", "") for each in service.get("template", {}).get("containers", ())), "")
    name, _, digest = image.partition("@")
    if digest:
        return str(digest)
    host, project, repository, *package = name.split("/")
    path, _, tag = "/".join(package).partition(":")
    where = f"projects/{project}/locations/{host.removesuffix('-docker.pkg.dev')}/repositories/{repository}"
    place = f"v1/{where}/packages/{quote(path, safe='')}/tags/{tag or 'latest'}"
    found = google.get("artifactregistry", place, "artifactregistry.tags.get")
    return str(found.get("version", "")).rpartition("/")[2]
