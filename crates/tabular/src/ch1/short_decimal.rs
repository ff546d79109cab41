//! The plain text of decimals that 64 bits hold, which nearly all are: written from the last digit on.

/// Where texts end.
const END: usize = 24;
/// Bytes behind a text that may be copied with it.
const SLACK: usize = 16;
/// The greatest number of places after the point.
const MAX_SCALE: usize = 18;

/// The digits of 0 to 99.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Writes decimals of one scale as text, one after the other in the same memory.
pub(super) struct ShortDecimal {
    scale: usize,
    divisor: u64,
    text: [u8; END + SLACK],
}

impl ShortDecimal {
    /// `None` for scales beyond what 64 bits hold.
    pub(super) fn new(scale: i8) -> Option<Self> {
        let scale = usize::try_from(scale).ok()?;
        if scale > MAX_SCALE {
            return None;
        }
        Some(Self {
            scale,
            divisor: 10_u64.checked_pow(scale as u32)?,
            text: [0; END + SLACK],
        })
    }

    /// The text of `unscaled` / 10^scale with some bytes behind it, and its length. `None` beyond 64 bits.
    #[inline]
    pub(super) fn of(&mut self, unscaled: i128) -> Option<(&[u8], usize)> {
        let magnitude = u64::try_from(unscaled.unsigned_abs()).ok()?;
        let whole = magnitude / self.divisor;
        let mut start = END;
        let mut fraction = magnitude % self.divisor;
        if fraction != 0 {
            let mut places = self.scale;
            while fraction.is_multiple_of(10) {
                fraction /= 10;
                places -= 1;
            }
            let first = END - places;
            let written = self.put(END, fraction);
            self.text[first..written].fill(b'0');
            start = first - 1;
            self.text[start] = b'.';
        }
        start = self.put(start, whole);
        if unscaled < 0 {
            start -= 1;
            self.text[start] = b'-';
        }
        Some((&self.text[start..], END - start))
    }

    /// Writes `number` so that it ends at `end`, and says where it starts.
    #[inline]
    fn put(&mut self, end: usize, mut number: u64) -> usize {
        let mut start = end;
        while number >= 100 {
            let pair = PAIRS[(number % 100) as usize];
            number /= 100;
            start -= 2;
            self.text[start..start + 2].copy_from_slice(&pair);
        }
        if number >= 10 {
            start -= 2;
            self.text[start..start + 2].copy_from_slice(&PAIRS[number as usize]);
        } else {
            start -= 1;
            self.text[start] = b'0' + number as u8;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::super::decimal::DecimalText;
    use super::*;

    #[test]
    fn short_texts_are_those_of_the_long_way() {
        let mut long = DecimalText::new();
        for scale in 0..=18 {
            let mut short = ShortDecimal::new(scale).unwrap();
            let mut number: u64 = 1;
            let edges = [
                0,
                1,
                9,
                10,
                99,
                100,
                101,
                999_999,
                u64::MAX,
                u64::MAX / 10 * 10,
            ];
            let scattered = (0..2000).map(|step| {
                number = number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (number >> (step % 64)) / 10_u64.pow(step % 7) * 10_u64.pow(step % 7)
            });
            for magnitude in edges.into_iter().chain(scattered) {
                for unscaled in [i128::from(magnitude), -i128::from(magnitude)] {
                    let (text, length) = short.of(unscaled).unwrap();
                    let expected = long.of(unscaled, scale);
                    assert_eq!(&text[..length], expected, "{unscaled} {scale}");
                }
            }
            assert!(short.of(i128::from(u64::MAX) + 1).is_none());
        }
        assert!(ShortDecimal::new(19).is_none() && ShortDecimal::new(-1).is_none());
    }
}
