//! What is run: a workflow's file, or a saved workflow by its id.

use std::io::ErrorKind;
use std::path::Path;

use millrace_contracts::WorkflowId;
use serde_json::Value;

use super::definition;
use crate::exit::Misuse;

/// What is run.
#[derive(Debug)]
pub(super) enum Source {
    /// A definition, from a file or standard input.
    Definition(Value),
    /// A saved workflow, at this version or at its newest.
    Saved(WorkflowId, Option<u32>),
}

impl Source {
    /// What `named` means: standard input, else a file that is there, else a saved workflow.
    pub(super) fn find(named: &Path, version: Option<u32>) -> anyhow::Result<Self> {
        if let Some(id) = saved(named)? {
            return Ok(Self::Saved(id, version));
        }
        if version.is_some() {
            let file = definition::shown(named);
            let text = format!("--version: {file} is a file; only saved workflows have versions");
            return Err(Misuse(text).into());
        }
        Ok(Self::Definition(definition::read(named)?))
    }

    /// Where a run of it is asked for, below `/api/v1`.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Definition(_) => "/executions".to_owned(),
            Self::Saved(id, None) => format!("/workflows/{id}/run"),
            Self::Saved(id, Some(version)) => format!("/workflows/{id}/run?version={version}"),
        }
    }
}

/// The id that `named` is; none where it is a file.
fn saved(named: &Path) -> Result<Option<WorkflowId>, Misuse> {
    if definition::is_standard_input(named) {
        return Ok(None);
    }
    let what = match named.metadata() {
        Ok(found) if found.is_dir() => "a folder",
        Err(fault) if fault.kind() == ErrorKind::NotFound => "no such file",
        // What keeps a file from being looked at keeps it from being read, and reading says what it is.
        Ok(_) | Err(_) => return Ok(None),
    };
    let id = named.to_str().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| {
        let place = named.display();
        Misuse(format!(
            "{place}: {what}, and not the id of a saved workflow either: that is a UUID, as `millrace workflows list` shows"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01990000-0000-7000-8000-000000000001";

    fn found(named: &Path, version: Option<u32>) -> Result<String, String> {
        Source::find(named, version).map(|source| source.path()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_file_that_is_there_wins_over_an_id() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(ID);
        assert_eq!(found(Path::new(ID), None).unwrap(), format!("/workflows/{ID}/run"));
        assert_eq!(found(Path::new(ID), Some(3)).unwrap(), format!("/workflows/{ID}/run?version=3"));
        std::fs::write(&file, "{}").unwrap();
        assert_eq!(found(&file, None).unwrap(), "/executions");
        assert!(found(&file, Some(3)).unwrap_err().contains("is a file"));
    }

    #[test]
    fn what_is_neither_is_told_with_both_that_it_could_be() {
        let dir = tempfile::tempdir().unwrap();
        let missing = found(&dir.path().join("flow.json"), None).unwrap_err();
        assert!(missing.contains("no such file") && missing.contains("workflows list"), "{missing}");
        let folder = found(dir.path(), None).unwrap_err();
        assert!(folder.contains("a folder"), "{folder}");
    }
}
