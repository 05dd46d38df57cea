//! What every command is given: the way to the configuration, and standard output.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use millrace_config::{LoadArgs, Loaded, Places, Settings};
use serde_json::Value;

/// What every command is given.
pub(crate) struct Context {
    config: Option<PathBuf>,
    pub(crate) out: Out,
}

impl Context {
    pub(crate) fn new(config: Option<PathBuf>) -> Self {
        let places = Places::from_process();
        let color = std::io::stdout().is_terminal() && !places.no_color;
        Self { config, out: Out { color } }
    }

    /// The configuration with these flags on top.
    pub(crate) fn load(&self, flags: Vec<(String, String)>) -> anyhow::Result<Loaded> {
        Ok(Settings::load(&LoadArgs::from_process(self.config.clone(), flags))?)
    }

    /// The file that was named with `--config`.
    pub(crate) fn config_file(&self) -> Option<&PathBuf> {
        self.config.as_ref()
    }
}

/// Standard output. Colours only on a terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    color: bool,
}

/// What a piece of text means; a terminal shows it as a colour.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tone {
    Good,
    Bad,
    Odd,
    Faint,
    Strong,
}

impl Out {
    /// Writes a line.
    pub(crate) fn line(self, text: impl Display) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// Writes JSON for programs.
    pub(crate) fn json(self, value: &Value) -> anyhow::Result<()> {
        self.line(format_args!("{value:#}"))
    }

    /// Writes JSON on one line, for streams.
    pub(crate) fn json_line(self, value: &Value) -> anyhow::Result<()> {
        self.line(value)
    }

    /// `text` in its tone's colour, on a terminal.
    pub(crate) fn paint(self, tone: Tone, text: impl Display) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Odd => "33",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
