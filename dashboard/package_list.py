"""The packages that the lake knows: those with at least one event."""

from typing import Final, TypedDict
from urllib.parse import quote, urlencode

from dashboard.api_request import Packages
from dashboard.lake import Lake

# A daily cube holds every package once a day, where `events` holds it once an event.
_SQL: Final = """
    SELECT package_id AS id, arg_max(package, date) AS name, arg_max(route_type, date) AS type,
           strftime(min(date), '%Y-%m-%dT00:00:00Z') AS created_at,
           strftime(max(date), '%Y-%m-%dT00:00:00Z') AS updated_at
    FROM daily
    WHERE cube = 'total' AND package_id > $after AND ($type IS NULL OR route_type = $type)
    GROUP BY package_id
    ORDER BY package_id
    LIMIT $limit
"""


class PackageList(TypedDict):
    """One page, in Scarf's shape; `_links.next` is there where another page follows."""

    results: list[dict[str, str]]
    _links: dict[str, str]


def package_list(lake: Lake, asked: Packages) -> PackageList:
    """Packages in the order of their ids, from the one after `asked.after` on."""
    values = {"after": asked.after, "type": asked.route_type, "limit": asked.per_page + 1}
    rows = lake.ask(_SQL, values).to_dicts()
    page = rows[: asked.per_page]
    links = {}
    if len(rows) > len(page):
        query = {"after": page[-1]["id"], "per_page": str(asked.per_page)}
        if asked.route_type is not None:
            query["type"] = asked.route_type
        links["next"] = f"/v2/packages/{quote(asked.owner, safe='')}?{urlencode(query)}"
    return {"results": [{**row, "owner": asked.owner} for row in page], "_links": links}
