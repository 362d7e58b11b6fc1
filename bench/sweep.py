"""Measures the sweep: `python -m bench.sweep` writes `bench/results/sweep.json`; `--small` tries it out in seconds."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import mark, nightly, pruning
from bench.pruning import Plan

RESULTS = Path(__file__).resolve().parent / "results" / "sweep.json"


def measure(*, small: bool) -> Mapping[str, Any]:
    plan, packs, accounts = (Plan(120, 4, 2), 3_000, 20) if small else (Plan(), mark.PACKS, nightly.ACCOUNTS)
    return {
        "pruning": [asdict(each) for each in pruning.measure(plan)],
        "mark": [asdict(each) for each in mark.measure(packs)],
        "night": [asdict(each) for each in nightly.measure(accounts)],
        "prices": nightly.PRICES,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a small vault, and nothing is written")
    small = parser.parse_args(arguments).small
    text = json.dumps(measure(small=small), indent=2) + "\n"
    sys.stdout.write(text)
    if not small:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
