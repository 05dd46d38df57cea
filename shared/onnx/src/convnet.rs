//! The network of the inference benchmark: ResNet-18 (He et al. 2015, table 1), batch norms folded into the convolutions.

use crate::{Attribute, Element, Graph, Side, Weights};

/// Residual blocks of each of the four stages.
const BLOCKS: usize = 2;
const STAGES: usize = 4;
/// Pictures are halved so often between input and last stage.
const STRIDE: usize = 32;
/// Units of a ballast layer: 4096 × 4096 weights of four bytes are 64 MiB.
const BALLAST: usize = 4096;

/// What stands behind the last stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// One score per class, as Hugging Face exports them: `pixel_values` → `logits`.
    Classes {
        /// How many.
        count: usize,
    },
    /// A column of box and scores per place of the last stage, as Ultralytics exports them: `images` → `output0`.
    Boxes {
        /// How many classes.
        count: usize,
    },
}

/// A ResNet-18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convnet {
    /// Channels of the first stage; 64 in the paper.
    pub width: usize,
    /// Sides of the picture, pixels; a multiple of 32.
    pub size: usize,
    /// What it gives.
    pub head: Head,
    /// Dense layers of 64 MiB each between body and head: they make a model heavy to load without making it slow.
    pub ballast: usize,
    /// Of the weights.
    pub seed: u64,
}

/// The model file of `net`. The batch axis is free.
#[must_use]
pub fn convnet(net: &Convnet) -> Vec<u8> {
    let mut building =
        Building { graph: Graph::new("convnet"), weights: Weights::seeded(net.seed), count: 0 };
    let (input, output) = match net.head {
        Head::Classes { .. } => ("pixel_values", "logits"),
        Head::Boxes { .. } => ("images", "output0"),
    };
    let sides = [Side::Free("batch"), Side::Fixed(3), Side::Fixed(net.size), Side::Fixed(net.size)];
    building.graph.input(input, Element::F32, &sides);
    let channels = net.width << (STAGES - 1);
    let mut features = building.body(input, net.width);
    if net.ballast > 0 {
        features = building.ballast(&features, channels, net.ballast);
    }
    match net.head {
        Head::Classes { count } => {
            building.classes(&features, (channels, count), output);
            building.graph.output(output, Element::F32, &[Side::Free("batch"), Side::Fixed(count)]);
        }
        Head::Boxes { count } => {
            let places = (net.size / STRIDE).pow(2);
            building.boxes(&features, (channels, count, places), output);
            let sides = [Side::Free("batch"), Side::Fixed(4 + count), Side::Fixed(places)];
            building.graph.output(output, Element::F32, &sides);
            let names: Vec<String> = (0..count).map(|class| format!("{class}: 'class{class}'")).collect();
            building.graph.metadata("task", "detect").metadata("stride", &STRIDE.to_string());
            building.graph.metadata("imgsz", &format!("[{0}, {0}]", net.size));
            building.graph.metadata("names", &format!("{{{}}}", names.join(", ")));
        }
    }
    building.graph.encode()
}

/// A graph, and the names given so far.
struct Building {
    graph: Graph,
    weights: Weights,
    count: usize,
}

/// One convolution.
#[derive(Clone, Copy)]
struct Layer {
    from: usize,
    to: usize,
    kernel: usize,
    stride: usize,
}

impl Building {
    fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}{}", self.count)
    }

    /// Everything before the head; gives the name of the last stage's output.
    fn body(&mut self, input: &str, width: usize) -> String {
        let stem = self.conv(input, Layer { from: 3, to: width, kernel: 7, stride: 2 });
        let stem = self.op("Relu", &[&stem], &[]);
        let pool = [
            ("kernel_shape", Attribute::Ints(&[3, 3])),
            ("strides", Attribute::Ints(&[2, 2])),
            ("pads", Attribute::Ints(&[1, 1, 1, 1])),
        ];
        let mut at = self.op("MaxPool", &[&stem], &pool);
        let mut from = width;
        for stage in 0..STAGES {
            let to = width << stage;
            for block in 0..BLOCKS {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                at = self.block(&at, from, to, stride);
                from = to;
            }
        }
        at
    }

    fn block(&mut self, input: &str, from: usize, to: usize, stride: usize) -> String {
        let first = self.conv(input, Layer { from, to, kernel: 3, stride });
        let first = self.op("Relu", &[&first], &[]);
        let second = self.conv(&first, Layer { from: to, to, kernel: 3, stride: 1 });
        let shortcut = if from == to && stride == 1 {
            input.to_owned()
        } else {
            self.conv(input, Layer { from, to, kernel: 1, stride })
        };
        let sum = self.op("Add", &[&second, &shortcut], &[]);
        self.op("Relu", &[&sum], &[])
    }

    /// What the features come to, through the dense layers, added to them again.
    fn ballast(&mut self, features: &str, channels: usize, layers: usize) -> String {
        let pooled = self.op("GlobalAveragePool", &[features], &[]);
        let mut at = self.op("Flatten", &[&pooled], &[]);
        let mut from = channels;
        for to in std::iter::repeat_n(BALLAST, layers + 1).chain([channels]) {
            let dense = self.dense(&at, (from, to));
            at = self.op("Relu", &[&dense], &[]);
            from = to;
        }
        let shape = self.sides(&[0, channels as i64, 1, 1]);
        let column = self.op("Reshape", &[&at, &shape], &[]);
        self.op("Add", &[features, &column], &[])
    }

    fn classes(&mut self, features: &str, (channels, count): (usize, usize), output: &str) {
        let pooled = self.op("GlobalAveragePool", &[features], &[]);
        let flat = self.op("Flatten", &[&pooled], &[]);
        let (weights, bias) = self.parameters(&[channels, count], channels, count);
        self.graph.node("Gemm", &[&flat, &weights, &bias], output, &[]);
    }

    fn dense(&mut self, input: &str, (from, to): (usize, usize)) -> String {
        let (weights, bias) = self.parameters(&[from, to], from, to);
        self.op("Gemm", &[input, &weights, &bias], &[])
    }

    /// A shape, as `Reshape` wants it; 0 keeps the axis.
    fn sides(&mut self, sides: &[i64]) -> String {
        let raw: Vec<u8> = sides.iter().flat_map(|side| side.to_le_bytes()).collect();
        let name = self.name("shape");
        self.graph.tensor(&name, Element::I64, &[sides.len()], &raw);
        name
    }

    fn boxes(&mut self, features: &str, (channels, count, places): (usize, usize, usize), output: &str) {
        let columns = self.conv(features, Layer { from: channels, to: 4 + count, kernel: 1, stride: 1 });
        let scores = self.op("Sigmoid", &[&columns], &[]);
        let shape = self.sides(&[0, 4 + count as i64, places as i64]);
        self.graph.node("Reshape", &[&scores, &shape], output, &[]);
    }

    fn conv(&mut self, input: &str, layer: Layer) -> String {
        let Layer { from, to, kernel, stride } = layer;
        let (weights, bias) = self.parameters(&[to, from, kernel, kernel], from * kernel * kernel, to);
        let (kernel, stride) = (kernel as i64, stride as i64);
        let attributes = [
            ("kernel_shape", Attribute::Ints(&[kernel, kernel])),
            ("strides", Attribute::Ints(&[stride, stride])),
            ("pads", Attribute::Ints(&[kernel / 2; 4])),
        ];
        self.op("Conv", &[input, &weights, &bias], &attributes)
    }

    /// Weights of `sides` and `outputs` biases.
    fn parameters(&mut self, sides: &[usize], fan_in: usize, outputs: usize) -> (String, String) {
        let (weights, bias) = (self.name("weights"), self.name("bias"));
        let numbers = self.weights.layer(fan_in, sides.iter().product());
        self.graph.constant(&weights, sides, &numbers);
        let numbers = self.weights.within(0.01, outputs);
        self.graph.constant(&bias, &[outputs], &numbers);
        (weights, bias)
    }

    fn op(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute<'_>)]) -> String {
        let name = self.name(operator);
        self.graph.node(operator, inputs, &name, attributes);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benchmarks_network_is_as_large_as_it_is_said_to_be() {
        let net = Convnet { width: 16, size: 224, head: Head::Classes { count: 1_000 }, ballast: 0, seed: 1 };
        let file = convnet(&net);
        assert_eq!(file.len() / 100_000, 33, "3.3 MB, not {}", file.len());
        assert_eq!(file, convnet(&net));
    }
}
