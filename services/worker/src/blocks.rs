//! The blocks this worker runs. A new block is a file and a line here.

mod inputs;
mod models;
mod outputs;
mod transforms;

use futures::future::BoxFuture;
use millrace_contracts::{IMAGE_FETCH, JobError};

use crate::job::{JobContext, Outputs};

/// How a block runs.
pub(crate) type Run = for<'a> fn(&'a JobContext) -> BoxFuture<'a, Result<Outputs, JobError>>;

const BLOCKS: &[(&str, Run)] = &[
    ("detection@1", models::detection::run),
    ("classification@1", models::classification::run),
    ("aggregation@1", outputs::aggregation::run),
    ("blur_region@1", transforms::blur_region::run),
    ("comparison@1", transforms::comparison::run),
    ("embedding@1", models::embedding::run),
    ("segmentation@1", models::segmentation::run),
    ("tensor@1", models::tensor::run),
    ("crop@1", transforms::crop::run),
    ("draw_boxes@1", transforms::draw_boxes::run),
    ("draw_masks@1", transforms::draw_masks::run),
    ("grid_builder@1", transforms::grid_builder::run),
    ("heatmap@1", transforms::heatmap::run),
    ("normalize@1", transforms::normalize::run),
    ("resize@1", transforms::resize::run),
    ("rotate_flip@1", transforms::rotate_flip::run),
    ("smoothing@1", transforms::smoothing::run),
    ("similarity_search@1", models::similarity_search::run),
    ("stitch@1", transforms::stitch::run),
    ("tile@1", transforms::tile::run),
    ("webhook@1", outputs::webhook::run),
    // No node's block, but what a run's pictures by URL are fetched by.
    (IMAGE_FETCH, inputs::image_input::run),
];

/// The block that `task` names, version included.
pub(crate) fn find(task: &str) -> Option<Run> {
    BLOCKS.iter().find(|(name, _)| *name == task).map(|(_, run)| *run)
}

#[cfg(test)]
mod tests {
    use millrace_blocks::{Runner, catalogue};

    use super::*;

    #[test]
    fn every_block_of_the_catalogue_that_is_ours_is_here() {
        let catalogue = catalogue();
        let ours: Vec<String> = catalogue
            .iter()
            .filter(|block| matches!(block.runner, Runner::Worker { .. }))
            .map(|block| block.versioned())
            .collect();
        for block in &ours {
            assert!(find(block).is_some(), "{block} has no runner");
        }
        assert_eq!(ours.len() + 1, BLOCKS.len(), "and the fetching of pictures");
    }
}
