"""Route templates as ASP.NET knows them, and which of an app's routes a path means. Pure.

Templates: `orders/{id:int}`, `files/{*rest}`, `{name?}`, `{year=2026}`, `{file}.{ext}`. The most literal route wins,
segment by segment (ASP.NET Core's route precedence).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_PARAMETER = re.compile(
    r"\{(?P<star>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[a-z]+(?:\((?:[^()]|\([^()]*\))*\))?)*)"
    r"(?:=(?P<default>[^}]*))?(?P<optional>\?)?\}"
)
_CONSTRAINT = re.compile(r":([a-z]+)(?:\(((?:[^()]|\([^()]*\))*)\))?")
_PATTERNS = {
    "alpha": r"[A-Za-z]+",
    "bool": r"(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])",
    "decimal": r"-?\d+(?:\.\d+)?",
    "double": r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "float": r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "guid": r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?",
    "int": r"-?\d+",
    "long": r"-?\d+",
}
_RANGES = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
_LITERAL, _MIXED, _CONSTRAINED, _FREE, _CATCH_ALL = range(5)


class BadRouteError(ValueError):
    """A template that cannot be understood; the message says which part."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One `{...}` of a template; `checks` are constraints that a pattern cannot express."""

    name: str
    checks: Sequence[tuple[str, str]]
    default: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """A compiled template. An empty `methods` means all of them."""

    function: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    parameters: Sequence[Parameter]
    rank: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    function: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WrongMethod:
    """The path exists; these are the methods it answers to."""

    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class NotFound:
    pass


def compile_route(template: str, methods: Iterable[str], function: str) -> Route:
    """Raises BadRouteError."""
    parts = [_compile_segment(part) for part in template.strip("/").split("/") if part]
    pattern = re.compile("".join(part for part, _, _ in parts) + "/?", re.IGNORECASE | re.DOTALL)
    parameters = [parameter for _, _, found in parts for parameter in found]
    accepted = frozenset(method.upper() for method in methods)
    return Route(function, accepted, pattern, parameters, tuple(digit for _, digit, _ in parts))


def find(routes: Iterable[Route], method: str, path: str) -> Found | WrongMethod | NotFound:
    """The function that answers `method` on the path (decoded, beginning with `/`). HEAD falls back to GET."""
    matches = [(route, params) for route in routes if (params := _match(route, path)) is not None]
    if not matches:
        return NotFound()
    wanted = [method, "GET"] if method == "HEAD" else [method]
    for verb in wanted:
        fitting = [(r, params) for r, params in matches if not r.methods or verb in r.methods]
        if fitting:
            route, params = min(fitting, key=lambda match: match[0].rank)
            return Found(route.function, params)
    return WrongMethod(frozenset(method for route, _ in matches for method in route.methods))


def _compile_segment(segment: str) -> tuple[str, int, list[Parameter]]:
    whole = _PARAMETER.fullmatch(segment)
    if whole:
        return _compile_parameter(whole)
    pattern, position, parameters = "/", 0, list[Parameter]()
    for found in _PARAMETER.finditer(segment):
        literal = segment[position : found.start()]
        pattern += re.escape(literal) + f"(?P<{found['name']}>{_value_pattern(found['constraints'])})"
        parameters.append(_parameter(found))
        position = found.end()
    tail = segment[position:]
    if "{" in tail or "}" in tail:
        raise BadRouteError(f"cannot read the route segment '{segment}'")
    return pattern + re.escape(tail), _MIXED if parameters else _LITERAL, parameters


def _compile_parameter(found: re.Match[str]) -> tuple[str, int, list[Parameter]]:
    name, parameter = found["name"], _parameter(found)
    if found["star"]:
        return f"(?:/(?P<{name}>.*))?", _CATCH_ALL, [parameter]
    pattern = f"/(?P<{name}>{_value_pattern(found['constraints'])})"
    missing_is_fine = found["optional"] or found["default"] is not None
    return (
        f"(?:{pattern})?" if missing_is_fine else pattern,
        _CONSTRAINED if found["constraints"] else _FREE,
        [parameter],
    )


def _parameter(found: re.Match[str]) -> Parameter:
    checks = [(kind, argument or "") for kind, argument in _CONSTRAINT.findall(found["constraints"])]
    known = {*_PATTERNS, *_CHECKS}
    for kind, _ in checks:
        if kind not in known:
            raise BadRouteError(f"unknown route constraint '{kind}'")
    return Parameter(found["name"], checks, found["default"])


def _value_pattern(constraints: str) -> str:
    kinds = [kind for kind, _ in _CONSTRAINT.findall(constraints)]
    return next((_PATTERNS[kind] for kind in kinds if kind in _PATTERNS), "[^/]+?")


def _match(route: Route, path: str) -> Mapping[str, str] | None:
    found = route.pattern.fullmatch(path)
    if found is None:
        return None
    given = {p.name: found[p.name] if found[p.name] is not None else p.default for p in route.parameters}
    params = {name: value for name, value in given.items() if value is not None}
    fits = all(
        _holds(kind, argument, params[p.name])
        for p in route.parameters
        for kind, argument in p.checks
        if p.name in params
    )
    return params if fits else None


def _holds(kind: str, argument: str, value: str) -> bool:
    if kind in _RANGES:
        low, high = _RANGES[kind]
        return low <= int(value) <= high
    return kind not in _CHECKS or _CHECKS[kind](value, argument)


def _number(value: str) -> int | None:
    return int(value) if re.fullmatch(r"-?\d{1,19}", value) else None


def _at_least(value: str, argument: str) -> bool:
    return (number := _number(value)) is not None and number >= int(argument)


def _at_most(value: str, argument: str) -> bool:
    return (number := _number(value)) is not None and number <= int(argument)


def _in_range(value: str, argument: str) -> bool:
    low, high = argument.split(",")
    return _at_least(value, low) and _at_most(value, high)


def _length(value: str, argument: str) -> bool:
    bounds = [int(bound) for bound in argument.split(",")]
    return bounds[0] <= len(value) <= bounds[-1]


def _longest(value: str, argument: str) -> bool:
    return len(value) <= int(argument)


def _shortest(value: str, argument: str) -> bool:
    return len(value) >= int(argument)


def _looks_like(value: str, argument: str) -> bool:
    return re.search(argument, value) is not None


_CHECKS = {
    "length": _length,
    "max": _at_most,
    "maxlength": _longest,
    "min": _at_least,
    "minlength": _shortest,
    "range": _in_range,
    "regex": _looks_like,
}
