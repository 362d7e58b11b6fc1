"""What happened in the small world, told in words."""

from tests.protocol.exploration import Found, Move
from tests.protocol.model import named

ACTS = {
    "open": "agent {n} opens session {n}",
    "choose": "agent {n} counts on {packs}",
    "upload": "agent {n} sends {packs}",
    "commit": "agent {n} commits",
    "fence": "session {n} is fenced",
    "remove": "snapshot {n} is removed",
    "drop": "session {n} is dropped",
    "condemn": "a sweep condemns what nobody needs",
    "doom": "a sweep dooms what is ripe",
    "record": "a sweep deletes what is doomed",
    "clear": "a sweep clears session {n} away",
    "delete": "{packs} is deleted",
    "stop": "a sweep stops",
    "day": "a day passes, {n} of the open sessions were renewed",
}
STEPS = {"": "", "read": ": has read", "written": ": writes", "lost": ": is turned away", "refused": ": is refused"}


def told(found: Found) -> str:
    lines = [f"{number}. {sentence(move)}" for number, move in enumerate(found.trace, 1)]
    return "\n".join([*lines, f"So {found.fault}."])


def sentence(move: Move) -> str:
    return ACTS[move.what].format(n=move.n, packs=named(move.packs)) + STEPS[move.step]
