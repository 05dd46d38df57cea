//! How one model is run, where it differs from the rest: by the `[serving]` table of the `millrace.toml` in its folder, and
//! by the operator's settings, which win.

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use millrace_contracts::ModelId;
use serde::{Deserialize, Deserializer};

use crate::{BySize, InferenceError, SessionSettings};

/// The file in a model's folder. Other tables of it are others' business.
const FILE: &str = "millrace.toml";
/// A larger one is no settings file.
const MOST_BYTES: u64 = 1 << 20;
/// What a folder may ask for.
const MOST_THREADS: usize = 1024;
const MOST_ROWS: usize = 1024;
const MOST_JOBS: usize = 4096;
const LONGEST: Duration = Duration::from_secs(60);

/// What differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serving {
    /// Its sessions.
    pub sessions: Option<usize>,
    /// Threads of one of them.
    pub intra_op_threads: Option<usize>,
    /// Most rows in one run.
    pub max_batch: Option<usize>,
    /// Most padded pixels or tokens in one run.
    pub max_batch_cells: Option<u64>,
    /// How long a batch may wait for more rows; `2ms` in the file.
    #[serde(deserialize_with = "span")]
    pub max_batch_delay: Option<Duration>,
    /// What one run should take at most.
    #[serde(deserialize_with = "span")]
    pub batch_latency_target: Option<Duration>,
    /// Jobs in hand of this model at once.
    pub concurrency: Option<usize>,
}

impl Serving {
    /// What the model in `folder` says; nothing when it has no such file or table.
    ///
    /// # Errors
    /// [`InferenceError::Load`] when the file or the table does not read.
    pub fn of_folder(id: &ModelId, folder: &Path) -> Result<Self, InferenceError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct File {
            serving: Serving,
        }
        let path = folder.join(FILE);
        let fault = |detail: String| InferenceError::Load {
            id: id.clone(),
            detail: format!("its {FILE} cannot be used: {detail}"),
        };
        let size = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(fault(error.to_string())),
        };
        if size > MOST_BYTES {
            return Err(fault(format!("it has {size} bytes, {MOST_BYTES} at most are read")));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|error| fault(error.message().to_owned()))?;
        file.serving.within_bounds().map_err(fault)
    }

    /// What a folder says, which may be a stranger's: no more sessions and threads than this machine has cores, and nothing
    /// that nobody can mean.
    fn within_bounds(self) -> Result<Self, String> {
        let counts = [
            ("sessions", self.sessions, MOST_THREADS),
            ("intra_op_threads", self.intra_op_threads, MOST_THREADS),
            ("max_batch", self.max_batch, MOST_ROWS),
            ("concurrency", self.concurrency, MOST_JOBS),
        ];
        for (key, count, most) in counts {
            if count.is_some_and(|count| !(1..=most).contains(&count)) {
                return Err(format!("serving.{key} is 1 to {most}"));
            }
        }
        for (key, span) in
            [("max_batch_delay", self.max_batch_delay), ("batch_latency_target", self.batch_latency_target)]
        {
            if span.is_some_and(|span| span > LONGEST) {
                return Err(format!("serving.{key} is at most {LONGEST:?}"));
            }
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let of_cores = |count: Option<usize>| count.map(|count| count.min(cores));
        Ok(Self {
            sessions: of_cores(self.sessions),
            intra_op_threads: of_cores(self.intra_op_threads),
            ..self
        })
    }

    /// This, and what `other` says where this says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            sessions: self.sessions.or(other.sessions),
            intra_op_threads: self.intra_op_threads.or(other.intra_op_threads),
            max_batch: self.max_batch.or(other.max_batch),
            max_batch_cells: self.max_batch_cells.or(other.max_batch_cells),
            max_batch_delay: self.max_batch_delay.or(other.max_batch_delay),
            batch_latency_target: self.batch_latency_target.or(other.batch_latency_target),
            concurrency: self.concurrency.or(other.concurrency),
        }
    }

    /// `settings` with what differs.
    #[must_use]
    pub fn on(&self, settings: SessionSettings) -> SessionSettings {
        let mut own = settings;
        if let Some(sessions) = self.sessions {
            // Who says how many has thought of the memory.
            (own.sessions, own.by_size) = (sessions, None);
        }
        if let Some(threads) = self.intra_op_threads {
            own.intra_op_threads = threads;
            own.by_size = own.by_size.map(|by_size| BySize { threads_if_large: threads, ..by_size });
        }
        own.max_batch = self.max_batch.unwrap_or(own.max_batch);
        own.max_cells = self.max_batch_cells.unwrap_or(own.max_cells);
        own.max_delay = self.max_batch_delay.unwrap_or(own.max_delay);
        own.target_latency = self.batch_latency_target.unwrap_or(own.target_latency);
        own
    }
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let read = |text: String| {
        humantime::parse_duration(&text).map_err(|fault| {
            serde::de::Error::custom(format!("{text:?} is not a duration ({fault}); write such as 2ms"))
        })
    };
    text.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LARGE_MODEL_BYTES;

    fn read(text: &str) -> Result<Serving, InferenceError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        Serving::of_folder(&"m".into(), folder.path())
    }

    #[test]
    fn a_models_own_file_is_read_and_the_operator_wins() {
        let own =
            read("family = \"x\"\n[other]\na = 1\n[serving]\nmax_batch = 4\nmax_batch_delay = \"2ms\"\n")
                .unwrap();
        assert_eq!((own.max_batch, own.max_batch_delay), (Some(4), Some(Duration::from_millis(2))));
        let operator = Serving { max_batch: Some(2), ..Serving::default() };
        let run = operator.or(own).on(SessionSettings::default());
        assert_eq!((run.max_batch, run.max_delay), (2, Duration::from_millis(2)));
        assert_eq!(read("").unwrap(), Serving::default());
        // Who asks for sessions gets them, whatever would be left out otherwise.
        let by_size = BySize { sessions_if_large: 2, threads_if_large: 7, most_read_bytes: 1 << 30 };
        let automatic = SessionSettings {
            sessions: 4,
            by_size: Some(by_size),
            intra_op_threads: 3,
            ..SessionSettings::default()
        };
        let of = |settings: SessionSettings, bytes| {
            let own = settings.for_files(bytes);
            (own.sessions, own.intra_op_threads)
        };
        let large = LARGE_MODEL_BYTES + 1;
        let given = [1, LARGE_MODEL_BYTES, large, 1 << 30, 1 << 40].map(|bytes| of(automatic, bytes));
        assert_eq!(given, [(4, 3), (4, 3), (2, 7), (1, 7), (1, 7)]);
        let two_threads = Serving { intra_op_threads: Some(2), ..Serving::default() }.on(automatic);
        assert_eq!([1, large].map(|bytes| of(two_threads, bytes)), [(4, 2), (2, 2)]);
        let by_size = Some(BySize { sessions_if_large: 4, most_read_bytes: 1, ..by_size });
        let scarce = SessionSettings { by_size, ..automatic };
        let asked = Serving { sessions: Some(3), ..Serving::default() }.on(scarce).for_files(100);
        assert_eq!((asked.sessions, scarce.for_files(100).sessions), (3, 1));
        let nowhere = Serving::of_folder(&"m".into(), Path::new("/nonexistent"));
        assert_eq!(nowhere.unwrap(), Serving::default());
    }

    #[test]
    fn a_folder_gets_no_more_sessions_than_there_are_cores() {
        let own = read("[serving]\nsessions = 1000\nintra_op_threads = 1000\n").unwrap();
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!((own.sessions, own.intra_op_threads), (Some(cores.min(1000)), Some(cores.min(1000))));
    }

    #[test]
    fn what_does_not_read_is_said() {
        for wrong in [
            "[serving]\nmax_bach = 4",
            "[serving]\nmax_batch_delay = \"soon\"",
            "= nonsense",
            "[serving]\nsessions = 9223372036854775807",
            "[serving]\nmax_batch = 0",
            "[serving]\nmax_batch_delay = \"300000000000years\"",
            "[serving]\nbatch_latency_target = \"2min\"",
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.to_string().contains("millrace.toml"), "{error}");
        }
    }
}
