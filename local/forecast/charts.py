"""Charts as SVG, in the page itself: they open offline and print."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _ROW, _LABEL = 760, 22, 220
_HEIGHT = 180


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar of several parts, each a number and the class of its colour."""

    label: str
    parts: Sequence[tuple[str, int]]

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return sum(value for _, value in self.parts)


def rows_of_bars(bars: Sequence[Bar]) -> str:
    """Return bars below each other, one a row, with their labels and numbers."""
    most = max((bar.total for bar in bars), default=0) or 1
    room, lines = _WIDTH - _LABEL - 90, []
    for place, bar in enumerate(bars):
        y, x = place * _ROW, float(_LABEL)
        lines.append(f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(bar.label)}</text>')
        for kind, value in bar.parts:
            width = room * value / most
            title = f"<title>{escape(kind)}: {value:,}</title>"
            lines.append(
                f'<rect class="{kind}" x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="16">{title}</rect>'
            )
            x += width
        lines.append(f'<text x="{x + 6:.1f}" y="{y + 15}">{bar.total:,}</text>')
    return _svg(len(bars) * _ROW + 4, lines)


def columns(bars: Sequence[Bar]) -> str:
    """Return bars beside each other, one a column, such as one a day."""
    most = max((bar.total for bar in bars), default=0) or 1
    step, lines = _WIDTH / max(1, len(bars)), []
    for place, bar in enumerate(bars):
        y = float(_HEIGHT)
        for kind, value in bar.parts:
            height = (_HEIGHT - 10) * value / most
            y -= height
            title = f"<title>{escape(bar.label)}, {escape(kind)}: {value:,}</title>"
            lines.append(
                f'<rect class="{kind}" x="{place * step + 1:.1f}" y="{y:.1f}" width="{step - 2:.1f}" '
                f'height="{height:.1f}">{title}</rect>'
            )
        if place % max(1, len(bars) // 10) == 0:
            lines.append(f'<text x="{place * step + 1:.1f}" y="{_HEIGHT + 16}">{escape(bar.label)}</text>')
    return _svg(_HEIGHT + 22, lines)


def _svg(height: int, lines: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img">{"".join(lines)}</svg>'
