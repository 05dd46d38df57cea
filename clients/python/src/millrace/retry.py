"""How often and how patiently something is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from .errors import Problem

_FIRST_S = 0.1
_LONGEST_S = 5.0
#: Whoever asks for more (a proxy in maintenance asks for hours) is not waited for: the caller knows better what to do meanwhile.
_LONGEST_ASKED_S = 60.0


class Pauses:
    """Growing pauses with jitter, `tries` of them in a row."""

    def __init__(self, tries: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self._tries = tries
        self._sleep = sleep
        self._failed = 0

    def reset(self) -> None:
        """Something went well."""
        self._failed = 0

    def sleep(self, error: Exception, *, cause: Exception | None = None, at_least_s: float = 0.0) -> None:
        """Waits before the next try; raises `error` when there were enough."""
        if self._failed >= self._tries:
            raise error from cause
        pause = min(_FIRST_S * 2**self._failed, _LONGEST_S) * random.uniform(0.5, 1.0)
        self._failed += 1
        self._sleep(max(pause, at_least_s))

    def after(self, problem: Problem) -> None:
        """Waits as long as a refusal asks for at least; raises it where the same request may not succeed later, or much later."""
        asked_s = problem.retry_after_s or 0.0
        if not problem.retryable or asked_s > _LONGEST_ASKED_S:
            raise problem
        self.sleep(problem, at_least_s=asked_s)
