//! How much one job may do to a picture: no more than takes a few minutes, since what is under way on a pixel thread is finished
//! even after the job's deadline, and no more pictures than a store should have of one.

use millrace_contracts::{ErrorKind, JobError};
use millrace_vision::PixelBox;

/// Pixels that are worked on at most, what is covered twice counted twice: all of a picture of 12 megapixels 800 times.
const MOST_PIXELS: u64 = 10_000_000_000;
/// Pictures that are cut out at most: as many as one detection block may find things.
const MOST_CROPS: usize = 10_000;
/// Labels that are written at most: each is kept off all others, and their pairs are what takes time.
const MOST_LABELS: usize = 30_000;

/// Refuses regions that are more pixels than a job may work on.
pub(super) fn check_pixels(areas: impl Iterator<Item = u64>) -> Result<(), JobError> {
    let (count, pixels) = sum(areas);
    if pixels <= MOST_PIXELS {
        return Ok(());
    }
    let (megapixels, most) = (pixels / 1_000_000, MOST_PIXELS / 1_000_000);
    let what = format!(
        "{count} regions of {megapixels} megapixels together are more than the {most} megapixels allowed"
    );
    Err(refused(&what, ""))
}

/// The same where the block's settings say how much work each is, in pixels; `lower` names those that make it more.
pub(super) fn check_work(works: impl Iterator<Item = u64>, lower: &str) -> Result<(), JobError> {
    let (count, pixels) = sum(works);
    if pixels <= MOST_PIXELS {
        return Ok(());
    }
    let (megapixels, most) = (pixels / 1_000_000, MOST_PIXELS / 1_000_000);
    let what = format!("{count} regions are as much work as {megapixels} megapixels, and {most} are allowed");
    Err(refused(&what, &format!("lower {lower}, ")))
}

/// How many there are, and their sum.
fn sum(pixels: impl Iterator<Item = u64>) -> (u64, u64) {
    pixels.fold((0, 0), |(count, sum), pixels| (count + 1, sum.saturating_add(pixels)))
}

/// Refuses more labels than may be kept off each other.
pub(super) fn check_labels(count: usize) -> Result<(), JobError> {
    if count <= MOST_LABELS {
        return Ok(());
    }
    let what = format!("{count} labels are more than the {MOST_LABELS} allowed");
    Err(refused(&what, "set `labels` to \"none\", "))
}

/// Refuses more crops than a job may make, and larger ones.
pub(super) fn check_crops(parts: impl ExactSizeIterator<Item = PixelBox>) -> Result<(), JobError> {
    if parts.len() > MOST_CROPS {
        return Err(refused(&format!("{} crops are more than the {MOST_CROPS} allowed", parts.len()), ""));
    }
    check_pixels(parts.map(|part| part.area()))
}

/// `first` is what else helps, and is said before the rest.
fn refused(what: &str, first: &str) -> JobError {
    let way_out = "raise the `confidence` of what finds them, or keep fewer with a filter's `top_n`";
    JobError::new(ErrorKind::InvalidInput, format!("{what}; {first}{way_out}")).at("/inputs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_work_is_refused_with_a_way_out() {
        let whole = |times: usize| std::iter::repeat_n(50_000_000, times);
        assert_eq!(check_pixels(whole(200)), Ok(()));
        assert_eq!(check_pixels(std::iter::repeat_n(40_000, 100_000)), Ok(()), "many that are small");
        let refused = check_pixels(whole(201)).unwrap_err();
        assert_eq!((refused.kind, refused.pointer.as_deref()), (ErrorKind::InvalidInput, Some("/inputs")));
        assert!(refused.message.contains("201 regions of 10050 megapixels"), "{refused}");
        assert!(refused.message.contains("top_n"), "{refused}");
        assert!(check_pixels([u64::MAX, u64::MAX].into_iter()).is_err());
    }

    #[test]
    fn work_that_settings_make_is_refused_with_these() {
        let works = |times: usize| std::iter::repeat_n(50_000_000, times);
        assert_eq!(check_work(works(200), "`roundness`"), Ok(()));
        let refused = check_work(works(201), "`roundness`").unwrap_err();
        assert_eq!((refused.kind, refused.pointer.as_deref()), (ErrorKind::InvalidInput, Some("/inputs")));
        for words in ["201 regions", "10050 megapixels", "10000 are allowed", "lower `roundness`", "top_n"] {
            assert!(refused.message.contains(words), "{refused}");
        }
    }

    #[test]
    fn a_flood_of_labels_is_refused() {
        assert_eq!(check_labels(MOST_LABELS), Ok(()));
        let refused = check_labels(MOST_LABELS + 1).unwrap_err();
        assert!(
            refused.message.contains("30001 labels") && refused.message.contains("\"none\""),
            "{refused}"
        );
    }

    #[test]
    fn a_flood_of_crops_is_refused() {
        let crops = |side: u32, count: usize| {
            vec![PixelBox { x: 0, y: 0, width: side, height: side }; count].into_iter()
        };
        assert_eq!(check_crops(crops(8, MOST_CROPS)), Ok(()));
        assert!(check_crops(crops(8, MOST_CROPS + 1)).unwrap_err().message.contains("10001 crops"));
        assert!(check_crops(crops(7_000, 300)).is_err(), "few, and yet too much");
    }
}
