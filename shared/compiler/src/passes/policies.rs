//! Policies: `retry`, `timeout_ms`, `on_error`, `pool`, `priority`, `cache` of a node, and the limits of a run.

use std::collections::HashMap;

use millrace_blocks::Runner;
use millrace_blocks::settings::shown;
use millrace_contracts::definition::{CachePolicy, OnError, Retry};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::flow::MAX_WEIGHT;
use millrace_contracts::job::Priority;
use millrace_contracts::{ErrorKind, Fault, Pool};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::codes;
use crate::draft::{Draft, DraftNode, Position};
use crate::limits::{MAX_CONCURRENCY, MAX_TIMEOUT_MS};
use crate::passes::parse::is_name;
use crate::plan::{NodePolicy, RunLimits};
use crate::suggest::did_you_mean;

/// Where nodes go that no worker runs.
pub(crate) const NO_POOL: &str = "cpu";

/// Reads every node's policies and the run's limits.
pub(crate) fn run(draft: &mut Draft<'_>, definition: &Value) {
    let fields = definition.as_object();
    let mut reader = Reader { faults: Vec::new(), base: String::new() };
    if let Some(fields) = fields {
        draft.limits = RunLimits {
            timeout_ms: reader.whole(fields, "timeout_ms", (1, MAX_TIMEOUT_MS)),
            max_concurrency: reader
                .whole(fields, "max_concurrency", (1, MAX_CONCURRENCY))
                .and_then(|limit| u32::try_from(limit).ok()),
            weight: reader
                .whole(fields, "weight", (1, MAX_WEIGHT.into()))
                .and_then(|weight| u8::try_from(weight).ok()),
        };
    }
    reader.faults.into_iter().for_each(|fault| draft.faults.push(fault));
    // A call stands before what is inside it.
    let mut calls: HashMap<Position, Inherited> = HashMap::new();
    for node in &mut draft.nodes {
        let around = node.gate.and_then(|call| calls.get(&call));
        let mut reader = Reader { faults: Vec::new(), base: node.pointer.to_string() };
        node.policy = Some(reader.policy(node, around));
        if node.is("for_each") {
            reader.opener(node.source);
        }
        if node.is_call() {
            let inherited = reader.call(node, around);
            if let Some(policy) = &mut node.policy {
                policy.on_error = inherited.on_error.clone().unwrap_or_default();
            }
            calls.insert(node.position, inherited);
        }
        reader.faults.into_iter().for_each(|fault| draft.faults.push(fault.on(&node.id)));
    }
}

/// What a call's policies mean for the nodes inside it that set none of their own.
#[derive(Debug, Clone, Default)]
struct Inherited {
    on_error: Option<OnError>,
    pool: Option<Pool>,
    priority: Option<Priority>,
    cache: Option<CachePolicy>,
}

/// Reads fields below one pointer and notes what is wrong with them.
struct Reader {
    faults: Vec<Fault>,
    base: String,
}

impl Reader {
    fn policy(&mut self, node: &DraftNode<'_>, around: Option<&Inherited>) -> NodePolicy {
        let fields = node.source;
        let around = around.cloned().unwrap_or_default();
        let default_pool = match node.block.map(|block| block.runner) {
            Some(Runner::Worker { pool, .. }) => pool,
            _ => NO_POOL,
        };
        NodePolicy {
            retry: self.retry(fields),
            timeout_ms: self.whole(fields, "timeout_ms", (1, MAX_TIMEOUT_MS)),
            on_error: self.on_error(fields).or(around.on_error).unwrap_or_default(),
            pool: self.pool(fields).or(around.pool).unwrap_or_else(|| Pool::from(default_pool)),
            priority: self
                .choice::<Priority>(fields, "priority", &["high", "normal", "low"])
                .or(around.priority),
            cache: self
                .choice::<CachePolicy>(fields, "cache", &["auto", "off"])
                .or(around.cache)
                .unwrap_or_default(),
        }
    }

    /// A call's own policies: those that can stand for the nodes inside it are handed on, the others refused.
    fn call(&mut self, node: &DraftNode<'_>, around: Option<&Inherited>) -> Inherited {
        let fields = node.source;
        for field in ["retry", "timeout_ms"].into_iter().filter(|field| fields.contains_key(*field)) {
            let hint = format!("set `{field}` on the nodes inside the called workflow");
            self.fault(&format!("/{field}"), format!("a call has no `{field}` of its own"), Some(hint));
        }
        if fields.get("on_error").is_some_and(Value::is_object) {
            let hint = "write \"skip\", and give the default in a first_of behind the call".to_owned();
            self.fault("/on_error", "a call has no default outputs", Some(hint));
        }
        let policy = node.policy.as_ref().expect("a call's policy is read first");
        let around = around.cloned().unwrap_or_default();
        let given = |field: &str| fields.contains_key(field);
        Inherited {
            on_error: match &policy.on_error {
                OnError::Default(_) => None,
                own if given("on_error") => Some(own.clone()),
                _ => around.on_error,
            },
            pool: if given("pool") { Some(policy.pool.clone()) } else { around.pool },
            priority: policy.priority,
            cache: if given("cache") { Some(policy.cache) } else { around.cache },
        }
    }

    /// A `for_each` only opens its loop: what takes time, and what may be tried again, is inside.
    fn opener(&mut self, fields: &Map<String, Value>) {
        for field in ["retry", "timeout_ms"].into_iter().filter(|field| fields.contains_key(*field)) {
            let hint = format!("set `{field}` on the nodes inside the loop");
            self.fault(&format!("/{field}"), format!("a for_each has no `{field}` of its own"), Some(hint));
        }
        if fields.get("on_error").is_some_and(Value::is_object) {
            let hint = "write \"skip\", and give the default in a first_of behind the collect".to_owned();
            self.fault(
                "/on_error",
                "a for_each has no default outputs: there is no item without a list",
                Some(hint),
            );
        }
    }

    fn retry(&mut self, fields: &Map<String, Value>) -> Retry {
        let defaults = Retry::default();
        let retry = match fields.get("retry") {
            None => return defaults,
            Some(Value::Object(retry)) => retry,
            Some(_) => {
                self.fault(
                    "/retry",
                    "`retry` must be an object",
                    Some("write {\"max_attempts\": 3}".to_owned()),
                );
                return defaults;
            }
        };
        self.base.push_str("/retry");
        let known = ["max_attempts", "initial_ms", "multiplier", "max_ms", "jitter", "on"];
        for field in retry.keys().filter(|field| !known.contains(&field.as_str())) {
            let pointer = format!("{}/{}", self.base, pointer_token(field));
            let mut fault =
                Fault::new(codes::UNKNOWN_FIELD, pointer, format!("`retry` has no field {field:?}"));
            fault.hint = did_you_mean(field, known);
            self.faults.push(fault);
        }
        let attempts = self.whole(retry, "max_attempts", (1, 20)).and_then(|count| u32::try_from(count).ok());
        let read = Retry {
            max_attempts: attempts.unwrap_or(defaults.max_attempts),
            initial_ms: self.whole(retry, "initial_ms", (0, 3_600_000)).unwrap_or(defaults.initial_ms),
            multiplier: self.number(retry, "multiplier", (1.0, 10.0)).unwrap_or(defaults.multiplier),
            max_ms: self.whole(retry, "max_ms", (0, 86_400_000)).unwrap_or(defaults.max_ms),
            jitter: self.number(retry, "jitter", (0.0, 1.0)).unwrap_or(defaults.jitter),
            on: self.error_kinds(retry),
        };
        self.base.truncate(self.base.len() - "/retry".len());
        read
    }

    fn error_kinds(&mut self, retry: &Map<String, Value>) -> Vec<ErrorKind> {
        let Some(on) = retry.get("on") else { return Vec::new() };
        let Some(names) = on.as_array() else {
            self.fault("/on", "`on` must be a list of error kinds", Some("write [\"TIMEOUT\"]".to_owned()));
            return Vec::new();
        };
        let mut kinds = Vec::new();
        for (position, name) in names.iter().enumerate() {
            match serde_json::from_value::<ErrorKind>(name.clone()) {
                Ok(kind) if !kinds.contains(&kind) => kinds.push(kind),
                Ok(_) => {}
                Err(_) => {
                    let hint =
                        did_you_mean(name.as_str().unwrap_or_default(), ERROR_KINDS.map(ErrorKind::as_str));
                    self.fault(
                        &format!("/on/{position}"),
                        format!("{} is not an error kind", shown(name)),
                        hint,
                    );
                }
            }
        }
        kinds
    }

    fn on_error(&mut self, fields: &Map<String, Value>) -> Option<OnError> {
        let way_out = || Some("write \"fail\", \"skip\" or {\"default\": {port: value}}".to_owned());
        match fields.get("on_error")? {
            Value::String(text) if text == "fail" => return Some(OnError::Fail),
            Value::String(text) if text == "skip" => return Some(OnError::Skip),
            Value::Object(object) if object.len() == 1 && object.contains_key("default") => {
                if let Value::Object(values) = &object["default"] {
                    return Some(OnError::Default(values.clone()));
                }
                let message = "`default` must be an object: port → value";
                self.fault("/on_error/default", message, way_out());
            }
            other => self.fault("/on_error", format!("{} is no error policy", shown(other)), way_out()),
        }
        None
    }

    fn pool(&mut self, fields: &Map<String, Value>) -> Option<Pool> {
        match fields.get("pool")? {
            Value::String(name) if is_name(name) => Some(Pool::from(name.as_str())),
            other => {
                let hint = "write fast, heavy, batch, cpu, or a pool of your own".to_owned();
                self.fault("/pool", format!("{} cannot be a pool", shown(other)), Some(hint));
                None
            }
        }
    }

    fn choice<T: DeserializeOwned>(
        &mut self,
        fields: &Map<String, Value>,
        field: &str,
        choices: &[&'static str],
    ) -> Option<T> {
        let value = fields.get(field)?;
        match serde_json::from_value(value.clone()) {
            Ok(choice) => Some(choice),
            Err(_) => {
                let hint = did_you_mean(value.as_str().unwrap_or_default(), choices.iter().copied());
                self.fault(&format!("/{field}"), format!("{} is no `{field}`", shown(value)), hint);
                None
            }
        }
    }

    fn whole(&mut self, fields: &Map<String, Value>, field: &str, (least, most): (u64, u64)) -> Option<u64> {
        let value = fields.get(field)?;
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let message =
                format!("`{field}` is {}, and must be a whole number from {least} to {most}", shown(value));
            self.fault(&format!("/{field}"), message, None);
        }
        number
    }

    fn number(&mut self, fields: &Map<String, Value>, field: &str, (least, most): (f64, f64)) -> Option<f64> {
        let value = fields.get(field)?;
        let number = value.as_f64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let message =
                format!("`{field}` is {}, and must be a number from {least} to {most}", shown(value));
            self.fault(&format!("/{field}"), message, None);
        }
        number
    }

    fn fault(&mut self, below: &str, message: impl Into<String>, hint: Option<String>) {
        let mut fault = Fault::new(codes::INVALID_POLICY, format!("{}{below}", self.base), message);
        fault.hint = hint;
        self.faults.push(fault);
    }
}

const ERROR_KINDS: [ErrorKind; 11] = [
    ErrorKind::InvalidInput,
    ErrorKind::InvalidConfig,
    ErrorKind::ModelNotFound,
    ErrorKind::ModelLoadError,
    ErrorKind::OutOfMemory,
    ErrorKind::WorkerUnavailable,
    ErrorKind::Timeout,
    ErrorKind::Network,
    ErrorKind::Unsupported,
    ErrorKind::Cancelled,
    ErrorKind::Internal,
];
