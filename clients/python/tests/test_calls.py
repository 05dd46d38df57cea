"""What a client does with a server that is away, refuses, or is not Millrace; no server is needed."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from millrace import Millrace, Problem, Run, Unreachable

#: Takes what stands in the place of a server, as `served_by` of conftest.py does.
Serve = Callable[[Callable[[httpx.Request], httpx.Response]], None]


def away(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("[Errno 111] Connection refused")


def test_a_run_is_followed_while_the_server_restarts(served_by: Serve, slept: list[float]) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if sum(slept) < 20:
            return away(request)
        return httpx.Response(200, text="event: end\ndata: {}\n\n")

    served_by(serve)
    with Millrace() as client:
        assert list(client.follow("r")) == []
    served_by(away)
    slept.clear()
    with Millrace() as client, pytest.raises(Unreachable):
        list(client.follow("r"))
    assert sum(slept) < 60, "and not for ever"


def test_a_stream_that_is_refused_says_why(served_by: Serve, slept: list[float]) -> None:
    full = {"code": "TOO_MANY_STREAMS", "retryable": True}
    served_by(lambda _: httpx.Response(503, json=full, headers={"retry-after": "5"}))
    with Millrace(tries=1) as client, pytest.raises(Problem, match="TOO_MANY_STREAMS"):
        list(client.follow("r"))
    assert set(slept) == {5.0}


def test_a_proxys_refusal_is_tried_again_whatever_its_form(served_by: Serve, slept: list[float]) -> None:
    bodies = ["<html>away</html>", '{"message": "no healthy upstream", "errors": ["no host"]}', '"upstream reset"', "[]", ""]
    for body in bodies:
        replies = [httpx.Response(503, text=body), httpx.Response(200, json={"blocks": []})]
        served_by(lambda _, replies=replies: replies.pop(0))  # type: ignore[misc]
        with Millrace() as client:
            assert client.blocks() == [], body
    assert len(slept) == len(bodies)
    served_by(lambda _: httpx.Response(502, json={"message": "no healthy upstream"}))
    with Millrace(tries=0) as client, pytest.raises(Problem, match=r"502 UNKNOWN: .*no healthy upstream"):
        client.blocks()


def test_nobody_sleeps_for_hours(served_by: Serve, slept: list[float]) -> None:
    served_by(lambda _: httpx.Response(503, text="maintenance", headers={"retry-after": "7200"}))
    with Millrace() as client, pytest.raises(Problem) as refused:
        client.blocks()
    assert refused.value.retry_after_s == 7200 and refused.value.retryable and not slept


def test_a_login_page_is_not_an_answer(served_by: Serve) -> None:
    served_by(lambda _: httpx.Response(200, text="<html>Please sign in</html>"))
    with Millrace() as client, pytest.raises(Unreachable, match="Please sign in"):
        client.blocks()


def test_a_problem_gets_out_of_a_process_pool() -> None:
    fault = {"code": "MISSING_FIELD", "message": "there is no `image`", "pointer": "/image"}
    problem = Problem(422, {"code": "INVALID_REQUEST", "errors": [fault], "request_id": "r-1"}, 2.0)
    copy = pickle.loads(pickle.dumps(problem))
    assert (str(copy), copy.errors, copy.retry_after_s, copy.raw) == (str(problem), problem.errors, 2.0, problem.raw)


def test_a_key_from_a_file_is_taken_without_its_line_break(served_by: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers["authorization"]))
        return httpx.Response(200, json={"blocks": []})

    seen: list[tuple[str, str]] = []
    served_by(serve)
    monkeypatch.setenv("MILLRACE_URL", "http://mill:8080/\n")
    monkeypatch.setenv("MILLRACE_API_KEY", "mr_key\n")
    with Millrace() as client:
        client.blocks()
    assert seen == [("http://mill:8080/api/v1/blocks", "Bearer mr_key")]


@pytest.mark.parametrize("key", ["mr_secret\nx-other: 1", "mr_secr\u00e9t"])
def test_a_key_that_cannot_be_sent_is_not_told(key: str) -> None:
    with pytest.raises(ValueError) as refused:
        Millrace("http://127.0.0.1:9", api_key=key, tries=0).blocks()
    assert "mr_secr" not in str(refused.value)


def test_an_address_without_its_scheme_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="http://"):
        Millrace("localhost:8080")


def test_an_id_stays_one_part_of_the_address(served_by: Serve) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(404, json={"code": "NOT_FOUND", "retryable": False})

    asked: list[str] = []
    served_by(serve)
    with Millrace() as client:
        for call in (client.submit, client.execution, client.nodes, client.cancel, client.workflow, client.blob):
            with pytest.raises(Problem):
                call("a/b?c#d %2F")
        with pytest.raises(Problem):
            list(client.follow("a/b?c#d %2F"))
    id, runs = "a%2Fb%3Fc%23d%20%252F", "/api/v1/executions"
    expected = [f"/api/v1/workflows/{id}/run", f"{runs}/{id}", f"{runs}/{id}/nodes?limit=5000", f"{runs}/{id}/cancel"]
    assert asked == [*expected, f"/api/v1/workflows/{id}", f"/api/v1/blobs/{id}", f"{runs}/{id}/events?from=0"]


def test_an_answer_that_is_held_back_is_waited_for(served_by: Serve) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        return httpx.Response(200, json={"execution_id": "r", "status": "completed"})

    timeouts: list[dict[str, float]] = []
    served_by(serve)
    with Millrace(timeout_s=10) as client:
        client.infer("detection", "m", "blob:x", wait_s=45)
    assert [(timeout["read"], timeout["connect"]) for timeout in timeouts] == [(55, 10), (10, 10)]


def test_a_run_that_ended_has_not_failed_because_its_record_lags(served_by: Serve, slept: list[float]) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            return httpx.Response(200, text="event: end\ndata: {}\n\n")
        ended = request.method == "GET" and len(slept) >= 2
        return httpx.Response(200, json={"execution_id": "r", "status": "completed" if ended else "running"})

    served_by(serve)
    with Millrace() as client:
        assert client.run_and_follow("flow").status == "completed"
    with Millrace(tries=1) as client, pytest.raises(Unreachable, match="run r has ended"):
        slept.clear()
        client.run_and_follow("flow")


def test_each_picture_has_a_file_of_its_own(served_by: Serve, tmp_path: Path) -> None:
    served_by(lambda request: httpx.Response(200, content=request.url.path.removeprefix("/api/v1/blobs/").encode()))
    places = ["left side", "left/side", "Left_Side", "\u5de6", "\u53f3", "plain"]
    outputs = {place: {"kind": "image", "blob": f"of {place}", "format": "jpeg"} for place in places}
    with Millrace() as client:
        paths = Run.read({"execution_id": "r", "status": "completed", "outputs": outputs}, client).save_images(tmp_path)
    assert [path.read_text() for path in paths] == [f"of {place}" for place in places]
    assert len({path.name.lower() for path in paths}) == len(places)
    assert (paths[0].name, paths[1].name, paths[-1].name) == ("left_side.jpg", "left_side-2.jpg", "plain.jpg")
    assert {path.parent for path in paths} == {tmp_path}


def test_no_picture_is_saved_outside_the_folder(served_by: Serve, tmp_path: Path) -> None:
    served_by(lambda _: httpx.Response(200, content=b"bytes"))
    outputs = {"../a": {"kind": "image", "blob": "b", "format": "/../../../escaped"}}
    folder = tmp_path / "a" / "b"
    with Millrace() as client:
        run = Run.read({"execution_id": "r", "status": "completed", "outputs": outputs}, client)
        (saved,) = run.save_images(folder)
    assert saved.is_file() and saved.resolve().parent == folder


def test_a_workflow_is_saved_once_and_tried_until_then(served_by: Serve, slept: list[float]) -> None:
    def problem(status: int, code: str) -> httpx.Response:
        return httpx.Response(status, json={"code": code, "retryable": True})

    def serve(_: httpx.Request) -> httpx.Response:
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    served_by(serve)
    saved = httpx.Response(201, json={"id": "w", "name": "flow", "version": 1})
    replies: list[httpx.Response | Exception] = [httpx.ConnectError("refused"), problem(429, "RATE_LIMITED"), saved]
    with Millrace() as client:
        assert client.save_workflow({"name": "flow"}).id == "w"
        replies[:] = [httpx.ReadError("reset"), problem(503, "DATABASE_UNAVAILABLE")]
        with pytest.raises(Unreachable):
            client.save_workflow({"name": "flow"})
        assert len(replies) == 1, "it may have been saved"
        with pytest.raises(Problem):
            client.save_workflow({"name": "flow"})
    assert len(slept) == 2
