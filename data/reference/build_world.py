"""Make world.geojson, the dashboard's map, from Natural Earth. Takes no arguments.

Fetches the pinned package with npm, simplifies the borders that neighbours share once for both, so
that no gaps open between them, and keys each country by its ISO 3166-1 alpha-2 code.

Rings stay wound as the source winds them, clockwise around land: Plotly draws on a sphere, where
the other way round would be the rest of the world. RFC 7946 wants the opposite.
"""
# ruff: noqa: INP001  a script beside the data it makes, not a package

import csv
import hashlib
import heapq
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PACKAGE = "world-atlas@2.0.2"
SHA256 = "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97"
MEMBER = "package/countries-50m.json"

SMALLEST_BEND = 0.03  # square degrees: a bend in a border that is smaller is straightened
SMALLEST_ISLAND = 0.05  # square degrees; a country's largest land is always kept
LEFT_OUT = frozenset({"AQ"})

# The source has no code for these; ISO counts them to these countries.
BY_NAME = {"Kosovo": "XK", "Somaliland": "SO", "N. Cyprus": "CY", "Indian Ocean Ter.": "CX"}
# The source draws these as parts of a country; ISO gives them codes of their own.
# West, south, east, north.
BY_BOX = {
    "GF": ("FR", (-55.0, 2.0, -51.0, 6.0)),
    "GP": ("FR", (-61.9, 15.8, -61.0, 16.6)),
    "MQ": ("FR", (-61.3, 14.3, -60.8, 14.9)),
    "RE": ("FR", (55.0, -21.5, 56.0, -20.8)),
    "YT": ("FR", (45.0, -13.1, 45.4, -12.6)),
    "SJ": ("NO", (-10.0, 70.5, 34.0, 81.0)),
    "BQ": ("NL", (-69.0, 12.0, -62.9, 17.7)),
}

Point = tuple[float, float]
Ring = list[Point]


class UnexpectedSourceError(Exception):
    """The source package is not the one that the shipped map was made from."""


def fetch(directory: Path) -> dict[str, Any]:
    """Download the topology, and check that it is the pinned one."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(directory), PACKAGE]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 a fixed command
    archive = directory / f"{PACKAGE.replace('@', '-')}.tgz"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        raise UnexpectedSourceError(f"{PACKAGE}: sha256 is {digest}, pinned is {SHA256}")
    with tarfile.open(archive) as package:
        file = package.extractfile(MEMBER)
        if file is None:
            raise UnexpectedSourceError(f"{archive.name}: {MEMBER} is no file")
        topology: dict[str, Any] = json.load(file)
        return topology


def positions(topology: dict[str, Any]) -> list[Ring]:
    """Undo the delta encoding: every arc as points in degrees."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points: Ring = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * kx + dx, y * ky + dy))
        arcs.append(points)
    return arcs


def simplified(points: Ring, smallest: float = SMALLEST_BEND) -> Ring:
    """Drop, again and again, the point that bends the line least (Visvalingam's algorithm)."""
    before = list(range(-1, len(points) - 1))
    after = list(range(1, len(points) + 1))
    gone = [False] * len(points)

    def triangle(i: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = points[before[i]], points[i], points[after[i]]
        return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2

    heap = [(triangle(i), i) for i in range(1, len(points) - 1)]
    heapq.heapify(heap)
    while heap and heap[0][0] < smallest:
        area, i = heapq.heappop(heap)
        if gone[i] or area != triangle(i):
            continue  # a neighbour went since; the fresh entry is further back in the heap
        gone[i] = True
        before[after[i]], after[before[i]] = before[i], after[i]
        for j in (before[i], after[i]):
            if 0 < j < len(points) - 1:
                heapq.heappush(heap, (triangle(j), j))
    return [point for i, point in enumerate(points) if not gone[i]]


def ring(indices: Sequence[int], arcs: Sequence[Ring]) -> Ring:
    """Join arcs; a complemented index is an arc walked backwards."""
    points: Ring = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += arc[1:] if points else arc
    return points


def area(points: Ring) -> float:
    """Measure a closed ring on the flat map."""
    return abs(sum((ax * by - bx * ay) / 2 for (ax, ay), (bx, by) in pairwise(points)))


def rounded(points: Ring, digits: int) -> Ring:
    """Round, and drop points that fell together."""
    kept: Ring = []
    for x, y in points:
        point = (round(x, digits) + 0.0, round(y, digits) + 0.0)
        if not kept or kept[-1] != point:
            kept.append(point)
    return kept


def drawn(
    indices: Sequence[int], coarse: Sequence[Ring], fine: Sequence[Ring], *, keep: bool
) -> Ring:
    """Draw one ring, coarse where that leaves something to see; else fine, or [] to drop it."""
    points = rounded(ring(indices, coarse), 2)
    if len(points) >= 4 and area(points) >= SMALLEST_ISLAND:  # noqa: PLR2004 a triangle, closed
        return points
    return rounded(ring(indices, fine), 3) if keep else []


def polygons(geometry: dict[str, Any]) -> list[list[list[int]]]:
    """Read a Polygon or a MultiPolygon as polygons of rings of arc indices."""
    arcs: list[Any] = geometry["arcs"]
    return [arcs] if geometry["type"] == "Polygon" else arcs


def code_of(geometry: dict[str, Any], by_number: dict[str, str]) -> str | None:
    """Find the ISO code; None: a place that no code names."""
    name = geometry["properties"]["name"]
    return by_number.get(geometry.get("id", "")) or BY_NAME.get(name)


def part_of(code: str, outline: Ring) -> str:
    """Give an overseas part the code of its own."""
    x, y = outline[0]
    for part, (whole, (west, south, east, north)) in BY_BOX.items():
        if code == whole and west <= x <= east and south <= y <= north:
            return part
    return code


def features(topology: dict[str, Any], by_number: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Draw every country, in the order of the codes."""
    fine = positions(topology)
    coarse = [simplified(arc) for arc in fine]
    shapes: defaultdict[str, list[list[list[int]]]] = defaultdict(list)
    for geometry in topology["objects"]["countries"]["geometries"]:
        code = code_of(geometry, by_number)
        if code and code not in LEFT_OUT:
            for polygon in polygons(geometry):
                shapes[part_of(code, ring(polygon[0], fine))].append(polygon)
    for code, country in sorted(shapes.items()):
        largest = max(country, key=lambda polygon: area(ring(polygon[0], fine)))
        rings = [
            [
                points
                for i, indices in enumerate(polygon)
                if (points := drawn(indices, coarse, fine, keep=polygon is largest and i == 0))
            ]
            for polygon in country
        ]
        yield {
            "type": "Feature",
            "id": code,
            "properties": {},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [polygon for polygon in rings if polygon],
            },
        }


def main() -> None:
    """Fetch, convert, and replace the map in one step."""
    with (HERE / "countries.csv").open(encoding="utf-8", newline="") as file:
        by_number = {
            row["numeric"]: row["alpha2"] for row in csv.DictReader(file) if row["numeric"]
        }
    with tempfile.TemporaryDirectory() as temporary:
        topology = fetch(Path(temporary))
    collection = {"type": "FeatureCollection", "features": list(features(topology, by_number))}
    content = json.dumps(collection, separators=(",", ":")) + "\n"
    partial = HERE / "world.partial"
    partial.write_text(content, encoding="utf-8")
    partial.replace(HERE / "world.geojson")
    sys.stdout.write(
        f"world.geojson: {len(collection['features'])} countries, {len(content):,} bytes\n"
    )


if __name__ == "__main__":
    main()
