//! What a job warns of, within bounds: it travels in its report, in events and in the run's record, none of which may grow with the
//! number of detections or the length of their names.

/// Warnings kept at most; of the others their number.
const MOST: usize = 50;
/// Bytes of one at most.
const LONGEST: usize = 1_000;
/// Bytes of all of them at most.
const ROOM: usize = 16_000;

/// The warnings of one job.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    kept: Vec<String>,
    bytes: usize,
    left_out: usize,
}

impl Warnings {
    /// Keeps a warning, if there is room for it; what is too long is cut.
    pub(super) fn add(&mut self, mut warning: String) {
        if warning.len() > LONGEST {
            warning.truncate(warning.floor_char_boundary(LONGEST - '…'.len_utf8()));
            warning.push('…');
        }
        // Once one is left out those after it are too: what is kept is the beginning.
        if self.left_out > 0 || self.kept.len() == MOST || self.bytes + warning.len() > ROOM {
            self.left_out += 1;
            return;
        }
        self.bytes += warning.len();
        self.kept.push(warning);
    }

    /// What was kept, and last how many more there were.
    pub(super) fn told(&self) -> Vec<String> {
        let more = match self.left_out {
            0 => None,
            1 => Some("and 1 more warning".to_owned()),
            more => Some(format!("and {more} more warnings")),
        };
        self.kept.iter().cloned().chain(more).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(warnings: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut all = Warnings::default();
        warnings.into_iter().for_each(|warning| all.add(warning));
        all.told()
    }

    #[test]
    fn the_first_are_kept_and_the_others_counted() {
        let few: Vec<String> = (0..50).map(|number| format!("detection {number}")).collect();
        assert_eq!(told(few.clone()), few);
        let many = told((0..5_000).map(|number| format!("detection {number}")));
        assert_eq!((many.len(), &many[..50], &*many[50]), (51, &*few, "and 4950 more warnings"));
    }

    #[test]
    fn long_ones_are_cut_and_together_they_have_their_room() {
        assert_eq!(told([String::new(), "é".repeat(500)]), ["".to_owned(), "é".repeat(500)]);
        let cut = told(["é".repeat(501)]);
        assert_eq!(cut, ["é".repeat(498) + "…"]);
        let many = told(vec!["é".repeat(50_000); 100]);
        assert_eq!((many.len(), &*many[16]), (17, "and 84 more warnings"));
        assert!(many.iter().map(String::len).sum::<usize>() < ROOM + 100);
    }
}
