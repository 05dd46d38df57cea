//! A graph under construction, and the model file made of it.

use crate::wire::Message;

/// IR version and operator set that every ONNX Runtime since 1.14 reads.
const IR_VERSION: i64 = 8;
const OPERATOR_SET: i64 = 17;

/// Element types, by ONNX's `TensorProto.DataType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// 64-bit integers.
    I64,
}

/// The extent of an axis of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Always this long.
    Fixed(usize),
    /// As long as it comes, by this name.
    Free(&'static str),
}

/// An attribute of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attribute<'a> {
    /// One integer.
    Int(i64),
    /// Several.
    Ints(&'a [i64]),
    /// One number.
    Float(f32),
    /// Text.
    Text(&'a str),
}

/// A graph under construction.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    graph: Message,
    metadata: Vec<(String, String)>,
    domains: Vec<String>,
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut graph = Self::default();
        graph.graph.bytes(2, name.as_bytes());
        graph
    }

    /// Adds an input.
    pub fn input(&mut self, name: &str, element: Element, sides: &[Side]) -> &mut Self {
        self.graph.message(11, &port(name, element, sides));
        self
    }

    /// Adds an output.
    pub fn output(&mut self, name: &str, element: Element, sides: &[Side]) -> &mut Self {
        self.graph.message(12, &port(name, element, sides));
        self
    }

    /// Adds a constant of single precision.
    pub fn constant(&mut self, name: &str, sides: &[usize], numbers: &[f32]) -> &mut Self {
        let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensor(name, Element::F32, sides, &raw)
    }

    /// Adds a constant whose elements are given as they are stored, little-endian.
    pub fn tensor(&mut self, name: &str, element: Element, sides: &[usize], raw: &[u8]) -> &mut Self {
        let mut tensor = Message::default();
        for side in sides {
            tensor.integer(1, *side as i64);
        }
        tensor.integer(2, element.code()).bytes(8, name.as_bytes()).bytes(9, raw);
        self.graph.message(5, &tensor);
        self
    }

    /// Adds a constant of single precision whose numbers are in `file` beside the model file, little-endian.
    pub fn external(&mut self, name: &str, sides: &[usize], file: &str) -> &mut Self {
        let mut tensor = Message::default();
        for side in sides {
            tensor.integer(1, *side as i64);
        }
        let mut location = Message::default();
        location.bytes(1, b"location").bytes(2, file.as_bytes());
        tensor
            .integer(2, Element::F32.code())
            .bytes(8, name.as_bytes())
            .message(13, &location)
            .integer(14, 1);
        self.graph.message(5, &tensor);
        self
    }

    /// Adds a node of operator `operator`; `domain::operator` names one that is not ONNX's own. Where it has several outputs
    /// their names stand in `output`, between commas.
    pub fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[(&str, Attribute<'_>)],
    ) -> &mut Self {
        let mut node = Message::default();
        for input in inputs {
            node.bytes(1, input.as_bytes());
        }
        for output in output.split(',') {
            node.bytes(2, output.as_bytes());
        }
        node.bytes(3, output.as_bytes());
        let (domain, operator) = operator.split_once("::").unwrap_or(("", operator));
        node.bytes(4, operator.as_bytes());
        for (name, value) in attributes {
            node.message(5, &attribute(name, value));
        }
        if !domain.is_empty() {
            node.bytes(7, domain.as_bytes());
            self.domains.push(domain.to_owned());
        }
        self.graph.message(1, &node);
        self
    }

    /// Adds an entry of the model's metadata.
    pub fn metadata(&mut self, key: &str, value: &str) -> &mut Self {
        self.metadata.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The model file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut model = Message::default();
        model.integer(1, IR_VERSION).bytes(2, b"millrace").message(7, &self.graph);
        let own = std::iter::once(("", OPERATOR_SET));
        for (domain, version) in own.chain(self.domains.iter().map(|domain| (domain.as_str(), 1))) {
            let mut operators = Message::default();
            operators.bytes(1, domain.as_bytes()).integer(2, version);
            model.message(8, &operators);
        }
        for (key, value) in &self.metadata {
            let mut entry = Message::default();
            entry.bytes(1, key.as_bytes()).bytes(2, value.as_bytes());
            model.message(14, &entry);
        }
        model.into_bytes()
    }
}

impl Element {
    fn code(self) -> i64 {
        match self {
            Self::F32 => 1,
            Self::I64 => 7,
            Self::F16 => 10,
        }
    }
}

fn port(name: &str, element: Element, sides: &[Side]) -> Message {
    let mut shape = Message::default();
    for side in sides {
        let mut axis = Message::default();
        match side {
            Side::Fixed(extent) => axis.integer(1, *extent as i64),
            Side::Free(name) => axis.bytes(2, name.as_bytes()),
        };
        shape.message(1, &axis);
    }
    let (mut tensor, mut kind, mut port) = (Message::default(), Message::default(), Message::default());
    tensor.integer(1, element.code()).message(2, &shape);
    kind.message(1, &tensor);
    port.bytes(1, name.as_bytes()).message(2, &kind);
    port
}

fn attribute(name: &str, value: &Attribute<'_>) -> Message {
    let mut attribute = Message::default();
    attribute.bytes(1, name.as_bytes());
    let kind = match value {
        Attribute::Float(number) => {
            attribute.float(2, *number);
            1
        }
        Attribute::Int(number) => {
            attribute.integer(3, *number);
            2
        }
        Attribute::Text(text) => {
            attribute.bytes(4, text.as_bytes());
            3
        }
        Attribute::Ints(numbers) => {
            for number in *numbers {
                attribute.integer(8, *number);
            }
            7
        }
    };
    attribute.integer(20, kind);
    attribute
}
