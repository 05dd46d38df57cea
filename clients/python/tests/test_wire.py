"""What needs no server: the wire format, inputs, and the generated types."""

from __future__ import annotations

import io
import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import httpx
import PIL.Image
import pytest

from millrace import Problem, schema
from millrace.client import problem_of
from millrace.errors import Unreachable
from millrace.inputs import definition, prepared
from millrace.retry import Pauses
from millrace.stream import parse, resumed

ROOT = Path(__file__).resolve().parents[3]


def event(id: str, kind: str = "node.completed") -> list[str]:
    return [f"id: {id}", f"event: {kind}", f'data: {{"id": "{id}"}}', ""]


def test_events_are_read_as_the_standard_says() -> None:
    progress = ["event: node.progress", 'data: {"data":', 'data: {"percent": 5}}', ""]
    first, second = parse([": ping", "", "retry: 1000", "", *event("1-1"), *progress, "id: 9"])
    assert (first.type, first.id, first.raw) == ("node.completed", "1-1", {"id": "1-1"})
    assert (second.id, second.data) == (None, {"percent": 5})


def test_what_comes_twice_is_passed_over_and_a_rebuilt_log_is_not() -> None:
    rebuilt = [*event("2-1", "snapshot"), *event("2-2"), "event: end", "data: {}", ""]
    replies = [[*event("1-1"), *event("1-2")], [*event("1-2"), *event("1-3"), *rebuilt]]
    asked: list[str | None] = []

    def connect(last: str | None) -> AbstractContextManager[httpx.Response]:
        asked.append(last)
        return nullcontext(httpx.Response(200, text="\n".join(replies[len(asked) - 1]) + "\n"))

    ids = [event.id for event in resumed(connect, None, Pauses(3, sleep=lambda _: None))]
    assert (ids, asked) == (["1-1", "1-2", "1-3", "2-1", "2-2"], [None, "1-2"])


def test_a_stream_that_never_comes_back_is_given_up() -> None:
    def connect(_: str | None) -> AbstractContextManager[httpx.Response]:
        raise httpx.ConnectError("no")

    slept: list[float] = []
    with pytest.raises(Unreachable):
        list(resumed(connect, None, Pauses(4, sleep=slept.append)))
    assert len(slept) == 4 and slept[-1] > slept[0]


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
