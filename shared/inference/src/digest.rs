//! Which copy of a model a file is: the digest of its graph, and of the weights that lie beside it, since a graph whose
//! weights were exchanged answers differently.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use millrace_contracts::ModelDigest;
use sha2::{Digest, Sha256};

const CHUNK_BYTES: usize = 1 << 20;

/// SHA-256 of the ONNX file; with weights beside it (`*.onnx_data`, `*.data`), SHA-256 of all their digests in the order
/// of their names, the graph's first. Reads every byte: not for the async runtime.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn digest_of(graph: &Path) -> std::io::Result<ModelDigest> {
    let own = sha256_of(graph)?;
    let mut weights = weights_beside(graph);
    if weights.is_empty() {
        return Ok(hex::encode(own).into());
    }
    weights.sort();
    let mut hasher = Sha256::new_with_prefix(own);
    for file in weights {
        hasher.update(sha256_of(&file)?);
    }
    Ok(hex::encode(hasher.finalize()).into())
}

/// The digest of a model of several graphs, the main one first; of one graph, its own.
pub(crate) fn digest_of_all(mut graphs: Vec<ModelDigest>) -> ModelDigest {
    if graphs.len() == 1 {
        return graphs.remove(0);
    }
    let hasher = graphs.iter().fold(Sha256::new(), |hasher, graph| hasher.chain_update(graph.as_str()));
    hex::encode(hasher.finalize()).into()
}

/// Files of weights in the graph's folder.
pub(crate) fn weights_beside(graph: &Path) -> Vec<PathBuf> {
    let is_weights = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| matches!(extension, "onnx_data" | "data"))
    };
    let beside = graph.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    beside.into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_weights).collect()
}

fn sha256_of(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(&chunk[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanged_weights_are_another_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (graph, weights) = (folder.path().join("model.onnx"), folder.path().join("model.onnx_data"));
        std::fs::write(&graph, b"graph").unwrap();
        let alone = digest_of(&graph).unwrap();
        assert_eq!(alone.as_str(), hex::encode(Sha256::digest(b"graph")), "the file's own, as tools show it");
        std::fs::write(&weights, b"one").unwrap();
        let with_one = digest_of(&graph).unwrap();
        std::fs::write(&weights, b"two").unwrap();
        let with_two = digest_of(&graph).unwrap();
        assert!(alone != with_one && with_one != with_two && with_two != alone);
    }
}
