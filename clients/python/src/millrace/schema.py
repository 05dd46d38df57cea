"""What the server answers, as TypedDicts. Made by generate.sh from docs/openapi.json; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias

from typing_extensions import TypedDict


class BatchLinks(TypedDict):
    executions: str
    """
    The list of its runs.
    """


Binary: TypeAlias = bytes
"""
Bytes as they are.
"""


BlobId: TypeAlias = str
"""
The SHA-256 of a blob's bytes; written as 64 lower-case hex digits.
"""


class BlockInput(TypedDict):
    """
    An input port of a block.
    """

    name: str
    kinds: list[str]
    """
    What it takes, such as `image` or `list<image>`.
    """
    required: bool
    help: str


class BlockOutput(TypedDict):
    """
    An output port of a block.
    """

    name: str
    kind: str
    help: str


class BlockRunner(TypedDict):
    """
    Who runs a block.
    """

    by: str
    """
    `input`, `orchestrator`, `worker` or `output`.
    """
    pool: NotRequired[str | None]
    """
    The pool its jobs go to unless the node says otherwise.
    """
    model: NotRequired[bool | None]
    """
    Whether `model_id` and `model_source` of its settings name a model.
    """


Cache: TypeAlias = Literal['auto', 'off']
"""
Whether a result of the same content may be taken over.
"""


CallbackStatus: TypeAlias = Literal['pending', 'delivered', 'failed']
"""
How far the news of a run's end is.
"""


class CancelRequest(TypedDict):
    """
    Why a run is ended.
    """

    reason: NotRequired[str | None]


class Change(TypedDict):
    """
    A change that was made, or of which it is not known whether it was: the `data` of `audit:changed`. Nothing of what was sent is
    in it, so that no secret is.
    """

    id: str
    """
    UUIDv7.
    """
    actor_id: NotRequired[str | None]
    """
    The api key that asked for it; none where no key was asked for.
    """
    actor: NotRequired[str | None]
    """
    What that key was called then.
    """
    action: str
    """
    The operation's name in the OpenAPI document, such as `create_key`.
    """
    target: str
    """
    The address below `/api/v1`, such as `keys/0199…`: of what was made, if something was.
    """
    status: NotRequired[int | None]
    """
    The answer's status; none when the caller went before there was one.
    """
    address: NotRequired[str | None]
    """
    Who was connected: an IP address.
    """
    forwarded_for: NotRequired[str | None]
    """
    Whom a proxy said that it speaks for. Nobody has verified it.
    """
    request_id: NotRequired[str | None]
    """
    The request's id, as the log and the answer have it.
    """


Channels: TypeAlias = Literal['rgb', 'bgr']
"""
The order of the colours.
"""


class Collection(TypedDict):
    """
    A collection of vectors.
    """

    name: str
    dimension: int
    """
    How many numbers each vector has.
    """
    metric: str
    """
    `cosine` or `dot`.
    """
    indexed: bool
    """
    Whether an index finds the nearest; otherwise a search looks at every point, and there may be fewer of them.
    """
    points: int
    """
    Points in it.
    """
    created_at: int
    updated_at: int
    """
    When a point was last added or removed.
    """


class CollectionRequest(TypedDict):
    """
    A collection to make.
    """

    name: str
    """
    Letters, digits, `-`, `_` and `.`, a letter or digit first.
    """
    dimension: int
    """
    How many numbers each vector has.
    """
    metric: NotRequired[str | None]
    """
    `cosine`, which is the default, or `dot`.
    """


class Collections(TypedDict):
    """
    The collections there are.
    """

    collections: list[Collection]


class Costs(TypedDict):
    """
    What was spent, in the operator's currency: on runs, and on workers, whether anything ran or not.
    """

    runs: NotRequired[float | None]
    fleet: NotRequired[float | None]
    idle: NotRequired[float | None]
    per_run: NotRequired[float | None]
    per_1000_inferences: NotRequired[float | None]


class Counters(TypedDict):
    """
    A run's jobs, by where they stand.
    """

    inference_jobs_pending: int
    inference_jobs_completed: int
    inference_jobs_failed: int


class ErrorCount(TypedDict):
    """
    How often something went wrong in one way.
    """

    kind: str
    """
    The kind, `OUT_OF_MEMORY` and the like.
    """
    runs: int
    """
    Runs that ended with it.
    """
    jobs: int
    """
    Attempts that failed with it, those that a retry made good included.
    """


ErrorKind: TypeAlias = Literal[
    'INVALID_INPUT',
    'INVALID_CONFIG',
    'MODEL_NOT_FOUND',
    'MODEL_LOAD_ERROR',
    'OUT_OF_MEMORY',
    'WORKER_UNAVAILABLE',
    'TIMEOUT',
    'NETWORK',
    'UNSUPPORTED',
    'CANCELLED',
    'INTERNAL',
]
"""
The kind of a job's failure; decides whether trying again can help.
"""


ExecutionId: TypeAlias = str
"""
One run of a workflow (UUIDv7, so ids sort by creation).
"""


ExecutionStatus: TypeAlias = Literal[
    'pending', 'running', 'completed', 'failed', 'cancelled', 'timed_out'
]
"""
Where a run stands. The last four are final: exactly one of them is ever reached.
"""


class FilesForm(TypedDict):
    """
    Files of any names.
    """

    file: bytes


class Fleet(TypedDict):
    """
    The workers of this moment, counted.
    """

    alive: int
    lost: int
    running: int
    """
    Jobs under way.
    """
    capacity: int
    """
    Jobs that could be.
    """


class FleetTime(TypedDict):
    """
    How the workers that serve the same pools spent their time, in slices of five minutes.
    """

    pools: str
    """
    The pools, sorted and joined by commas.
    """
    workers: int
    """
    Workers that lived in the window.
    """
    up_ms: int
    """
    How long they lived, together.
    """
    busy_ms: int
    """
    Of that, with something in hand.
    """
    idle_ms: int
    """
    Of that, with nothing in hand.
    """
    utilisation: NotRequired[float | None]
    """
    Busy among lived, 0 to 1.
    """
    gpu_hours: float
    """
    Hours that their GPUs were there.
    """
    cost: NotRequired[float | None]
    """
    What their lives cost.
    """
    idle_cost: NotRequired[float | None]
    """
    Of that, while they had nothing in hand.
    """


class FurtherInventory(TypedDict):
    """
    Models of a worker's repository that it does not name.
    """

    models: int
    """
    How many there are. `GET /models` and the pages of models know 10,000 of them, and what their files say; classes only where
    their names are short.
    """
    names: str
    """
    Where workers keep their names.
    """


ItemPath: TypeAlias = str
"""
Where a node run stands inside nested `for_each` scopes: one index per scope, outermost first; empty at the top.
"""


JobId: TypeAlias = str
"""
One attempt of one node run: UUIDv5 of (run, node, path, attempt), and so the fencing token.
"""


JobStatus: TypeAlias = Literal[
    'pending', 'queued', 'running', 'completed', 'failed', 'cancelled'
]
"""
Where a job stands; the last three are final.
"""


class KeyMade(TypedDict):
    """
    A key that was made.
    """

    id: str
    name: str
    scopes: list[str]
    key: str
    """
    The key itself. It is not shown again.
    """


class Kpi(TypedDict):
    """
    Runs and jobs of one bucket, counted where they began. Durations are in milliseconds; a figure that nothing went into is none.
    """

    at: int
    """
    Where the bucket begins, milliseconds since the Unix epoch.
    """
    workflows_created: int
    """
    Workflows saved for the first time.
    """
    runs: int
    """
    Runs accepted.
    """
    completed: int
    """
    Of them, completed.
    """
    failed: int
    """
    Of them, failed.
    """
    timed_out: int
    """
    Of them, timed out.
    """
    cancelled: int
    """
    Of them, cancelled.
    """
    unfinished: int
    """
    Of them, pending or running.
    """
    success_rate: NotRequired[float | None]
    """
    Completed among completed, failed and timed out, 0 to 1.
    """
    p50_ms: NotRequired[float | None]
    """
    Median time from start to end of a run.
    """
    p95_ms: NotRequired[float | None]
    """
    The same, 95th percentile.
    """
    p99_ms: NotRequired[float | None]
    """
    The same, 99th percentile.
    """
    jobs: int
    """
    Jobs handed to pools, those answered from the cache included.
    """
    jobs_failed: int
    """
    Attempts that failed.
    """
    jobs_cached: int
    """
    Jobs answered from the cache.
    """
    queue_wait_p50_ms: NotRequired[float | None]
    """
    Median time of a job from queued to taken.
    """
    queue_wait_p95_ms: NotRequired[float | None]
    """
    The same, 95th percentile.
    """
    cost: NotRequired[float | None]
    """
    What the runs cost.
    """


Layout: TypeAlias = Literal['nchw', 'nhwc']
"""
Where the colours of a picture lie in its tensor.
"""


class Links(TypedDict):
    """
    Where to go on with a run.
    """

    self: str
    events: str
    nodes: str
    cancel: str
    rerun: str
    trace: NotRequired[str | None]
    """
    The run's trace in the operator's own tool, where `api.trace_url` says where that is.
    """
    logs: NotRequired[str | None]
    """
    The same of its log lines, by `api.logs_url`.
    """


class LoginRequest(TypedDict):
    """
    A key that a browser logs in with.
    """

    key: str


InputSizeItem: TypeAlias = int


ModelDigest: TypeAlias = str
"""
Which copy of a model: the SHA-256 of its ONNX file, or of the manifest of its files where it has several; 64
lower-case hex digits.
"""


ModelId: TypeAlias = str
"""
A model's name in the repository, such as `shapes-detector` or `acme/defects-v3`.
"""


class ModelMemory(TypedDict):
    """
    The memory that a worker has for models.
    """

    budget_bytes: int
    used_bytes: int
    reserved_bytes: int
    """
    Set aside for models that are being loaded.
    """
    pressure: str
    """
    `low`, `medium`, `high` or `critical`.
    """


class ModelUse(TypedDict):
    """
    How one model was used for one task.
    """

    model_id: str
    """
    The model.
    """
    task: str
    """
    The block, `detection@1`.
    """
    jobs: int
    """
    Jobs.
    """
    completed: int
    """
    Of them, completed.
    """
    failed: int
    """
    Of them, attempts that failed.
    """
    cancelled: int
    """
    Of them, cancelled.
    """
    cached: int
    """
    Of them, answered from the cache.
    """
    cache_hit_rate: NotRequired[float | None]
    """
    Cached among completed, 0 to 1.
    """
    cold_starts: int
    """
    Jobs that waited for the model to load.
    """
    load_ms: float
    """
    How long they waited in all.
    """
    p50_ms: NotRequired[float | None]
    """
    Median time of a job from taken to ended.
    """
    p95_ms: NotRequired[float | None]
    """
    The same, 95th percentile.
    """
    p99_ms: NotRequired[float | None]
    """
    The same, 99th percentile.
    """
    queue_wait_p50_ms: NotRequired[float | None]
    """
    Median time of a job from queued to taken.
    """
    queue_wait_p95_ms: NotRequired[float | None]
    """
    The same, 95th percentile.
    """
    mean_batch_size: NotRequired[float | None]
    """
    Rows in the batches that jobs ran in, on average.
    """
    inference_ms: float
    """
    Time inside the session, each job its part of the batch.
    """
    gpu_ms: float
    """
    The same, of jobs on a GPU.
    """
    share_ms: float
    """
    The jobs' shares of their workers' time.
    """
    cost: NotRequired[float | None]
    """
    What those cost.
    """


NodeId: TypeAlias = str
"""
A node's name inside its workflow. The compiler admits `[A-Za-z_][A-Za-z0-9_-]{0,63}`.
"""


class NodeMetrics(TypedDict):
    """
    What the runs of a node took. A node that ran once, by a worker, also has the fields of `JobMetrics`.
    """

    runs: int
    """
    Its runs; more than one inside loops.
    """
    completed: int
    failed: int
    """
    Failed, or out of time.
    """
    duration_ms: int
    """
    From queued or started to ended, milliseconds, all runs together.
    """


NodeStatus: TypeAlias = Literal[
    'pending',
    'queued',
    'running',
    'completed',
    'failed',
    'cancelled',
    'skipped',
    'timed_out',
]
"""
Where a node run stands. The last five are final.
"""


Origin: TypeAlias = Literal['inbox', 'events', 'record']
"""
Whose a dead letter was.
"""


Overlap: TypeAlias = Literal['skip', 'queue', 'allow']
"""
What a firing does while an earlier run of the schedule goes on.
"""


class PlaceInLine(TypedDict):
    """
    A run's place.
    """

    position: int
    """
    From 1: it would be the so-many-th to begin if nobody came or went. The shares of lower priorities are left out.
    """
    ahead_of_flow: int
    """
    Runs of its own workflow before it.
    """
    waiting_ms: int
    """
    How long it has waited, milliseconds.
    """


class PlanSize(TypedDict):
    """
    How much a definition compiles to.
    """

    nodes: int
    edges: int
    scopes: int
    """
    Loops.
    """


class PointMatch(TypedDict):
    """
    A point that is near.
    """

    id: str
    score: float
    """
    By the collection's metric; larger is nearer.
    """
    payload: dict[str, Any]


class PointRequest(TypedDict):
    """
    A vector with what is known of it.
    """

    id: str
    vector: list[float]
    payload: NotRequired[dict[str, Any]]
    """
    Up to `collections.max_payload`, 16 KiB by default.
    """


class PointView(TypedDict):
    """
    A point of a collection.
    """

    id: str
    vector: list[float]
    """
    Of length one where the collection's metric is the cosine.
    """
    payload: dict[str, Any]


class PointsRequest(TypedDict):
    """
    Points to add, or to replace.
    """

    points: list[PointRequest]
    """
    Up to `collections.max_batch`, 1000 by default.
    """


class PointsTaken(TypedDict):
    """
    What became of points that were sent.
    """

    added: int
    """
    New ones.
    """
    replaced: int
    """
    Those whose ids were there.
    """


Pool: TypeAlias = str
"""
A class of workers: `fast`, `heavy`, `batch`, `cpu`, or one of the operator's own.
"""


class Preloaded(TypedDict):
    """
    Where a model is warm.
    """

    model_id: str
    pool: str
    """
    The pool whose workers were asked.
    """
    workers: list[str]
    """
    Those of them that have it loaded.
    """


Priority: TypeAlias = Literal['high', 'normal', 'low']
"""
How urgent a run or node is. Urgent goes first; the others still get their share.
"""


class Progress(TypedDict):
    """
    How many node runs stand where.
    """

    total: int
    """
    Node runs known so far; loops add theirs when they open.
    """
    completed: int
    """
    Completed.
    """
    failed: int
    """
    Failed or timed out.
    """
    skipped: int
    """
    Skipped or cancelled.
    """
    running: int
    """
    Queued or running.
    """


class QueueDepth(TypedDict):
    """
    One queue at one priority.
    """

    pool: Pool
    """
    Which workers.
    """
    model: NotRequired[ModelId | None]
    priority: Priority
    """
    How urgent.
    """
    waiting: int
    """
    Jobs nobody has taken yet.
    """
    pending: int
    """
    Jobs with a worker.
    """
    oldest_ms: NotRequired[int | None]
    """
    How long the oldest waiting job has waited, milliseconds; none when none waits.
    """


RerunOf = TypedDict(
    'RerunOf',
    {
        'execution_id': ExecutionId,
        'from': NotRequired[NodeId | None],
    },
)


class Retry(TypedDict):
    """
    How often a node is tried, and when again.
    """

    max_attempts: NotRequired[int]
    """
    The first one counts.
    """
    initial_ms: NotRequired[int]
    multiplier: NotRequired[float]
    max_ms: NotRequired[int]
    jitter: NotRequired[float]
    on: NotRequired[list[str]]
    """
    The kinds of error it is for; those that may pass when none are named.
    """


class RunForm(TypedDict):
    """
    A run as a form: JSON parts, and further parts named after inputs, with pictures as files.
    """

    request: NotRequired[Any]
    """
    The request without its input, as JSON.
    """
    input: NotRequired[Any]
    """
    Inputs as JSON.
    """


ScheduleId: TypeAlias = str
"""
A schedule (UUIDv7).
"""


class ScheduleLinks(TypedDict):
    self: str
    workflow: str
    trigger: str


Scope: TypeAlias = Literal['read', 'run', 'admin']
"""
What a key may do; each includes those before it.
"""


class SearchRequest(TypedDict):
    """
    What is looked for.
    """

    vector: list[float]
    top_k: NotRequired[int | None]
    """
    10 when absent.
    """
    min_score: NotRequired[float | None]
    """
    Only matches of this score or better.
    """
    filter: NotRequired[dict[str, Any]]
    """
    Only points whose payload contains all of this, as `@>` of jsonb in Postgres does.
    """


class StoredBlob(TypedDict):
    """
    Bytes that were stored.
    """

    blob: BlobId
    bytes: int
    content_type: str
    """
    As the leading bytes tell.
    """
    width: NotRequired[int | None]
    """
    Of a picture, pixels.
    """
    height: NotRequired[int | None]
    """
    Of a picture, pixels.
    """
    url: str
    name: NotRequired[str | None]
    """
    The part's name, in a form.
    """
    file_name: NotRequired[str | None]
    """
    The file's name, in a form.
    """


class StoredBlobs(TypedDict):
    """
    The files of a form, in its order.
    """

    blobs: list[StoredBlob]


UnixMillis: TypeAlias = int
"""
Milliseconds since 1970-01-01T00:00:00Z.
"""


class Unserved(TypedDict):
    """
    Pools that queued jobs wait for, and that no worker serves.
    """

    pools: list[Pool]
    """
    Those pools.
    """
    served: list[str]
    """
    The pools that workers serve at the moment.
    """


class VersionRow(TypedDict):
    version: int
    definition: BlobId
    """
    The definition's blob.
    """
    created_at: UnixMillis


class Versions(TypedDict):
    """
    The versions of a workflow.
    """

    versions: list[VersionRow]


class WarmModel(TypedDict):
    """
    A loaded model.
    """

    model_id: str
    digest: NotRequired[str | None]
    """
    Which copy of it.
    """
    family: NotRequired[str | None]
    task: NotRequired[str | None]
    embedding_dimension: NotRequired[int | None]
    """
    How many numbers its vectors have, of one that gives vectors.
    """
    bytes: NotRequired[int | None]
    """
    Memory it takes.
    """
    load_ms: NotRequired[int | None]
    """
    How long it took to load, milliseconds.
    """
    idle_ms: NotRequired[int | None]
    """
    How long ago it was last used, milliseconds; 0 while it is in use.
    """
    in_use: NotRequired[int | None]
    """
    Jobs that use it now.
    """
    uses: NotRequired[int | None]
    """
    Uses since it was loaded.
    """
    pinned: NotRequired[bool | None]
    """
    Whether it is never forgotten.
    """
    batch_limit: NotRequired[int | None]
    """
    Rows that its next batch may have.
    """


class WhoAmI(TypedDict):
    """
    Who calls.
    """

    guarded: bool
    """
    Whether this server asks for keys at all.
    """
    name: NotRequired[str | None]
    """
    What the key's owner calls it; none where none is asked for.
    """
    scope: Scope
    """
    What the caller may do.
    """


WorkerId: TypeAlias = str
"""
A worker process, unique for its life.
"""


class WorkflowCost(TypedDict):
    """
    What the runs of one workflow cost.
    """

    workflow_id: NotRequired[str | None]
    """
    The saved workflow; none for all runs of unsaved definitions together.
    """
    workflow: NotRequired[str | None]
    """
    Its name.
    """
    runs: int
    """
    Runs.
    """
    inferences: int
    """
    Jobs completed in them.
    """
    run_ms: float
    """
    Time from start to end of all runs, milliseconds.
    """
    cost: NotRequired[float | None]
    """
    What they cost.
    """
    cost_per_run: NotRequired[float | None]
    """
    The same, per run.
    """
    cost_per_1000_inferences: NotRequired[float | None]
    """
    The same, per thousand jobs.
    """


WorkflowId: TypeAlias = str
"""
A saved workflow (UUIDv7).
"""


class WorkflowLinks(TypedDict):
    self: str
    run: str
    versions: str


class WorkflowRow(TypedDict):
    """
    A workflow in a list.
    """

    id: WorkflowId
    name: str
    version: int
    created_at: UnixMillis
    updated_at: UnixMillis


class ApiKey(TypedDict):
    """
    A key as it is stored: without the secret.
    """

    id: str
    """
    The key's id.
    """
    name: str
    """
    What its owner calls it.
    """
    prefix: str
    """
    Its first characters, to recognise it by.
    """
    scopes: list[str]
    """
    `run`, `read`, `admin`.
    """
    created_at: UnixMillis
    """
    When it was made.
    """
    last_used_at: NotRequired[UnixMillis | None]
    revoked_at: NotRequired[UnixMillis | None]


class BatchAccepted(TypedDict):
    """
    A batch that was accepted.
    """

    batch_id: str
    execution_ids: list[ExecutionId]
    """
    In the order of the inputs.
    """
    links: BatchLinks


class Callback(TypedDict):
    """
    Who is told of a run's end, and what came of it.
    """

    url: str
    """
    Where the news goes.
    """
    status: CallbackStatus
    """
    How far it is.
    """
    attempts: NotRequired[int | None]
    """
    How often it was sent, once it was delivered or given up.
    """
    error: NotRequired[str | None]
    """
    Why it was given up.
    """
    at: NotRequired[UnixMillis | None]


class CancelAccepted(TypedDict):
    """
    A run whose end was asked for.
    """

    execution_id: ExecutionId
    status: ExecutionStatus
    """
    Where it stood when the wish was taken.
    """
    links: Links


class ChangeRecord(Change):
    """
    A change, and when it was made.
    """

    at: UnixMillis
    """
    When.
    """


class Changes(TypedDict):
    """
    A page of changes.
    """

    changes: list[ChangeRecord]
    next_cursor: NotRequired[str | None]
    """
    What to send as `cursor` for the page after.
    """


class Counted(TypedDict):
    """
    The figures of a window.
    """

    totals: Kpi
    """
    The window as one bucket.
    """
    series: list[Kpi]
    """
    The window in buckets, oldest first, without gaps.
    """
    errors: list[ErrorCount]
    """
    What went wrong, most frequent first.
    """
    models: list[ModelUse]
    """
    Models and tasks, most used first.
    """
    workflows: list[WorkflowCost]
    """
    Workflows, dearest first.
    """
    fleet: list[FleetTime]
    """
    The fleet by pools.
    """


class DeadLetter(TypedDict):
    """
    What was set aside, so that it holds up nothing else.
    """

    id: str
    """
    What to name it by.
    """
    origin: Origin
    execution_id: NotRequired[ExecutionId | None]
    kind: NotRequired[str | None]
    """
    The channel of its event, or the kind of its message, where it names one.
    """
    content: str
    """
    What it says: JSON, if it reads.
    """
    reason: str
    """
    Why it is here.
    """
    created_at: UnixMillis
    """
    Since when.
    """
    redoable: bool
    """
    Whether it can be tried again: what was kept is all that it was.
    """


class DeadLetterRedone(TypedDict):
    """
    A dead letter that is tried again.
    """

    id: str
    origin: Origin


class DeadLetters(TypedDict):
    """
    The newest dead letters.
    """

    dead_letters: list[DeadLetter]


class Event(TypedDict):
    """
    A CloudEvents 1.0 envelope in structured JSON mode. Extension attributes are lower-case without underscores.
    """

    specversion: str
    """
    Always `1.0`.
    """
    id: str
    """
    Unique per source; the same for every copy of one fact.
    """
    source: str
    """
    The role that speaks: `/millrace/orchestrator`.
    """
    type: str
    """
    What happened.
    """
    time: str
    """
    When.
    """
    subject: NotRequired[str | None]
    """
    What it is about: the run, the node, the job, the worker, the model.
    """
    traceparent: NotRequired[str | None]
    """
    W3C trace context.
    """
    executionid: NotRequired[ExecutionId | None]
    workflowid: NotRequired[WorkflowId | None]
    nodeid: NotRequired[NodeId | None]
    path: NotRequired[ItemPath | None]
    epoch: NotRequired[int | None]
    """
    The log's epoch, with `seq`.
    """
    seq: NotRequired[int | None]
    """
    Position in the run's log, from 1 without gaps; durable events only.
    """
    attempt: NotRequired[int | None]
    """
    The attempt of the node run.
    """
    region: NotRequired[str | None]
    """
    Where the run runs, where the installation says so.
    """
    data: NotRequired[Any]
    """
    What there is to say.
    """


class EventPage(TypedDict):
    """
    A page of stored events.
    """

    execution_id: ExecutionId
    events: list[Event]
    """
    CloudEvents, each as it was published.
    """
    next_from: NotRequired[str | None]
    """
    What to send as `from` for the page after.
    """


class ExecutionRow(Counters):
    """
    A run in a list.
    """

    execution_id: ExecutionId
    workflow_id: NotRequired[WorkflowId | None]
    version: NotRequired[int | None]
    """
    The workflow's version that is run.
    """
    workflow_name: NotRequired[str | None]
    """
    The saved workflow's name as it is now, or the one in an unsaved definition.
    """
    status: ExecutionStatus
    labels: dict[str, Any]
    """
    The caller's labels.
    """
    created_at: UnixMillis
    started_at: NotRequired[UnixMillis | None]
    completed_at: NotRequired[UnixMillis | None]
    duration_ms: NotRequired[int | None]
    """
    From accepted to ended, milliseconds.
    """
    error_message: NotRequired[str | None]
    batch_id: NotRequired[str | None]
    schedule_id: NotRequired[ScheduleId | None]
    rerun_of: NotRequired[RerunOf | None]
    links: Links


class Fault(TypedDict):
    """
    One mistake, with its place and a way out.
    """

    code: str
    """
    Stable code such as `UNKNOWN_BLOCK`; each has a page under docs/errors.
    """
    node: NotRequired[NodeId | None]
    pointer: str
    """
    JSON pointer (RFC 6901) into the document that was sent.
    """
    message: str
    """
    What is wrong.
    """
    hint: NotRequired[str | None]
    """
    What to do about it.
    """


class FlowInLine(TypedDict):
    """
    One flow at one priority.
    """

    flow: str
    """
    The workflow's id, or the digest of an unsaved definition.
    """
    priority: NotRequired[Priority | None]
    waiting: int
    """
    Runs that wait at this priority.
    """
    running: int
    """
    Runs under way, at any priority.
    """


class ImageInput(TypedDict, closed=True):
    """
    How a picture becomes a tensor, of a model that is run as plain tensors.
    """

    input: NotRequired[str | None]
    """
    The graph's input that takes it; its only one when absent.
    """
    size: list[int]
    """
    `[width, height]` the picture is stretched to, pixels.
    """
    scale: NotRequired[float]
    """
    Samples are multiplied by this first; 0 to 255 become 0 to 1 when absent.
    """
    mean: NotRequired[list[float]]
    """
    Taken off after that, red, green, blue; nothing when absent.
    """
    std: NotRequired[list[float]]
    """
    Divided by after that, red, green, blue; 1 when absent.
    """
    layout: NotRequired[Layout]
    """
    Planes or interleaved; planes when absent.
    """
    channels: NotRequired[Channels]
    """
    The order of the colours; red first when absent.
    """


class InputView(TypedDict):
    """
    What a run has to be given.
    """

    name: NodeId
    block: str
    kind: str
    required: bool


class JobError(TypedDict):
    """
    A failure as it travels in events and stands in the record.
    """

    kind: ErrorKind
    """
    The kind, from the fixed list.
    """
    message: str
    """
    What happened and what to do about it, for people.
    """
    retryable: bool
    """
    Whether another attempt may succeed.
    """
    node: NotRequired[NodeId | None]
    pointer: NotRequired[str | None]
    """
    JSON pointer into the node (`/inputs/image`, `/config/model_id`), where one place is at fault.
    """


class JobMetrics(TypedDict):
    """
    Where a job's time went, and on what. Times in milliseconds.
    """

    inference_job_id: NotRequired[JobId | None]
    queue_wait_ms: float
    """
    From queued to taken.
    """
    fetch_ms: float
    """
    Fetching the input blobs.
    """
    decode_ms: float
    """
    Turning image bytes into pixels.
    """
    preprocess_ms: float
    """
    Resize, pad, normalise.
    """
    batch_wait_ms: float
    """
    Waiting for a batch to close and its session to be free.
    """
    inference_time_ms: float
    """
    Inside the session, or inside a transform's pixel loop.
    """
    postprocess_ms: float
    """
    Decoding the outputs.
    """
    upload_ms: float
    """
    Storing result blobs.
    """
    model_load_time_ms: float
    """
    Loading the model, when this job had to wait for it.
    """
    total_time_ms: float
    """
    From taken to reported.
    """
    worker_share_ms: NotRequired[float]
    """
    The job's share of the time from taken to reported: while several are in hand, each has an equal part of the worker.
    The shares of all jobs add up to the time in which the worker had something in hand.
    """
    cached: bool
    """
    Whether the result came from a cache.
    """
    model_digest: NotRequired[ModelDigest | None]
    batch_size: int
    """
    Rows in the batch it ran in; 0 for blocks without a model.
    """
    sent: NotRequired[int | None]
    """
    How often it was sent, for what goes out to others.
    """
    answered: NotRequired[int | None]
    """
    The HTTP status of the last answer to it.
    """
    worker_id: NotRequired[WorkerId | None]
    device: NotRequired[str | None]
    """
    `cpu`, `cuda:0`, …
    """
    gpu_model: NotRequired[str | None]
    """
    The GPU's name, where there is one.
    """


class JobRecord(TypedDict):
    """
    A job's record.
    """

    id: JobId
    """
    The job.
    """
    execution_id: ExecutionId
    """
    Its run.
    """
    node_id: NodeId
    """
    Its node.
    """
    path: ItemPath
    """
    Its item.
    """
    task: str
    """
    The block it ran.
    """
    model_id: NotRequired[ModelId | None]
    model_source: NotRequired[str | None]
    """
    Where the model comes from.
    """
    pool: Pool
    """
    The pool it was handed to.
    """
    worker_id: NotRequired[WorkerId | None]
    status: JobStatus
    """
    Where it stands.
    """
    submitted_at: UnixMillis
    """
    When it was queued.
    """
    started_at: NotRequired[UnixMillis | None]
    completed_at: NotRequired[UnixMillis | None]
    duration_ms: NotRequired[int | None]
    """
    From taken to ended, milliseconds.
    """
    result: NotRequired[Any]
    """
    Output ports.
    """
    error_message: NotRequired[str | None]
    """
    Why it failed.
    """
    error_kind: NotRequired[str | None]
    """
    The kind of failure.
    """
    attempt: int
    """
    From 1.
    """
    metadata: Any
    """
    Where the time went: `JobMetrics`.
    """
    cost: NotRequired[float | None]
    """
    What its share of the worker's time cost, in the operator's currency; none while its pool has no price.
    """


class KeyRequest(TypedDict):
    """
    A key that is wanted.
    """

    name: str
    """
    Who or what it is for.
    """
    scopes: list[Scope]


class Keys(TypedDict):
    """
    The keys.
    """

    keys: list[ApiKey]


class LastFiring(TypedDict):
    """
    What the last firing came to.
    """

    at: UnixMillis
    outcome: NotRequired[str | None]
    error: NotRequired[str | None]


class LastRunView(TypedDict):
    """
    The newest run of a schedule.
    """

    execution_id: ExecutionId
    status: ExecutionStatus
    created_at: UnixMillis
    completed_at: NotRequired[UnixMillis | None]
    url: str


class LevelOfLine(TypedDict):
    """
    One priority.
    """

    priority: Priority
    """
    Which.
    """
    waiting: int
    """
    Runs that wait.
    """
    oldest_ms: NotRequired[int | None]
    """
    How long the first of them has waited, milliseconds; none when nobody waits.
    """


class LineView(TypedDict):
    """
    The line at one moment.
    """

    running: int
    """
    Runs under way.
    """
    limit: int
    """
    Runs that may be under way.
    """
    reserve: int
    """
    Runs beyond that, of workflows that have none under way.
    """
    waiting: int
    """
    Runs that wait.
    """
    oldest_ms: NotRequired[int | None]
    """
    How long the first of them has waited, milliseconds; none when nobody waits.
    """
    priorities: list[LevelOfLine]
    """
    The same by priority, most urgent first.
    """
    flows: list[FlowInLine]
    """
    The flows with most runs waiting, then those with most under way.
    """


class LoadFailure(TypedDict):
    """
    Why a worker does not have a model that it was to load.
    """

    model_id: str
    kind: ErrorKind
    message: str
    at: UnixMillis
    worker_id: NotRequired[str | None]
    """
    Whose words they are, where a model is shown.
    """


class Matches(TypedDict):
    """
    What is near.
    """

    matches: list[PointMatch]


class Model(TypedDict):
    """
    A model: what is registered of it, and what the workers say.
    """

    model_id: str
    source: str
    """
    `pretrained`, `trained` or `url`.
    """
    task: NotRequired[str | None]
    """
    What it is made for, once that is known.
    """
    family: NotRequired[str | None]
    labels: NotRequired[list[str] | None]
    """
    Names of its classes, as they are registered, or as its files in a worker's repository or the loaded copy say.
    """
    embedding_dimension: NotRequired[int | None]
    """
    How many numbers its vectors have, as its files in a worker's repository or the loaded copy say: what a collection for them is
    made with. Null of a model that gives none, or whose dimension is not known, such as of a registered one that nobody loaded yet.
    """
    digest: NotRequired[str | None]
    """
    Which copy is warm; of a model in a worker's repository, also which one that worker loaded last, until its files change. Finding
    out takes reading every byte, so nobody does before a model is loaded.
    """
    bytes: NotRequired[int | None]
    """
    Memory it takes where it is warm.
    """
    file_bytes: NotRequired[int | None]
    """
    Size of its ONNX files and of their weights: as a worker says that has it in its repository or loaded, else of the registered
    files, where all of them are blobs.
    """
    input_size: NotRequired[list[InputSizeItem] | None]
    """
    Width and height of the pictures that its graph is given, pixels, once a worker has looked; absent where that depends on the
    picture, and of a model that takes none.
    """
    checkpoint: NotRequired[str | None]
    """
    Where its ONNX file is, of a registered one.
    """
    sha256: NotRequired[str | None]
    created_at: NotRequired[int | None]
    updated_at: NotRequired[int | None]
    workers: list[str]
    """
    Workers that have it loaded.
    """
    loading: list[str]
    """
    Workers that are loading it.
    """
    in_repository: bool
    """
    Whether it is in the repository of some worker.
    """
    last_error: NotRequired[LoadFailure | None]


class ModelRequest(TypedDict):
    """
    A model to register.
    """

    id: str
    """
    Letters, digits, `.`, `_` and `-`, folders separated by `/`. `model_id`, as it is called elsewhere, is taken for it too.
    """
    source: NotRequired[str | None]
    """
    `trained`, unless it is `url`.
    """
    task: str
    """
    `detection`, `classification`, `embedding`, `segmentation` or `tensor`. A model for `tensor` is run as plain tensors, whatever
    it says of itself.
    """
    family: NotRequired[str | None]
    """
    Where the model does not say it itself.
    """
    labels: NotRequired[list[str] | None]
    """
    Names of the classes by index.
    """
    class_mapping: NotRequired[dict[str, str]]
    """
    The same by number, instead of `labels`.
    """
    checkpoint: str
    """
    The ONNX file: an address, or `blob:<sha256>`.
    """
    sha256: NotRequired[str | None]
    """
    What the SHA-256 of the ONNX file must be.
    """
    files: NotRequired[dict[str, str]]
    """
    `config.json`, `export.json`, `preprocessor_config.json`, `processor_config.json`, `tokenizer.json`, `tokenizer_config.json`,
    and files of weights, named as the graph names them (`*.onnx_data`, `*.data`): where each is.
    """
    preprocess: NotRequired[dict[str, Any]]
    """
    Keys of `preprocessor_config.json`; each replaces the file's.
    """
    image: NotRequired[ImageInput | None]


class Models(TypedDict):
    """
    A page of the models that are registered, or that workers name.
    """

    models: list[Model]
    next_cursor: NotRequired[str | None]
    """
    What to send as `cursor` for the page after.
    """


class Node(TypedDict):
    """
    A block placed in a workflow. `GET /api/v1/blocks` tells what each type takes.
    """

    id: str
    type: str
    """
    The block, `crop`, or a version of it, `crop@1`.
    """
    inputs: NotRequired[dict[str, Any]]
    """
    Input port to selector or literal.
    """
    config: NotRequired[dict[str, Any]]
    retry: NotRequired[Retry]
    timeout_ms: NotRequired[int]
    """
    Ends an attempt after so many milliseconds.
    """
    on_error: NotRequired[Any]
    """
    `fail` (the run fails), `skip`, or `{"default": {…}}`: its outputs take these values.
    """
    pool: NotRequired[str]
    """
    The pool for its jobs.
    """
    priority: NotRequired[Priority]
    cache: NotRequired[Cache]


class NodeView(TypedDict):
    """
    A node run as clients see it: in snapshots, in `GET /executions/{id}/nodes`, in the terminal node event.
    """

    node_id: NodeId
    """
    The node.
    """
    path: NotRequired[ItemPath]
    """
    Its place inside loops.
    """
    block: str
    """
    The block's type with its version, `detection@1`.
    """
    status: NodeStatus
    """
    Where it stands.
    """
    attempt: int
    """
    Attempts begun, from 1; 0 before the first.
    """
    outputs: NotRequired[dict[str, Any]]
    """
    Output ports, once completed; large values by reference.
    """
    error: NotRequired[JobError | None]
    metrics: NotRequired[JobMetrics | None]
    queued_at: NotRequired[UnixMillis | None]
    started_at: NotRequired[UnixMillis | None]
    completed_at: NotRequired[UnixMillis | None]
    worker_id: NotRequired[WorkerId | None]
    skipped_ports: NotRequired[list[str]]
    """
    Output ports that were not taken.
    """
    origin: NotRequired[ExecutionId | None]


class Options(TypedDict):
    """
    How a run is to be run.
    """

    priority: NotRequired[Priority | None]
    pool: NotRequired[str | None]
    """
    The pool for all its jobs.
    """
    labels: NotRequired[dict[str, str]]
    """
    Up to 32 texts by name.
    """
    timeout_ms: NotRequired[int | None]
    """
    Ends it after so many milliseconds.
    """
    callback_url: NotRequired[str | None]
    """
    The terminal event is posted there, signed, until it is taken.
    """


class Problem(TypedDict):
    """
    Why a request was not served (RFC 9457).
    """

    type: str
    """
    A stable URI; docs/errors has a page for each.
    """
    title: str
    status: int
    detail: str
    """
    What happened, and what to do.
    """
    instance: str
    """
    The path that was asked for.
    """
    code: str
    """
    Stable, such as `NOT_FOUND`.
    """
    retryable: bool
    """
    Whether the same request may succeed later.
    """
    errors: NotRequired[list[Fault]]
    """
    Each mistake in what was sent, with its place.
    """
    request_id: str
    trace_id: str


class Queues(TypedDict):
    """
    The queues, and the line of runs in front of them.
    """

    queues: list[QueueDepth]
    admission: LineView


RerunRequest = TypedDict(
    'RerunRequest',
    {
        'priority': NotRequired[Priority | None],
        'pool': NotRequired[str | None],
        'labels': NotRequired[dict[str, str]],
        'timeout_ms': NotRequired[int | None],
        'callback_url': NotRequired[str | None],
        'from': NotRequired[str | None],
    },
)


class RunAccepted(TypedDict):
    """
    A run that was accepted, and goes on.
    """

    execution_id: ExecutionId
    status: ExecutionStatus
    workflow_id: NotRequired[WorkflowId | None]
    version: NotRequired[int | None]
    """
    The workflow's version that is run.
    """
    trace_id: str
    """
    W3C trace id.
    """
    links: Links


class RunRequest(Options):
    """
    A run of a saved workflow.
    """

    input: NotRequired[dict[str, Any]]
    """
    Input node to value; a picture is base64, a data: URL, or `blob:<sha256>`.
    """


class Schedule(TypedDict):
    """
    A schedule with what it did last and what it does next.
    """

    id: ScheduleId
    workflow_id: WorkflowId
    enabled: bool
    revision: int
    """
    Rises with every change; the ETag.
    """
    cron: str
    timezone: str
    """
    IANA name.
    """
    overlap: Overlap
    version: NotRequired[int | None]
    """
    The workflow's version that is run; the newest when none.
    """
    input: dict[str, Any]
    priority: Priority
    pool: NotRequired[Pool | None]
    labels: dict[str, Any]
    timeout_ms: NotRequired[int | None]
    callback_url: NotRequired[str | None]
    jitter_ms: int
    next_at: NotRequired[UnixMillis | None]
    upcoming: list[UnixMillis]
    """
    The next firings.
    """
    waiting_at: NotRequired[UnixMillis | None]
    last: NotRequired[LastFiring | None]
    last_run: NotRequired[LastRunView | None]
    created_at: UnixMillis
    updated_at: UnixMillis
    links: ScheduleLinks


class ScheduleRequest(Options):
    """
    A schedule of a workflow.
    """

    cron: str
    """
    `minute hour day month weekday`, or such as `@hourly`.
    """
    timezone: NotRequired[str | None]
    """
    IANA name; UTC when none.
    """
    overlap: NotRequired[Overlap | None]
    input: NotRequired[dict[str, Any]]
    version: NotRequired[int | None]
    """
    The workflow's version; the newest at each firing when none.
    """
    enabled: NotRequired[bool | None]
    jitter_ms: NotRequired[int | None]


class Schedules(TypedDict):
    """
    The schedules of a workflow.
    """

    schedules: list[Schedule]


class Session(TypedDict):
    """
    Who is logged in.
    """

    name: str
    """
    What the key's owner calls it.
    """
    scope: Scope
    """
    What it may do.
    """
    expires_at: UnixMillis


class Snapshot(TypedDict):
    """
    A run's state at one point of its log: the first SSE event of a fresh client.
    """

    execution_id: ExecutionId
    """
    The run.
    """
    workflow_id: NotRequired[WorkflowId | None]
    status: ExecutionStatus
    """
    Where it stands.
    """
    epoch: int
    """
    The log's epoch; rises only when the log was lost and rebuilt.
    """
    seq: int
    """
    The last durable event this snapshot contains; 0 before the first.
    """
    progress: Progress
    """
    Counts.
    """
    created_at: UnixMillis
    """
    When it was accepted.
    """
    started_at: NotRequired[UnixMillis | None]
    completed_at: NotRequired[UnixMillis | None]
    outputs: NotRequired[dict[str, Any]]
    """
    What the output blocks gave, once completed.
    """
    error: NotRequired[JobError | None]
    nodes: list[NodeView]
    """
    The node runs so far. Loops of many items are cut at a limit; `nodes_omitted` counts the rest.
    """
    nodes_omitted: NotRequired[int]
    """
    Node runs left out of `nodes`.
    """


Stats = TypedDict(
    'Stats',
    {
        'totals': Kpi,
        'series': list[Kpi],
        'errors': list[ErrorCount],
        'models': list[ModelUse],
        'workflows': list[WorkflowCost],
        'fleet': list[FleetTime],
        'from': UnixMillis,
        'to': UnixMillis,
        'bucket_ms': int,
        'costs': Costs,
        'workers': NotRequired[Fleet | None],
        'queues': NotRequired[list[QueueDepth] | None],
    },
)


Stored: TypeAlias = StoredBlob | StoredBlobs
"""
What an upload is answered: one blob, or those of a form.
"""


class StreamToken(TypedDict):
    """
    A token for an event stream.
    """

    token: str
    """
    What to send as `?token=`.
    """
    expires_at: UnixMillis


class Validation(TypedDict):
    """
    A definition that compiles.
    """

    valid: bool
    """
    Always true: a definition that does not compile is a problem.
    """
    plan: PlanSize
    inputs: list[InputView]
    warnings: list[Fault]
    """
    What compiles and is surely not meant, such as an input that nothing reads. Nothing is refused for it.
    """


class Worker(TypedDict):
    """
    A worker, as it says of itself; nothing but the first three once it is lost.
    """

    worker_id: str
    alive: bool
    """
    Whether it has been heard of lately.
    """
    last_seen: UnixMillis
    state: NotRequired[str | None]
    draining: NotRequired[bool | None]
    pools: NotRequired[list[str] | None]
    models: NotRequired[list[str] | None]
    """
    Models that it has loaded.
    """
    warm: NotRequired[list[WarmModel] | None]
    """
    The same, each with what is known of its copy.
    """
    loading: NotRequired[list[str] | None]
    """
    Models that it is loading.
    """
    inventory: NotRequired[list[str] | None]
    """
    Models of its repository, the first 256.
    """
    further_inventory: NotRequired[FurtherInventory | None]
    failed: NotRequired[list[LoadFailure] | None]
    """
    Models that it could not load lately.
    """
    families: NotRequired[list[str] | None]
    """
    Families of models that it runs.
    """
    devices: NotRequired[list[str] | None]
    """
    `cpu`, `cuda:0`, …
    """
    gpu_model: NotRequired[str | None]
    cores: NotRequired[int | None]
    memory_bytes: NotRequired[int | None]
    """
    Memory of the process.
    """
    memory: NotRequired[ModelMemory | None]
    loads: NotRequired[int | None]
    """
    Models loaded since it started.
    """
    evictions: NotRequired[int | None]
    """
    Models forgotten since it started.
    """
    running: NotRequired[int | None]
    """
    Jobs in hand.
    """
    capacity: NotRequired[int | None]
    """
    Jobs it can have in hand.
    """
    busy_ms: NotRequired[int | None]
    """
    Time in which something was in hand, milliseconds.
    """
    version: NotRequired[str | None]
    started_at: NotRequired[UnixMillis | None]
    health_listen: NotRequired[str | None]
    """
    Where it serves `/healthz`, `/readyz` and `/metrics`, as its own machine calls the place.
    """


class Workers(TypedDict):
    """
    The fleet.
    """

    workers: list[Worker]


class WorkflowPage(TypedDict):
    """
    A page of workflows.
    """

    workflows: list[WorkflowRow]
    next_cursor: NotRequired[str | None]
    """
    What to send as `cursor` for the page after.
    """


class BatchRequest(Options):
    """
    Many runs of one workflow.
    """

    inputs: list[dict[str, Any]]
    """
    One run per input.
    """


class BlockExample(TypedDict):
    """
    A block in use.
    """

    title: str
    node: Node


class Definition(TypedDict):
    """
    A workflow: a DAG of blocks.
    """

    name: NotRequired[str]
    """
    1 to 200 characters; a saved workflow needs one.
    """
    nodes: list[Node]
    inputs_example: NotRequired[dict[str, Any]]
    """
    A run's inputs, as an example.
    """
    timeout_ms: NotRequired[int]
    """
    Ends a run after so many milliseconds.
    """
    max_concurrency: NotRequired[int]
    """
    Node runs at once.
    """
    weight: NotRequired[int]
    """
    Its share among workflows of one priority.
    """
    workflows: NotRequired[dict[str, dict[str, Any]]]
    """
    Workflows that come along, for `sub_workflow`, by name.
    """
    ui: NotRequired[dict[str, Any]]
    """
    What an editor keeps here, such as positions.
    """


class Execution(Counters):
    """
    A run as it stands. What only Postgres knows is null while Postgres is away.
    """

    execution_id: ExecutionId
    workflow_id: NotRequired[WorkflowId | None]
    version: NotRequired[int | None]
    """
    The workflow's version that is run.
    """
    status: ExecutionStatus
    priority: NotRequired[Priority | None]
    pool: NotRequired[Pool | None]
    labels: NotRequired[dict[str, Any]]
    """
    The caller's labels.
    """
    batch_id: NotRequired[str | None]
    created_at: NotRequired[UnixMillis | None]
    started_at: NotRequired[UnixMillis | None]
    completed_at: NotRequired[UnixMillis | None]
    duration_ms: NotRequired[int | None]
    """
    From accepted to ended, milliseconds.
    """
    progress: Progress
    input: NotRequired[dict[str, Any]]
    """
    Input node to value; pictures by blob.
    """
    outputs: NotRequired[Any]
    """
    What the output blocks gave, by node; none before the end.
    """
    images_omitted: NotRequired[int | None]
    """
    Pictures of `outputs` that were asked for as base64, and have only their `url`.
    """
    error: NotRequired[JobError | None]
    node_metrics: dict[str, NodeMetrics]
    """
    Where each node's time went.
    """
    cost: NotRequired[float | None]
    """
    In the operator's currency.
    """
    region: NotRequired[str | None]
    trace_id: NotRequired[str | None]
    """
    W3C trace id.
    """
    definition: NotRequired[BlobId | None]
    epoch: int
    """
    The log's epoch; rises only when the log was lost and rebuilt.
    """
    seq: NotRequired[int | None]
    """
    The last durable event, while the live state is there.
    """
    schedule_id: NotRequired[ScheduleId | None]
    rerun_of: NotRequired[RerunOf | None]
    callback: NotRequired[Callback | None]
    queue: NotRequired[PlaceInLine | None]
    unserved: NotRequired[Unserved | None]
    links: Links


class ExecutionPage(TypedDict):
    """
    A page of runs.
    """

    executions: list[ExecutionRow]
    next_cursor: NotRequired[str | None]
    """
    What to send as `cursor` for the page after.
    """


class InferenceAccepted(RunAccepted):
    """
    An inference that was accepted, and goes on.
    """

    job_id: JobId


class InferenceEnded(Execution):
    """
    An inference that has ended.
    """

    job_id: JobId
    result: NotRequired[Any]
    """
    The block's output ports; none when it failed.
    """


class InferenceForm(Options):
    """
    One job as a form.
    """

    model_id: str
    image: NotRequired[bytes | None]
    text: NotRequired[str | None]
    """
    The text to embed instead of a picture.
    """
    tensors: NotRequired[Any]
    """
    The numbers of `tensor`, as JSON.
    """
    config: NotRequired[Any]
    """
    The block's settings, as JSON.
    """


class InferenceRequest(Options):
    """
    One job.
    """

    model_id: str
    model_source: NotRequired[str | None]
    image: NotRequired[Any]
    """
    Base64, a data: URL, or `blob:<sha256>`. Only embeddings of texts, and tensors, do without.
    """
    text: NotRequired[str | None]
    """
    The text to embed instead of a picture.
    """
    tensors: NotRequired[Any]
    """
    Numbers by name of the graph's input, of `tensor`.
    """
    config: NotRequired[dict[str, Any]]
    """
    The block's settings.
    """


class InlineRunRequest(Options):
    """
    A run of the definition that comes along.
    """

    workflow: Definition
    input: NotRequired[dict[str, Any]]
    """
    Input node to value; a picture is base64, a data: URL, or `blob:<sha256>`.
    """


class JobPage(TypedDict):
    """
    A page of jobs.
    """

    jobs: list[JobRecord]
    next_cursor: NotRequired[str | None]
    """
    What to send as `cursor` for the page after. Of jobs that are `queued` or `running`, a page may have fewer than `limit`, or
    none, and there may still be a page after it.
    """


class NodeRun(NodeView):
    """
    A node run with what it was given.
    """

    inputs: NotRequired[dict[str, Any]]
    """
    Input ports; large values by reference, null where an optional port's source was skipped. None of a node run that has not
    begun, nor while what it read cannot be looked up, nor beyond what one answer takes: a smaller page tells more.
    """


class Workflow(TypedDict):
    """
    A workflow at one of its versions.
    """

    id: WorkflowId
    name: str
    version: int
    latest_version: int
    created_at: UnixMillis
    updated_at: UnixMillis
    definition: Definition
    links: WorkflowLinks


class Block(TypedDict):
    """
    A block of the catalogue.
    """

    type: str
    version: int
    id: str
    """
    `crop@1`
    """
    category: str
    """
    `input`, `model`, `transform`, `logic` or `output`.
    """
    title: str
    help: str
    runs: BlockRunner
    pure: bool
    """
    Whether the same inputs always give the same outputs.
    """
    config: dict[str, Any]
    """
    JSON Schema of its settings.
    """
    inputs: list[BlockInput]
    further_inputs: str | None
    """
    What inputs of other names are for; none where it takes none.
    """
    outputs: list[BlockOutput]
    outputs_vary: bool
    """
    Whether the outputs follow from the settings.
    """
    further_outputs: bool
    """
    Whether it may have outputs of other names.
    """
    examples: list[BlockExample]


class Blocks(TypedDict):
    """
    The catalogue.
    """

    blocks: list[Block]


class NodePage(TypedDict):
    """
    A page of node runs.
    """

    execution_id: ExecutionId
    nodes: list[NodeRun]
    next_after: NotRequired[str | None]
    """
    What to send as `after` for the page after.
    """
