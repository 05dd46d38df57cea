//! A model of one's own, larger than anything else that is uploaded, from the files of a folder to an answer.

use std::io::Write;
use std::process::Command;

use millrace_onnx::{Element, Graph, Side};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::client::expect;

/// More than `blobs.max_blob` and `api.max_body`.
const MUCH: usize = 70 << 20;

#[tokio::test]
async fn a_model_with_large_weights_is_registered_from_its_files_and_runs() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut graph = Graph::new("scale");
    graph.input("x", Element::F32, &[Side::Free("rows"), Side::Fixed(3)]);
    graph.external("factors", &[3], "model.onnx_data");
    graph.node("Mul", &["x", "factors"], "y", &[]);
    graph.output("y", Element::F32, &[Side::Free("rows"), Side::Fixed(3)]);
    std::fs::write(folder.path().join("model.onnx"), graph.encode())?;
    let mut weights = std::fs::File::create(folder.path().join("model.onnx_data"))?;
    weights.write_all(&[2.0_f32, 3.0, 4.0].map(f32::to_le_bytes).concat())?;
    weights.write_all(&vec![7; MUCH])?;
    // It says what it is, and nobody here knows that.
    std::fs::write(folder.path().join("config.json"), r#"{"model_type": "scaler"}"#)?;

    let stack = Stack::start().await?;
    let added = Command::new(env!("CARGO_BIN_EXE_millrace"))
        .args(["models", "add", "acme/scale", "--task", "tensor", "--checkpoint", "model.onnx", "--json"])
        .args(["--file", "model.onnx_data=model.onnx_data", "--file", "config.json=config.json"])
        .args(["--url", &stack.api])
        .current_dir(folder.path())
        .output()?;
    anyhow::ensure!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let page: Value = serde_json::from_slice(&added.stdout)?;
    assert_eq!((&page["model_id"], &page["task"]), (&json!("acme/scale"), &json!("tensor")));

    let body = json!({"model_id": "acme/scale", "model_source": "trained", "tensors": {"x": [[1, 2, 3]]}});
    let answer = stack.client().post("/inference/tensor?wait=60s", &body).await?;
    let ended = expect(answer, StatusCode::OK).await?;
    let outputs = json!({"y": {"shape": [1, 3], "dtype": "float32", "data": [2.0, 6.0, 12.0]}});
    assert_eq!(ended["result"]["outputs"], outputs, "{ended}");

    let gone = Command::new(env!("CARGO_BIN_EXE_millrace"))
        .args(["models", "add", "acme/other", "--task", "tensor", "--checkpoint", "nothing.onnx"])
        .args(["--url", &stack.api])
        .current_dir(folder.path())
        .output()?;
    let said = String::from_utf8_lossy(&gone.stderr);
    assert!(!gone.status.success() && said.contains("cannot read nothing.onnx"), "{said}");
    Ok(())
}
