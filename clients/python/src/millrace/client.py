"""The client: one method per thing one does with Millrace."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from . import inputs, schema, stream
from .errors import Problem, RunFailed, Unreachable
from .files import Content
from .models import Blob, Event, Json, Run, Workflow
from .retry import Pauses

_DEFAULT_URL = "http://127.0.0.1:8080"
#: As many as the api gives at once. While a run goes on, each page costs the server a look at all of it.
_NODES_PER_PAGE = 5_000
#: A stream is tried so many times as often as a request: with 15 tries for half a minute, in which a server restarts. A caller
#: who loses sight of a run has more to lose than one whose request was refused.
_PATIENCE_OF_STREAMS = 3
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Millrace:
    """A client of one server. Safe to share between threads; close it, or use it in a `with`, to free its connections.

    Every method raises `Problem` when the server refuses and `Unreachable` when there is none. What the server says is safe to
    send again is, `tries` times, with growing pauses and no sooner than it asks.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        tries: int = 5,
    ) -> None:
        # What comes out of a file often ends in a line break.
        base = (url or os.environ.get("MILLRACE_URL") or _DEFAULT_URL).strip().rstrip("/")
        if not base.startswith(("http://", "https://")):
            raise ValueError(f"{base}: an address begins with http:// or https://")
        key = (api_key or os.environ.get("MILLRACE_API_KEY") or "").strip()
        if not (key.isascii() and key.isprintable()):
            # Found out later, it would be told with the key in the message.
            raise ValueError("the api key holds characters that no header can carry")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        # Each run that is followed holds a connection; with httpx's limit of 100 the next request would wait in vain.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self._http = httpx.Client(base_url=f"{base}/api/v1", headers=headers, timeout=timeout_s, limits=limits)
        self._timeout_s = timeout_s
        self._tries = tries

    # Runs

    def run_and_follow(
        self,
        workflow: str | Path | Mapping[str, Any],
        input: Mapping[str, Any] | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        **options: Any,
    ) -> Run:
        """Submits a run, follows it to its end, and gives it with its outputs; `on_event` is told each event once, in order.

        Raises `RunFailed` unless it completed. `options` are those of `submit`.
        """
        run = self.submit(workflow, input, **options)
        for event in self.follow(run.id):
            if on_event:
                on_event(event)
        # While Redis is away the server answers from its record, which may lag behind the events.
        pauses = Pauses(self._tries)
        while not (run := run.refresh()).ended:
            pauses.sleep(Unreachable(f"run {run.id} has ended, and the server does not show yet how"))
        if run.status != "completed":
            raise RunFailed(run)
        return run

    def submit(
        self,
        workflow: str | Path | Mapping[str, Any],
        input: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> Run:
        """Starts a run of a saved workflow's id, a definition, or a definition's JSON file, and does not wait for it.

        `options` are the request's: priority, pool, labels, timeout_ms. When it is back, the run is durable.
        """
        body: Json = {"input": inputs.prepared(input or {}, self._reference), **options}
        definition = inputs.definition(workflow)
        if definition is None:
            path = _path("workflows", workflow, "run")
        else:
            path, body["workflow"] = "/executions", definition
        # With a key, a request whose answer was lost can be sent again without starting a second run.
        headers = {"idempotency-key": idempotency_key or str(uuid.uuid4())}
        return Run.read(self._json("POST", path, json=body, headers=headers), self)

    def follow(self, run: str | Run, after: str | None = None) -> Iterator[Event]:
        """Every event of a run from its first until its end, through lost connections, each once and in order; after the event
        with the id `after`, where one is given. Progress of nodes comes in between, without an id. A `snapshot` says that the
        run's log had to be made anew: its numbers begin again."""
        id = run.id if isinstance(run, Run) else run

        def connect(last: str | None) -> _Streaming:
            headers = {"accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
            request = self._http.build_request(
                "GET",
                _path("executions", id, "events"),
                params=None if last else {"from": "0"},
                headers=headers,
                # The server pings every 15 s: longer silence is a dead connection.
                timeout=httpx.Timeout(self._timeout_s, read=45.0),
            )
            return _Streaming(self._http, request)

        return stream.resumed(connect, after, Pauses(self._tries * _PATIENCE_OF_STREAMS))

    def execution(self, id: str) -> Run:
        """A run, as it stands now."""
        return Run.read(self._json("GET", _path("executions", id)), self)

    def executions(self, **filters: Any) -> Iterator[Run]:
        """Runs, newest first: by status, workflow_id, label, from_, to and the like; `limit` is how many come at a time.

        A list tells neither outputs nor progress, nor more of an error than `raw["error_message"]`: `refresh` does.
        """
        # `from` cannot be written as an argument.
        named = {name.removesuffix("_"): value for name, value in filters.items()}
        for row in self._pages("/executions", "executions", named):
            yield Run.read(row, self)

    def nodes(self, run: str | Run) -> list[schema.NodeView]:
        """A run's node runs with their attempts, outputs and metrics."""
        id = run.id if isinstance(run, Run) else run
        return list(self._pages(_path("executions", id, "nodes"), "nodes", {"limit": _NODES_PER_PAGE}, after="after"))

    def cancel(self, id: str) -> None:
        """Asks for a run's end; asking again changes nothing. Raises `Problem` with EXECUTION_ENDED where it ended by itself."""
        self._json("POST", _path("executions", id, "cancel"))

    def infer(
        self, task: str, model_id: str, image: Any, *, config: Mapping[str, Any] | None = None, wait_s: float = 30.0
    ) -> Run:
        """Runs one model on one picture; `task` is detection, classification, embedding or segmentation. After
        `wait_s` the run comes back as it stands then: `ended` says whether it goes on."""
        body = {"model_id": model_id, "image": inputs.prepared(image, self._reference), "config": dict(config or {})}
        headers = {"idempotency-key": str(uuid.uuid4())}
        # The server holds its answer back: that is no silence.
        patience = httpx.Timeout(self._timeout_s, read=self._timeout_s + wait_s)
        params = {"wait": f"{wait_s:g}s"}
        path = _path("inference", task)
        answer = self._json("POST", path, params=params, json=body, headers=headers, timeout=patience)
        return self.execution(answer["execution_id"])

    # Workflows

    def validate(self, workflow: str | Path | Mapping[str, Any]) -> schema.Validation:
        """The plan of a definition; raises `Problem` with every mistake in it."""
        return self._json("POST", "/workflows/validate", json=_defined(workflow))

    def save_workflow(self, workflow: str | Path | Mapping[str, Any]) -> Workflow:
        """Saves a definition as a new workflow."""
        return Workflow.read(self._json("POST", "/workflows", json=_defined(workflow), again=False))

    def workflow(self, id: str) -> Workflow:
        """A saved workflow."""
        return Workflow.read(self._json("GET", _path("workflows", id)))

    # Blobs

    def upload(self, content: Any) -> Blob:
        """Stores a path's, a file's or a PIL image's bytes, or plain bytes; storing the same again changes nothing."""
        data = inputs.content_of(content)
        if data is None:
            raise TypeError(f"a Path, bytes, a file or a PIL image can be uploaded, not {type(content).__name__}")
        return self._stored(data)

    def blob(self, id: str) -> bytes:
        """The bytes of a blob."""
        return self._send("GET", _path("blobs", id)).content

    # Models

    def models(self, name: str | None = None) -> list[schema.Model]:
        """The models, and where they are warm; those whose name contains `name`, in whatever case, where one is given."""
        return list(self._pages("/models", "models", {"name": name}))

    def model(self, id: str) -> schema.Model:
        """One of them."""
        return self._json("GET", _path("models", id))

    def register_model(
        self,
        id: str,
        task: str,
        checkpoint: str | Path,
        *,
        files: Mapping[str, str | Path] | None = None,
        labels: Sequence[str] | None = None,
        **further: Any,
    ) -> schema.Model:
        """Registers a model, or replaces what is registered under its name; workers fetch it when it is first needed.

        `task` is detection, classification, embedding, segmentation or tensor. `checkpoint` is the ONNX file and `files` are
        those beside it, by name: each a `Path`, which is uploaded however large it is, or an address (`https://…`,
        `blob:<sha256>`). `labels` are the names of its classes by index. `further` are the other fields of
        `schema.ModelRequest`: family, class_mapping, sha256, preprocess, image. Needs a key that may administer, where there are
        keys.
        """
        body = {
            **further,
            "id": id,
            "task": task,
            "checkpoint": self._placed(checkpoint),
            "files": {name: self._placed(file) for name, file in (files or {}).items()},
            "labels": None if labels is None else list(labels),
        }
        return self._json("POST", "/models", json={key: value for key, value in body.items() if value is not None})

    def delete_model(self, id: str) -> None:
        """Takes out what is registered under a name; runs under way keep the copy that they have."""
        self._send("DELETE", _path("models", id), again=False)

    # The fleet

    def blocks(self) -> list[schema.Block]:
        """The catalogue of blocks."""
        return self._json("GET", "/blocks")["blocks"]

    def workers(self) -> list[schema.Worker]:
        """The workers, as they say of themselves."""
        return self._json("GET", "/workers")["workers"]

    def queues(self) -> schema.Queues:
        """How many jobs wait, where, and for how long; and how many runs wait to begin."""
        return self._json("GET", "/queues")

    def stats(self, window: str = "1h") -> schema.Stats:
        """The figures of the last while, such as `15m`, `6h` or `7d`."""
        return self._json("GET", "/stats", params={"window": window})

    # Underneath

    def close(self) -> None:
        """Frees the connections."""
        self._http.close()

    def __enter__(self) -> Millrace:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _reference(self, content: bytes) -> str:
        return self.upload(content).reference

    def _placed(self, file: str | Path) -> str:
        """Where a file of a model is: one of this machine is uploaded, as it is read."""
        if isinstance(file, str):
            return file
        content = Content(file)
        return self._stored(content, {"content-length": str(content.size_bytes)}, params={"for": "model"}).reference

    def _stored(self, content: bytes | Content, headers: Mapping[str, str] | None = None, **request: Any) -> Blob:
        headers = {"content-type": "application/octet-stream", **(headers or {})}
        body = self._json("POST", "/blobs", content=content, headers=headers, **request)
        return Blob(id=body["blob"], size_bytes=body["bytes"], media_type=body.get("content_type"), raw=body)

    def _pages(self, path: str, name: str, filters: Mapping[str, Any], after: str = "cursor") -> Iterator[Any]:
        """What all pages hold under `name`; `after` is what this list calls the place at which a page begins."""
        params = {key: value for key, value in filters.items() if value is not None}
        while True:
            page = self._json("GET", path, params=params)
            yield from page[name]
            if not (place := page.get(f"next_{after}")):
                return
            params[after] = place

    def _json(self, method: str, path: str, **request: Any) -> Any:
        answer = self._send(method, path, **request)
        try:
            return answer.json() if answer.content else {}
        except ValueError as error:
            raise Unreachable(f"{method} {path}: something else than Millrace answered: {answer.text[:200]!r}") from error

    def _send(self, method: str, path: str, *, again: bool = True, **request: Any) -> httpx.Response:
        """The answer to a request that is sent again while that may help; unless `again`, only where nothing was done yet."""
        pauses = Pauses(self._tries)
        while True:
            try:
                answer = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                lost = Unreachable(f"{method} {path}: {error or type(error).__name__}")
                if not again and not isinstance(error, _NEVER_SENT):
                    raise lost from error
                pauses.sleep(lost, cause=error)
                continue
            if answer.is_success:
                return answer
            problem = problem_of(answer)
            if not again and problem.status != 429:
                raise problem
            pauses.after(problem)


class _Streaming:
    """One connection of a stream; a refusal is raised as a `Problem`."""

    def __init__(self, http: httpx.Client, request: httpx.Request) -> None:
        self._http, self._request = http, request

    def __enter__(self) -> httpx.Response:
        self._response = self._http.send(self._request, stream=True)
        if self._response.is_success:
            return self._response
        try:
            self._response.read()
        finally:
            self._response.close()
        raise problem_of(self._response)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._response.close()


def problem_of(answer: httpx.Response) -> Problem:
    """The refusal in an answer; something readable where a proxy wrote it."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "retryable" not in body:
        # Proxies write JSON too, of any shape.
        body = {"detail": answer.text[:200], "retryable": answer.status_code in (429, 502, 503, 504)}
    pause = answer.headers.get("retry-after", "")
    return Problem(answer.status_code, body, float(pause) if pause.isdecimal() else None)


def _path(*parts: object) -> str:
    """A path of these parts; what an id holds does not make it another address."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def _defined(workflow: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    definition = inputs.definition(workflow)
    if definition is None:
        raise ValueError(f"{workflow!r} is no definition: give a dict, or the path of a JSON file")
    return definition
