//! The pictures among a run's outputs, as files.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context as _;
use millrace_contracts::values::ImageValue;
use serde_json::Value;

use crate::client::Client;
use crate::exit::Misuse;
use crate::progress::Bars;

/// Makes the folder for pictures where it is missing, and sees that files can be made in it.
pub(crate) fn make_room(dir: &Path) -> Result<(), Misuse> {
    let made = std::fs::create_dir_all(dir).and_then(|()| tempfile::tempfile_in(dir).map(drop));
    made.map_err(|fault| Misuse(format!("--out {}: pictures cannot be saved there: {fault}", dir.display())))
}

/// Saves every picture in `outputs` in `dir`, named after its place; gives the paths.
pub(super) async fn save(
    client: &Client,
    outputs: &Value,
    dir: &Path,
    bars: Bars,
) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    collect(outputs, String::new(), &mut found);
    let mut files = Vec::new();
    for (name, image) in names(found) {
        let path = dir.join(&name);
        let bar = bars.bytes(&name, 0);
        let bytes = client.blob(&image.blob.to_string(), &bar).await?;
        bar.finish_and_clear();
        tokio::fs::write(&path, bytes).await.with_context(|| format!("cannot write {}", path.display()))?;
        files.push(path.display().to_string());
    }
    Ok(files)
}

/// The files' names, each another one, also where letters of either case are the same.
fn names(found: Vec<(String, ImageValue)>) -> Vec<(String, ImageValue)> {
    let mut taken = HashSet::new();
    let mut name = |place: String, image: &ImageValue| {
        let extension = match image.format.as_str() {
            "jpeg" => "jpg".to_owned(),
            "" => "bin".to_owned(),
            format => plain(format, "_", '-'),
        };
        let place = if place.is_empty() { "image".to_owned() } else { plain(&place, "_.-", '_') };
        let numbered = (2..).map(|number| format!("{place}-{number}"));
        let mut names =
            std::iter::once(place.clone()).chain(numbered).map(|name| format!("{name}.{extension}"));
        names.find(|name| taken.insert(name.to_ascii_lowercase())).expect("numbers do not end")
    };
    found.into_iter().map(|(place, image)| (name(place, &image), image)).collect()
}

/// `text` with only what every file system takes: letters, digits and `kept`; `instead` stands for all in a row that is something
/// else. The text comes from a workflow, which may be a stranger's.
fn plain(text: &str, kept: &str, instead: char) -> String {
    let mut plain = String::new();
    let mut replaced = false;
    for letter in text.chars() {
        let keep = letter.is_ascii_alphanumeric() || kept.contains(letter);
        if keep || !replaced {
            plain.push(if keep { letter } else { instead });
        }
        replaced = !keep;
    }
    plain
}

/// Every picture in `value` with its place, `answer.crops.0`. The Python client names them alike.
fn collect(value: &Value, place: String, found: &mut Vec<(String, ImageValue)>) {
    if let Some(image) = ImageValue::from_value(value) {
        found.push((place, image));
        return;
    }
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
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
        let outputs =
            json!({"answer": {"../../etc/x": image, "crops": [image]}, "save": {"pictures": [image]}});
        collect(&outputs, String::new(), &mut found);
        let names: Vec<_> = names(found).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["answer..._.._etc_x.png", "answer.crops.0.png", "save.pictures.0.png"]);
    }

    #[test]
    fn no_picture_takes_the_file_of_another() {
        let image = |format: &str| ImageValue::root(BlobId::of(b"x"), 4, 3, format).to_value();
        let outputs =
            json!({"a b": image("png"), "a_b": image("png"), "A_B": image("jpeg"), "b": image("../x")});
        let mut found = Vec::new();
        collect(&outputs, String::new(), &mut found);
        let mut names: Vec<_> = names(found).into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, ["A_B.jpg", "a_b-2.png", "a_b.png", "b.-x"]);
    }
}
