"""Models of one's own, registered with a real server; and what is sent where the server is away for a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from millrace import Millrace, Problem
from millrace.files import Content

ROOT = Path(__file__).resolve().parents[3]
CLASSIFIER = ROOT / "models/shapes-classifier"
LABELS = ["bolt", "nut", "washer", "screw"]


def test_a_model_is_registered_from_its_files_runs_and_is_taken_out_again(client: Millrace) -> None:
    files = {name: CLASSIFIER / name for name in ("config.json", "preprocessor_config.json")}
    onnx = CLASSIFIER / "onnx/model.onnx"
    model = client.register_model("acme/parts", "classification", onnx, files=files, labels=LABELS)
    assert model["model_id"] == "acme/parts" and model["labels"] == LABELS
    assert model["checkpoint"] and model["checkpoint"].startswith("blob:")
    run = client.infer("classification", "acme/parts", ROOT / "examples/star.jpg", config={"model_source": "trained"})
    assert run.status == "completed", run.raw
    assert client.model("acme/parts")["model_id"] == "acme/parts"
    client.delete_model("acme/parts")
    with pytest.raises(Problem) as gone:
        client.delete_model("acme/parts")
    assert gone.value.status == 404


def test_what_else_is_known_of_a_model_goes_along_and_an_address_as_it_is(client: Millrace) -> None:
    address, image = "https://models.example/far.onnx", {"size": [8, 6]}
    model = client.register_model("far", "tensor", address, image=image, sha256="ab" * 32)
    assert (model["checkpoint"], model["sha256"]) == (address, "ab" * 32)
    client.delete_model("far")
    with pytest.raises(Problem, match="blob:<sha256>"):
        client.register_model("near", "detection", "models/near.onnx")


def test_a_file_is_sent_whole_again_where_the_server_was_away(
    served_by: Callable[[Callable[[httpx.Request], httpx.Response]], None], slept: list[float], tmp_path: Path
) -> None:
    file = tmp_path / "best.onnx"
    file.write_bytes(b"onnx" * 1_000_000)
    sent: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        request.read()
        if len(sent) == 1:
            return httpx.Response(503, json={"code": "DRAINING", "retryable": True})
        stored = {"blob": "ab", "bytes": 4_000_000}
        return httpx.Response(200, json=stored if request.url.path.endswith("/blobs") else {"model_id": "m"})

    served_by(serve)
    with Millrace() as client:
        client.register_model("m", "detection", file)
    assert [request.url.params.get("for") for request in sent] == ["model", "model", None]
    assert sent[0].content == sent[1].content == file.read_bytes()
    assert sent[1].headers["content-length"] == "4000000" and "transfer-encoding" not in sent[1].headers
    assert len(slept) == 1


def test_a_file_that_grows_is_sent_as_long_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "best.onnx"
    file.write_bytes(b"12345678")
    content = Content(file)
    file.write_bytes(b"123456789")
    assert b"".join(content) == b"12345678" and content.size_bytes == 8


def test_the_models_of_all_pages_are_listed(served_by: Callable[[Callable[[httpx.Request], httpx.Response]], None]) -> None:
    asked: list[dict[str, str]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        last = "cursor" in request.url.params
        page = {"models": [{"model_id": "c" if last else "b"}], "next_cursor": None if last else "after-b"}
        return httpx.Response(200, json=page)

    served_by(serve)
    with Millrace() as client:
        assert [model["model_id"] for model in client.models(name="part")] == ["b", "c"]
    assert asked == [{"name": "part"}, {"name": "part", "cursor": "after-b"}]
