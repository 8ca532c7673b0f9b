"""Segments: recipes end up with their current conditions, and a change of one loses nothing else."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from functions.domain.audience.segments import Segment
from functions.domain.errors import BadRecipe
from functions.domain.recipe.read import read
from local.simulator.play.workers import Worker

_RENEWING = ("segment-", "reconcile-tminus")
"""The beginnings of the names of requests that give recipes the conditions of their segments."""
_NOT_EDITED = ("updatedAt", "firstSendAt")
"""Fields that no person writes."""

Document = Mapping[str, Any]
Broken = Callable[[str, str], None]


class Segments:
    """Keeps the documents of the recipes, and since which step each uses which segment."""

    def __init__(self, broken: Broken) -> None:
        self._broken = broken
        self._stored: dict[str, Document] = {}
        self._used_since: dict[tuple[str, str], int] = {}

    def begin(self, recipes: Iterable[Document]) -> None:
        """Note the recipes of the beginning."""
        for document in recipes:
            self._note(document["id"], document, 0)

    def observe(self, call: str, args: tuple[Any, ...], answer: Any, worker: Worker | None, step: int) -> None:
        """Check a change of a recipe or of a segment that has just taken effect."""
        if call == "recipes.change":
            before = self._stored.get(args[0])
            if before and answer and worker is not None and worker.name.startswith(_RENEWING):
                self._only_renewed(args[0], before, answer)
            self._note(args[0], answer, step)
        elif call == "segments.change" and answer is None and worker is not None:
            for (recipe_id, segment), since in self._used_since.items():
                if segment == args[0] and since < worker.began_step:
                    self._broken("", f"the segment {segment} was deleted, which {recipe_id} uses")

    def judge(self, recipes: Iterable[Document], segments: Iterable[Segment]) -> None:
        """Check, after some time without faults, that each recipe that can be read has its segments' conditions."""
        current = {segment.id: segment.where for segment in segments}
        for document in recipes:
            for segment, where in _copies(document):
                if _readable(document) and segment in current and where != current[segment]:
                    self._broken("", f"{document['id']} has old conditions of the segment {segment}")

    def _only_renewed(self, recipe_id: str, before: Document, after: Document) -> None:
        first, then = _edited(before), _edited(after)
        if after.get("status") == "completed":
            then = {**then, "status": first.get("status"), "isActive": first.get("isActive")}
        lost = [name for name in {**first, **then} if first.get(name) != then.get(name)]
        if lost:
            self._broken("", f"the change of a segment also changed {', '.join(sorted(lost))} of {recipe_id}")

    def _note(self, recipe_id: str, document: Document | None, step: int) -> None:
        uses = {(recipe_id, segment) for segment, _ in _copies(document or {})}
        for gone in [use for use in self._used_since if use[0] == recipe_id and use not in uses]:
            del self._used_since[gone]
        for use in uses:
            self._used_since.setdefault(use, step)
        if document is None:
            self._stored.pop(recipe_id, None)
        else:
            self._stored[recipe_id] = document


def _readable(document: Document) -> bool:
    try:
        read(document)
    except BadRecipe:
        return False
    return True


def _edited(document: Document) -> dict[str, Any]:
    """Return what people write in a recipe: its fields without the copies of segments."""
    criteria = {**document["audienceCriteria"], "where": _without_copies(document["audienceCriteria"].get("where"))}
    return {name: each for name, each in document.items() if name not in _NOT_EDITED} | {"audienceCriteria": criteria}


def _without_copies(where: Any) -> Any:
    if isinstance(where, Mapping):
        kept = {name: each for name, each in where.items() if not ("segment" in where and name == "where")}
        return {name: _without_copies(each) for name, each in kept.items()}
    return [_without_copies(each) for each in where] if isinstance(where, list) else where


def _copies(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield each segment that a recipe uses, with the conditions beside its name."""
    criteria = document.get("audienceCriteria")
    open_ = [criteria.get("where")] if isinstance(criteria, Mapping) else []
    while open_:
        where = open_.pop()
        if isinstance(where, Mapping) and "segment" in where:
            yield where["segment"], where.get("where")
        elif isinstance(where, Mapping):
            open_ += [each for part in where.values() for each in (part if isinstance(part, list) else [part])]
