//! What one run is fed: the tensors of one request as they are, or those of several to be put one below the other. Nothing is
//! copied here: how that is done depends on where the run wants its inputs.

use crate::Tensor;

/// What one run is fed.
pub(super) struct Feed<'a> {
    /// By request, then by input of the graph.
    requests: Vec<&'a [Tensor]>,
    /// Rows of every input, filled up with zeros; none when the inputs are as they are.
    rows: Option<usize>,
}

impl<'a> Feed<'a> {
    /// The inputs of one request, whose first axes need not be rows.
    pub(super) fn alone(inputs: &'a [Tensor]) -> Self {
        Self { requests: vec![inputs], rows: None }
    }

    /// The rows of all requests, one below the other, filled up to `rows`.
    pub(super) fn stacked(requests: impl Iterator<Item = &'a [Tensor]>, rows: usize) -> Self {
        let requests: Vec<&[Tensor]> = requests.collect();
        let own = |inputs: &[Tensor]| inputs.first().map(Tensor::rows);
        let whole = matches!(*requests, [inputs] if own(inputs) == Some(rows));
        Self { requests, rows: (!whole).then_some(rows) }
    }

    /// The inputs, where they need not be put together.
    pub(super) fn whole(&self) -> Option<&'a [Tensor]> {
        if self.rows.is_some() {
            return None;
        }
        self.requests.first().copied()
    }

    /// What an input is put together of.
    pub(super) fn parts(&self, port: usize) -> impl Iterator<Item = &'a Tensor> {
        self.requests.iter().filter_map(move |inputs| inputs.get(port))
    }

    /// The shape of an input once it is put together; none when there is no such input.
    pub(super) fn shape(&self, port: usize) -> Option<Vec<usize>> {
        let first = self.parts(port).next()?;
        let stacked = |rows| std::iter::once(rows).chain(first.row_shape().iter().copied()).collect();
        Some(self.rows.map_or_else(|| first.shape().to_vec(), stacked))
    }

    /// An input, put together; none when there is no such input.
    pub(super) fn stack(&self, port: usize) -> Option<Tensor> {
        let parts: Vec<&Tensor> = self.parts(port).collect();
        match self.rows {
            Some(rows) if !parts.is_empty() => Some(Tensor::stack(&parts, rows)),
            _ => parts.first().map(|part| (*part).clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: usize) -> Vec<Tensor> {
        vec![Tensor::new(vec![rows, 2], vec![1.5; rows * 2]).unwrap()]
    }

    #[test]
    fn one_request_of_the_right_size_is_taken_as_it_is() {
        let three = rows(3);
        let one = |rows| Feed::stacked(std::iter::once(&three[..]), rows);
        assert_eq!(one(3).whole(), Some(&three[..]));
        assert_eq!((one(4).whole(), one(4).shape(0)), (None, Some(vec![4, 2])));
        assert_eq!(one(4).stack(0).unwrap().data(), [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 0.0, 0.0]);
        assert_eq!((Feed::alone(&three).shape(0), Feed::alone(&three).shape(1)), (Some(vec![3, 2]), None));
    }

    #[test]
    fn several_stand_one_below_the_other() {
        let (one, two) = (rows(1), rows(2));
        let feed = Feed::stacked([&one[..], &two[..]].into_iter(), 3);
        assert_eq!((feed.whole(), feed.shape(0), feed.parts(0).count()), (None, Some(vec![3, 2]), 2));
    }
}
