"""What the service answers, parsed at the edge: a typed reply, or an error that carries the service's own words."""

from pydantic import BaseModel, ValidationError

from agent.transport import Answer, Unreachable
from shared.api.base import Problem
from shared.domain.errors import HortError

_PROBLEM_PREFIX = "urn:hort:problem:"


class Refused(HortError):
    """The service understood and said no; `str()` is its explanation, `slug` the problem's type without its prefix."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.status = status
        self.slug = problem.type.removeprefix(_PROBLEM_PREFIX)
        self.packs = tuple(problem.packs or ())


class NotAuthorised(Refused):
    """The service does not know the caller, or the caller may not (401, 403)."""


class NotThere(Refused):
    """There is no such thing, or not for us (404)."""


_KINDS = {401: NotAuthorised, 403: NotAuthorised, 404: NotThere}


def parse[T: BaseModel](answer: Answer, reply: type[T], place: str) -> T:
    """Raises `Unreachable` when something else answers at `place`, such as a login page of the local network."""
    try:
        return reply.model_validate_json(answer.body)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        reason = f"it answered something that is no {reply.__name__} ({first['msg']})"
        raise Unreachable(place, reason) from None


def refusal(answer: Answer, place: str) -> HortError:
    """The error for an answer of 300 and above."""
    if answer.status < 400:
        return Unreachable(place, f"it sends us elsewhere (status {answer.status})")
    try:
        problem = Problem.model_validate_json(answer.body)
    except ValidationError:
        text = f"{place} answered {answer.status} without saying why"
        problem = Problem(type="about:blank", title=text, status=answer.status, detail=text)
    return _KINDS.get(answer.status, Refused)(answer.status, problem)
