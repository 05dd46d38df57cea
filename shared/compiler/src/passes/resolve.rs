//! Resolve: each node's `type` to a block of the catalogue, the newest version unless one is named.

use millrace_blocks::{Block, catalogue};
use millrace_contracts::Fault;
use serde_json::Value;

use crate::codes;
use crate::draft::{Draft, DraftNode, Position};
use crate::suggest::did_you_mean;

/// Finds the block of every node from position `first` on.
pub(crate) fn run(draft: &mut Draft<'_>, first: Position) {
    for node in &mut draft.nodes[first..] {
        match block_of(node) {
            Ok(block) => node.block = block,
            Err(fault) => draft.faults.push(*fault),
        }
    }
}

fn block_of(node: &DraftNode<'_>) -> Result<Option<&'static Block>, Box<Fault>> {
    let fault = |code, message: String| node.fault(code, "/type", message);
    let type_name = match node.source.get("type") {
        Some(Value::String(type_name)) => type_name,
        Some(_) => return Err(Box::new(fault(codes::INVALID_TYPE, "`type` must be a text".to_owned()))),
        None if node.absent => return Ok(None),
        None => {
            let fault = fault(codes::MISSING_FIELD, "a node needs a `type`".to_owned());
            return Err(Box::new(fault.hint("name a block, such as \"detection\"")));
        }
    };
    if let Some(block) = catalogue().resolve(type_name) {
        return Ok(Some(block));
    }
    let name = type_name.split_once('@').map_or(type_name.as_str(), |(name, _)| name);
    let shown = type_name.chars().take(80).collect::<String>();
    if catalogue().newest(name).is_none() {
        let mut fault = fault(codes::UNKNOWN_BLOCK, format!("no block is called {shown:?}"));
        fault.hint = did_you_mean(name, catalogue().iter().map(|block| block.name).collect::<Vec<_>>());
        return Err(Box::new(fault));
    }
    let versions = catalogue().versions(name).map(Block::versioned).collect::<Vec<_>>().join(", ");
    let fault = fault(codes::UNKNOWN_VERSION, format!("there is no {shown:?}"));
    Err(Box::new(fault.hint(format!("there is {versions}; without a version the newest is taken"))))
}
