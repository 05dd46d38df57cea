"""What can go wrong, sorted by what a caller can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models import Fault, Run


class MillraceError(Exception):
    """Anything this client raises by itself."""


class Unreachable(MillraceError):
    """The server could not be reached, or the connection broke, more often than was tried again."""


class Problem(MillraceError):
    """The server refused (RFC 9457). `code` is stable; the server's docs/errors has a page for each."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        from .models import Fault

        self.status = status
        self.code: str = str(body.get("code", "UNKNOWN"))
        self.title: str = str(body.get("title", ""))
        self.detail: str = str(body.get("detail", ""))
        #: Whether the same request may succeed later.
        self.retryable: bool = bool(body.get("retryable", False))
        #: How long the server asks to wait before.
        self.retry_after_s = retry_after_s
        #: The places at fault in a definition or an input.
        self.errors: list[Fault] = [Fault.read(fault) for fault in body.get("errors") or []]
        #: The whole answer; `request_id` is what the server's log knows it by.
        self.raw: dict[str, Any] = dict(body)
        places = "".join(f"\n  {fault}" for fault in self.errors)
        super().__init__(f"{status} {self.code}: {self.detail or self.title}{places}")

    def __reduce__(self) -> tuple[type[Problem], tuple[int, dict[str, Any], float | None]]:
        # An exception is rebuilt from its text otherwise, which breaks the process pool that it was raised in.
        return type(self), (self.status, self.raw, self.retry_after_s)


class RunFailed(MillraceError):
    """A run ended otherwise than completed; `run` says how."""

    def __init__(self, run: Run) -> None:
        self.run = run
        reason = f": {run.error.kind}: {run.error.message}" if run.error else ""
        super().__init__(f"run {run.id} {run.status}{reason}")
