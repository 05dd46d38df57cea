"""The wire format of event streams, and a stream that outlives its connections; no server is needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext

import httpx
import pytest

from millrace import Event
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
