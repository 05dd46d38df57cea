"""Following a run through connections that break, and many runs at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from urllib.parse import urlsplit

from millrace import Millrace

WAITS = range(1, 16)
#: Ends its nodes one after the other, for two thirds of a second.
SLOW = {
    "name": "slow",
    "nodes": [
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}},
        *({"id": f"wait{i}", "type": "delay", "inputs": {"value": "$inputs.n"}, "config": {"ms": 40 * i}} for i in WAITS),
        {"id": "answer", "type": "json_output", "inputs": {f"w{i}": f"$nodes.wait{i}.value" for i in WAITS}},
    ],
}


class Cutter:
    """A proxy that cuts every connection after so many bytes of the answer."""

    def __init__(self, url: str, limit: int) -> None:
        self.limit, self.cuts = limit, 0
        self._target = (urlsplit(url).hostname or "", urlsplit(url).port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with suppress(OSError), closing(client), closing(socket.create_connection(self._target)) as server:
            threading.Thread(target=pump, args=(client, server), daemon=True).start()
            left = self.limit
            while left > 0 and (data := server.recv(min(left, 4096))):
                client.sendall(data)
                left -= len(data)
            self.cuts += left == 0
            # The other pump still reads: without this the client would wait for it.
            client.shutdown(socket.SHUT_RDWR)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(4096):
            sink.sendall(data)


@contextmanager
def cutter(url: str, limit: int) -> Iterator[Cutter]:
    proxy = Cutter(url, limit)
    try:
        yield proxy
    finally:
        proxy.close()


def test_every_event_comes_once_through_connections_that_break(url: str, client: Millrace) -> None:
    run = client.submit(SLOW, {"n": 3})
    # Enough for some events, too little for all.
    with cutter(url, 8_000) as proxy, Millrace(proxy.url, tries=20) as cut:
        events = list(cut.follow(run.id))
    assert proxy.cuts >= 1, "nothing was cut: the test shows nothing"
    numbers = [int(event.id.split("-")[1]) for event in events if event.id]
    assert numbers == list(range(1, len(numbers) + 1))
    assert events[-1].type == "completed"


def test_many_runs_are_followed_at_once() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 1-1\nevent: started\ndata: {}\n\n"
    with closing(socket.create_server(("127.0.0.1", 0))) as listener, ExitStack() as open_ones:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection = open_ones.enter_context(listener.accept()[0])
                    connection.recv(4096)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        client = open_ones.enter_context(Millrace(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=2, tries=0))
        streams = [client.follow(str(number)) for number in range(120)]
        assert [next(stream).type for stream in streams] == ["started"] * 120
