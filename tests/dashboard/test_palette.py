"""The colours can be told apart by everyone, and every page gives a package the same one."""

import itertools
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.palette import DARK, LIGHT, OTHER, Palette, assign

CONFIG = Path(__file__).parents[2] / "dashboard/.streamlit/config.toml"
PALETTES = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])

# How a colour looks to an eye that lacks one kind of cone, as linear light (Machado et al. 2009).
SIGHTS = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "no green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "no blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
# Twenty times what an eye can just tell apart side by side.
APART = 20


def linear(colour: str) -> list[float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def seen(colour: str, sight: str) -> tuple[float, float, float]:
    light = linear(colour)
    red, green, blue = (
        min(1, max(0, sum(weight * part for weight, part in zip(row, light, strict=True))))
        for row in SIGHTS[sight]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@PALETTES
@pytest.mark.parametrize("sight", SIGHTS)
def test_series_differ_to_every_eye(palette: Palette, sight: str) -> None:
    for one, two in itertools.combinations(palette.series, 2):
        distance = sum(
            (a - b) ** 2 for a, b in zip(seen(one, sight), seen(two, sight), strict=True)
        )
        assert distance**0.5 >= APART, (one, two)


@PALETTES
def test_text_and_series_stand_out_from_the_page(palette: Palette) -> None:
    assert contrast(palette.text, palette.page) >= 7
    assert contrast(palette.quiet, palette.page) >= 4.5
    assert contrast(palette.accent, palette.page) >= 4.5
    for colour in palette.series:
        assert contrast(colour, palette.page) >= 2.6, colour


@PALETTES
def test_the_ramp_goes_one_way(palette: Palette) -> None:
    steps = [contrast(colour, palette.page) for colour in palette.ramp]
    assert steps == sorted(steps)


@pytest.mark.parametrize(("section", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_streamlit_is_told_the_same_colours(section: str, palette: Palette) -> None:
    theme = tomllib.loads(CONFIG.read_text())["theme"][section]
    assert theme["primaryColor"] == palette.accent
    assert theme["backgroundColor"] == palette.page
    assert theme["secondaryBackgroundColor"] == palette.surface
    assert theme["textColor"] == palette.text
    assert theme["borderColor"] == palette.line


names = st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=12)


@given(ranked=names, shown=names)
def test_up_to_seven_names_never_share_a_colour(ranked: list[str], shown: list[str]) -> None:
    some = [name for name in (*ranked[:4], *shown) if name != OTHER]
    some = list(dict.fromkeys(some))[:7]
    colours = assign(LIGHT, some, ranked)
    assert len({colours[name] for name in some}) == len(some)


@given(shown=st.sets(st.sampled_from("abcdefg")))
def test_a_name_keeps_its_colour_whatever_else_is_shown(shown: set[str]) -> None:
    everyone = assign(LIGHT, list("abcdefg"), list("abcdefghij"))
    colours = assign(LIGHT, sorted(shown), list("abcdefghij"))
    assert {name: colours[name] for name in shown} == {name: everyone[name] for name in shown}


def test_what_does_not_fit_is_grey() -> None:
    colours = assign(LIGHT, list("abcdefghi"), list("abcdefghi"))
    assert colours["h"] == colours["i"] == colours[OTHER] == LIGHT.other
