"""When the background worker may do what can wait."""

from __future__ import annotations

import time

QUIET = 120.0
"""Seconds in which nothing was taken in before work that can wait begins: a donation on its way in must not be slowed by it."""


class Idle:
    """Whether the worker has been quiet long enough for work that can wait; over again once something was taken in."""

    def __init__(self, seconds: float = QUIET) -> None:
        self._seconds, self._since, self._finished = seconds, time.monotonic(), False

    def disturbed(self) -> None:
        """There was something to do."""
        self._since, self._finished = time.monotonic(), False

    def long_enough(self) -> bool:
        """True when nothing was to do for a while and what can wait is not done."""
        return not self._finished and time.monotonic() - self._since > self._seconds

    def done(self, everything: bool) -> None:
        """What could wait is done, or (`everything` False) was broken off."""
        self._finished = everything
