//! The one place where blocks are registered.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Serialize, Serializer};

use crate::block::Block;
use crate::{inputs, logic, models, outputs, transforms};

/// Every block of this build.
#[derive(Debug)]
pub struct Catalogue {
    blocks: Vec<Block>,
    /// Positions of each name's versions, oldest first.
    by_name: HashMap<&'static str, Vec<usize>>,
}

/// The catalogue, built on first use.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(all()));
    &CATALOGUE
}

/// One line per block, in the order of the console's shelves.
fn all() -> Vec<Block> {
    vec![
        inputs::image_input::block(),
        inputs::parameter_input::block(),
        models::detection::block(),
        models::embedding::block(),
        models::segmentation::block(),
        models::tensor::block(),
        models::classification::block(),
        models::similarity_search::block(),
        transforms::crop::block(),
        transforms::resize::block(),
        transforms::tile::block(),
        transforms::stitch::block(),
        transforms::rotate_flip::block(),
        transforms::normalize::block(),
        transforms::smoothing::block(),
        transforms::blur_region::block(),
        transforms::draw_boxes::block(),
        transforms::draw_masks::block(),
        transforms::heatmap::block(),
        transforms::comparison::block(),
        transforms::grid_builder::block(),
        logic::condition::block(),
        logic::switch::block(),
        logic::first_of::block(),
        logic::filter::block(),
        logic::for_each::block(),
        logic::collect::block(),
        logic::map::block(),
        logic::delay::block(),
        logic::sub_workflow::block(),
        outputs::json_output::block(),
        outputs::api_response::block(),
        outputs::webhook::block(),
        outputs::aggregation::block(),
    ]
}

impl Catalogue {
    fn new(blocks: Vec<Block>) -> Self {
        let mut by_name: HashMap<&'static str, Vec<usize>> = HashMap::new();
        for (position, block) in blocks.iter().enumerate() {
            by_name.entry(block.name).or_default().push(position);
        }
        for positions in by_name.values_mut() {
            positions.sort_by_key(|&position| blocks[position].version);
        }
        Self { blocks, by_name }
    }

    /// Every block.
    pub fn iter(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter()
    }

    /// The newest version of a block.
    #[must_use]
    pub fn newest(&self, name: &str) -> Option<&Block> {
        self.versions(name).last()
    }

    /// One version of a block.
    #[must_use]
    pub fn find(&self, name: &str, version: u32) -> Option<&Block> {
        self.versions(name).find(|block| block.version == version)
    }

    /// Every version of a block, oldest first.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = &Block> {
        self.by_name.get(name).into_iter().flatten().map(|&position| &self.blocks[position])
    }

    /// The block that a node's `type` means: `crop@1`, or `crop` for the newest.
    #[must_use]
    pub fn resolve(&self, type_name: &str) -> Option<&Block> {
        match type_name.split_once('@') {
            Some((name, version)) => {
                let number = version.parse().ok()?;
                // One spelling per version: neither `crop@01` nor `crop@+1`.
                self.find(name, number).filter(|block| block.version.to_string() == version)
            }
            None => self.newest(type_name),
        }
    }
}

/// The blocks as a list.
impl Serialize for Catalogue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.blocks.serialize(serializer)
    }
}
