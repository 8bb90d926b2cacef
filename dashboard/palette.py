"""The colours, and who wears which.

Seven series are what an eye can tell apart, under the three common kinds of colour blindness too; a
test measures both that and the contrast to the page. Whatever is more is "other", in grey.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Palette:
    """One set of colours that belong together."""

    page: str
    surface: str  # cards and the land of the map
    text: str
    quiet: str  # secondary text, axis labels
    line: str  # gridlines and borders
    accent: str
    series: tuple[str, ...]
    other: str
    ramp: tuple[str, ...]  # from few to many, each step lighter or darker than the one before


LIGHT: Final = Palette(
    page="#FBFAF7",
    surface="#F1EFE9",
    text="#1D2A33",
    quiet="#5A666E",
    line="#E2DFD6",
    accent="#136F63",
    series=("#136F63", "#D08A12", "#4338B8", "#BF4427", "#4796EA", "#A2559C", "#1D2A3F"),
    other="#B4B8B6",
    ramp=("#D9EBE4", "#A9D3C7", "#6FB5A6", "#3A9384", "#136F63", "#0A4A43"),
)

DARK: Final = Palette(
    page="#12181B",
    surface="#1C2529",
    text="#E7E5DE",
    quiet="#9AA7AC",
    line="#2C373C",
    accent="#3DB39C",
    series=("#3DB39C", "#F5BD4A", "#8272F7", "#E0603F", "#A9D2FF", "#B473C6", "#F3EBDD"),
    other="#65717A",
    ramp=("#1F3B39", "#23574F", "#2A7468", "#339482", "#3DB39C", "#9BE3D2"),
)


def assign(palette: Palette, shown: Sequence[str], ranked: Sequence[str]) -> dict[str, str]:
    """Give every shown name a colour, the same one on every page.

    A name's place in `ranked`, the order of the whole lake, decides its colour. Only where two
    shown names want the same one does the lower in rank take the next that is free. Names beyond
    the last colour share the grey of "other".
    """
    rank = {name: place for place, name in enumerate(ranked)}
    ordered = sorted(
        (name for name in dict.fromkeys(shown) if name != OTHER),
        key=lambda name: (rank.get(name, len(rank)), name),
    )
    free = list(palette.series)
    colours = {OTHER: palette.other}
    for name in ordered:
        wanted = palette.series[rank.get(name, 0) % len(palette.series)]
        colour = wanted if wanted in free else next(iter(free), palette.other)
        if colour in free:
            free.remove(colour)
        colours[name] = colour
    return colours
