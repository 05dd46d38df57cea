//! The numbers that go into a graph and come out of it. Single precision, row-major, rows along the first axis.

/// A dense tensor. Its first axis counts rows: pictures of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Tensor {
    /// A tensor of this shape; none when the number of elements is another.
    #[must_use]
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Option<Self> {
        let elements = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))?;
        (!shape.is_empty() && elements == data.len()).then_some(Self { shape, data })
    }

    /// Extent of every axis, rows first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, row-major.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.shape[0]
    }

    /// The shape of one row.
    #[must_use]
    pub fn row_shape(&self) -> &[usize] {
        &self.shape[1..]
    }

    /// Rows of several tensors of one row shape, one after the other, filled with zeros up to `rows`.
    pub(crate) fn stack(parts: &[&Self], rows: usize) -> Self {
        let row_shape = parts[0].row_shape();
        let row: usize = row_shape.iter().product();
        let mut data = Vec::with_capacity(rows * row);
        parts.iter().for_each(|part| data.extend_from_slice(&part.data));
        data.resize(rows * row, 0.0);
        let shape = std::iter::once(rows).chain(row_shape.iter().copied()).collect();
        Self { shape, data }
    }

    /// Rows `start..start + rows` as a tensor of their own.
    pub(crate) fn slice(&self, start: usize, rows: usize) -> Self {
        let row: usize = self.row_shape().iter().product();
        let shape = std::iter::once(rows).chain(self.row_shape().iter().copied()).collect();
        Self { shape, data: self.data[start * row..(start + rows) * row].to_vec() }
    }

    /// The parts it is made of, for the runtime to own.
    pub(crate) fn into_parts(self) -> (Vec<usize>, Vec<f32>) {
        (self.shape, self.data)
    }
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
}
