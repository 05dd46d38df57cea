//! What the scenario works with, in a folder of its own: the models, the pictures, the blob store, the settings.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_config::{Loaded, Settings};
use millrace_contracts::values::ImageValue;
use millrace_onnx::{Convnet, Head, convnet};
use millrace_vision::{Encoding, Filter, Frame, Limits, decode, encode, resize};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bench::{Bounds, definitions};
use crate::roles;

/// The model of all phases.
pub(crate) const CONVNET: &str = "bench-convnet";
/// The block that runs it.
pub(crate) const BLOCK: &str = "classification@1";
/// Two models of which a small budget holds one.
pub(crate) const RIVALS: [&str; 2] = ["bench-rival-a", "bench-rival-b"];
/// The heavy model, by so many names: each is cold once.
pub(crate) const HEAVY: [&str; 4] = ["bench-heavy-0", "bench-heavy-1", "bench-heavy-2", "bench-heavy-3"];

/// 200 MB in all.
const HEAVY_LAYERS: usize = 3;

/// What the nets call themselves.
const ARCHITECTURE: &str = "ResNetForImageClassification";
/// Sides of their pictures, pixels.
const SIDE: usize = 224;
const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
/// More pictures than a worker remembers the pixels of: every job decodes.
const MOST_PICTURES: u64 = 4096;
const FEWEST_PICTURES: u64 = 64;
/// About as many as a small machine gets through.
const PICTURES_PER_SECOND: u64 = 400;
const PUTS_AT_ONCE: usize = 16;

/// The scenario's own folder, and the settings of its processes.
pub(crate) struct Kit {
    folder: TempDir,
    pub(crate) settings: Settings,
    pub(crate) library: PathBuf,
}

impl Kit {
    /// Makes the folder and writes the models. The user's own models stay visible beside them.
    pub(crate) fn new(loaded: &Loaded, models: &Path) -> anyhow::Result<Self> {
        // A Postgres that root starts runs as another user, who must get in.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        let folder = tempfile::Builder::new().prefix("millrace-bench-").permissions(open).tempdir()?;
        let library = roles::library(&loaded.settings, &loaded.places)?;
        let mut settings = loaded.settings.clone();
        settings.models.downloads = folder.path().join("downloads");
        let kit = Self { folder, settings, library };
        std::fs::create_dir(kit.models())?;
        for entry in std::fs::read_dir(models).into_iter().flatten().flatten() {
            let target = std::path::absolute(entry.path())?;
            std::os::unix::fs::symlink(target, kit.models().join(entry.file_name()))?;
        }
        kit.write_model(CONVNET, &convnet(&net(1)))?;
        for (seed, rival) in (2..).zip(RIVALS) {
            kit.write_model(rival, &convnet(&net(seed)))?;
        }
        Ok(kit)
    }

    /// Folder of the models.
    pub(crate) fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    /// The blob store that all processes of the scenario share.
    pub(crate) fn blobs_url(&self) -> String {
        self.folder.path().join("blobs").display().to_string()
    }

    /// Size of the model's file, bytes.
    pub(crate) fn model_bytes(&self, id: &str) -> anyhow::Result<u64> {
        Ok(std::fs::metadata(self.models().join(id).join("model.onnx"))?.len())
    }

    /// Writes the 200 MB model once, under all its names.
    pub(crate) fn write_heavy_model(&self) -> anyhow::Result<()> {
        self.write_model(HEAVY[0], &convnet(&Convnet { ballast: HEAVY_LAYERS, ..net(4) }))?;
        let first = self.models().join(HEAVY[0]);
        for name in &HEAVY[1..] {
            let folder = self.models().join(name);
            std::fs::create_dir(&folder)?;
            for entry in std::fs::read_dir(&first)? {
                let entry = entry?;
                std::fs::hard_link(entry.path(), folder.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    fn write_model(&self, id: &str, file: &[u8]) -> anyhow::Result<()> {
        let folder = self.models().join(id);
        std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        std::fs::write(folder.join("config.json"), json!({"architectures": [ARCHITECTURE]}).to_string())?;
        std::fs::write(folder.join("preprocessor_config.json"), preprocessor().to_string())?;
        Ok(std::fs::write(folder.join("model.onnx"), file)?)
    }

    /// Stores enough pictures for `bounds`: one scene, in files that differ by a comment only.
    pub(crate) async fn pictures(&self, bounds: Bounds) -> anyhow::Result<Vec<ImageValue>> {
        let picture = tokio::task::spawn_blocking(picture).await??;
        let blobs = Blobs::open(&BlobsSettings {
            sync: false,
            cache_bytes: 0,
            ..BlobsSettings::new(self.blobs_url())
        })?;
        let wanted = (bounds.time.as_secs() * PICTURES_PER_SECOND).min(bounds.count);
        let numbers = 0..wanted.clamp(FEWEST_PICTURES, MOST_PICTURES);
        let put = |number: u64| {
            let bytes = with_comment(&picture, &number.to_string());
            let blobs = blobs.clone();
            async move {
                let blob = blobs.put(bytes).await?;
                anyhow::Ok(ImageValue::root(blob, WIDTH, HEIGHT, "jpeg"))
            }
        };
        futures::stream::iter(numbers.map(put)).buffer_unordered(PUTS_AT_ONCE).try_collect().await
    }
}

/// A ResNet-18 of width 16: 3.3 MB.
fn net(seed: u64) -> Convnet {
    Convnet { width: 16, size: SIDE, head: Head::Classes { count: 1_000 }, ballast: 0, seed }
}

/// Scaled to the net's square, and normalised.
fn preprocessor() -> Value {
    json!({"image_processor_type": "ViTImageProcessor", "size": {"height": SIDE, "width": SIDE}})
}

/// Configuration of the block.
pub(crate) fn config(model: &str) -> Value {
    json!({"model_id": model})
}

/// A scene of 640 × 480 with grain, so that it is as hard to decode as a photograph.
fn picture() -> anyhow::Result<Vec<u8>> {
    let scene = decode(definitions::SCENE, &Limits::default())?;
    let large = resize(&scene, WIDTH, HEIGHT, Filter::Bicubic)?;
    let grain = millrace_onnx::Weights::seeded(5).within(6.0, large.pixels().len());
    let pixels = large.pixels().iter().zip(grain);
    let pixels = pixels.map(|(pixel, grain)| (f32::from(*pixel) + grain).clamp(0.0, 255.0) as u8).collect();
    Ok(encode(&Frame::new(WIDTH, HEIGHT, pixels)?, Encoding::Jpeg(85))?)
}

/// The same JPEG with a comment behind its first marker (ITU-T T.81, B.2.4.5): other bytes, the same picture.
fn with_comment(jpeg: &[u8], comment: &str) -> Bytes {
    let (start, rest) = jpeg.split_at(2);
    let length = u16::try_from(comment.len() + 2).unwrap_or(u16::MAX).to_be_bytes();
    [start, &[0xff, 0xfe], &length, comment.as_bytes(), rest].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_changes_the_bytes_and_not_the_picture() {
        let jpeg = picture().unwrap();
        let (one, two) = (with_comment(&jpeg, "1"), with_comment(&jpeg, "2"));
        assert_ne!(one, two);
        let frame = decode(&one, &Limits::default()).unwrap();
        assert_eq!((frame.width(), frame.height()), (WIDTH, HEIGHT));
        assert!(frame == decode(&two, &Limits::default()).unwrap());
        assert!((50_000..150_000).contains(&jpeg.len()), "{} bytes", jpeg.len());
    }
}
