//! The pictures among a run's outputs, as files.

use std::path::Path;

use anyhow::Context as _;
use millrace_contracts::values::ImageValue;
use serde_json::Value;

use crate::client::Client;
use crate::progress::Bars;

/// Saves every picture in `outputs` in `dir`, named after its place; gives the paths.
pub(super) async fn save(
    client: &Client,
    outputs: &Value,
    dir: &Path,
    bars: Bars,
) -> anyhow::Result<Vec<String>> {
    tokio::fs::create_dir_all(dir).await.with_context(|| format!("cannot create {}", dir.display()))?;
    let mut found = Vec::new();
    collect(outputs, String::new(), &mut found);
    let mut files = Vec::new();
    for (place, image) in found {
        let extension = if image.format == "jpeg" { "jpg" } else { &image.format };
        let path = dir.join(format!("{place}.{extension}"));
        let bar = bars.bytes(&format!("{place}.{extension}"), 0);
        let bytes = client.blob(&image.blob.to_string(), &bar).await?;
        bar.finish_and_clear();
        tokio::fs::write(&path, bytes).await.with_context(|| format!("cannot write {}", path.display()))?;
        files.push(path.display().to_string());
    }
    Ok(files)
}

/// Names hold only what every file system takes; the names come from a workflow, which may be a stranger's.
fn collect(value: &Value, place: String, found: &mut Vec<(String, ImageValue)>) {
    if let Some(image) = ImageValue::from_value(value) {
        found.push((place, image));
        return;
    }
    let below = |name: &str| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        let name: String = name.chars().map(plain).collect();
        if place.is_empty() { name } else { format!("{place}-{name}") }
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(value, below(name), found)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| collect(value, below(&index.to_string()), found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contracts::BlobId;
    use serde_json::json;

    #[test]
    fn pictures_are_named_after_their_place_and_never_leave_the_folder() {
        let image = ImageValue::root(BlobId::of(b"x"), 4, 3, "png").to_value();
        let mut found = Vec::new();
        collect(&json!({"answer": {"../../etc/x": image, "crops": [image]}}), String::new(), &mut found);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["answer-------etc-x", "answer-crops-0"]);
    }
}
