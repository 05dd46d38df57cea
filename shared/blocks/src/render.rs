//! A block as `GET /blocks` shows it.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::block::Block;

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Block", 15)?;
        out.serialize_field("type", self.name)?;
        out.serialize_field("version", &self.version)?;
        out.serialize_field("id", &self.versioned())?;
        out.serialize_field("category", &self.category)?;
        out.serialize_field("title", self.title)?;
        out.serialize_field("help", self.help)?;
        out.serialize_field("runs", &self.runner)?;
        out.serialize_field("pure", &self.pure)?;
        out.serialize_field("config", &self.config)?;
        out.serialize_field("inputs", &self.inputs)?;
        out.serialize_field("further_inputs", &self.further_inputs)?;
        out.serialize_field("outputs", &self.outputs.declared)?;
        out.serialize_field("outputs_vary", &self.outputs.placed.is_some())?;
        out.serialize_field("further_outputs", &self.outputs.further)?;
        out.serialize_field("examples", &self.examples)?;
        out.end()
    }
}
