//! Numbers that look random and are the same everywhere.

/// The number at a place of the sequence that `seed` names (splitmix64).
pub(crate) fn at(seed: u64, place: u64) -> u64 {
    let step = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut mixed = seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(step);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The numbers of a sequence one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    seed: u64,
    place: u64,
}

impl Sequence {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, place: 0 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.place += 1;
        at(self.seed, self.place)
    }

    /// Less than `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// From 0 on and less than 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True once in `many` times.
    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.next() % choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_repeat_and_differ_from_each_other() {
        let take = |seed| {
            let mut sequence = Sequence::new(seed);
            (0..100).map(|_| sequence.next()).collect::<Vec<_>>()
        };
        assert_eq!(take(1), take(1));
        assert!(take(1).iter().all(|number| !take(2).contains(number)));
        let mut sequence = Sequence::new(3);
        assert!(
            (0..1000)
                .map(|_| sequence.fraction())
                .all(|part| part < 1.0)
        );
    }
}
