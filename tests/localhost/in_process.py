"""Runs the host inside this process, as a test suite of one app would; prints what it saw. Run by test_host.py."""

import json
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path

from localhost import HostOptions, LocalHost
from localhost.clock import now


def main(app: str) -> None:
    with LocalHost(HostOptions(Path(app), virtual_clock=True)) as host:

        def get(path: str) -> dict[str, str]:
            with urllib.request.urlopen(host.url + path) as reply:
                return json.load(reply)

        start = urllib.request.Request(f"{host.url}/api/start/sleep_days", data=b"3", method="POST")
        instance = urllib.request.urlopen(start).read().decode()
        path = f"/runtime/webhooks/durabletask/instances/{instance}"
        began = now()
        host.advance(timedelta(days=1))
        running = get(path)["runtimeStatus"]
        host.settle(until=lambda: get(path)["runtimeStatus"] == "Completed")
        lived = (now() - began).total_seconds()
        sys.stdout.write(json.dumps({"after_one_day": running, "lived_days": lived / 86400}))


if __name__ == "__main__":
    main(sys.argv[1])
