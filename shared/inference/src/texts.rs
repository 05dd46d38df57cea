//! Texts to token ids, as a model's own `tokenizer.json` says. Rule: a text is never padded further than its model needs,
//! since padded tokens cost what real ones do.

use std::path::Path;

use millrace_contracts::ModelId;
use serde_json::Value;
use tokenizers::{Tokenizer, TruncationParams};

use crate::folder::place_of;
use crate::{GraphPort, InferenceError, Tensor};

/// A text longer than this is refused before it is looked at, bytes. Models take less than a hundred words; what they
/// do not take is cut off.
pub const MOST_TEXT_BYTES: usize = 64 * 1024;
/// Texts of like length share a batch: lengths are rounded up to a multiple of this, tokens.
const BUCKET: usize = 8;
/// Tokens that a text may be padded to.
const MOST_TOKENS: usize = 1 << 16;
/// Lengths above this in a tokenizer's settings mean "no limit" (`transformers` writes 1e30).
const NO_LIMIT: f64 = 1e6;
/// The largest settings file that is read, bytes.
const MOST_SETTINGS_BYTES: u64 = 4 << 20;
/// The largest tokenizer that is read, bytes; multilingual ones have tens of megabytes.
const MOST_TOKENIZER_BYTES: u64 = 128 << 20;

/// How token ids are padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// Always to this many: the model was trained so, and has no mask (SigLIP), or its graph has that axis fixed.
    To(usize),
    /// To the next multiple of a few, no further than the limit: the graph has a mask for what is padded.
    Bucket,
    /// Not at all.
    None,
}

/// A model's tokenizer.
pub(crate) struct Texts {
    id: ModelId,
    tokenizer: Tokenizer,
    padding: Padding,
    pad_token: i64,
    most_tokens: Option<usize>,
}

/// What a text becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Ids, padded.
    pub(crate) ids: Vec<i64>,
    /// 1 for the text's own, 0 for what was padded.
    pub(crate) mask: Vec<i64>,
}

/// What the model's own configuration says of its texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TextFacts {
    /// Positions its text tower has.
    pub(crate) positions: Option<usize>,
    /// The id that pads, where the tokenizer names none.
    pub(crate) pad_token: Option<i64>,
    /// Whether every text has all positions, padded.
    pub(crate) full_length: bool,
}

impl Texts {
    /// Reads the tokenizer in `folder` for a graph with these inputs.
    ///
    /// # Errors
    /// [`InferenceError::Load`]: no `tokenizer.json`, or one that cannot be read.
    pub(crate) fn open(
        id: &ModelId,
        folder: &Path,
        graph: &[GraphPort],
        facts: TextFacts,
    ) -> Result<Self, InferenceError> {
        let fault = |detail: String| InferenceError::Load { id: id.clone(), detail };
        let bytes = read_bounded(folder, "tokenizer.json", MOST_TOKENIZER_BYTES)
            .and_then(|bytes| bytes.ok_or_else(|| "is missing".to_owned()))
            .map_err(|why| fault(format!("it takes texts, and its tokenizer.json {why}")))?;
        let mut tokenizer = Tokenizer::from_bytes(bytes)
            .map_err(|error| fault(format!("its tokenizer.json cannot be read: {error}")))?;
        let settings = read_bounded(folder, "tokenizer_config.json", MOST_SETTINGS_BYTES)
            .map_err(|why| fault(format!("its tokenizer_config.json {why}")))?;
        let settings: Value = match settings {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| fault(format!("its tokenizer_config.json cannot be read: {error}")))?,
            None => Value::Null,
        };
        let most_tokens = most_tokens(&settings, facts.positions, graph);
        if let Some(most) = most_tokens.filter(|most| *most > MOST_TOKENS) {
            return Err(fault(format!("its texts have {most} tokens, {MOST_TOKENS} are allowed")));
        }
        let truncation = most_tokens.map(|max_length| TruncationParams { max_length, ..Default::default() });
        // Whatever padding and cutting its file has is another use's.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(truncation).map_err(|error| fault(format!("its tokenizer: {error}")))?;
        let pad_token = pad_token(&settings, &tokenizer).or(facts.pad_token).unwrap_or(0);
        let padding = padding(graph, facts, most_tokens);
        Ok(Self { id: id.clone(), tokenizer, padding, pad_token, most_tokens })
    }

    /// The token ids of a text, cut off at the model's limit.
    ///
    /// # Errors
    /// [`InferenceError::Input`]: a text that is too long to be meant, or that has no tokens.
    pub(crate) fn encode(&self, text: &str) -> Result<Tokens, InferenceError> {
        let fault = |detail: String| InferenceError::Input { id: self.id.clone(), detail };
        if text.len() > MOST_TEXT_BYTES {
            let length = text.len();
            return Err(fault(format!("the text has {length} bytes, {MOST_TEXT_BYTES} are allowed")));
        }
        let encoded = self.tokenizer.encode_fast(text, true).map_err(|error| fault(error.to_string()))?;
        let mut ids: Vec<i64> = encoded.get_ids().iter().map(|&id| i64::from(id)).collect();
        if ids.is_empty() {
            return Err(fault("the text has no tokens; give it a word".to_owned()));
        }
        let (own, most) = (ids.len(), self.most_tokens.unwrap_or(usize::MAX));
        let length = match self.padding {
            Padding::To(length) => length.max(own),
            Padding::Bucket => own.next_multiple_of(BUCKET).min(most.max(own)),
            Padding::None => own,
        };
        ids.resize(length, self.pad_token);
        let mut mask = vec![1; own];
        mask.resize(length, 0);
        Ok(Tokens { ids, mask })
    }
}

impl Tokens {
    /// The tensor for the graph's input of this name; none for an input that takes something else.
    pub(crate) fn tensor(&self, input: &str) -> Option<Tensor> {
        let length = self.ids.len();
        let data = match input {
            "input_ids" => self.ids.clone(),
            "attention_mask" => self.mask.clone(),
            "token_type_ids" => vec![0; length],
            "position_ids" => (0..length as i64).collect(),
            _ => return None,
        };
        Tensor::of(vec![1, length], data)
    }
}

fn read_bounded(folder: &Path, name: &str, most: u64) -> Result<Option<Vec<u8>>, String> {
    let Some(path) = place_of(folder, name) else { return Ok(None) };
    let size = std::fs::metadata(&path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > most {
        return Err(format!("has {size} bytes, {most} are allowed"));
    }
    std::fs::read(&path).map(Some).map_err(|error| format!("cannot be read: {error}"))
}

fn sequence_axis(graph: &[GraphPort]) -> Option<usize> {
    graph.iter().find(|port| port.name == "input_ids").and_then(|port| port.shape.get(1).copied().flatten())
}

/// The least of what the tokenizer, the configuration and the graph allow.
fn most_tokens(settings: &Value, positions: Option<usize>, graph: &[GraphPort]) -> Option<usize> {
    let declared = settings["model_max_length"].as_f64().filter(|&most| (1.0..NO_LIMIT).contains(&most));
    [declared.map(|most| most as usize), positions, sequence_axis(graph)].into_iter().flatten().min()
}

/// The id of the token that `tokenizer_config.json` names for padding.
fn pad_token(settings: &Value, tokenizer: &Tokenizer) -> Option<i64> {
    let named = &settings["pad_token"];
    let text = named.as_str().or_else(|| named["content"].as_str())?;
    tokenizer.token_to_id(text).map(i64::from)
}

fn padding(graph: &[GraphPort], facts: TextFacts, most_tokens: Option<usize>) -> Padding {
    let masked = graph.iter().any(|port| port.name == "attention_mask");
    match (sequence_axis(graph), most_tokens) {
        (Some(fixed), _) => Padding::To(fixed),
        (None, Some(most)) if facts.full_length => Padding::To(most),
        (None, _) if masked => Padding::Bucket,
        _ => Padding::None,
    }
}

#[cfg(test)]
mod tests;
