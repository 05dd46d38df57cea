"""Files that are sent as they are read, however large they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20


class Content:
    """The bytes of a file, from its start each time they are asked for: a request may be sent again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size_bytes = path.stat().st_size

    def __iter__(self) -> Iterator[bytes]:
        left = self.size_bytes
        with self._path.open("rb") as file:
            # No more than was announced, should it grow meanwhile.
            while left > 0 and (chunk := file.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk
