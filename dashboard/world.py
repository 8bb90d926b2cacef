"""Countries: their names, and their shapes for the map. Read once from `data/reference/`."""

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

REFERENCE: Final = Path(__file__).parents[1] / "data" / "reference"


@cache
def names() -> dict[str, str]:
    """English short names by ISO 3166-1 alpha-2 code."""
    with (REFERENCE / "countries.csv").open(encoding="utf-8", newline="") as file:
        return {row["alpha2"]: row["name"] for row in csv.DictReader(file)}


def name(code: str | None) -> str:
    """A country's name; the code itself where the table does not know it."""
    return names().get(code, code) if code else "Unknown"


@cache
def shapes() -> dict[str, Any]:
    """The world as GeoJSON, a feature a country with its alpha-2 code as `id`."""
    world: dict[str, Any] = json.loads((REFERENCE / "world.geojson").read_text(encoding="utf-8"))
    return world
