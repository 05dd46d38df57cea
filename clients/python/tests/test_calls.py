"""What a client does with a server that is away, refuses, or is not Millrace; no server is needed."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from millrace import Millrace, Problem, Unreachable

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
