//! Puts the layers together. Every entry is tried by itself on top of the defaults, so that one fault hides no other.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::layers::{self, Entry};
use crate::places::Places;
use crate::{ConfigError, ConfigFault, Settings, validate};

/// The file that is read when it is there and no other is named.
const DEFAULT_PATH: &str = "millrace.toml";

/// Keys whose value is a secret.
const SECRETS: [&str; 4] =
    ["auth.signing_secret", "io.collections_key", "io.qdrant_key", "objects.secret_access_key"];

/// What `Settings::load` reads from.
#[derive(Debug, Clone, Default)]
pub struct LoadArgs {
    /// The file to read; `millrace.toml` in the working directory, if it is there, when none.
    pub file: Option<PathBuf>,
    /// The environment. Empty means none, as tests want it.
    pub environment: BTreeMap<String, String>,
    /// Flags, as (key, text): `("worker.pools", "fast,cpu")`.
    pub flags: Vec<(String, String)>,
}

impl LoadArgs {
    /// With this process's environment. The only place in the house that reads it.
    #[must_use]
    pub fn from_process(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { file, environment: std::env::vars_os().filter_map(text).collect(), flags }
    }
}

/// Which layer set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// A command-line flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// Settings in force, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is in force.
    pub settings: Settings,
    /// Key → layer, for every key.
    pub origins: BTreeMap<String, Origin>,
    /// Pairs that are legal and probably not meant; say them at start.
    pub warnings: Vec<String>,
    /// Folders and habits of the user that the environment tells.
    pub places: Places,
}

impl Loaded {
    /// Whether a layer above the defaults set `key`.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.origins.get(key).is_some_and(|origin| *origin != Origin::Default)
    }

    /// Gives `key` its default again, as if no layer had set it.
    pub fn forget(&mut self, key: &str) {
        let Some((section, field)) = key.split_once('.').filter(|_| self.is_set(key)) else { return };
        let mut tree = self.settings.tree();
        tree[section][field] = Settings::default().tree()[section][field].take();
        self.settings = serde_json::from_value(tree).expect("settings are read from what they are shown as");
        self.origins.insert(key.to_owned(), Origin::Default);
    }
}

impl Settings {
    /// Reads all layers.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] for a file that cannot be read, otherwise every fault of every layer at once.
    pub fn load(args: &LoadArgs) -> Result<Loaded, ConfigError> {
        let mut faults = Vec::new();
        let mut entries = Vec::new();
        if let Some((path, text)) = read_file(args.file.as_deref())? {
            match layers::from_file(&path, &text) {
                Ok(found) => entries.extend(found),
                Err(fault) => faults.push(fault),
            }
        }
        entries.extend(layers::from_environment(&args.environment));
        entries.extend(layers::from_flags(&args.flags));

        let defaults = Settings::default();
        let mut tree = defaults.tree();
        let mut origins: BTreeMap<_, _> = keys(&tree).into_iter().map(|key| (key, Origin::Default)).collect();
        for entry in &entries {
            match apply(entry, &defaults.tree(), &mut tree) {
                Ok(()) => _ = origins.insert(entry.key.clone(), entry.origin.clone()),
                Err(message) => {
                    faults.push(ConfigFault { key: entry.key.clone(), origin: entry.origin.clone(), message })
                }
            }
        }
        let settings: Settings = serde_json::from_value(tree).map_err(|fault| one_fault(&fault))?;
        let origin_of = |key: &str| origins.get(key).cloned().unwrap_or(Origin::Default);
        faults.extend(validate::faults(&settings).into_iter().map(|(key, message)| ConfigFault {
            key: key.to_owned(),
            origin: origin_of(key),
            message,
        }));
        if !faults.is_empty() {
            return Err(ConfigError::Invalid(faults));
        }
        let warnings = validate::warnings(&settings);
        let places = Places::from_environment(&args.environment);
        Ok(Loaded { settings, origins, warnings, places })
    }

    /// As JSON with absent keys as null and URLs and secrets in full: the form that layers are laid onto.
    pub(crate) fn tree(&self) -> Value {
        let mut tree = serde_json::to_value(self).expect("settings are plain data");
        tree["redis"]["url"] = self.redis.url.expose().into();
        tree["database"]["url"] = self.database.url.expose().into();
        let single = [
            ("auth", "signing_secret", &self.auth.signing_secret),
            ("io", "collections_key", &self.io.collections_key),
            ("io", "qdrant_key", &self.io.qdrant_key),
            ("objects", "secret_access_key", &self.objects.secret_access_key),
        ];
        for (section, field, secret) in single {
            tree[section][field] = secret.as_ref().map(|secret| secret.expose().as_str()).into();
        }
        let secrets =
            self.io.secrets.iter().map(|(name, secret)| (name.clone(), secret.expose().as_str().into()));
        tree["io"]["secrets"] = Value::Object(secrets.collect());
        tree
    }
}

fn one_fault(fault: &serde_json::Error) -> ConfigError {
    ConfigError::Invalid(vec![ConfigFault {
        key: String::new(),
        origin: Origin::Default,
        message: fault.to_string(),
    }])
}

fn read_file(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let path = named.unwrap_or(Path::new(DEFAULT_PATH)).to_owned();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(fault) if named.is_none() && fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// Lays one entry onto `tree` if it is good on top of `defaults`; says what is wrong otherwise.
fn apply(entry: &Entry, defaults: &Value, tree: &mut Value) -> Result<(), String> {
    let (section, field) = entry.key.split_once('.').unwrap_or((&entry.key, ""));
    let fields = defaults.get(section).and_then(Value::as_object).ok_or_else(|| unknown_section(defaults))?;
    let default = fields.get(field).ok_or_else(|| unknown_field(section, fields))?;
    let from_text = !matches!(entry.origin, Origin::File(_));
    let forms = if from_text { readings(&entry.value, default) } else { vec![entry.value.clone()] };
    let mut message = String::new();
    for form in forms {
        let mut trial = defaults.clone();
        trial[section][field] = form.clone();
        match serde_json::from_value::<Settings>(trial) {
            Ok(_) => {
                tree[section][field] = form;
                return Ok(());
            }
            Err(fault) => message = complaint(&entry.key, &fault),
        }
    }
    Err(message)
}

/// What is wrong with a value. That of a secret is not repeated: such messages go into logs.
fn complaint(key: &str, fault: &serde_json::Error) -> String {
    match key {
        "io.secrets" => "it is a table of names and texts, such as {\"crm\": \"whsec_…\"}".to_owned(),
        key if SECRETS.contains(&key) => "it is a text".to_owned(),
        _ => fault.to_string(),
    }
}

/// What text from the environment or a flag may mean, given what the default looks like.
fn readings(value: &Value, default: &Value) -> Vec<Value> {
    let Value::String(text) = value else { return vec![value.clone()] };
    let parsed = serde_json::from_str::<Value>(text).ok();
    match default {
        Value::String(_) => vec![value.clone()],
        // What is absent may be text, as most of it is, or something else: a colour.
        Value::Null => std::iter::once(value.clone()).chain(parsed).collect(),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            vec![parsed.filter(Value::is_array).unwrap_or_else(|| items.collect())]
        }
        _ => vec![parsed.unwrap_or_else(|| value.clone())],
    }
}

fn unknown_section(defaults: &Value) -> String {
    format!("unknown section; there are {}", names(defaults.as_object()))
}

fn unknown_field(section: &str, fields: &Map<String, Value>) -> String {
    format!("unknown key; [{section}] has {}", names(Some(fields)))
}

fn names(fields: Option<&Map<String, Value>>) -> String {
    fields.into_iter().flat_map(Map::keys).map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn keys(tree: &Value) -> Vec<String> {
    let sections = tree.as_object().into_iter().flatten();
    sections
        .flat_map(|(section, fields)| {
            fields.as_object().into_iter().flat_map(Map::keys).map(move |field| format!("{section}.{field}"))
        })
        .collect()
}
