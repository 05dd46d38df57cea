//! The files that hold a model's weights, where those are not in the model file itself: a tensor then names a file beside it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use super::{Field, Skimmer, odd};

/// Graphs within graphs, as branches and loops have them, are looked into so deep.
const MOST_LEVELS: usize = 32;

/// The names of the files beside the model file `path` that its weights are in, as it writes them: relative to its folder, and
/// not to be trusted. Weights that are in the file itself are stepped over.
///
/// # Errors
/// As [`crate::skim`]; its graphs are more than 32 levels deep.
pub fn external_files(path: &Path) -> io::Result<BTreeSet<String>> {
    let file = File::open(path)?;
    let end = file.metadata()?.len();
    Skimmer { reader: BufReader::new(file), at: 0, text_bytes: 0 }.external(end)
}

/// What may hold tensors.
#[derive(Clone, Copy)]
enum Holder {
    Model,
    Graph,
    Function,
    Node,
    Attribute,
    SparseTensor,
    Tensor,
}

impl Holder {
    /// What the field `number` of it holds, if that has tensors. Numbers as in `onnx/onnx.proto`.
    fn within(self, number: u32) -> Option<Self> {
        match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Some(Self::Graph),
            (Self::Model, 25) => Some(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => Some(Self::Node),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Some(Self::SparseTensor),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => Some(Self::Tensor),
            _ => None,
        }
    }
}

impl<R: Read + Seek> Skimmer<R> {
    fn external(mut self, end: u64) -> io::Result<BTreeSet<String>> {
        let mut files = BTreeSet::new();
        self.look_into(Holder::Model, end, (&mut files, 0))?;
        Ok(files)
    }

    fn look_into(
        &mut self,
        holder: Holder,
        end: u64,
        (files, level): (&mut BTreeSet<String>, usize),
    ) -> io::Result<()> {
        // A level of graphs takes a graph, a node and an attribute.
        if level > 3 * MOST_LEVELS {
            return Err(odd("graphs within graphs without end"));
        }
        while let Some(field) = self.field(end)? {
            match (holder, field) {
                (Holder::Tensor, Field::Bytes(13, end)) => {
                    let (key, value) = self.entry(end)?;
                    if key == "location" {
                        files.insert(value);
                    }
                }
                (_, Field::Bytes(number, end)) => match holder.within(number) {
                    Some(inner) => self.look_into(inner, end, (&mut *files, level + 1))?,
                    None => self.step_to(end)?,
                },
                (_, other) => self.pass(&other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Element, Graph, Side};

    fn found(bytes: &[u8]) -> io::Result<BTreeSet<String>> {
        let reader = BufReader::with_capacity(16, io::Cursor::new(bytes.to_vec()));
        Skimmer { reader, at: 0, text_bytes: 0 }.external(bytes.len() as u64)
    }

    /// A message in the field `number` of another.
    fn inside(number: u32, message: &[u8]) -> Vec<u8> {
        let varint = |mut value: usize| {
            let mut bytes = Vec::new();
            while value >= 0x80 {
                bytes.push((value & 0x7f) as u8 | 0x80);
                value >>= 7;
            }
            bytes.push(value as u8);
            bytes
        };
        [varint((number as usize) << 3 | 2), varint(message.len()), message.to_vec()].concat()
    }

    fn tensor(file: &str) -> Vec<u8> {
        let entry = |key: &str, value: &str| {
            inside(13, &[inside(1, key.as_bytes()), inside(2, value.as_bytes())].concat())
        };
        [entry("offset", "4096"), entry("location", file)].concat()
    }

    #[test]
    fn the_files_of_weights_are_told_wherever_the_weights_are() {
        let branch = inside(1, &inside(5, &inside(6, &inside(5, &tensor("branch.data")))));
        let constant = inside(1, &inside(5, &inside(5, &tensor("constant.bin"))));
        let sparse = inside(15, &inside(1, &tensor("sparse.data")));
        let graph =
            [inside(5, &tensor("model.onnx_data")), inside(5, &tensor("model.onnx_data")), sparse, constant];
        let function = inside(25, &inside(7, &inside(5, &inside(10, &tensor("function.data")))));
        let model = [inside(7, &[graph.concat(), branch].concat()), function].concat();
        let files: Vec<String> = found(&model).unwrap().into_iter().collect();
        assert_eq!(files, ["branch.data", "constant.bin", "function.data", "model.onnx_data", "sparse.data"]);
    }

    #[test]
    fn what_is_written_here_is_read_here() {
        let mut graph = Graph::new("g");
        graph.external("weights", &[2, 3], "model.onnx_data").constant("bias", &[1], &[0.5]);
        assert_eq!(found(&graph.encode()).unwrap().into_iter().collect::<Vec<_>>(), ["model.onnx_data"]);
    }

    #[test]
    fn a_model_of_one_file_names_no_other_and_a_broken_one_is_an_error() {
        let mut graph = Graph::new("g");
        graph.input("picture", Element::F32, &[Side::Fixed(3)]);
        graph.constant("weights", &[1000], &[0.5; 1000]);
        graph.node("Relu", &["picture"], "out", &[]);
        graph.output("out", Element::F32, &[]);
        let whole = graph.encode();
        assert!(found(&whole).unwrap().is_empty());
        for length in 0..whole.len() {
            drop(found(&whole[..length]));
        }
        assert!(found(b"this is no model").is_err());
        let mut deep = tensor("deep.data");
        for _ in 0..1_000 {
            deep = inside(1, &inside(5, &inside(6, &deep)));
        }
        assert!(found(&inside(7, &deep)).is_err());
    }
}
