"""Many templates of one path, told apart by the query: the index finds what trying all would."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.path_index import PathIndex, literalness
from gateway.template_syntax import parse_path
from gateway.templates import PathMatcher

paths = st.sampled_from(["/get", "/get/{v}", "/get/{+rest}", "/{a}/x", "/get/{v}.zip"])
values = st.sampled_from(["a", "b", "", "a%20b", "{q}", "x{q}"])
queries = st.dictionaries(st.sampled_from(["k", "l", "m"]), values, max_size=3)
asked = st.dictionaries(
    st.sampled_from(["k", "l", "m"]), st.sampled_from(["a", "b", "", "a%20b", "xa"]), max_size=3
)


def written(path: str, query: dict[str, str]) -> str:
    renamed = (f"{key}={value.replace('{q}', f'{{q{key}}}')}" for key, value in query.items())
    return f"{path}?{'&'.join(renamed)}" if query else path


@given(
    st.lists(st.builds(written, paths, queries), max_size=12),
    st.sampled_from(["/get", "/get/x", "/get/x.zip", "/get/x/y", "/other"]),
    asked,
)
def test_the_index_finds_what_trying_every_template_in_order_finds(
    texts: list[str], path: str, query: dict[str, str]
) -> None:
    templates = [parse_path(text) for text in texts]
    index = PathIndex([(template, number) for number, template in enumerate(templates)])
    matching = {
        number
        for number, template in enumerate(templates)
        if PathMatcher(template).match(path, query) is not None
    }
    found = [number for number in index.candidates(path, query) if number in matching]
    by_literalness = sorted(matching, key=lambda number: (literalness(templates[number]), number))
    assert set(found) == matching
    assert found[:1] == [number for number in by_literalness if number in found][:1]


def test_ten_thousand_templates_of_one_path_are_one_candidate() -> None:
    index = PathIndex(
        [(parse_path(f"/get/{{v}}?file=tool{number}.zip"), number) for number in range(10_000)]
    )
    assert index.candidates("/get/1.0", {"file": "tool77.zip"}) == [77]
    assert index.candidates("/get/1.0", {}) == []
