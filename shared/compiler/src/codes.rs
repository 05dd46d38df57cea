//! The stable codes of faults. Each has a page under `docs/errors`, and a test that it has one.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $($(#[$doc])* pub const $name: &str = stringify!($name);)+

        /// Every code there is.
        pub const ALL: &[&str] = &[$($name),+];
    };
}

codes!(
    /// The text is not JSON.
    INVALID_JSON,
    /// The definition has too many bytes.
    DEFINITION_TOO_LARGE,
    /// The definition nests too deep.
    DEFINITION_TOO_DEEP,
    /// The workflow has too many nodes.
    TOO_MANY_NODES,
    /// The workflow has no nodes.
    EMPTY_WORKFLOW,
    /// More faults were found than are reported.
    TOO_MANY_FAULTS,
    /// A field has the wrong JSON type.
    INVALID_TYPE,
    /// A field that nothing knows.
    UNKNOWN_FIELD,
    /// A field that must be there is not.
    MISSING_FIELD,
    /// A text that cannot be a node's id, or the workflow's name.
    INVALID_NAME,
    /// Two nodes have the same id.
    DUPLICATE_ID,
    /// No block has this name.
    UNKNOWN_BLOCK,
    /// The block exists, this version of it does not.
    UNKNOWN_VERSION,
    /// A setting that the block refuses.
    INVALID_CONFIG,
    /// A text that begins like a selector and is none.
    INVALID_SELECTOR,
    /// A selector where the value has to be known before the run.
    SELECTOR_NOT_ALLOWED,
    /// A selector names a node that does not exist.
    UNKNOWN_NODE,
    /// `$inputs.` names a node that is not an input.
    NOT_AN_INPUT,
    /// A selector names an output port that the node does not have.
    UNKNOWN_PORT,
    /// A node or a run is given an input that it does not have.
    UNKNOWN_INPUT,
    /// A node or a run lacks an input that it needs.
    MISSING_INPUT,
    /// Nodes wait for each other in a circle.
    CYCLE,
    /// `$item` or `$index` outside every loop.
    ITEM_OUTSIDE_LOOP,
    /// `$item` or `$index` could mean several loops.
    AMBIGUOUS_ITEM,
    /// A node reads items of loops that have nothing to do with each other.
    SCOPE_MISMATCH,
    /// A `collect` with nothing to collect.
    COLLECT_OUTSIDE_LOOP,
    /// An output inside a loop.
    OUTPUT_IN_LOOP,
    /// Two `api_response`s that may both answer one run.
    AMBIGUOUS_RESPONSE,
    /// An `api_response` in a workflow that is called.
    RESPONSE_IN_CALL,
    /// A node inside a loop waits for a `collect` of that loop.
    LOOP_WAITS_FOR_ITSELF,
    /// Too many loops inside each other.
    LOOPS_TOO_DEEP,
    /// A value of one kind where another is wanted.
    KIND_MISMATCH,
    /// A policy (`retry`, `timeout_ms`, `on_error`, …) out of range.
    INVALID_POLICY,
    /// An expression that is not CEL, or too large.
    INVALID_EXPRESSION,
    /// An expression uses a name that the node does not give it.
    UNKNOWN_VARIABLE,
    /// A `sub_workflow` names a workflow that is not there.
    UNKNOWN_WORKFLOW,
    /// A workflow calls itself, directly or through others.
    WORKFLOW_RECURSION,
    /// Too many calls of workflows inside each other.
    CALLS_TOO_DEEP,
    /// A definition embeds too many workflows.
    TOO_MANY_WORKFLOWS,
    /// A run's input that is not what its input node asks for.
    INVALID_INPUT,
    /// A warning: a policy that nothing comes of.
    IDLE_POLICY,
    /// A warning: an input that nothing reads.
    UNUSED_INPUT,
    /// A warning: a node whose outputs nothing reads.
    UNUSED_NODE,
);
