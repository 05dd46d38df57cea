//! Requests, and answers made elsewhere, as the document describes them.
#![expect(
    dead_code,
    reason = "these types are described, never made: the requests' readers tell all mistakes at once"
)]

use std::collections::BTreeMap;

use millrace_contracts::job::Priority;
use millrace_contracts::model::ImageInput;
use millrace_contracts::schedule::Overlap;
use millrace_contracts::{ErrorKind, UnixMillis};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::definition::{Definition, Node};
use crate::auth::Scope;

/// Bytes as they are.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Binary(Vec<u8>);

/// How a run is to be run.
#[derive(ToSchema)]
pub(crate) struct Options {
    priority: Option<Priority>,
    /// The pool for all its jobs.
    pool: Option<String>,
    /// Up to 32 texts by name.
    labels: Option<BTreeMap<String, String>>,
    /// Ends it after so many milliseconds.
    #[schema(minimum = 1)]
    timeout_ms: Option<u64>,
    /// The terminal event is posted there, signed, until it is taken.
    #[schema(format = "uri", max_length = 4096)]
    callback_url: Option<String>,
}

/// A run of a saved workflow.
#[derive(ToSchema)]
pub(crate) struct RunRequest {
    /// Input node to value; a picture is base64, a data: URL, or `blob:<sha256>`.
    input: Option<Map<String, Value>>,
    #[serde(flatten)]
    options: Options,
}

/// A run of the definition that comes along.
#[derive(ToSchema)]
pub(crate) struct InlineRunRequest {
    workflow: Definition,
    /// Input node to value; a picture is base64, a data: URL, or `blob:<sha256>`.
    input: Option<Map<String, Value>>,
    #[serde(flatten)]
    options: Options,
}

/// A run as a form: JSON parts, and further parts named after inputs, with pictures as files.
#[derive(ToSchema)]
pub(crate) struct RunForm {
    /// The request without its input, as JSON.
    request: Option<Value>,
    /// Inputs as JSON.
    input: Option<Value>,
}

/// Many runs of one workflow.
#[derive(ToSchema)]
pub(crate) struct BatchRequest {
    /// One run per input.
    #[schema(min_items = 1)]
    inputs: Vec<Map<String, Value>>,
    #[serde(flatten)]
    options: Options,
}

/// What of a run is done once more.
#[derive(ToSchema)]
pub(crate) struct RerunRequest {
    /// The node to begin at; everything is done again when none.
    from: Option<String>,
    #[serde(flatten)]
    options: Options,
}

/// Why a run is ended.
#[derive(ToSchema)]
pub(crate) struct CancelRequest {
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// A schedule of a workflow.
#[derive(ToSchema)]
pub(crate) struct ScheduleRequest {
    /// `minute hour day month weekday`, or such as `@hourly`.
    #[schema(example = "0 6 * * MON-FRI")]
    cron: String,
    /// IANA name; UTC when none.
    timezone: Option<String>,
    overlap: Option<Overlap>,
    input: Option<Map<String, Value>>,
    /// The workflow's version; the newest at each firing when none.
    #[schema(minimum = 1)]
    version: Option<u32>,
    enabled: Option<bool>,
    #[schema(maximum = 3_600_000)]
    jitter_ms: Option<u64>,
    #[serde(flatten)]
    options: Options,
}

/// One job.
#[derive(ToSchema)]
pub(crate) struct InferenceRequest {
    model_id: String,
    model_source: Option<String>,
    /// Base64, a data: URL, or `blob:<sha256>`. Only embeddings of texts, and tensors, do without.
    image: Option<Value>,
    /// The text to embed instead of a picture.
    text: Option<String>,
    /// Numbers by name of the graph's input, of `tensor`.
    tensors: Option<Value>,
    /// The block's settings.
    config: Option<Map<String, Value>>,
    #[serde(flatten)]
    options: Options,
}

/// One job as a form.
#[derive(ToSchema)]
pub(crate) struct InferenceForm {
    model_id: String,
    #[schema(value_type = Option<String>, format = Binary)]
    image: Option<Vec<u8>>,
    /// The text to embed instead of a picture.
    text: Option<String>,
    /// The numbers of `tensor`, as JSON.
    tensors: Option<Value>,
    /// The block's settings, as JSON.
    config: Option<Value>,
    #[serde(flatten)]
    options: Options,
}

/// Files of any names.
#[derive(ToSchema)]
pub(crate) struct FilesForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// A key that is wanted.
#[derive(ToSchema)]
pub(crate) struct KeyRequest {
    /// Who or what it is for.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
}

/// A key that a browser logs in with.
#[derive(ToSchema)]
pub(crate) struct LoginRequest {
    key: String,
}

/// A block of the catalogue.
#[derive(ToSchema)]
pub(crate) struct Block {
    r#type: String,
    version: u32,
    /// `crop@1`
    id: String,
    /// `input`, `model`, `transform`, `logic` or `output`.
    category: String,
    title: String,
    help: String,
    runs: BlockRunner,
    /// Whether the same inputs always give the same outputs.
    pure: bool,
    /// JSON Schema of its settings.
    config: Map<String, Value>,
    inputs: Vec<BlockInput>,
    /// What inputs of other names are for; none where it takes none.
    #[schema(required = true)]
    further_inputs: Option<String>,
    outputs: Vec<BlockOutput>,
    /// Whether the outputs follow from the settings.
    outputs_vary: bool,
    /// Whether it may have outputs of other names.
    further_outputs: bool,
    examples: Vec<BlockExample>,
}

/// Who runs a block.
#[derive(ToSchema)]
pub(crate) struct BlockRunner {
    /// `input`, `orchestrator`, `worker` or `output`.
    by: String,
    /// The pool its jobs go to unless the node says otherwise.
    pool: Option<String>,
    /// Whether `model_id` and `model_source` of its settings name a model.
    model: Option<bool>,
}

/// An input port of a block.
#[derive(ToSchema)]
pub(crate) struct BlockInput {
    name: String,
    /// What it takes, such as `image` or `list<image>`.
    kinds: Vec<String>,
    required: bool,
    help: String,
}

/// An output port of a block.
#[derive(ToSchema)]
pub(crate) struct BlockOutput {
    name: String,
    kind: String,
    help: String,
}

/// A block in use.
#[derive(ToSchema)]
pub(crate) struct BlockExample {
    title: String,
    node: Node,
}

/// A worker, as it says of itself; nothing but the first three once it is lost.
#[derive(ToSchema)]
pub(crate) struct Worker {
    worker_id: String,
    /// Whether it has been heard of lately.
    alive: bool,
    last_seen: UnixMillis,
    state: Option<String>,
    draining: Option<bool>,
    pools: Option<Vec<String>>,
    /// Models that it has loaded.
    models: Option<Vec<String>>,
    /// The same, each with what is known of its copy.
    warm: Option<Vec<WarmModel>>,
    /// Models that it is loading.
    loading: Option<Vec<String>>,
    /// Models of its repository, the first 256.
    inventory: Option<Vec<String>>,
    /// Those beyond.
    further_inventory: Option<FurtherInventory>,
    /// Models that it could not load lately.
    failed: Option<Vec<LoadFailure>>,
    /// Families of models that it runs.
    families: Option<Vec<String>>,
    /// `cpu`, `cuda:0`, …
    devices: Option<Vec<String>>,
    gpu_model: Option<String>,
    cores: Option<u32>,
    /// Memory of the process.
    memory_bytes: Option<u64>,
    memory: Option<ModelMemory>,
    /// Models loaded since it started.
    loads: Option<u64>,
    /// Models forgotten since it started.
    evictions: Option<u64>,
    /// Jobs in hand.
    running: Option<u32>,
    /// Jobs it can have in hand.
    capacity: Option<u32>,
    /// Time in which something was in hand, milliseconds.
    busy_ms: Option<u64>,
    version: Option<String>,
    started_at: Option<UnixMillis>,
    /// Where it serves `/healthz`, `/readyz` and `/metrics`, as its own machine calls the place.
    health_listen: Option<String>,
}

/// Models of a worker's repository that it does not name.
#[derive(ToSchema)]
pub(crate) struct FurtherInventory {
    /// How many there are. `GET /models` and the pages of models know 10,000 of them, and what their files say; classes only where
    /// their names are short.
    models: u32,
    /// Where workers keep their names.
    names: String,
}

/// Why a worker does not have a model that it was to load.
#[derive(ToSchema)]
pub(crate) struct LoadFailure {
    model_id: String,
    kind: ErrorKind,
    message: String,
    at: UnixMillis,
    /// Whose words they are, where a model is shown.
    worker_id: Option<String>,
}

/// A loaded model.
#[derive(ToSchema)]
pub(crate) struct WarmModel {
    model_id: String,
    /// Which copy of it.
    digest: Option<String>,
    family: Option<String>,
    task: Option<String>,
    /// How many numbers its vectors have, of one that gives vectors.
    embedding_dimension: Option<u32>,
    /// Memory it takes.
    bytes: Option<u64>,
    /// How long it took to load, milliseconds.
    load_ms: Option<u64>,
    /// How long ago it was last used, milliseconds; 0 while it is in use.
    idle_ms: Option<u64>,
    /// Jobs that use it now.
    in_use: Option<u32>,
    /// Uses since it was loaded.
    uses: Option<u64>,
    /// Whether it is never forgotten.
    pinned: Option<bool>,
    /// Rows that its next batch may have.
    batch_limit: Option<u32>,
}

/// The memory that a worker has for models.
#[derive(ToSchema)]
pub(crate) struct ModelMemory {
    budget_bytes: u64,
    used_bytes: u64,
    /// Set aside for models that are being loaded.
    reserved_bytes: u64,
    /// `low`, `medium`, `high` or `critical`.
    pressure: String,
}

/// A model: what is registered of it, and what the workers say.
#[derive(ToSchema)]
pub(crate) struct Model {
    model_id: String,
    /// `pretrained`, `trained` or `url`.
    source: String,
    /// What it is made for, once that is known.
    task: Option<String>,
    family: Option<String>,
    /// Names of its classes, as they are registered, or as its files in a worker's repository or the loaded copy say.
    labels: Option<Vec<String>>,
    /// How many numbers its vectors have, as its files in a worker's repository or the loaded copy say: what a collection for them is
    /// made with. Null of a model that gives none, or whose dimension is not known, such as of a registered one that nobody loaded yet.
    embedding_dimension: Option<u32>,
    /// Which copy is warm; of a model in a worker's repository, also which one that worker loaded last, until its files change. Finding
    /// out takes reading every byte, so nobody does before a model is loaded.
    digest: Option<String>,
    /// Memory it takes where it is warm.
    bytes: Option<u64>,
    /// Size of its ONNX files and of their weights: as a worker says that has it in its repository or loaded, else of the registered
    /// files, where all of them are blobs.
    file_bytes: Option<u64>,
    /// Width and height of the pictures that its graph is given, pixels, once a worker has looked; absent where that depends on the
    /// picture, and of a model that takes none.
    #[schema(min_items = 2, max_items = 2)]
    input_size: Option<Vec<u32>>,
    /// Where its ONNX file is, of a registered one.
    checkpoint: Option<String>,
    sha256: Option<String>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
    /// Workers that have it loaded.
    workers: Vec<String>,
    /// Workers that are loading it.
    loading: Vec<String>,
    /// Whether it is in the repository of some worker.
    in_repository: bool,
    /// Why a worker could not load it, until that one loads it or it is registered anew. Shown of one model, not in the list.
    last_error: Option<LoadFailure>,
}

/// A collection to make.
#[derive(ToSchema)]
pub(crate) struct CollectionRequest {
    /// Letters, digits, `-`, `_` and `.`, a letter or digit first.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// How many numbers each vector has.
    #[schema(minimum = 1, maximum = 4096)]
    dimension: u32,
    /// `cosine`, which is the default, or `dot`.
    metric: Option<String>,
}

/// Points to add, or to replace.
#[derive(ToSchema)]
pub(crate) struct PointsRequest {
    /// Up to `collections.max_batch`, 1000 by default.
    #[schema(min_items = 1)]
    points: Vec<PointRequest>,
}

/// A vector with what is known of it.
#[derive(ToSchema)]
pub(crate) struct PointRequest {
    #[schema(min_length = 1, max_length = 256)]
    id: String,
    vector: Vec<f32>,
    /// Up to `collections.max_payload`, 16 KiB by default.
    payload: Option<Map<String, Value>>,
}

/// What is looked for.
#[derive(ToSchema)]
pub(crate) struct SearchRequest {
    vector: Vec<f32>,
    /// 10 when absent.
    #[schema(minimum = 1, maximum = 1000)]
    top_k: Option<u32>,
    /// Only matches of this score or better.
    min_score: Option<f64>,
    /// Only points whose payload contains all of this, as `@>` of jsonb in Postgres does.
    filter: Option<Map<String, Value>>,
}

/// A model to register.
#[derive(ToSchema)]
pub(crate) struct ModelRequest {
    /// Letters, digits, `.`, `_` and `-`, folders separated by `/`. `model_id`, as it is called elsewhere, is taken for it too.
    id: String,
    /// `trained`, unless it is `url`.
    source: Option<String>,
    /// `detection`, `classification`, `embedding`, `segmentation` or `tensor`. A model for `tensor` is run as plain tensors, whatever
    /// it says of itself.
    task: String,
    /// Where the model does not say it itself.
    family: Option<String>,
    /// Names of the classes by index.
    labels: Option<Vec<String>>,
    /// The same by number, instead of `labels`.
    class_mapping: Option<BTreeMap<String, String>>,
    /// The ONNX file: an address, or `blob:<sha256>`.
    checkpoint: String,
    /// What the SHA-256 of the ONNX file must be.
    sha256: Option<String>,
    /// `config.json`, `export.json`, `preprocessor_config.json`, `processor_config.json`, `tokenizer.json`, `tokenizer_config.json`,
    /// and files of weights, named as the graph names them (`*.onnx_data`, `*.data`): where each is.
    files: Option<BTreeMap<String, String>>,
    /// Keys of `preprocessor_config.json`; each replaces the file's.
    preprocess: Option<Map<String, Value>>,
    /// How a picture becomes a tensor, of a model for `tensor`; it takes none when absent.
    image: Option<ImageInput>,
}
