"""Server-sent events: the wire format, and a stream that outlives its connections."""

from __future__ import annotations

import codecs
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

import httpx

from .errors import Problem, Unreachable
from .models import Event
from .retry import Pauses

#: Opens the stream after the event with this id.
Connect = Callable[["str | None"], AbstractContextManager[httpx.Response]]

#: What the server says before it closes a stream that can be opened again: these are about the connection, not the run.
_PARTINGS = ("reconnect", "lagged", "gone", "unauthorized")
#: What answers in the place of a server that is away closes a connection sooner.
_GOOD_S = 5.0

_BREAK = re.compile("\r\n|\r|\n")


def lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a stream, wherever its chunks were cut; what no break ends is not one yet.

    They end at CR, LF or CRLF alone. `str.splitlines`, and with it httpx, knows more breaks, which JSON may hold unescaped.
    """
    # A byte order mark at the start is no part of the text.
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    begun: list[str] = []
    after_cr = False
    for chunk in chunks:
        text = decoder.decode(chunk)
        if after_cr and text:
            # The line ended with its CR, without waiting for the LF that may belong to it.
            text, after_cr = text.removeprefix("\n"), False
        if not text:
            continue
        after_cr = text.endswith("\r")
        first, *others = _BREAK.split(text)
        begun.append(first)
        for other in others:
            yield "".join(begun)
            begun = [other]


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """The events in the lines of a stream; comments and what has no data are passed over."""
    kind, id = "message", None
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield Event(type=kind, raw=json.loads("\n".join(data)), id=id)
            kind, data, id = "message", [], None
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            id = value


def resumed(connect: Connect, last: str | None, pauses: Pauses, clock: Callable[[], float] = time.monotonic) -> Iterator[Event]:
    """The events of one run until the server says `end`. When the connection breaks it is opened again after the last event
    that was seen; what comes twice all the same is passed over."""
    seen = _position(last)
    while True:
        try:
            with connect(last) as response:
                for event in parse(lines(_heard(response.iter_bytes(), pauses, clock))):
                    if event.type == "end":
                        return
                    if event.type in _PARTINGS:
                        break
                    position = _position(event.id)
                    if position is not None:
                        if event.type != "snapshot" and seen is not None and position <= seen:
                            continue
                        last, seen = event.id, position
                    pauses.reset()
                    yield event
        except httpx.TransportError as error:
            pauses.sleep(Unreachable(f"the stream broke and could not be opened again: {error}"), cause=error)
            continue
        except Problem as problem:
            pauses.after(problem)
            continue
        # A server that shuts down closes the stream without `end`: another one, or the next, goes on.
        pauses.sleep(Unreachable("the stream was closed again and again before the run's end"))


def _heard(chunks: Iterable[bytes], pauses: Pauses, clock: Callable[[], float]) -> Iterator[bytes]:
    """The chunks of a connection that is open. One that is heard of for a while was a good one, whatever it brought: a balancer
    may end every answer after half a minute, and a run may be quiet for hours."""
    opened = clock()

    def heard() -> None:
        if clock() - opened >= _GOOD_S:
            pauses.reset()

    try:
        for chunk in chunks:
            heard()
            yield chunk
    except httpx.TimeoutException:
        # Silence is not being heard of, however long it was waited for.
        raise
    except httpx.TransportError:
        heard()
        raise
    heard()


def _position(id: str | None) -> tuple[int, int] | None:
    """Epoch and number of an event's id."""
    epoch, dash, seq = (id or "").partition("-")
    return (int(epoch), int(seq)) if dash and epoch.isdigit() and seq.isdigit() else None
