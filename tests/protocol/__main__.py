"""`python -m tests.protocol [--large]`: explores the protocol and prints what `docs/sweep-proof.md` says."""

import argparse
import time

from tests.protocol.exploration import Found, Scope, explore
from tests.protocol.layers import ONE_AGENT, TWO_AGENTS, Layer, layer, missing
from tests.protocol.model import Protocol
from tests.protocol.values import Safeguard
from tests.protocol.words import told

LARGE = [
    Scope(Protocol(heedless=True), backups=2, workers=2),
    Scope(Protocol(), backups=2, workers=3),
    Scope(Protocol(contents=2), backups=1, workers=2),
    Scope(Protocol(contents=2, heedless=True), backups=1, workers=2),
    Scope(Protocol(), backups=1, workers=2, split=True),
    Scope(Protocol(), backups=2, workers=1, split=True),
    Scope(Protocol(frozenset({Safeguard.ETAG})), backups=2, workers=1, hangs=False),
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.protocol", description=__doc__)
    parser.add_argument(
        "--large", action="store_true", help="also larger worlds, and the table with two agents: minutes"
    )
    large = parser.parse_args().large
    for scope in [ONE_AGENT, TWO_AGENTS, *(LARGE if large else [])]:
        show(scope)
    table(ONE_AGENT)
    if large:
        table(TWO_AGENTS)


def show(scope: Scope) -> None:
    began = time.process_time()
    found = explore(scope)
    print(f"{_size(scope)}: {_end(found)}, {time.process_time() - began:.1f} s of CPU", flush=True)


def table(scope: Scope) -> None:
    print(f"\n{_size(scope)}:\n\n| without | honest agents | heedless agents |\n|---|---|---|")
    layers = list[Layer]()
    for without in missing():
        layers.append(layer(scope, without))
        print(layers[-1], flush=True)
    for each in layers:
        for kind, found in (("honest", each.honest), ("heedless", each.heedless)):
            if found.fault:
                print(f"\nWithout {each.name}, {kind} agents:\n{told(found)}")


def _size(scope: Scope) -> str:
    protocol = scope.protocol
    notes = [", heedless"] * protocol.heedless + [", every request split"] * scope.split
    notes += [f", without {safeguard}" for safeguard in protocol.without] + [", no request hangs"] * (not scope.hangs)
    packs = (scope.backups + 1) * protocol.contents
    return f"agents {scope.backups}, sweeps {scope.workers}, packs {packs}{''.join(notes)}"


def _end(found: Found) -> str:
    return f"{len(found.worlds):,} states, {found.fault or 'every promise is kept'}"


if __name__ == "__main__":
    main()
