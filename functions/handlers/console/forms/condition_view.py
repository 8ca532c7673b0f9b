"""What a template shows of the rows of conditions: their choices, widgets and labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.handlers.console.forms.condition_rows import DEEPEST, WHERE, children, columns_for
from functions.usecases.recipes.criteria_parts import OPERATORS, Traits

Options = Sequence[tuple[str, str]]
MATCHES: Options = (("all", "all of these"), ("any", "at least one of these"), ("none", "none of these"))
DID: Options = (("did", "had"), ("did_not", "had no"))
YES_OR_NO: Options = (("true", "Yes"), ("false", "No"))
MEMBER: Options = (("in", "in the segment"), ("not_in", "not in the segment"))
DELETED = "This segment was deleted. Choose another one, or remove this condition"
_WORDS: Mapping[str, str] = {
    "is": "is",
    "is_not": "is not",
    "one_of": "is one of",
    "none_of": "is none of",
    "starts_with": "starts with",
    "contains": "contains",
    "empty": "is empty",
    "not_empty": "has a value",
    "at_least": "is at least",
    "at_most": "is at most",
    "between": "is between",
    "within_days": "is within the last",
    "not_within_days": "is not within the last",
    "before": "is before",
    "after": "is after",
    "anniversary_in_days": "has its anniversary in",
}
_WIDGETS: Mapping[str, str] = {
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "timestamp": "date",
    "date": "date",
}
_DATE_LENGTH = len("2026-01-31")


@dataclass(frozen=True, kw_only=True)
class RowView:
    """A row. `widget` says how its value is written: as a text, number, date, days, lines, boolean, or not at all."""

    name: str
    kind: str
    number: str
    """Its place for people, such as 2.1."""
    depth: int = 0
    event: str = ""
    """The model of events whose columns it compares; empty for those of people."""
    rows: "Sequence[RowView]" = ()
    columns: Options = ()
    operators: Options = ()
    op: str = ""
    widget: str = ""
    two: bool = False
    events: Options = ()
    segments: Options = ()
    words: str = ""
    """Who is in the chosen segment."""
    missing: bool = False
    """Whether the chosen segment was deleted."""
    may_nest: bool = True
    """Whether a group may be added to it."""

    @property
    def label(self) -> str:
        """How screen readers and errors call it."""
        return f"{'Group' if self.kind == 'group' else 'Condition'} {self.number}" if self.number else "Conditions"


@dataclass(frozen=True, kw_only=True)
class SegmentView:
    """A segment to choose: its name, and who is in it, where a row shows that."""

    name: str
    words: str


def view_rows(fields: Mapping[str, str], traits: Traits, segments: Mapping[str, SegmentView]) -> RowView:
    """Return the outermost group. `segments` are those to choose from, by their ids."""
    return _View(fields, traits, segments).group(WHERE, "", "", 0)


@dataclass(frozen=True)
class _View:
    fields: Mapping[str, str]
    traits: Traits
    segments: Mapping[str, SegmentView]

    def group(self, name: str, number: str, event: str, depth: int) -> RowView:
        rows = [
            self._row(row, f"{number}.{at}".lstrip("."), event, depth)
            for at, row in enumerate(children(self.fields, name), 1)
        ]
        nest = depth < DEEPEST - 1
        return RowView(name=name, kind="group", number=number, depth=depth, event=event, rows=rows, may_nest=nest)

    def _row(self, name: str, number: str, event: str, depth: int) -> RowView:
        if f"{name}.match" in self.fields:
            return self.group(name, number, event, depth + 1)
        if f"{name}.json" in self.fields:
            return RowView(name=name, kind="json", number=number)
        if f"{name}.segment" in self.fields:
            return self._member(name, number)
        if f"{name}.did" in self.fields:
            model = self.fields.get(f"{name}.model", "")
            inner = self.group(f"{name}.where", number, model, depth + 1)
            events = [(each, each) for each in self.traits.events]
            return RowView(name=name, kind="event", number=number, event=model, rows=[inner], events=events)
        return self._compared(name, number, event)

    def _member(self, name: str, number: str) -> RowView:
        chosen = self.fields[f"{name}.segment"]
        missing = bool(chosen) and chosen not in self.segments
        options = [(each, segment.name) for each, segment in self.segments.items()]
        return RowView(
            name=name,
            kind="segment",
            number=number,
            segments=[*options, (chosen, f"{chosen} (deleted)")] if missing else options,
            words=self.segments[chosen].words if chosen in self.segments else "",
            missing=missing,
        )

    def _compared(self, name: str, number: str, event: str) -> RowView:
        columns = columns_for(self.traits, event)
        type_ = columns.get(self.fields.get(f"{name}.column", ""))
        operators = OPERATORS.get(type_, {}) if type_ else {}
        written = self.fields.get(f"{name}.op", "")
        op = written if written in operators else next(iter(operators), "")
        takes = operators.get(op, "one")
        return RowView(
            name=name,
            kind="column",
            number=number,
            event=event,
            columns=[(each, each.replace("_", " ")) for each, of in columns.items() if of in OPERATORS],
            operators=[(each, _WORDS[each]) for each in operators],
            op=op,
            widget=self._widget(name, type_ or "", takes),
            two=takes == "two",
        )

    def _widget(self, name: str, type_: str, takes: str) -> str:
        if not type_ or takes == "nothing":
            return ""
        if takes in ("days", "days ahead"):
            return "days"
        if takes == "several":
            return "lines"
        widget = _WIDGETS.get(type_, "text")
        written = [self.fields.get(f"{name}.{each}", "") for each in ("value", "to")]
        is_instant = any(text and len(text) != _DATE_LENGTH for text in written)
        return "text" if widget == "date" and is_instant else widget
