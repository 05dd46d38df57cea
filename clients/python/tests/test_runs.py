"""Runs, against a real server."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from millrace import Event, Millrace, Problem, RunFailed, Unreachable

#: Gives its input back.
ECHO: dict[str, Any] = {
    "name": "echo",
    "nodes": [
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}},
        {"id": "answer", "type": "json_output", "inputs": {"n": "$inputs.n"}},
    ],
}
#: Makes a picture smaller.
SMALLER = {
    "name": "smaller",
    "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 32}},
        {"id": "answer", "type": "json_output", "inputs": {"picture": "$nodes.small.image"}},
    ],
}


def test_a_run_is_followed_to_its_outputs(client: Millrace, shapes: Path, scene: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    run = client.run_and_follow(shapes, {"photo": scene}, on_event=events.append)
    assert run.status == "completed" and run.outputs and run.progress.failed == 0
    ids = [event.id for event in events if event.id]
    assert ids == [f"1-{number + 1}" for number in range(len(ids))]
    assert events[-1].type == "completed" and {"started", "node.completed"} <= {event.type for event in events}
    saved = run.save_images(tmp_path)
    assert saved and all(PIL.Image.open(path).size[0] > 0 for path in saved)


@pytest.mark.parametrize("form", ["path", "bytes", "file", "pil"])
def test_pictures_may_be_given_in_any_form(client: Millrace, scene: Path, form: str) -> None:
    forms: dict[str, Callable[[], object]] = {
        "path": lambda: scene,
        "bytes": lambda: scene.read_bytes(),
        "file": lambda: scene.open("rb"),
        "pil": lambda: PIL.Image.open(scene).convert("CMYK"),
    }
    run = client.run_and_follow(SMALLER, {"photo": forms[form]()})
    assert [(image.name, image.width) for image in run.images] == [("answer.picture", 32)]
    assert run.images[0].open().size[0] == 32


def test_a_saved_workflow_is_run_by_its_id(client: Millrace) -> None:
    saved = client.save_workflow(ECHO)
    assert client.workflow(saved.id).name == "echo"
    run = client.submit(saved.id, {"n": 7}, labels={"team": "blue"})
    assert [event.type for event in client.follow(run)][-1] == "completed"
    listed = list(client.executions(workflow_id=saved.id, limit=1))
    assert [row.id for row in listed] == [run.id]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert not list(client.executions(workflow_id=saved.id, from_=tomorrow))
    assert len(list(client.executions(workflow_id=saved.id, to=tomorrow))) == 1
    assert run.refresh().outputs == {"answer": {"n": 7}}


def test_a_text_may_hold_any_line_break(client: Millrace) -> None:
    text = "one\u2028two\u2029three\x85four\r\nfive"
    nodes = [{"id": "n", "type": "parameter_input", "config": {"kind": "string"}}, ECHO["nodes"][1]]
    run = client.run_and_follow({"name": "text", "nodes": nodes}, {"n": text})
    assert run.outputs == {"answer": {"n": text}}


def test_all_node_runs_come_however_many_pages_they_take(client: Millrace, monkeypatch: pytest.MonkeyPatch) -> None:
    # More than the api gives where it is not told how many.
    waits = [f"wait{number:03}" for number in range(520)]
    source = {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}}
    nodes = [{"id": id, "type": "delay", "inputs": {"value": "$inputs.n"}, "config": {"ms": 0}} for id in waits]
    answer = {"id": "answer", "type": "json_output", "inputs": {"last": f"$nodes.{waits[-1]}.value"}}
    run = client.run_and_follow({"name": "many", "nodes": [source, *nodes, answer]}, {"n": 1})
    expected = sorted([*waits, "n", "answer"])
    assert [node["node_id"] for node in client.nodes(run)] == expected
    monkeypatch.setattr("millrace.client._NODES_PER_PAGE", 100)
    assert [node["node_id"] for node in client.nodes(run.id)] == expected


def test_the_same_key_starts_one_run(client: Millrace) -> None:
    key = str(uuid.uuid4())
    runs = {client.submit(ECHO, {"n": 1}, idempotency_key=key).id for _ in range(3)}
    assert len(runs) == 1


def test_a_refusal_names_its_places(client: Millrace) -> None:
    with pytest.raises(Problem) as refused:
        client.submit(SMALLER, {"photo": b"not a picture"})
    assert refused.value.status == 422 and not refused.value.retryable
    assert refused.value.errors[0].pointer == "/input/photo" and "/input/photo" in str(refused.value)
    with pytest.raises(Problem) as unknown:
        client.execution(str(uuid.uuid4()))
    assert unknown.value.code == "NOT_FOUND"


def test_a_run_that_fails_says_why(client: Millrace, scene: Path) -> None:
    # Its header is sound: only the worker finds out.
    broken = scene.read_bytes()[:4000]
    with pytest.raises(RunFailed) as failed:
        client.run_and_follow(SMALLER, {"photo": broken})
    run = failed.value.run
    assert run.ended and run.error and run.error.kind == "INVALID_INPUT"


def test_one_model_on_one_picture(client: Millrace, scene: Path) -> None:
    run = client.infer("detection", "shapes-detector", scene, config={"confidence": 0.4})
    assert run.status == "completed" and run.outputs


def test_the_fleet_and_its_figures(client: Millrace) -> None:
    assert client.validate(ECHO)["valid"]
    assert any(worker["alive"] for worker in client.workers())
    assert "detection" in {block["type"] for block in client.blocks()}
    assert any(model["model_id"] == "shapes-detector" for model in client.models())
    assert client.stats("15m")["totals"]["runs"] >= 0
    assert "queues" in client.queues()


def test_a_server_that_is_not_there_is_told() -> None:
    with Millrace("http://127.0.0.1:9", tries=1) as nobody, pytest.raises(Unreachable):
        nobody.blocks()
