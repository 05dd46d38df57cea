//! What a tensor holds: numbers, or a picture whose numbers are made where they are needed. A picture that waits for its batch so
//! takes a quarter of the memory, and its numbers are written once, into the batch.

use std::sync::OnceLock;

use millrace_vision::Sketch;

use super::Elements;
use crate::ElementType;

#[derive(Debug, Clone)]
pub(super) enum Content {
    Numbers(Elements),
    Picture(Box<Picture>),
}

#[derive(Debug, Clone)]
pub(super) struct Picture {
    sketch: Sketch,
    /// Its numbers, once somebody looked at them here.
    numbers: OnceLock<Elements>,
}

impl Content {
    pub(super) fn picture(sketch: Sketch) -> Self {
        Self::Picture(Box::new(Picture { sketch, numbers: OnceLock::new() }))
    }

    pub(super) fn elements(&self) -> &Elements {
        match self {
            Self::Numbers(elements) => elements,
            Self::Picture(picture) => picture.numbers.get_or_init(|| painted(&picture.sketch)),
        }
    }

    pub(super) fn into_elements(self) -> Elements {
        match self {
            Self::Numbers(elements) => elements,
            Self::Picture(picture) => {
                picture.numbers.into_inner().unwrap_or_else(|| painted(&picture.sketch))
            }
        }
    }

    pub(super) fn element_type(&self) -> ElementType {
        match self {
            Self::Numbers(elements) => elements.element_type(),
            Self::Picture(_) => ElementType::F32,
        }
    }

    /// Appends the numbers, where they are in single precision.
    pub(super) fn append_to(&self, data: &mut Vec<f32>) {
        match self {
            Self::Picture(picture) => picture.sketch.append_to(data),
            Self::Numbers(Elements::F32(numbers)) => data.extend_from_slice(numbers),
            Self::Numbers(_) => {}
        }
    }

    /// Writes the numbers where there is room for exactly as many; none where there is not, or they are not in single precision.
    pub(super) fn write_to(&self, data: &mut [f32]) -> Option<()> {
        match self {
            Self::Picture(picture) => picture.sketch.paint(data),
            Self::Numbers(Elements::F32(numbers)) if numbers.len() == data.len() => {
                data.copy_from_slice(numbers);
                Some(())
            }
            Self::Numbers(_) => None,
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.elements() == other.elements()
    }
}

fn painted(sketch: &Sketch) -> Elements {
    let mut floats = Vec::new();
    sketch.append_to(&mut floats);
    Elements::F32(floats)
}
