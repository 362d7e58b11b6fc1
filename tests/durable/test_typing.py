"""The types are part of the contract: the checker must refuse what would only fail at night."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SNIPPET = Path(__file__).parent / "typing" / "calls.py.txt"
MARK = re.compile(r"# error: (\w+)$")


def expected() -> Iterator[tuple[str, int, str]]:
    for number, line in enumerate(SNIPPET.read_text().splitlines(), start=1):
        if mark := MARK.search(line):
            yield SNIPPET.stem, number, mark[1]


def found(folder: Path) -> Iterator[tuple[str, int, str]]:
    """What the checker says of the snippet and of the real workflows: file, line and rule."""
    (folder / SNIPPET.stem).write_text(SNIPPET.read_text())
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.13", "reportMissingTypeStubs": False}
    settings |= {"include": [".", str(ROOT / "orchestrators")], "extraPaths": [str(ROOT)]}
    # Beyond the project's mode: a call that nobody yields from is silently never made, and only this rule sees it.
    settings |= {"reportUnusedCallResult": "error"}
    # What is unknown after an error is unknown because of it: one report a fault is enough.
    settings |= {"reportUnknownMemberType": False, "reportUnknownVariableType": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    checker = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run([*checker, "-p", str(folder)], cwd=folder, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    assert answer["summary"]["filesAnalyzed"] >= 1 + len(list((ROOT / "orchestrators").glob("*.py")))
    for report in answer["generalDiagnostics"]:
        line = report["range"]["start"]["line"] + 1
        yield Path(report["file"]).name, line, report.get("rule", report["message"])


def test_every_wrong_use_is_refused_and_every_right_one_and_every_workflow_is_clean(tmp_path: Path) -> None:
    marks = set(expected())
    assert len(marks) >= 15
    assert set(found(tmp_path)) == marks
