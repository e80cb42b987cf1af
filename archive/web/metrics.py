"""Counts for `/metrics`, in the text format of Prometheus, over all web processes of this home.

Each process writes its own counts to `run/web-PID.json` every few seconds; whichever is asked adds up those of the living. Routes are
counted by their name in the URL map, never by address, so that no query and no id is kept.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from pathlib import Path

from archive import __version__

_EVERY = 5.0


class Metrics:
    """Counts of this process, and the sum over all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()
        self._written = 0.0

    def count(self, route: str, status: int, seconds: float) -> None:
        """One answered request: its route, status and wall time until the answer was ready to be sent."""
        with self._lock:
            self._requests[f"{route} {status}"] += 1
            self._seconds[route] += seconds  # type: ignore[assignment]
            if time.monotonic() - self._written > _EVERY:
                self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        target = self._folder / f"web-{os.getpid()}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside = target.with_suffix(".tmp")
            aside.write_text(json.dumps({"requests": self._requests, "seconds": self._seconds}), "ascii")
            aside.replace(target)
        except OSError:
            # A full or read-only disk must not stop readers; the counts of this process are then missing from the sum of others.
            return

    def text(self) -> str:
        """Everything counted, as Prometheus reads it."""
        requests, seconds, processes = self._sum()
        lines = [
            "# HELP fangzhi_info The release that answers.",
            "# TYPE fangzhi_info gauge",
            f'fangzhi_info{{version="{__version__}"}} 1',
            "# HELP fangzhi_web_processes Web processes with counts.",
            "# TYPE fangzhi_web_processes gauge",
            f"fangzhi_web_processes {processes}",
            "# HELP fangzhi_requests_total Requests answered, by route and status.",
            "# TYPE fangzhi_requests_total counter",
        ]
        for key, number in sorted(requests.items()):
            route, status = key.rsplit(" ", 1)
            lines.append(f'fangzhi_requests_total{{route="{route}",status="{status}"}} {number}')
        lines += ["# HELP fangzhi_request_seconds_total Wall time spent on them.", "# TYPE fangzhi_request_seconds_total counter"]
        lines += [f'fangzhi_request_seconds_total{{route="{route}"}} {value:.6f}' for route, value in sorted(seconds.items())]
        return "\n".join(lines) + "\n"

    def _sum(self) -> tuple[Counter[str], Counter[str], int]:
        with self._lock:
            requests, seconds, processes = Counter(self._requests), Counter(self._seconds), 1
        for path in self._folder.glob("web-*.json"):
            pid = path.stem.removeprefix("web-")
            if not pid.isdigit() or int(pid) == os.getpid():
                continue
            if not Path("/proc", pid).exists() and not _alive(int(pid)):
                path.unlink(missing_ok=True)
                continue
            try:
                data = json.loads(path.read_text("ascii"))
            except (OSError, ValueError):
                continue
            requests.update(data["requests"])
            seconds.update(data["seconds"])
            processes += 1
        return requests, seconds, processes


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
