"""Route templates: what matches, what wins, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localhost.routes import BadRouteError, Found, NotFound, WrongMethod, compile_route, find


def names(method: str, path: str, *templates: str) -> str | None:
    routes = [compile_route(template, ["GET"], template) for template in templates]
    match find(routes, method, path):
        case Found(function, _):
            return function
        case _:
            return None


def params(template: str, path: str) -> dict[str, str] | None:
    match find([compile_route(template, [], "f")], "GET", path):
        case Found(_, found):
            return dict(found)
        case _:
            return None


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("a/{id}", "/a/1", {"id": "1"}),
        ("a/{id}", "/A/1/", {"id": "1"}),
        ("a/{id}", "/a", None),
        ("a/{id}", "/a/1/2", None),
        ("a/{id?}", "/a", {}),
        ("a/{id=7}", "/a", {"id": "7"}),
        ("a/{*rest}", "/a/b/c", {"rest": "b/c"}),
        ("a/{**rest}", "/a", {}),
        ("{name}.{ext}", "/report.pdf", {"name": "report", "ext": "pdf"}),
        ("v{n:int}/x", "/v2/x", {"n": "2"}),
        ("a/{id:int}", "/a/-5", {"id": "-5"}),
        ("a/{id:int}", "/a/2147483648", None),
        ("a/{id:long}", "/a/2147483648", {"id": "2147483648"}),
        ("a/{id:guid}", "/a/0f8fad5b-d9cb-469f-a165-70867728950e", {"id": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        ("a/{id:guid}", "/a/0f8fad5b", None),
        ("a/{x:bool}", "/a/True", {"x": "True"}),
        ("a/{x:alpha}", "/a/a1", None),
        ("a/{x:decimal}", "/a/1.5", {"x": "1.5"}),
        ("a/{x:length(2,3)}", "/a/abcd", None),
        ("a/{x:minlength(2):maxlength(3)}", "/a/abc", {"x": "abc"}),
        ("a/{x:min(3)}", "/a/2", None),
        ("a/{x:range(3,5)}", "/a/5", {"x": "5"}),
        ("a/{x:range(3,5)}", "/a/five", None),
        ("a/{x:regex(^[a-c]+$)}", "/a/abc", {"x": "abc"}),
        ("a/{x:int?}", "/a", {}),
        ("", "/", {}),
    ],
)
def test_a_template_matches_what_aspnet_would_match(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert params(template, path) == expected


def test_the_most_literal_route_wins_whatever_the_order() -> None:
    templates = ("{*all}", "a/{*rest}", "a/{id}", "a/{id:int}", "a/new", "a/{id:int}/b")
    for order in (templates, tuple(reversed(templates))):
        assert names("GET", "/a/new", *order) == "a/new"
        assert names("GET", "/a/5", *order) == "a/{id:int}"
        assert names("GET", "/a/x", *order) == "a/{id}"
        assert names("GET", "/a/x/y", *order) == "a/{*rest}"
        assert names("GET", "/a/5/b", *order) == "a/{id:int}/b"
        assert names("GET", "/z", *order) == "{*all}"


def test_a_less_literal_route_answers_the_method_that_the_better_one_does_not() -> None:
    routes = [compile_route("a/new", ["GET"], "get"), compile_route("a/{id}", ["POST"], "post")]
    assert find(routes, "POST", "/a/new") == Found("post", {"id": "new"})
    assert find(routes, "PUT", "/a/new") == WrongMethod(frozenset({"GET", "POST"}))
    assert find(routes, "HEAD", "/a/new") == Found("get", {})
    assert find(routes, "GET", "/b") == NotFound()


@pytest.mark.parametrize("template", ["a/{id", "a/id}", "a/{id:colour}", "a/{}"])
def test_a_template_that_says_nothing_is_refused(template: str) -> None:
    with pytest.raises(BadRouteError):
        compile_route(template, [], "f")


@given(st.text(st.characters(exclude_characters="/", exclude_categories=("Cs",)), min_size=1))
def test_any_segment_comes_out_as_it_went_in(segment: str) -> None:
    assert params("a/{value}/z", f"/a/{segment}/z") == {"value": segment}
