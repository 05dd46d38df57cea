//! What a model file says of itself: its metadata, what goes in and comes out, and how its rows depend on each other. Rule:
//! weights are stepped over, never read, so that a file of gigabytes costs a few small reads.

mod external;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Seek};
use std::path::Path;

pub use external::external_files;

/// Texts that are read of one file together, bytes: metadata with the names of thousands of classes takes a few hundred
/// kilobytes.
const MOST_TEXT_BYTES: u64 = 16 << 20;
/// Operators that put numbers into steps as large as all of a batch asks for.
const DYNAMIC: [&[u8]; 3] = [b"DynamicQuantizeLinear", b"DynamicQuantizeMatMul", b"DynamicQuantizeLSTM"];
/// Letters of the longest of them.
const MOST_LETTERS: usize = 21;

/// What a model file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skimmed {
    /// Its metadata (`metadata_props`).
    pub metadata: BTreeMap<String, String>,
    /// What goes into its graph.
    pub inputs: Vec<Port>,
    /// What comes out.
    pub outputs: Vec<Port>,
    /// Whether its graph quantises as it runs (`model_quantized.onnx`): each row of a batch then depends on the others.
    pub is_dynamic: bool,
}

/// An input or output of a graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its element type, by ONNX's `TensorProto.DataType`; 0 for what is no tensor.
    pub element: u64,
    /// Extent of every axis; none where it is free.
    pub shape: Vec<Option<usize>>,
}

/// Skims the model file `path`.
///
/// # Errors
/// It cannot be read, is no protocol buffer, ends in the middle of one, or has more than 16 MiB of names and metadata.
pub fn skim(path: &Path) -> io::Result<Skimmed> {
    let file = File::open(path)?;
    let end = file.metadata()?.len();
    Skimmer { reader: BufReader::new(file), at: 0, text_bytes: 0 }.model(end)
}

struct Skimmer<R> {
    reader: BufReader<R>,
    /// Bytes read or stepped over so far.
    at: u64,
    text_bytes: u64,
}

/// A field of a message.
enum Field {
    Integer(u32, u64),
    /// Its number, and where it ends.
    Bytes(u32, u64),
    /// Of fixed size, stepped over.
    Fixed,
}

/// Field numbers as in `onnx/onnx.proto`.
impl<R: Read + Seek> Skimmer<R> {
    fn model(mut self, end: u64) -> io::Result<Skimmed> {
        let mut skimmed = Skimmed::default();
        while let Some(field) = self.field(end)? {
            match field {
                Field::Bytes(7, end) => self.graph(end, &mut skimmed)?,
                Field::Bytes(14, end) => {
                    let (key, value) = self.entry(end)?;
                    skimmed.metadata.insert(key, value);
                }
                other => self.pass(&other)?,
            }
        }
        Ok(skimmed)
    }

    fn graph(&mut self, end: u64, skimmed: &mut Skimmed) -> io::Result<()> {
        let mut weights = BTreeSet::new();
        while let Some(field) = self.field(end)? {
            match field {
                Field::Bytes(1, end) => skimmed.is_dynamic |= self.is_dynamic(end)?,
                Field::Bytes(5, end) => drop(weights.insert(self.name_of(8, end)?)),
                Field::Bytes(11, end) => {
                    let port = self.port(end)?;
                    skimmed.inputs.push(port);
                }
                Field::Bytes(12, end) => {
                    let port = self.port(end)?;
                    skimmed.outputs.push(port);
                }
                other => self.pass(&other)?,
            }
        }
        // Files of old name their weights among the inputs; nobody feeds those.
        skimmed.inputs.retain(|port| !weights.contains(&port.name));
        Ok(())
    }

    /// Whether the node is of one of those operators.
    fn is_dynamic(&mut self, end: u64) -> io::Result<bool> {
        let mut found = false;
        while let Some(field) = self.field(end)? {
            match field {
                Field::Bytes(4, end) if end - self.at <= MOST_LETTERS as u64 => {
                    let mut letters = [0; MOST_LETTERS];
                    let operator = &mut letters[..(end - self.at) as usize];
                    self.reader.read_exact(operator)?;
                    self.at = end;
                    found = DYNAMIC.contains(&&*operator);
                }
                other => self.pass(&other)?,
            }
        }
        Ok(found)
    }

    fn entry(&mut self, end: u64) -> io::Result<(String, String)> {
        let (mut key, mut value) = (String::new(), String::new());
        while let Some(field) = self.field(end)? {
            match field {
                Field::Bytes(1, end) => key = self.text(end)?,
                Field::Bytes(2, end) => value = self.text(end)?,
                other => self.pass(&other)?,
            }
        }
        Ok((key, value))
    }

    fn name_of(&mut self, number: u32, end: u64) -> io::Result<String> {
        let mut name = String::new();
        while let Some(field) = self.field(end)? {
            match field {
                Field::Bytes(found, end) if found == number => name = self.text(end)?,
                other => self.pass(&other)?,
            }
        }
        Ok(name)
    }

    fn port(&mut self, end: u64) -> io::Result<Port> {
        let mut port = Port::default();
        while let Some(field) = self.field(end)? {
            match field {
                Field::Bytes(1, end) => port.name = self.text(end)?,
                Field::Bytes(2, end) => self.kind(end, &mut port)?,
                other => self.pass(&other)?,
            }
        }
        Ok(port)
    }

    /// Of the kinds of values only tensors have a type and a shape.
    fn kind(&mut self, end: u64, port: &mut Port) -> io::Result<()> {
        while let Some(field) = self.field(end)? {
            match field {
                Field::Bytes(1, end) => {
                    while let Some(field) = self.field(end)? {
                        match field {
                            Field::Integer(1, element) => port.element = element,
                            Field::Bytes(2, end) => port.shape = self.shape(end)?,
                            other => self.pass(&other)?,
                        }
                    }
                }
                other => self.pass(&other)?,
            }
        }
        Ok(())
    }

    fn shape(&mut self, end: u64) -> io::Result<Vec<Option<usize>>> {
        let mut shape = Vec::new();
        while let Some(field) = self.field(end)? {
            let Field::Bytes(1, end) = field else {
                self.pass(&field)?;
                continue;
            };
            let mut extent = None;
            while let Some(field) = self.field(end)? {
                match field {
                    // Negative for free, as some exporters write it.
                    Field::Integer(1, value) => extent = usize::try_from(value.cast_signed()).ok(),
                    Field::Bytes(2, end) => extent = extent_named(&self.text(end)?),
                    other => self.pass(&other)?,
                }
            }
            self.count_text(1)?;
            shape.push(extent);
        }
        Ok(shape)
    }

    /// The next field of the message that ends at `end`; none at its end.
    fn field(&mut self, end: u64) -> io::Result<Option<Field>> {
        if self.at >= end {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| odd("a field of no number"))?;
        let field = match key & 7 {
            0 => Field::Integer(number, self.varint()?),
            1 => self.fixed(8)?,
            2 => {
                let length = self.varint()?;
                let field_end = self.at.checked_add(length).filter(|field_end| *field_end <= end);
                Field::Bytes(number, field_end.ok_or_else(|| odd("a field that ends after its message"))?)
            }
            5 => self.fixed(4)?,
            _ => return Err(odd("a field of no known type")),
        };
        Ok(Some(field))
    }

    fn fixed(&mut self, bytes: u64) -> io::Result<Field> {
        self.step_to(self.at + bytes)?;
        Ok(Field::Fixed)
    }

    /// Steps over a field that is of no interest.
    fn pass(&mut self, field: &Field) -> io::Result<()> {
        match field {
            Field::Bytes(_, end) => self.step_to(*end),
            Field::Integer(..) | Field::Fixed => Ok(()),
        }
    }

    fn step_to(&mut self, end: u64) -> io::Result<()> {
        let by = i64::try_from(end.saturating_sub(self.at)).map_err(|_| odd("a field without end"))?;
        self.at = end;
        self.reader.seek_relative(by)
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.reader.fill_buf()?.first().ok_or(ErrorKind::UnexpectedEof)?;
            self.reader.consume(1);
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(odd("a number of more than 64 bits"))
    }

    fn text(&mut self, end: u64) -> io::Result<String> {
        let bytes = end.saturating_sub(self.at);
        self.count_text(bytes)?;
        let mut text = vec![0; usize::try_from(bytes).map_err(|_| odd("a text without end"))?];
        self.reader.read_exact(&mut text)?;
        self.at = end;
        String::from_utf8(text).map_err(|_| odd("a text that is not UTF-8"))
    }

    fn count_text(&mut self, bytes: u64) -> io::Result<()> {
        self.text_bytes = self.text_bytes.saturating_add(bytes);
        if self.text_bytes > MOST_TEXT_BYTES {
            return Err(odd("more names and metadata than 16 MiB"));
        }
        Ok(())
    }
}

/// The extent of an axis by its name. One that an exporter took to be free and found to be fixed is called by its number.
#[must_use]
pub fn extent_named(name: &str) -> Option<usize> {
    name.parse().ok().filter(|extent| *extent > 0)
}

fn odd(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("this is no ONNX file: it has {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Element, Graph, Side};

    fn skimmed(bytes: &[u8]) -> io::Result<Skimmed> {
        let reader = BufReader::with_capacity(16, io::Cursor::new(bytes.to_vec()));
        Skimmer { reader, at: 0, text_bytes: 0 }.model(bytes.len() as u64)
    }

    fn model() -> Vec<u8> {
        let mut graph = Graph::new("g");
        graph.input("weights", Element::F32, &[Side::Fixed(1000)]);
        graph.input("picture", Element::F16, &[Side::Free("rows"), Side::Fixed(3), Side::Free("32")]);
        graph.constant("weights", &[1000], &[0.5; 1000]);
        graph.node("Relu", &["picture"], "out", &[]);
        graph.output("out", Element::I64, &[]);
        graph.metadata("names", "{0: 'a'}").metadata("task", "detect");
        graph.encode()
    }

    #[test]
    fn a_file_says_what_goes_in_and_comes_out_and_its_metadata() {
        let found = skimmed(&model()).unwrap();
        let picture = Port { name: "picture".into(), element: 10, shape: vec![None, Some(3), Some(32)] };
        assert_eq!(found.inputs, [picture], "weights are no inputs");
        assert_eq!(found.outputs, [Port { name: "out".into(), element: 7, shape: vec![] }]);
        assert_eq!(found.metadata["names"], "{0: 'a'}");
        assert_eq!(found.metadata["task"], "detect");
    }

    #[test]
    fn a_graph_that_quantises_as_it_runs_says_so() {
        assert!(!skimmed(&model()).unwrap().is_dynamic);
        for operator in ["DynamicQuantizeLinear", "com.microsoft::DynamicQuantizeMatMul"] {
            let mut graph = Graph::new("g");
            graph.node("QuantizeLinear", &["a", "scale"], "b", &[]).node(operator, &["b"], "c", &[]);
            graph.node("Relu", &["c"], "d", &[]);
            assert!(skimmed(&graph.encode()).unwrap().is_dynamic, "{operator}");
        }
    }

    #[test]
    fn a_file_that_is_cut_or_is_none_is_an_error_and_no_panic() {
        let whole = model();
        for length in 0..whole.len() {
            // A cut between two fields leaves a sound message.
            drop(skimmed(&whole[..length]));
        }
        for wrong in [&b"this is no model"[..], &[0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff; 20], &[0x0b]] {
            assert!(skimmed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn more_text_than_a_model_has_is_refused_before_it_is_read() {
        let mut graph = Graph::new("g");
        graph.metadata("names", &"x".repeat((16 << 20) + 1));
        assert!(skimmed(&graph.encode()).unwrap_err().to_string().contains("16 MiB"));
    }
}
