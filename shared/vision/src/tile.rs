//! Cutting a large picture into overlapping tiles, so that small things stay large enough for a detector.

use crate::PixelBox;

/// What becomes of tiles that would stand over the right or lower edge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TileEdge {
    /// They are pushed back inside, so that all tiles are of equal size.
    #[default]
    Shift,
    /// They end at the edge and are smaller.
    Truncate,
}

/// How a picture is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tiling {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Share of a tile's width that it has in common with the next one, 0 to below 1.
    pub overlap_x: f64,
    /// Share of a tile's height that it has in common with the one below, 0 to below 1.
    pub overlap_y: f64,
    /// What becomes of tiles over the edge.
    pub edge: TileEdge,
}

impl Tiling {
    /// How many tiles a picture of this size has. Computed, so that a limit can be kept before any is made.
    #[must_use]
    pub fn count(&self, (width, height): (u32, u32)) -> u64 {
        let along = |side: u32, tile: u32, overlap: f64| {
            if side == 0 {
                return 0;
            }
            u64::from(side.saturating_sub(tile).div_ceil(stride(tile, overlap))) + 1
        };
        along(width, self.width, self.overlap_x) * along(height, self.height, self.overlap_y)
    }

    /// The tiles of a picture of this size, row by row. The last of a row or column is the first that reaches the edge:
    /// none lies wholly inside another. A picture smaller than a tile is one tile.
    pub fn tiles(&self, (width, height): (u32, u32)) -> impl Iterator<Item = PixelBox> {
        let columns = spans(width, self.width, stride(self.width, self.overlap_x), self.edge);
        let rows = spans(height, self.height, stride(self.height, self.overlap_y), self.edge);
        rows.into_iter().flat_map(move |(y, height)| {
            columns.clone().into_iter().map(move |(x, width)| PixelBox { x, y, width, height })
        })
    }
}

/// From one tile to the next: the tile less what they have in common, `size − ⌊overlap × size⌋`; at least a pixel.
fn stride(size: u32, overlap: f64) -> u32 {
    let common = (overlap.clamp(0.0, 1.0) * f64::from(size)).floor() as u32;
    size.saturating_sub(common).max(1)
}

/// Where tiles begin along a side, and how long they are.
fn spans(side: u32, tile: u32, stride: u32, edge: TileEdge) -> Vec<(u32, u32)> {
    let mut spans = Vec::new();
    let mut start = 0;
    while start < side {
        let (end, reaches) = (start.saturating_add(tile), start.saturating_add(tile) >= side);
        let from = match edge {
            TileEdge::Shift if end > side => side.saturating_sub(tile),
            _ => start,
        };
        spans.push((from, end.min(side) - from));
        if reaches {
            break;
        }
        start += stride;
    }
    spans
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tiling(width: u32, height: u32, overlap: f64, edge: TileEdge) -> Tiling {
        Tiling { width, height, overlap_x: overlap, overlap_y: overlap, edge }
    }

    #[test]
    fn tiles_are_where_they_were_computed_by_hand() {
        let at = |tiling: Tiling, size| {
            tiling.tiles(size).map(|tile| (tile.x, tile.y, tile.width, tile.height)).collect::<Vec<_>>()
        };
        // 1000 wide, tiles of 640, 128 in common: 0 and 512, pushed back to 360.
        let shifted = at(tiling(640, 640, 0.2, TileEdge::Shift), (1000, 640));
        assert_eq!(shifted, [(0, 0, 640, 640), (360, 0, 640, 640)]);
        let cut = at(tiling(640, 640, 0.2, TileEdge::Truncate), (1000, 640));
        assert_eq!(cut, [(0, 0, 640, 640), (512, 0, 488, 640)]);
        // ⌊0.25 × 10⌋ = 2 in common.
        let small = at(tiling(10, 10, 0.25, TileEdge::Truncate), (20, 8));
        assert_eq!(small, [(0, 0, 10, 8), (8, 0, 10, 8), (16, 0, 4, 8)]);
        assert_eq!(at(tiling(640, 640, 0.2, TileEdge::Shift), (300, 200)), [(0, 0, 300, 200)]);
    }

    proptest! {
        /// Whatever the sizes: every pixel is covered, no tile leaves the picture or is there twice, and the count is
        /// the number.
        #[test]
        fn tiles_cover_the_picture(
            size in (0u32..200, 0u32..200), tile in (1u32..90, 1u32..90), overlap in 0.0f64..0.99, shift: bool,
        ) {
            let edge = if shift { TileEdge::Shift } else { TileEdge::Truncate };
            let tiling = tiling(tile.0, tile.1, overlap, edge);
            let tiles: Vec<PixelBox> = tiling.tiles(size).collect();
            prop_assert_eq!(tiles.len() as u64, tiling.count(size));
            let mut covered = vec![false; size.0 as usize * size.1 as usize];
            for (number, tile) in tiles.iter().enumerate() {
                prop_assert!(tile.x + tile.width <= size.0 && tile.y + tile.height <= size.1 && !tile.is_empty());
                prop_assert!(!tiles[..number].contains(tile));
                for y in tile.y..tile.y + tile.height {
                    let row = y as usize * size.0 as usize;
                    covered[row + tile.x as usize..row + (tile.x + tile.width) as usize].fill(true);
                }
            }
            prop_assert!(covered.into_iter().all(|covered| covered));
            if shift && size.0 >= tile.0 && size.1 >= tile.1 {
                prop_assert!(tiles.iter().all(|one| (one.width, one.height) == tile));
            }
        }
    }
}
