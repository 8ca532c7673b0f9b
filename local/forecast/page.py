"""The forecast as one self-contained HTML page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from functions.domain.instants import stamp
from local.forecast.charts import Bar, columns, rows_of_bars
from local.forecast.report import CalendarEntry, Comparison, ForecastReport, Sides

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1d2430;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #e3e7ee}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}svg text{font-size:12px}
.sent{fill:#2f7d5b}.excluded{fill:#d9a441}.other{fill:#b4452f}.users{fill:#3d6fb4}.note{color:#5b6472}
.key span{display:inline-block;width:.8rem;height:.8rem;margin:0 .3rem 0 1rem}
"""
_KEY = (
    '<p class="key"><span style="background:#2f7d5b"></span>sent<span style="background:#d9a441"></span>excluded'
    '<span style="background:#b4452f"></span>failed, unknown or not reached</p>'
)


def page(report: ForecastReport) -> str:
    """Return the whole page of a forecast, with what changes against another folder of recipes."""
    totals, quota = report.totals, report.quota
    busiest = quota.busiest_minute
    summary = (
        f"{totals.executions:,} sends reach {totals.users_reached:,} users with {totals.sent:,} messages; "
        f"{totals.excluded:,} are excluded. FCM's quota is used for {quota.quota_minutes:,} minutes"
        + (f"; the busiest minute is {stamp(busiest.at)} with {busiest.messages:,}. " if busiest else ". ")
        + f"Firestore, Cloud Tasks and Cloud Storage cost about ${report.cost['microDollars'] / 1e6:,.2f}."
    )
    parts = [
        f"<h1>What will go out, {report.from_:%Y-%m-%d} to {report.to:%Y-%m-%d}</h1>",
        f"<p>{escape(summary)}</p><p class='note'>Every day as if its user data were today's.</p>",
        _changes(report.comparison) if report.comparison else "",
        "<h2>Messages by day</h2>",
        _KEY,
        columns(list(_days(report.calendar))),
        "<h2>Messages by recipe</h2>",
        rows_of_bars([_bar(each.id, each.sent, each.excluded, each.audience) for each in report.recipes]),
        "<h2>How many pushes a user gets</h2>",
        rows_of_bars([Bar(label=f"{n} pushes", parts=[("users", c)]) for n, c in report.pushes_per_user.items()]),
        "<h2>Recipes in each other's way</h2>",
        _table(
            ("recipe", "held back by an earlier push of", "users"),
            ((each.recipe, each.held_back_by, each.users) for each in report.collisions),
        ),
        "<h2>Users hit most</h2>",
        _table(
            ("user", "pushes", "of"),
            ((each.user_id, each.pushes, _counts(each.recipes)) for each in report.users_hit_most),
        ),
        "<h2>Calendar</h2>",
        _table(
            ("send (UTC)", "recipe", "ends", "push", "audience", "users", "sent", "held back"),
            _calendar(report.calendar),
        ),
    ]
    body = "\n".join(parts)
    title = "<title>Tminus: what will go out</title>"
    head = f'<!doctype html><html lang="en"><meta charset="utf-8">{title}<style>{_STYLE}</style>'
    return f"{head}<body>{body}</body></html>\n"


def _calendar(calendar: Sequence[CalendarEntry]) -> Iterable[tuple[object, ...]]:
    for entry in calendar:
        for push in entry.pushes:
            held = _counts(push.excluded)
            ends = "dry run" if entry.dry_run else entry.status
            at = f"{entry.send_at:%Y-%m-%d %H:%M}"
            yield (
                at,
                entry.recipe,
                ends,
                push.order,
                push.audience,
                push.audience_size,
                push.sent,
                held,
            )


def _days(calendar: Sequence[CalendarEntry]) -> Iterable[Bar]:
    by_day: dict[str, Counter[str]] = {}
    for entry in calendar:
        for push in entry.pushes:
            sums = by_day.setdefault(f"{entry.send_at:%m-%d}", Counter())
            excluded = sum(push.excluded.values())
            sums.update(sent=push.sent, excluded=excluded, all=push.audience_size)
    for day, sums in by_day.items():
        yield _bar(day, sums["sent"], sums["excluded"], sums["all"])


def _bar(label: str, sent: int, excluded: int, audience: int) -> Bar:
    other = audience - sent - excluded
    return Bar(label=label, parts=[("sent", sent), ("excluded", excluded), ("other", other)])


def _changes(change: Comparison) -> str:
    rows = [_change(name, sides) for name, sides in change.totals.items()]
    rows += [_change(f"sent by {each.id}", each.sent) for each in change.recipes]
    return f"<h2>What changes</h2>{_table(('', 'before', 'after', 'change'), rows)}"


def _change(name: str, sides: Sides[int]) -> tuple[str, int, int, str]:
    return name, sides.before, sides.after, f"{sides.after - sides.before:+,}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body or '<tr><td>none</td></tr>'}</table>"


def _cell(value: object) -> str:
    return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f"<td>{escape(str(value))}</td>"
