"""The wire format of event streams, and a stream that outlives its connections; no server is needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext

import httpx
import pytest

from millrace import Event, Problem
from millrace.errors import Unreachable
from millrace.retry import Pauses
from millrace.stream import lines, parse, resumed

#: All that `str.splitlines` takes for the end of a line and an event stream does not, and characters of two to four bytes.
TEXT = "a\x85b\u2028c\u2029d\x0be\x0cf\x1cg\x1dh\x1ei é € 😀"


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


def told(chunks: Iterable[bytes]) -> list[Event]:
    """What a follower is told by a stream that comes in these pieces."""

    def connect(_: str | None) -> AbstractContextManager[httpx.Response]:
        return nullcontext(httpx.Response(200, content=iter(chunks)))

    return list(resumed(connect, None, Pauses(0)))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_stream_may_be_cut_anywhere(end: str, mark: str) -> None:
    # JSON escapes of these only what is below a blank: the rest stands in the line as it is.
    envelope = json.dumps({"data": {"text": TEXT}}, ensure_ascii=False)
    written = ["id: 1-1", "event: node.completed", f"data: {envelope}", "", ": ping", "", "event: end", "data: {}", "", ""]
    raw = (mark + end.join(written)).encode()
    pieces = [[raw[:cut], raw[cut:]] for cut in range(len(raw) + 1)]
    pieces += [[raw[:cut], raw[cut : cut + 1], b"", raw[cut + 1 :]] for cut in range(len(raw))]
    pieces.append([raw[at : at + 1] for at in range(len(raw))])
    for chunks in pieces:
        events = told(chunks)
        assert [(event.id, event.type) for event in events] == [("1-1", "node.completed")], chunks
        assert events[0].data == {"text": TEXT}, chunks


def test_a_line_is_not_held_back_for_what_comes_next() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"data: {}\r\n\r"
        raise AssertionError("the event is whole")

    assert next(parse(lines(chunks()))).raw == {}


def test_what_was_cut_off_is_no_event() -> None:
    assert list(parse(lines([b'data: {"n": 1}\n\ndata: {"n": 2}\n', b"\xe2\x82"]))) == [Event("message", {"n": 1})]


class Clock:
    """Time that passes only where it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def chunks(self, script: Iterable[tuple[float, bytes | Exception]]) -> Iterator[bytes]:
        """Each after so many seconds."""
        for pause_s, chunk in script:
            self.now += pause_s
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


PING = b": ping\n\n"
END = b"event: end\ndata: {}\n\n"
CUT = httpx.RemoteProtocolError("peer closed connection without sending complete message body")
SILENT = httpx.ReadTimeout("timed out")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([(0, b"retry: 1000\n\n"), (15, PING), (15, b"")], id="ended after half a minute"),
        pytest.param([(15, PING), (15, CUT)], id="cut after half a minute"),
        pytest.param([(0, b"retry: 1000\n\n"), (10, b"")], id="ended before the first ping"),
        pytest.param([(15, PING), (15, PING), (45, SILENT)], id="lost without a word"),
    ],
)
def test_a_quiet_run_is_followed_for_hours(script: list[tuple[float, bytes | Exception]]) -> None:
    clock, opened = Clock(), 0

    def connect(_: str | None) -> AbstractContextManager[httpx.Response]:
        nonlocal opened
        opened += 1
        return nullcontext(httpx.Response(200, content=clock.chunks(script if opened < 500 else [(0, END)])))

    slept: list[float] = []
    assert list(resumed(connect, None, Pauses(2, sleep=slept.append), clock)) == []
    assert opened == 500 and max(slept) <= 0.1, "a good connection leaves no failure behind"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([(0, b"retry: 1000\n\n")], id="closed at once"),
        pytest.param([(0, b"retry: 1000\n\n"), (45, SILENT)], id="never heard of"),
    ],
)
def test_what_is_no_good_is_given_up(script: list[tuple[float, bytes | Exception]]) -> None:
    clock, slept = Clock(), list[float]()

    def connect(_: str | None) -> AbstractContextManager[httpx.Response]:
        return nullcontext(httpx.Response(200, content=clock.chunks(script)))

    with pytest.raises(Unreachable):
        list(resumed(connect, None, Pauses(3, sleep=slept.append), clock))
    assert len(slept) == 3


def test_a_refused_stream_is_opened_again_when_the_server_says() -> None:
    def full() -> Problem:
        return Problem(503, {"code": "TOO_MANY_STREAMS", "retryable": True}, retry_after_s=5.0)

    def connect(_: str | None) -> AbstractContextManager[httpx.Response]:
        raise full() if len(slept) < 2 else Problem(410, {"code": "GONE"})

    slept: list[float] = []
    with pytest.raises(Problem, match="GONE"):
        list(resumed(connect, None, Pauses(3, sleep=slept.append)))
    assert slept == [5.0, 5.0]
    slept.clear()
    with pytest.raises(Problem, match="TOO_MANY_STREAMS"):
        list(resumed(connect, None, Pauses(1, sleep=slept.append)))


@pytest.mark.parametrize("parting", ["reconnect", "lagged", "unauthorized"])
def test_what_is_about_the_connection_is_no_event_of_the_run(parting: str) -> None:
    replies = [[*event("1-1"), f"event: {parting}", "data: {}", "", ""], [*event("1-2"), "event: end", "data: {}", "", ""]]
    asked: list[str | None] = []

    def connect(last: str | None) -> AbstractContextManager[httpx.Response]:
        asked.append(last)
        return nullcontext(httpx.Response(200, text="\n".join(replies[len(asked) - 1])))

    told = [event.id for event in resumed(connect, None, Pauses(1, sleep=lambda _: None))]
    assert (told, asked) == (["1-1", "1-2"], [None, "1-1"])
