//! Numbers for weights: evenly spread, reproducible on every machine.

/// A stream of numbers from a seed (SplitMix64, Steele et al. 2014).
#[derive(Debug, Clone)]
pub struct Weights(u64);

impl Weights {
    /// The stream of `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// `count` numbers between −`bound` and `bound`.
    #[must_use]
    pub fn within(&mut self, bound: f32, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next_unit() * 2.0 - 1.0) * bound).collect()
    }

    /// Weights of a layer with `fan_in` inputs per output, spread so that signals keep their size through rectifiers
    /// (He et al. 2015).
    #[must_use]
    pub fn layer(&mut self, fan_in: usize, count: usize) -> Vec<f32> {
        self.within((6.0 / fan_in.max(1) as f32).sqrt(), count)
    }

    /// 0 to 1, of 24 bits, so that every value is exact in single precision.
    fn next_unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_within_their_bound() {
        let (mut one, mut two) = (Weights::seeded(7), Weights::seeded(7));
        let numbers = one.within(0.5, 1_000);
        assert_eq!(numbers, two.within(0.5, 1_000));
        assert!(numbers.iter().all(|number| number.abs() <= 0.5));
        assert!(numbers.iter().any(|number| *number > 0.4) && numbers.iter().any(|number| *number < -0.4));
        assert_ne!(numbers, Weights::seeded(8).within(0.5, 1_000));
    }
}
