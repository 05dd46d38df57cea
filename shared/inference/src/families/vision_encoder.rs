//! Encoders of pictures: ViT and its kin (DINOv2, BEiT, Swin, ConvNeXt …) exported without a head. They give a vector per
//! patch, and some a pooled one; how the patches become one vector is the caller's choice, or what the model is used with.

use millrace_contracts::ModelId;
use millrace_vision::Frame;
use serde_json::{Map, Value};

use super::transformers::Intake;
use super::{Embedder, Entry, Family, Modality, Pooling};
use crate::{Facts, InferenceError, Part, Tensor};

/// Outputs that are one vector per picture, the best known first.
const POOLED: [&str; 3] = ["image_embeds", "pooler_output", "sentence_embedding"];
const PATCHES: &str = "last_hidden_state";

pub(super) const ENTRY: Entry = Entry {
    name: "vision-encoder",
    recognises: |facts| {
        let takes_pictures = facts.inputs.first().is_some_and(|port| port.name == "pixel_values");
        let gives = |name: &str| facts.outputs.iter().any(|port| port.name == name);
        takes_pictures && facts.inputs.len() == 1 && (gives(PATCHES) || POOLED.into_iter().any(gives))
    },
    make: |facts| VisionEncoder::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

struct VisionEncoder {
    intake: Intake,
    tokens: Tokens,
}

/// Where a graph's vectors are, and which of its tokens are patches.
pub(super) struct Tokens {
    id: ModelId,
    pooled: Option<usize>,
    patches: Option<usize>,
    /// Tokens before the patches; none where there is no class token among them.
    special: Option<usize>,
    /// What the model is used with.
    usual: Pooling,
}

impl VisionEncoder {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        let names: Vec<&str> = facts.outputs.iter().map(|port| port.name.as_str()).collect();
        Ok(Self { intake: Intake::new(facts)?, tokens: Tokens::new(&facts.id, &names, &facts.config) })
    }
}

impl Tokens {
    /// Of a graph with these outputs, by the configuration of the vision model.
    pub(super) fn new(id: &ModelId, outputs: &[&str], config: &Map<String, Value>) -> Self {
        let place = |name: &str| outputs.iter().position(|own| *own == name);
        let pooled = POOLED.into_iter().find_map(place);
        let special = special_tokens(config);
        let usual = match (config.get("model_type").and_then(Value::as_str), pooled, special) {
            // Their pooled output, where it is exported, is the class token again.
            (Some("dinov2" | "dinov2_with_registers" | "dinov3_vit"), None, _) => Pooling::Cls,
            (_, Some(_), _) => Pooling::Pooler,
            (_, None, Some(_)) => Pooling::Cls,
            (_, None, None) => Pooling::Mean,
        };
        Self { id: id.clone(), pooled, patches: place(PATCHES), special, usual }
    }

    /// The vector of one row.
    pub(super) fn read(
        &self,
        outputs: &[Tensor],
        pooling: Option<Pooling>,
    ) -> Result<Vec<f32>, InferenceError> {
        let pooling = pooling.unwrap_or(self.usual);
        let without = |what: &str| InferenceError::WrongPooling {
            id: self.id.clone(),
            wanted: pooling.as_str(),
            detail: format!("its graph gives no {what}"),
        };
        let output = |place: Option<usize>| place.and_then(|place| outputs.get(place));
        match pooling {
            Pooling::Pooler => output(self.pooled).map(whole).ok_or_else(|| without("pooled vector")),
            Pooling::Cls => {
                self.special.ok_or_else(|| without("class token"))?;
                let patches = output(self.patches).ok_or_else(|| without("tokens"))?;
                first(patches).ok_or_else(|| self.odd(patches))
            }
            Pooling::Mean => {
                let patches = output(self.patches).ok_or_else(|| without("tokens"))?;
                mean(patches, self.special.unwrap_or(0)).ok_or_else(|| self.odd(patches))
            }
        }
    }

    fn odd(&self, tensor: &Tensor) -> InferenceError {
        let detail =
            format!("{:?} instead of [1, tokens, width] or [1, width, rows, columns]", tensor.shape());
        InferenceError::Output { id: self.id.clone(), detail }
    }
}

/// How many tokens come before the patches; none where no class token is among them.
fn special_tokens(config: &Map<String, Value>) -> Option<usize> {
    let registers = config.get("num_register_tokens").and_then(Value::as_u64);
    let registers = registers.and_then(|count| usize::try_from(count).ok());
    match config.get("model_type").and_then(Value::as_str)? {
        "vit"
        | "vit_mae"
        | "vit_msn"
        | "beit"
        | "data2vec-vision"
        | "dinov2"
        | "clip_vision_model"
        | "clip"
        | "chinese_clip_vision_model" => Some(1),
        // A class token and one that was taught by another model.
        "deit" => Some(2),
        "dinov2_with_registers" | "dinov3_vit" => Some(1 + registers.unwrap_or(4)),
        _ => None,
    }
}

/// Everything in it: `[1, width]`, or `[1, width, 1, 1]` of convolutional networks.
fn whole(tensor: &Tensor) -> Vec<f32> {
    tensor.data().to_vec()
}

fn first(tensor: &Tensor) -> Option<Vec<f32>> {
    let &[1, tokens, width] = tensor.shape() else { return None };
    (tokens > 0).then(|| tensor.data()[..width].to_vec())
}

/// The mean of the tokens from `skipped` on, or of a map's pixels.
fn mean(tensor: &Tensor, skipped: usize) -> Option<Vec<f32>> {
    match *tensor.shape() {
        [1, tokens, width] if tokens > skipped && width > 0 => {
            let mut sums = vec![0.0f64; width];
            for token in tensor.data()[skipped * width..].chunks_exact(width) {
                sums.iter_mut().zip(token).for_each(|(sum, number)| *sum += f64::from(*number));
            }
            Some(sums.into_iter().map(|sum| (sum / (tokens - skipped) as f64) as f32).collect())
        }
        [1, width, rows, columns] if width > 0 && rows * columns > 0 => {
            let planes = tensor.data().chunks_exact(rows * columns);
            let average = |plane: &[f32]| {
                plane.iter().map(|&number| f64::from(number)).sum::<f64>() / plane.len() as f64
            };
            Some(planes.map(|plane| average(plane) as f32).collect())
        }
        _ => None,
    }
}

impl Family for VisionEncoder {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn task(&self) -> &'static str {
        "embedding"
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn embedder(&self) -> Option<&dyn Embedder> {
        Some(self)
    }
}

impl Embedder for VisionEncoder {
    fn part(&self, of: Modality) -> Result<Part, InferenceError> {
        match of {
            Modality::Image => Ok(Part::Main),
            Modality::Text => {
                Err(InferenceError::MissingTower { id: self.tokens.id.clone(), wanted: of.as_str() })
            }
        }
    }

    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32) {
        self.intake.scaled_size(source)
    }

    fn prepare_image(&self, frame: &Frame) -> Result<Vec<Tensor>, InferenceError> {
        self.intake.prepare(frame).map(|prepared| prepared.inputs)
    }

    fn prepare_text(&self, _: &str) -> Result<Vec<Tensor>, InferenceError> {
        self.part(Modality::Text).map(|_| Vec::new())
    }

    fn read(
        &self,
        of: Modality,
        outputs: &[Tensor],
        pooling: Option<Pooling>,
    ) -> Result<Vec<f32>, InferenceError> {
        self.part(of)?;
        self.tokens.read(outputs, pooling)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tokens(kind: &str, outputs: &[&str]) -> Tokens {
        Tokens::new(
            &"m".into(),
            outputs,
            json!({"model_type": kind, "num_register_tokens": 2}).as_object().unwrap(),
        )
    }

    fn four() -> Vec<Tensor> {
        let data = vec![1.0, 2.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0];
        vec![Tensor::new(vec![1, 4, 2], data).unwrap()]
    }

    #[test]
    fn each_model_has_its_usual_pooling() {
        let read = |kind: &str, pooling| tokens(kind, &[PATCHES]).read(&four(), pooling).unwrap();
        assert_eq!(read("dinov2", None), [1.0, 2.0]);
        assert_eq!(read("vit", Some(Pooling::Mean)), [30.0, 40.0]);
        assert_eq!(read("deit", Some(Pooling::Mean)), [40.0, 50.0]);
        assert_eq!(read("dinov2_with_registers", Some(Pooling::Mean)), [50.0, 60.0]);
        assert_eq!(read("swin", None), [22.75, 30.5]);
        let both = tokens("vit", &[PATCHES, "pooler_output"]);
        let mut outputs = four();
        outputs.push(Tensor::new(vec![1, 2], vec![7.0, 8.0]).unwrap());
        assert_eq!(both.read(&outputs, None).unwrap(), [7.0, 8.0]);
        assert_eq!(both.read(&outputs, Some(Pooling::Cls)).unwrap(), [1.0, 2.0]);
    }

    #[test]
    fn a_map_is_averaged_over_its_pixels() {
        let map = vec![Tensor::new(vec![1, 2, 1, 2], vec![1.0, 3.0, 5.0, 9.0]).unwrap()];
        assert_eq!(tokens("convnext", &[PATCHES]).read(&map, None).unwrap(), [2.0, 7.0]);
    }

    #[test]
    fn a_pooling_the_graph_cannot_give_is_refused() {
        for (kind, pooling) in [("swin", Pooling::Cls), ("vit", Pooling::Pooler)] {
            let error = tokens(kind, &[PATCHES]).read(&four(), Some(pooling)).unwrap_err();
            assert!(matches!(&error, InferenceError::WrongPooling { .. }), "{error}");
        }
        let scalar = vec![Tensor::new(vec![1, 2], vec![1.0, 2.0]).unwrap()];
        assert!(matches!(tokens("vit", &[PATCHES]).read(&scalar, None), Err(InferenceError::Output { .. })));
        assert!(matches!(
            tokens("dinov2_with_registers", &[PATCHES])
                .read(&[Tensor::new(vec![1, 3, 1], vec![1.0; 3]).unwrap()], Some(Pooling::Mean)),
            Err(InferenceError::Output { .. })
        ));
    }
}
