//! The numbers that go into a graph and come out of it: row-major, rows along the first axis.

mod content;
mod elements;

use millrace_vision::Sketch;

use self::content::Content;
pub use elements::Elements;
pub(crate) use elements::Number;

use crate::ElementType;

/// A dense tensor. Its first axis counts rows: pictures or texts of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    content: Content,
}

impl Tensor {
    /// A tensor in single precision; none when the shape has another number of elements.
    #[must_use]
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Option<Self> {
        Self::of(shape, data)
    }

    /// A tensor of this shape and these elements, of whatever type they are; none when their number is another. An
    /// empty shape is one number.
    #[must_use]
    pub fn of(shape: Vec<usize>, elements: impl Into<Elements>) -> Option<Self> {
        let elements = elements.into();
        (count(&shape)? == elements.len()).then_some(Self { shape, content: Content::Numbers(elements) })
    }

    /// A picture, in single precision; none when the shape has another number of elements. Its numbers are made where they are
    /// needed.
    #[must_use]
    pub fn sketched(shape: Vec<usize>, sketch: Sketch) -> Option<Self> {
        (count(&shape)? == sketch.len()).then(|| Self { shape, content: Content::picture(sketch) })
    }

    /// Extent of every axis, rows first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements of a tensor in single precision, row-major; nothing for tensors of other types. What a family is
    /// given is in single precision wherever its graph gives numbers with a fraction.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        match self.elements() {
            Elements::F32(data) => data,
            _ => &[],
        }
    }

    /// The elements, whatever their type, row-major.
    #[must_use]
    pub fn elements(&self) -> &Elements {
        self.content.elements()
    }

    /// How many elements.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "one without elements has a shape all the same")]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Writes the numbers of a tensor in single precision where there is room for exactly as many.
    pub(crate) fn write_to(&self, data: &mut [f32]) -> Option<()> {
        self.content.write_to(data)
    }

    /// How many rows; 1 for a single number.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The shape of one row.
    #[must_use]
    pub fn row_shape(&self) -> &[usize] {
        self.shape.get(1..).unwrap_or_default()
    }

    /// The type of its elements.
    #[must_use]
    pub fn element_type(&self) -> ElementType {
        self.content.element_type()
    }

    /// The same numbers in single precision where they are in half or double precision; others as they are.
    #[must_use]
    pub fn in_single_precision(self) -> Self {
        let elements = self.content.into_elements().in_single_precision();
        Self { shape: self.shape, content: Content::Numbers(elements) }
    }

    /// The same numbers in half precision, where they are in single precision.
    pub(crate) fn in_half_precision(&self) -> Option<Self> {
        let elements = self.elements().in_half_precision()?;
        Some(Self { shape: self.shape.clone(), content: Content::Numbers(elements) })
    }

    /// Rows of several tensors of one row shape and type, one after the other, filled with zeros up to `rows`.
    pub(crate) fn stack(parts: &[&Self], rows: usize) -> Self {
        let row_shape = parts[0].row_shape();
        let row: usize = row_shape.iter().product();
        let elements = if parts[0].element_type() == ElementType::F32 {
            let mut data = Vec::with_capacity(rows * row);
            parts.iter().for_each(|part| part.content.append_to(&mut data));
            data.resize(rows * row, 0.0);
            Elements::F32(data)
        } else {
            Elements::concatenated(parts.iter().map(|part| part.elements()), rows * row)
        };
        let shape = std::iter::once(rows).chain(row_shape.iter().copied()).collect();
        Self { shape, content: Content::Numbers(elements) }
    }

    /// Rows `start..start + rows` as a tensor of their own.
    pub(crate) fn slice(&self, start: usize, rows: usize) -> Self {
        let row: usize = self.row_shape().iter().product();
        let shape = std::iter::once(rows).chain(self.row_shape().iter().copied()).collect();
        let elements = self.elements().part(start * row..(start + rows) * row);
        Self { shape, content: Content::Numbers(elements) }
    }
}

/// The elements of a shape; none when they cannot be counted.
fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_stacked_and_taken_apart() {
        let one = Tensor::new(vec![1, 2], vec![1.0, 2.0]).unwrap();
        let two = Tensor::new(vec![2, 2], vec![3.0, 4.0, 5.0, 6.0]).unwrap();
        let stacked = Tensor::stack(&[&one, &two], 4);
        assert_eq!(
            (stacked.shape(), stacked.data()),
            (&[4, 2][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 0.0][..])
        );
        assert_eq!(stacked.slice(1, 2), two);
        assert_eq!(Tensor::new(vec![2, 2], vec![0.0; 3]), None);
        assert_eq!(Tensor::new(vec![usize::MAX, 2], vec![]), None);
    }

    #[test]
    fn whole_numbers_are_stacked_as_such() {
        let ids = |ids: Vec<i64>| Tensor::of(vec![1, ids.len()], ids).unwrap();
        let stacked = Tensor::stack(&[&ids(vec![7, 8]), &ids(vec![9, 10])], 3);
        assert_eq!(stacked.elements(), &Elements::I64(vec![7, 8, 9, 10, 0, 0]));
        assert_eq!((stacked.element_type(), stacked.data().len()), (ElementType::I64, 0));
        assert_eq!(stacked.slice(1, 1), ids(vec![9, 10]));
    }

    #[test]
    fn precisions_are_changed_and_single_numbers_have_one_row() {
        let half = Tensor::new(vec![2], vec![0.5, 1.0 / 3.0]).unwrap().in_half_precision().unwrap();
        assert_eq!(half.element_type(), ElementType::F16);
        assert_eq!(half.in_single_precision().data(), [0.5, 0.333_251_95]);
        let double = Tensor::of(vec![], vec![2.5f64]).unwrap();
        assert_eq!((double.rows(), double.row_shape()), (1, &[][..]));
        assert_eq!(double.in_single_precision().data(), [2.5]);
        let whole = Tensor::of(vec![1], vec![3u8]).unwrap();
        assert_eq!(whole.in_half_precision(), None);
        assert_eq!(whole.clone().in_single_precision(), whole);
    }
}
