"""Answers as dataclasses. Each keeps the whole JSON in `raw`; moments are milliseconds since the Unix epoch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import PIL.Image

    from .client import Millrace

Json = dict[str, Any]
Status = Literal["pending", "running", "completed", "failed", "cancelled", "timed_out"]


@dataclass(frozen=True)
class Fault:
    """One mistake in a definition or an input, with its place."""

    code: str
    message: str
    pointer: str
    node: str | None = None
    hint: str | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Fault:
        return cls(
            code=str(body.get("code", "")),
            message=str(body.get("message", "")),
            pointer=str(body.get("pointer", "")),
            node=body.get("node"),
            hint=body.get("hint"),
        )

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.pointer or '/'}: {self.message}{hint}"


@dataclass(frozen=True)
class Event:
    """Something that happened in a run. `type` is `node.completed`, `completed` and the like; `snapshot` is the state so far."""

    type: str
    #: The envelope, with the event's own `data` inside; for a `snapshot` the state itself.
    raw: Json = field(repr=False)
    #: `<epoch>-<seq>`; none for what is not stored, such as progress.
    id: str | None = None

    @property
    def data(self) -> Json:
        """What the event says."""
        data = self.raw.get("data", self.raw)
        return data if isinstance(data, dict) else {}

    @property
    def node(self) -> str | None:
        """The node it is about."""
        return self.raw.get("nodeid")

    def __str__(self) -> str:
        return " ".join(part for part in (self.type, self.node, self.raw.get("path")) if part)


@dataclass(frozen=True)
class Blob:
    """Bytes in the store, named by their SHA-256."""

    id: str
    size_bytes: int
    media_type: str | None
    raw: Json = field(repr=False)

    @property
    def reference(self) -> str:
        """How an input names it."""
        return f"blob:{self.id}"


@dataclass(frozen=True)
class Workflow:
    """A saved workflow."""

    id: str
    name: str
    version: int
    raw: Json = field(repr=False)

    @classmethod
    def read(cls, body: Json) -> Workflow:
        return cls(id=body["id"], name=body["name"], version=body["version"], raw=body)


@dataclass(frozen=True)
class Progress:
    """Node runs of a run, by where they stand."""

    total: int = 0
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    running: int = 0

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Progress:
        return cls(**{name: int(body.get(name, 0)) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class RunError:
    """Why a run failed."""

    kind: str
    message: str
    retryable: bool


@dataclass(frozen=True)
class Image:
    """A picture among a run's outputs."""

    #: Where it stands: `answer.pictures.0`.
    name: str
    blob: str
    width: int
    height: int
    format: str
    _client: Millrace = field(repr=False, compare=False)

    def bytes(self) -> bytes:
        """Its bytes, as they are stored."""
        return self._client.blob(self.blob)

    def open(self) -> PIL.Image.Image:
        """It as a PIL image; needs `millrace[images]`."""
        import io

        import PIL.Image

        return PIL.Image.open(io.BytesIO(self.bytes()))

    @property
    def file_name(self) -> str:
        """Its name as every file system takes it. Names that differ may have the same."""
        # Outputs may hold what somebody else wrote: no part of the name may lead out of the folder.
        suffix = re.sub(r"[^A-Za-z0-9_]+", "-", {"jpeg": "jpg"}.get(self.format, self.format)) or "bin"
        return f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', self.name)}.{suffix}"

    def save(self, folder: str | Path, file_name: str | None = None) -> Path:
        """Writes it into `folder`, under its own name if none is given; the path."""
        path = Path(folder) / (file_name or self.file_name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.bytes())
        return path


@dataclass(frozen=True)
class Run:
    """A run, as it stood when it was asked for."""

    id: str
    status: Status
    outputs: Json | None
    error: RunError | None
    progress: Progress
    #: In the operator's currency; none while nothing has a price, or before the end is recorded.
    cost: float | None
    raw: Json = field(repr=False)
    _client: Millrace = field(repr=False, compare=False)

    @classmethod
    def read(cls, body: Json, client: Millrace) -> Run:
        error = body.get("error")
        return cls(
            id=body["execution_id"],
            status=body["status"],
            outputs=body.get("outputs"),
            error=RunError(error["kind"], error["message"], bool(error.get("retryable"))) if error else None,
            progress=Progress.read(body.get("progress") or {}),
            cost=body.get("cost"),
            raw=body,
            _client=client,
        )

    @property
    def ended(self) -> bool:
        """Whether it goes on no more."""
        return self.status not in ("pending", "running")

    @property
    def images(self) -> list[Image]:
        """The pictures among its outputs, in their order."""
        return list(_images(self.outputs, (), self._client))

    def save_images(self, folder: str | Path) -> list[Path]:
        """Writes the pictures among its outputs into `folder`, each into a file of its own; their paths."""
        images = self.images
        return [image.save(folder, name) for image, name in zip(images, _distinct(images), strict=True)]

    def refresh(self) -> Run:
        """It as it stands now."""
        return self._client.execution(self.id)

    def cancel(self) -> None:
        """Asks for its end."""
        self._client.cancel(self.id)


def _distinct(images: list[Image]) -> Iterator[str]:
    """File names for all of them; those that have the same are numbered."""
    taken: set[str] = set()
    for image in images:
        name, count = image.file_name, 1
        # Not every file system tells small letters from large ones.
        while name.lower() in taken:
            count += 1
            stem, dot, suffix = image.file_name.rpartition(".")
            name = f"{stem}-{count}{dot}{suffix}"
        taken.add(name.lower())
        yield name


def _images(value: Any, path: tuple[str, ...], client: Millrace) -> Iterator[Image]:
    if isinstance(value, dict):
        if value.get("kind") == "image" and "blob" in value:
            yield Image(
                name=".".join(path) or "image",
                blob=value["blob"],
                width=int(value.get("width", 0)),
                height=int(value.get("height", 0)),
                format=str(value.get("format", "")),
                _client=client,
            )
            return
        for key, item in value.items():
            yield from _images(item, (*path, str(key)), client)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _images(item, (*path, str(index)), client)
