"""Ranked lists as HTML: a name, a bar, a number. Names come from strangers and are escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard import words


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    name: str
    value: int
    colour: str | None = None  # a dot before the name, the colour the name has in charts
    link: str | None = None  # an address on this dashboard


def ranked(title: str, rows: Sequence[Row], unit: str, empty: str = "Nothing yet.") -> str:
    """A list with bars against its largest value, in the order given."""
    if not rows:
        return (
            f'<div class="ff-list"><h3>{escape(title)}</h3>'
            f'<p class="ff-empty">{escape(empty)}</p></div>'
        )
    largest = max(1, *(row.value for row in rows))
    lines = "".join(_line(row, largest) for row in rows)
    return (
        f'<div class="ff-list"><table><thead><tr><th scope="col"><h3>{escape(title)}</h3></th>'
        f'<th scope="col">{escape(unit)}</th></tr></thead><tbody>{lines}</tbody></table></div>'
    )


def shares(rows: Sequence[Row]) -> str:
    """One bar split by share, with a legend that says each part in words."""
    whole = sum(row.value for row in rows)
    parts = "".join(
        f'<i style="width:{100 * row.value / whole:.3f}%;background:{row.colour}"></i>'
        for row in rows
        if whole and row.value
    )
    legend = "".join(
        f'<li><b style="background:{row.colour}"></b>{escape(row.name)} '
        f"<strong>{words.percent(row.value, whole)}</strong></li>"
        for row in rows
    )
    return f'<div class="ff-shares"><div class="ff-bar">{parts}</div><ul>{legend}</ul></div>'


def _line(row: Row, largest: int) -> str:
    name = escape(row.name)
    if row.link:
        name = f'<a href="{escape(row.link)}" target="_self">{name}</a>'
    dot = f'<b style="background:{row.colour}"></b>' if row.colour else ""
    width = max(0.6, 100 * row.value / largest) if row.value else 0
    return (
        f'<tr><td><i style="width:{width:.1f}%"></i>'
        f'<span title="{escape(row.name)}">{dot}{name}</span></td>'
        f"<td>{words.count(row.value)}</td></tr>"
    )
