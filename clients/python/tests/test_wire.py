"""What needs no server: inputs, refusals, and the generated types."""

from __future__ import annotations

import io
import json
from pathlib import Path

import httpx
import PIL.Image
import pytest

from millrace import Problem, schema
from millrace.client import problem_of
from millrace.inputs import definition, prepared

ROOT = Path(__file__).resolve().parents[3]


def test_inputs_are_uploaded_where_they_are_bytes() -> None:
    stored: list[bytes] = []

    def upload(content: bytes) -> str:
        stored.append(content)
        return f"blob:{len(stored)}"

    plain = {"name": "a.jpg", "n": 1, "none": None}
    value = {"photos": [b"a", io.BytesIO(b"b")], "mask": PIL.Image.new("RGBA", (2, 3)), **plain}
    assert prepared(value, upload) == {"photos": ["blob:1", "blob:2"], "mask": "blob:3", **plain}
    assert stored[:2] == [b"a", b"b"] and PIL.Image.open(io.BytesIO(stored[2])).mode == "RGBA"
    with pytest.raises(TypeError, match="binary"):
        prepared(io.StringIO("text"), upload)


def test_a_workflow_is_an_id_a_dict_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    file.write_text('{"name": "x"}')
    assert definition("0193c5d2-0000-7000-8000-000000000000") is None
    assert definition(str(file)) == definition(file) == definition({"name": "x"}) == {"name": "x"}
    file.write_text("[]")
    with pytest.raises(ValueError, match="JSON object"):
        definition(file)


def test_a_proxys_page_is_a_problem_too() -> None:
    answer = httpx.Response(503, text="<html>away</html>", headers={"retry-after": "2"})
    problem = problem_of(answer)
    assert isinstance(problem, Problem) and problem.retryable and problem.retry_after_s == 2.0


def test_the_types_are_those_of_the_document() -> None:
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    for name, described in document["components"]["schemas"].items():
        properties = described.get("properties")
        typed = getattr(schema, name, None)
        assert typed is not None, f"{name} is missing: run clients/python/generate.sh"
        if properties and hasattr(typed, "__annotations__"):
            missing = properties.keys() - typed.__annotations__.keys()
            assert not missing, f"{name} lacks {missing}: run clients/python/generate.sh"
