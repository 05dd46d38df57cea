//! Models with a tower for pictures and one for texts, whose vectors can be compared: CLIP and SigLIP. The towers are graphs
//! of their own, or one graph does both, which then needs something for the tower that is not asked.
//!
//! The vectors of the one graph are already of length one (`image_embeds`, `text_embeds` of `CLIPModel`); those of the
//! towers' own graphs are not.

use std::sync::OnceLock;

use millrace_contracts::ModelId;
use millrace_vision::Frame;
use serde_json::{Map, Value};

use super::dimension::dimension_of;
use super::embed::of_numbers;
use super::transformers::Intake;
use super::vision_encoder::Tokens;
use super::{Embedder, Entry, Family, Modality, Pooling};
use crate::texts::{TextFacts, Texts};
use crate::{Facts, GraphPort, InferenceError, Part, Tensor};

pub(super) const CLIP: Entry = Entry {
    name: "clip",
    recognises: |facts| has_towers(facts) && !is_siglip(facts),
    make: |facts| Towers::new(facts, CLIP.name).map(|family| Box::new(family) as Box<dyn Family>),
};

pub(super) const SIGLIP: Entry = Entry {
    name: "siglip",
    recognises: |facts| has_towers(facts) && is_siglip(facts),
    make: |facts| Towers::new(facts, SIGLIP.name).map(|family| Box::new(family) as Box<dyn Family>),
};

/// Positions of SigLIP's text tower where its configuration names none (`SiglipTextConfig`).
const SIGLIP_POSITIONS: usize = 64;
/// Outputs that are one vector per text, the best known first.
const TEXT_VECTORS: [&str; 3] = ["text_embeds", "pooler_output", "sentence_embedding"];

struct Towers {
    id: ModelId,
    name: &'static str,
    image: Option<ImageTower>,
    text: Option<TextTower>,
}

struct ImageTower {
    intake: Intake,
    inputs: Vec<String>,
    tokens: Tokens,
    dimension: Option<u32>,
    /// A black picture, for texts in a graph that does both.
    blank: OnceLock<Tensor>,
}

struct TextTower {
    part: Part,
    texts: Texts,
    inputs: Vec<String>,
    vector: usize,
    dimension: Option<u32>,
}

fn is_siglip(facts: &Facts) -> bool {
    facts.model_type().starts_with("siglip")
}

/// What `config.json` says of one tower: of a model with both it is in a table of its own.
fn config_of<'a>(facts: &'a Facts, tower: &str) -> &'a Map<String, Value> {
    facts.config.get(tower).and_then(Value::as_object).unwrap_or(&facts.config)
}

/// A graph that takes texts beside or instead of pictures, or a folder with a graph for each, of a model for both.
fn has_towers(facts: &Facts) -> bool {
    let takes = |name: &str| facts.inputs.iter().any(|port| port.name == name);
    let gives = |names: &[&str]| facts.outputs.iter().any(|port| names.contains(&port.name.as_str()));
    let both = facts.companions.iter().any(|companion| companion.part == Part::Text);
    let named = ["clip", "siglip"].iter().any(|name| facts.model_type().contains(name));
    both || (takes("pixel_values") && takes("input_ids") && gives(&["image_embeds"]))
        || (named
            && (takes("pixel_values") || takes("input_ids"))
            && gives(&["image_embeds", "text_embeds", "pooler_output"]))
}

impl Towers {
    fn new(facts: &Facts, name: &'static str) -> Result<Self, InferenceError> {
        let takes = |name: &str| facts.inputs.iter().any(|port| port.name == name);
        let image = takes("pixel_values").then(|| ImageTower::new(facts)).transpose()?;
        let companion = facts.companions.iter().find(|companion| companion.part == Part::Text);
        let text = match companion {
            Some(own) => Some(TextTower::new(facts, (Part::Text, &own.inputs, &own.outputs))?),
            None if takes("input_ids") => {
                Some(TextTower::new(facts, (Part::Main, &facts.inputs, &facts.outputs))?)
            }
            None => None,
        };
        Ok(Self { id: facts.id.clone(), name, image, text })
    }

    fn missing(&self, of: Modality) -> InferenceError {
        InferenceError::MissingTower { id: self.id.clone(), wanted: of.as_str() }
    }

    /// One tensor per input of the graph, by whoever knows the input.
    fn inputs(
        &self,
        names: &[String],
        give: impl Fn(&str) -> Result<Option<Tensor>, InferenceError>,
    ) -> Result<Vec<Tensor>, InferenceError> {
        let unknown = |name: &String| InferenceError::Unsupported {
            id: self.id.clone(),
            detail: format!("its graph has an input {name:?}, which is neither of a picture nor of a text"),
        };
        names.iter().map(|name| give(name)?.ok_or_else(|| unknown(name))).collect()
    }
}

impl ImageTower {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        let names: Vec<&str> = facts.outputs.iter().map(|port| port.name.as_str()).collect();
        let own = config_of(facts, "vision_config");
        let tokens = Tokens::new(&facts.id, &names, own);
        Ok(Self {
            intake: Intake::beside_texts(facts)?,
            inputs: facts.inputs.iter().map(|port| port.name.clone()).collect(),
            dimension: tokens.dimension(facts, own),
            tokens,
            blank: OnceLock::new(),
        })
    }

    fn blank(&self) -> Result<Tensor, InferenceError> {
        if let Some(blank) = self.blank.get() {
            return Ok(blank.clone());
        }
        let made = self.intake.values(&Frame::filled(32, 32, [0; 3]))?;
        Ok(self.blank.get_or_init(|| made).clone())
    }
}

impl TextTower {
    fn new(
        facts: &Facts,
        (part, inputs, outputs): (Part, &[GraphPort], &[GraphPort]),
    ) -> Result<Self, InferenceError> {
        let own = config_of(facts, "text_config");
        let number = |name: &str| own.get(name).and_then(Value::as_u64);
        let positions = number("max_position_embeddings").and_then(|count| usize::try_from(count).ok());
        let known = TextFacts {
            // A configuration may leave out what is usual: SigLIP's class has 64 then.
            positions: positions.or(is_siglip(facts).then_some(SIGLIP_POSITIONS)),
            pad_token: number("pad_token_id").and_then(|id| i64::try_from(id).ok()),
            // SigLIP was trained on texts padded to their full length, and has no mask.
            full_length: is_siglip(facts),
        };
        let vector = TEXT_VECTORS.iter().find_map(|name| outputs.iter().position(|port| port.name == *name));
        let vector = vector.ok_or_else(|| facts.unsupported("its graph gives no vector for a text"))?;
        let dimension = dimension_of(&outputs[vector], &facts.config, own);
        let texts = Texts::open(&facts.id, &facts.folder, inputs, known)?;
        let inputs = inputs.iter().map(|port| port.name.clone()).collect();
        Ok(Self { part, texts, inputs, vector, dimension })
    }
}

impl Family for Towers {
    fn name(&self) -> &'static str {
        self.name
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

impl Embedder for Towers {
    fn part(&self, of: Modality) -> Result<Part, InferenceError> {
        let part = match of {
            Modality::Image => self.image.as_ref().map(|_| Part::Main),
            Modality::Text => self.text.as_ref().map(|text| text.part),
        };
        part.ok_or_else(|| self.missing(of))
    }

    fn dimension(&self) -> Option<u32> {
        // Both give vectors that can be compared.
        let of_text = || self.text.as_ref().and_then(|text| text.dimension);
        self.image.as_ref().and_then(|image| image.dimension).or_else(of_text)
    }

    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32) {
        self.image.as_ref().map_or(source, |image| image.intake.scaled_size(source))
    }

    fn prepare_image(&self, frame: &Frame) -> Result<Vec<Tensor>, InferenceError> {
        let image = self.image.as_ref().ok_or_else(|| self.missing(Modality::Image))?;
        let pixels = image.intake.values(frame)?;
        let nothing = self.text.as_ref().filter(|text| text.part == Part::Main);
        let nothing = nothing.map(|text| text.texts.encode("")).transpose()?;
        self.inputs(&image.inputs, |name| {
            let text = || nothing.as_ref().and_then(|tokens| tokens.tensor(name));
            Ok(if name == "pixel_values" { Some(pixels.clone()) } else { text() })
        })
    }

    fn prepare_text(&self, text: &str) -> Result<Vec<Tensor>, InferenceError> {
        let tower = self.text.as_ref().ok_or_else(|| self.missing(Modality::Text))?;
        let tokens = tower.texts.encode(text)?;
        self.inputs(&tower.inputs, |name| match (name, &self.image) {
            ("pixel_values", Some(image)) => image.blank().map(Some),
            _ => Ok(tokens.tensor(name)),
        })
    }

    fn read(
        &self,
        of: Modality,
        outputs: &[Tensor],
        pooling: Option<Pooling>,
    ) -> Result<Vec<f32>, InferenceError> {
        let vector = match (of, &self.image, &self.text) {
            (Modality::Image, Some(image), _) => image.tokens.read(outputs, pooling)?,
            (Modality::Text, _, Some(text)) => {
                let vector = outputs.get(text.vector).map(|vector| vector.data().to_vec());
                let fault = "the vector of the text is missing".to_owned();
                vector.ok_or_else(|| InferenceError::Output { id: self.id.clone(), detail: fault })?
            }
            _ => return Err(self.missing(of)),
        };
        of_numbers(&self.id, vector)
    }
}
