"""Inputs as people have them: paths, bytes, open files and PIL images become blobs, everything else goes as it is."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: Stores bytes and gives the reference that an input names them by.
Upload = Callable[[bytes], str]


def definition(workflow: str | Path | Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The definition that `workflow` is or names; none when it is a saved workflow's id."""
    if isinstance(workflow, Mapping):
        return workflow
    if isinstance(workflow, Path) or workflow.endswith(".json"):
        loaded = json.loads(Path(workflow).read_text(encoding="utf-8"))
        if not isinstance(loaded, dict):
            raise ValueError(f"{workflow} holds no workflow: a definition is a JSON object")
        return loaded
    return None


def prepared(value: Any, upload: Upload) -> Any:
    """`value` with everything that is bytes uploaded, at any depth."""
    content = content_of(value)
    if content is not None:
        return upload(content)
    if isinstance(value, Mapping):
        return {key: prepared(item, upload) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [prepared(item, upload) for item in value]
    return value


def content_of(value: Any) -> bytes | None:
    """The bytes that `value` stands for, if it does. A plain string never does: it may be a parameter."""
    if isinstance(value, Path):
        return value.read_bytes()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if hasattr(value, "save") and hasattr(value, "mode") and hasattr(value, "size"):
        return _encoded(value)
    if hasattr(value, "read"):
        content = value.read()
        if isinstance(content, str):
            raise TypeError("open the file in binary mode: open(path, 'rb')")
        return bytes(content)
    return None


def _encoded(image: Any) -> bytes:
    # PNG keeps every pixel; modes that it does not know become RGB.
    kept = image if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16") else image.convert("RGB")
    buffer = io.BytesIO()
    kept.save(buffer, format="PNG")
    return buffer.getvalue()
