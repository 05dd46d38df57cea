//! How the priorities of one queue share what is taken from it: high goes first, but of the jobs taken while others
//! wait at least one in eight is of normal priority or lower, and one in sixteen of low priority.

/// One share in so many, per priority from high to low; high needs none, being first.
const ONE_IN: [Option<usize>; 3] = [None, Some(8), Some(16)];

/// What the lower priorities of one queue have saved up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shares {
    /// Jobs taken since the last own share, per priority.
    saved: [usize; 3],
}

impl Shares {
    /// How much of `count` is set aside for each priority, from high to low; what is not needed goes to the most
    /// urgent ones that wait. The sum is `count`.
    pub(crate) fn split(&mut self, count: usize) -> [usize; 3] {
        let mut shares = [0; 3];
        let mut left = count;
        for priority in (1..3).rev() {
            let Some(one_in) = ONE_IN[priority] else { continue };
            self.saved[priority] += count;
            let own = (self.saved[priority] / one_in).min(left);
            self.saved[priority] -= own * one_in;
            // What could not be honoured for want of room stays saved, within reason.
            self.saved[priority] = self.saved[priority].min(4 * one_in);
            shares[priority] = own;
            left -= own;
        }
        shares[0] = left;
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(takes: usize, count: usize) -> [usize; 3] {
        let mut shares = Shares::default();
        (0..takes).map(|_| shares.split(count)).fold([0; 3], |sum, split| {
            assert_eq!(split.iter().sum::<usize>(), count, "a split is complete");
            [sum[0] + split[0], sum[1] + split[1], sum[2] + split[2]]
        })
    }

    #[test]
    fn every_priority_gets_its_share_whatever_the_size_of_a_take() {
        for count in [1, 3, 16, 64] {
            let [high, normal, low] = total(1_600 / count, count);
            assert!(high * 10 >= 1_600 * 8, "high gets at least 80 %, got {high} at {count}");
            assert!(normal * 9 >= 1_560, "normal gets about one in eight, got {normal} at {count}");
            assert!(low * 17 >= 1_560, "low gets about one in sixteen, got {low} at {count}");
        }
    }
}
