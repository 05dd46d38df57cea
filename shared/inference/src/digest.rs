//! Which copy of a model a folder holds. Rule: every file that has a say in what the model answers is in the digest: its
//! graphs, their weights, and what families read (labels, preprocessing, tokenizer, the owner's settings).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use millrace_contracts::ModelDigest;
use sha2::{Digest, Sha256};

use crate::ModelFiles;
use crate::folder::BESIDE;

const CHUNK_BYTES: usize = 1 << 20;

/// SHA-256 of the model's manifest: a line `<sha256>  <path>` for each of its files, paths relative to its folder and in
/// alphabetical order, as `sha256sum` writes it. A model that is one file has that file's own digest, as tools show it.
/// Reads every byte: not for the async runtime.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn digest_of(files: &ModelFiles) -> std::io::Result<ModelDigest> {
    let paths = files_of(files);
    let mut lines = Vec::with_capacity(paths.len());
    for path in &paths {
        let name = path.strip_prefix(&files.folder).unwrap_or(path);
        lines.push((sha256_of(path)?, name.display().to_string()));
    }
    if let [(only, _)] = lines.as_slice() {
        return Ok(only.as_str().into());
    }
    let manifest: String = lines.iter().map(|(sha256, name)| format!("{sha256}  {name}\n")).collect();
    Ok(hex::encode(Sha256::digest(manifest)).into())
}

/// The files that have a say.
pub(crate) fn files_of(files: &ModelFiles) -> Vec<PathBuf> {
    let graphs = std::iter::once(&files.graph).chain(files.companions.iter().map(|(_, graph)| graph));
    let mut paths: Vec<PathBuf> = graphs.chain(&files.weights).cloned().collect();
    let places = [files.folder.clone(), files.folder.join("onnx")];
    let beside = places.iter().flat_map(|place| BESIDE.map(|name| place.join(name)));
    paths.extend(beside.filter(|path| path.is_file()));
    paths.sort();
    // A graph may keep weights in a file that families read.
    paths.dedup();
    paths
}

fn sha256_of(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(&chunk[..read]);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Repository;

    #[test]
    fn whatever_has_a_say_makes_another_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (repository, model) = (Repository::new(folder.path()), folder.path().join("m"));
        std::fs::create_dir_all(model.join("onnx")).unwrap();
        let digest = |file: &str, bytes: &str| {
            std::fs::write(model.join(file), bytes).unwrap();
            digest_of(&repository.find(&"m".into()).unwrap()).unwrap()
        };
        let alone = digest("onnx/model.onnx", "graph");
        assert_eq!(alone.as_str(), hex::encode(Sha256::digest(b"graph")), "the file's own, as tools show it");
        assert_eq!(digest("README.md", "about it"), alone, "nothing reads it");
        let copies = [
            alone,
            digest("onnx/model.onnx_data", "weights"),
            digest("onnx/model.onnx_data", "others"),
            digest("config.json", "{}"),
            digest("preprocessor_config.json", "{}"),
            digest("processor_config.json", "{}"),
            digest("tokenizer.json", "{}"),
            digest("tokenizer_config.json", "{}"),
            digest("millrace.toml", "labels = [\"a\"]"),
            digest("millrace.toml", "labels = [\"b\"]"),
        ];
        assert_eq!(copies.iter().collect::<BTreeSet<_>>().len(), copies.len());
    }

    #[test]
    fn the_digest_is_that_of_a_sha256sum_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("m");
        std::fs::create_dir(&model).unwrap();
        std::fs::write(model.join("model.onnx"), "graph").unwrap();
        std::fs::write(model.join("config.json"), "{}").unwrap();
        let sum = |text: &str| hex::encode(Sha256::digest(text));
        let manifest = format!("{}  config.json\n{}  model.onnx\n", sum("{}"), sum("graph"));
        let found = digest_of(&Repository::new(folder.path()).find(&"m".into()).unwrap()).unwrap();
        assert_eq!(found.as_str(), sum(&manifest));
    }
}
