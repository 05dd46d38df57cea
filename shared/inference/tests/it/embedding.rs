//! Embedding models against what `transformers` gives, picture by picture and text by text.

use millrace_inference::{
    InferenceError, Modality, Model, ModelLoader, Pooling, SessionSettings, normalised,
};
use millrace_vision::{Limits, decode};
use serde_json::Value;

use crate::{goldens_folder, loader_of, root};

/// Components of vectors of length one. JPEG decoders and resizing differ by a grey level at single pixels, 0.02 after
/// normalisation; these networks pass that on weakly. Texts are exact but for the order of sums.
const IMAGE_TOLERANCE: f64 = 5e-3;
const TEXT_TOLERANCE: f64 = 1e-5;

fn zoo() -> ModelLoader {
    loader_of(goldens_folder(), SessionSettings::default())
}

fn golden(model: &str) -> Value {
    let path = goldens_folder().join(model).join("golden.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn embed_image(model: &Model, image: &str, pooling: Option<Pooling>) -> Vec<f32> {
    let bytes = std::fs::read(goldens_folder().join(image)).unwrap();
    let frame = decode(&bytes, &Limits::default()).unwrap();
    let embedder = model.embedder().unwrap();
    let inputs = embedder.prepare_image(&frame).unwrap();
    let part = embedder.part(Modality::Image).unwrap();
    let inferred = model.infer_part(part, inputs).await.unwrap();
    embedder.read(Modality::Image, &inferred.outputs, pooling).unwrap()
}

async fn embed_text(model: &Model, text: &str) -> Vec<f32> {
    let embedder = model.embedder().unwrap();
    let inputs = embedder.prepare_text(text).unwrap();
    let part = embedder.part(Modality::Text).unwrap();
    let inferred = model.infer_part(part, inputs).await.unwrap();
    embedder.read(Modality::Text, &inferred.outputs, None).unwrap()
}

fn distance(have: &[f32], want: &Value) -> f64 {
    let want = want.as_array().unwrap();
    assert_eq!(have.len(), want.len());
    have.iter()
        .zip(want)
        .map(|(have, want)| (f64::from(*have) - want.as_f64().unwrap()).abs())
        .fold(0.0, f64::max)
}

fn dimension_of(model: &Model) -> Option<usize> {
    model.info().embedding_dimension.map(|dimension| dimension as usize)
}

fn unit(vector: &[f32]) -> Vec<f32> {
    normalised(vector).unwrap()
}

/// A folder with these files of a golden model only.
fn folder_with(model: &str, files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let to = folder.path().join(model).join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(goldens_folder().join(model).join(file), to).unwrap();
    }
    folder
}

const SETTINGS: [&str; 4] =
    ["config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"];

/// What an owner of a collection is told before there is any vector.
#[tokio::test]
async fn the_dimension_is_known_before_there_is_a_vector() {
    for id in ["dinov2-tiny", "clip-tiny", "siglip-tiny"] {
        let model = zoo().load(&id.into()).await.unwrap();
        let vector = embed_image(&model, golden(id)["cases"][0]["image"].as_str().unwrap(), None).await;
        assert_eq!(dimension_of(&model), Some(vector.len()), "{id}");
    }
}

#[tokio::test]
async fn dinov2_gives_class_token_and_mean_of_the_patches() {
    let model = zoo().load(&"dinov2-tiny".into()).await.unwrap();
    assert_eq!((model.info().family, model.info().task), ("vision-encoder", "embedding"));
    for case in golden("dinov2-tiny")["cases"].as_array().unwrap() {
        let image = case["image"].as_str().unwrap();
        let expected = &case["expected"];
        let cls = embed_image(&model, image, None).await;
        assert!(distance(&unit(&cls), &expected["cls_normalised"]) < IMAGE_TOLERANCE, "{image}");
        let mean = embed_image(&model, image, Some(Pooling::Mean)).await;
        assert!(distance(&unit(&mean), &expected["mean_patch_normalised"]) < IMAGE_TOLERANCE, "{image}");
        assert_eq!(cls, embed_image(&model, image, Some(Pooling::Cls)).await);
    }
}

/// Pictures, texts, and how alike the model finds them, through the towers' own graphs.
async fn towers_are_like_the_reference(id: &str, family: &str) {
    let model = zoo().load(&id.into()).await.unwrap();
    assert_eq!((model.info().family, model.info().task), (family, "embedding"));
    let golden = golden(id);
    let mut texts = Vec::new();
    for text in golden["texts"].as_array().unwrap() {
        let vector = embed_text(&model, text["text"].as_str().unwrap()).await;
        // The reference pads to the longest of its texts, we to the next multiple of a few: what is padded must not matter.
        assert!(distance(&unit(&vector), &text["text_embedding_normalised"]) < TEXT_TOLERANCE, "{text}");
        texts.push(unit(&vector));
    }
    let number = |name: &str| golden[name].as_f64().unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let image = case["image"].as_str().unwrap();
        let vector = unit(&embed_image(&model, image, None).await);
        let off = distance(&vector, &case["expected"]["image_embedding_normalised"]);
        assert!(off < IMAGE_TOLERANCE, "{image}: {off}");
        for (text, expected) in texts.iter().zip(case["expected"]["logits_per_image"].as_array().unwrap()) {
            let alike: f64 = vector.iter().zip(text).map(|(a, b)| f64::from(a * b)).sum();
            let logit = alike * number("logit_scale_exp") + number("logit_bias");
            assert!((logit - expected.as_f64().unwrap()).abs() < 0.1, "{image}: {logit} ~ {expected}");
        }
    }
}

#[tokio::test]
async fn clip_is_like_the_reference() {
    towers_are_like_the_reference("clip-tiny", "clip").await;
}

/// What `transformers` 5 leaves of a folder: one file for the whole processor, whatever lies there from before.
#[tokio::test]
async fn the_processors_own_file_is_believed_first() {
    let vision = [&SETTINGS[..], &["onnx/vision_model.onnx"]].concat();
    let folder = folder_with("clip-tiny", &vision);
    let model = folder.path().join("clip-tiny");
    let load = async || {
        let loader = loader_of(folder.path().to_owned(), SessionSettings::default());
        let model = loader.load(&"clip-tiny".into()).await.unwrap();
        (embed_image(&model, "images/astronaut.jpg", None).await, model.info().digest.clone())
    };
    let (before, one_digest) = load().await;
    let old = model.join("preprocessor_config.json");
    let mut fields: Value = serde_json::from_str(&std::fs::read_to_string(&old).unwrap()).unwrap();
    let processor =
        serde_json::json!({"processor_class": "CLIPProcessor", "image_processor": fields.clone()});
    std::fs::write(model.join("processor_config.json"), processor.to_string()).unwrap();
    fields["do_normalize"] = false.into();
    std::fs::write(&old, fields.to_string()).unwrap();
    let (both, other_digest) = load().await;
    std::fs::remove_file(&old).unwrap();
    assert_eq!((&both, load().await.0), (&before, before.clone()));
    assert_ne!(one_digest, other_digest);
    // One that says nothing of pictures leaves it to the other.
    std::fs::write(&old, fields.to_string()).unwrap();
    std::fs::write(model.join("processor_config.json"), "{\"processor_class\": \"CLIPProcessor\"}").unwrap();
    assert_ne!(load().await.0, before);
}

#[tokio::test]
async fn siglip_is_like_the_reference() {
    towers_are_like_the_reference("siglip-tiny", "siglip").await;
}

#[tokio::test]
async fn the_graph_that_does_both_gives_the_same_directions() {
    for id in ["clip-tiny", "siglip-tiny"] {
        let mut files = SETTINGS.to_vec();
        files.push("onnx/model.onnx");
        let folder = folder_with(id, &files);
        let both =
            loader_of(folder.path().to_owned(), SessionSettings::default()).load(&id.into()).await.unwrap();
        let golden = golden(id);
        for case in &golden["cases"].as_array().unwrap()[..2] {
            let vector = embed_image(&both, case["image"].as_str().unwrap(), None).await;
            // Already of length one.
            assert!(
                distance(&vector, &case["expected"]["image_embedding_normalised"]) < IMAGE_TOLERANCE,
                "{id}"
            );
        }
        for text in golden["texts"].as_array().unwrap() {
            let vector = embed_text(&both, text["text"].as_str().unwrap()).await;
            assert!(distance(&vector, &text["text_embedding_normalised"]) < TEXT_TOLERANCE, "{id}");
        }
    }
}

#[tokio::test]
async fn odd_texts_have_vectors_too() {
    for id in ["clip-tiny", "siglip-tiny"] {
        let model = zoo().load(&id.into()).await.unwrap();
        for text in ["", "東京タワー 🚀", "\u{0}\t", &"a very long text ".repeat(1000)] {
            let vector = embed_text(&model, text).await;
            assert!(normalised(&vector).is_some(), "{id}: {text:.20}");
        }
    }
}

#[tokio::test]
async fn texts_batch_with_texts_and_give_what_they_give_alone() {
    let model = zoo().load(&"clip-tiny".into()).await.unwrap();
    let words = ["a cat", "a photo of a cup of coffee", "an astronaut in an orange suit", "a dog"];
    let mut alone = Vec::new();
    for text in words {
        alone.push(embed_text(&model, text).await);
    }
    let image = embed_image(&model, "images/coffee.jpg", None);
    let (together, _) =
        tokio::join!(futures::future::join_all(words.iter().map(|text| embed_text(&model, text))), image);
    for (one, other) in alone.iter().zip(&together) {
        assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

#[tokio::test]
async fn a_tower_that_is_missing_is_said_to_be() {
    let id = "clip-tiny";
    let load = async |files: &[&str]| {
        let folder = folder_with(id, files);
        loader_of(folder.path().to_owned(), SessionSettings::default()).load(&id.into()).await
    };
    let [config, pixels, tokens, settings] = SETTINGS;
    let seeing = load(&[config, pixels, "onnx/vision_model.onnx"]).await.unwrap();
    let refused = seeing.embedder().unwrap().prepare_text("a cat").unwrap_err();
    assert!(matches!(&refused, InferenceError::MissingTower { wanted: "texts", .. }), "{refused}");
    let reading = load(&[config, tokens, settings, "onnx/text_model.onnx"]).await.unwrap();
    let frame = millrace_vision::Frame::filled(8, 8, [0; 3]);
    let refused = reading.embedder().unwrap().prepare_image(&frame).unwrap_err();
    assert!(matches!(&refused, InferenceError::MissingTower { wanted: "pictures", .. }), "{refused}");
    let vector = embed_text(&reading, "a cat").await;
    assert!(normalised(&vector).is_some());
    assert_eq!(dimension_of(&reading), Some(vector.len()));
    // A text tower cannot do without its tokenizer.
    let refused = load(&[config, pixels, "onnx/model.onnx"]).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(&refused, InferenceError::Load { .. }) && refused.to_string().contains("tokenizer.json"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_detector_gives_no_vectors() {
    let model = loader_of(root().join("models"), SessionSettings::default())
        .load(&"shapes-detector".into())
        .await
        .unwrap();
    assert!(matches!(
        model.embedder().map(|_| ()),
        Err(InferenceError::WrongTask { wanted: "embedding", .. })
    ));
    assert_eq!(dimension_of(&model), None);
    assert!(matches!(
        model.segmenter().map(|_| ()),
        Err(InferenceError::WrongTask { wanted: "segmentation", .. })
    ));
}
