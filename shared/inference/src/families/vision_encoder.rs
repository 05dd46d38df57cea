//! Encoders of pictures: ViT and its kin (DINOv2, BEiT, Swin, ConvNeXt …) exported without a head. They give a vector per
//! patch, and some a pooled one; how the patches become one vector is the caller's choice, or what the model is used with.

use millrace_contracts::ModelId;
use millrace_vision::Frame;
use serde_json::{Map, Value};

use super::dimension::dimension_of;
use super::embed::of_numbers;
use super::transformers::Intake;
use super::{Embedder, Entry, Family, Modality, Pooling};
use crate::{Facts, InferenceError, Part, Tensor};

/// Outputs that are one vector per picture, the best known first.
const POOLED: [&str; 3] = ["image_embeds", "pooler_output", "sentence_embedding"];
pub(super) const PATCHES: &str = "last_hidden_state";

/// Models whose tokens are patches, or whose output is a map.
const WITHOUT_CLASS_TOKEN: [&str; 30] = [
    "aimv2_vision_model",
    "bit",
    "convnext",
    "convnextv2",
    "cvt",
    "dinat",
    "donut-swin",
    "efficientformer",
    "efficientnet",
    "focalnet",
    "hgnet_v2",
    "hiera",
    "ijepa",
    "levit",
    "maskformer-swin",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilevit",
    "mobilevitv2",
    "poolformer",
    "pvt_v2",
    "regnet",
    "resnet",
    "segformer",
    "siglip_vision_model",
    "siglip2_vision_model",
    "swiftformer",
    "swin",
    "swinv2",
    "vitdet",
];

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
    dimension: Option<u32>,
}

/// Where a graph's vectors are, and which of its tokens are patches.
pub(super) struct Tokens {
    id: ModelId,
    pooled: Option<usize>,
    patches: Option<usize>,
    special: Special,
    /// What the model is used with; none where that is not known.
    usual: Option<Pooling>,
    /// What its configuration calls it.
    kind: String,
}

/// Tokens before the patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    /// There are none: its tokens are patches, or a map.
    None,
    /// So many, the class token first.
    Some(usize),
    /// The model is not known.
    Unknown,
}

impl VisionEncoder {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        let names: Vec<&str> = facts.outputs.iter().map(|port| port.name.as_str()).collect();
        let tokens = Tokens::new(&facts.id, &names, &facts.config);
        let dimension = tokens.dimension(facts, &facts.config);
        Ok(Self { intake: Intake::new(facts)?, tokens, dimension })
    }
}

impl Tokens {
    /// Of a graph with these outputs, by the configuration of the vision model.
    pub(super) fn new(id: &ModelId, outputs: &[&str], config: &Map<String, Value>) -> Self {
        let place = |name: &str| outputs.iter().position(|own| *own == name);
        let pooled = POOLED.into_iter().find_map(place);
        let special = special_tokens(config);
        let kind = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
        let usual = match (pooled, special) {
            // Of DINO's models it is the class token again.
            (Some(_), _) => Some(Pooling::Pooler),
            (None, Special::Some(_)) if pools_patches(kind, config) => Some(Pooling::Mean),
            (None, Special::Some(_)) => Some(Pooling::Cls),
            (None, Special::None) => Some(Pooling::Mean),
            (None, Special::Unknown) => None,
        };
        Self { id: id.clone(), pooled, patches: place(PATCHES), special, usual, kind: kind.to_owned() }
    }

    /// How many numbers its usual vector has, where that is known; `config` is that of the vision model.
    pub(super) fn dimension(&self, facts: &Facts, config: &Map<String, Value>) -> Option<u32> {
        let output = if self.usual == Some(Pooling::Pooler) { self.pooled } else { self.patches };
        dimension_of(facts.outputs.get(output?)?, &facts.config, config)
    }

    /// The vector of one row.
    pub(super) fn read(
        &self,
        outputs: &[Tensor],
        pooling: Option<Pooling>,
    ) -> Result<Vec<f32>, InferenceError> {
        let output = |place: Option<usize>| place.and_then(|place| outputs.get(place));
        let pooling = match pooling.or(self.usual) {
            Some(pooling) => pooling,
            // A map has no place for a token of another kind.
            None if output(self.patches).is_some_and(|patches| patches.shape().len() == 4) => Pooling::Mean,
            None => return Err(self.unknown()),
        };
        let without = |what: &str| InferenceError::WrongPooling {
            id: self.id.clone(),
            wanted: Some(pooling.as_str()),
            detail: format!("its graph gives no {what}; leave `pooling` out for its own way"),
        };
        match pooling {
            Pooling::Pooler => output(self.pooled).map(whole).ok_or_else(|| without("pooled vector")),
            Pooling::Cls => {
                if self.special == Special::None {
                    return Err(without("class token"));
                }
                let patches = output(self.patches).ok_or_else(|| without("tokens"))?;
                first(patches).ok_or_else(|| self.odd(patches))
            }
            Pooling::Mean => {
                let patches = output(self.patches).ok_or_else(|| without("tokens"))?;
                let special = match self.special {
                    Special::Some(count) => count,
                    Special::None | Special::Unknown => 0,
                };
                mean(patches, special).ok_or_else(|| self.odd(patches))
            }
        }
    }

    fn unknown(&self) -> InferenceError {
        let detail = format!(
            "how its tokens become one is not known of a model_type {:?}; set `pooling` to cls, which takes the first of them, \
             or to mean",
            self.kind
        );
        InferenceError::WrongPooling { id: self.id.clone(), wanted: None, detail }
    }

    fn odd(&self, tensor: &Tensor) -> InferenceError {
        let detail =
            format!("{:?} instead of [1, tokens, width] or [1, width, rows, columns]", tensor.shape());
        InferenceError::Output { id: self.id.clone(), detail }
    }
}

/// Whether a model that has a class token is used with the mean of its patches all the same: that token was not taught.
fn pools_patches(kind: &str, config: &Map<String, Value>) -> bool {
    let is_told = config.get("use_mean_pooling").and_then(Value::as_bool);
    matches!(kind, "beit" | "data2vec-vision") && is_told.unwrap_or(true)
}

/// How many tokens come before the patches.
fn special_tokens(config: &Map<String, Value>) -> Special {
    let registers = config.get("num_register_tokens").and_then(Value::as_u64);
    let registers = registers.and_then(|count| usize::try_from(count).ok());
    match config.get("model_type").and_then(Value::as_str).unwrap_or_default() {
        "vit"
        | "vit_mae"
        | "vit_msn"
        | "beit"
        | "data2vec-vision"
        | "dinov2"
        // Its mean over the map comes first.
        | "dinov3_convnext"
        | "pvt"
        | "clip_vision_model"
        | "clip"
        | "altclip_vision_model"
        | "blip_vision_model"
        | "chinese_clip_vision_model"
        | "metaclip_2_vision_model"
        | "mlcd_vision_model" => Special::Some(1),
        // A class token and one that was taught by another model.
        "deit" => Special::Some(2),
        "dinov2_with_registers" | "dinov3_vit" => Special::Some(1 + registers.unwrap_or(4)),
        kind if WITHOUT_CLASS_TOKEN.contains(&kind) => Special::None,
        _ => Special::Unknown,
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

    fn dimension(&self) -> Option<u32> {
        self.dimension
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
        of_numbers(&self.tokens.id, self.tokens.read(outputs, pooling)?)
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
        // Their class token was not taught: their own head takes the mean of the patches, unless they say otherwise.
        assert_eq!(read("beit", None), [30.0, 40.0]);
        assert_eq!(read("data2vec-vision", None), [30.0, 40.0]);
        let config = json!({"model_type": "beit", "use_mean_pooling": false});
        let by_class = Tokens::new(&"m".into(), &[PATCHES], config.as_object().unwrap());
        assert_eq!(by_class.read(&four(), None).unwrap(), [1.0, 2.0]);
        let both = tokens("vit", &[PATCHES, "pooler_output"]);
        let mut outputs = four();
        outputs.push(Tensor::new(vec![1, 2], vec![7.0, 8.0]).unwrap());
        assert_eq!(both.read(&outputs, None).unwrap(), [7.0, 8.0]);
        assert_eq!(both.read(&outputs, Some(Pooling::Cls)).unwrap(), [1.0, 2.0]);
    }

    #[test]
    fn a_map_is_averaged_over_its_pixels() {
        let map = vec![Tensor::new(vec![1, 2, 1, 2], vec![1.0, 3.0, 5.0, 9.0]).unwrap()];
        for kind in ["convnext", "one of its own"] {
            assert_eq!(tokens(kind, &[PATCHES]).read(&map, None).unwrap(), [2.0, 7.0]);
        }
    }

    #[test]
    fn of_a_model_that_is_not_known_no_pooling_is_guessed() {
        let own = tokens("nomic_bert", &[PATCHES]);
        let error = own.read(&four(), None).unwrap_err();
        assert!(matches!(&error, InferenceError::WrongPooling { wanted: None, .. }), "{error}");
        assert!(error.to_string().contains("\"nomic_bert\"; set `pooling` to cls"), "{error}");
        assert_eq!(own.read(&four(), Some(Pooling::Cls)).unwrap(), [1.0, 2.0]);
        assert_eq!(own.read(&four(), Some(Pooling::Mean)).unwrap(), [22.75, 30.5]);
        let mut outputs = four();
        outputs.push(Tensor::new(vec![1, 2], vec![7.0, 8.0]).unwrap());
        let pooled = tokens("nomic_bert", &[PATCHES, "pooler_output"]);
        assert_eq!(pooled.read(&outputs, None).unwrap(), [7.0, 8.0]);
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
