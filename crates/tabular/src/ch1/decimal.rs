//! The plain text of decimals.

/// The longest text: sign, point, 77 digits of 256 bits, 128 zeros.
const MAX_TEXT: usize = 256;

/// Writes decimals as text, one after the other in the same memory.
pub(super) struct DecimalText {
    text: [u8; MAX_TEXT],
    length: usize,
    integers: itoa::Buffer,
}

impl DecimalText {
    pub(super) fn new() -> Self {
        Self {
            text: [0; MAX_TEXT],
            length: 0,
            integers: itoa::Buffer::new(),
        }
    }

    /// The text of `unscaled` / 10^`scale`.
    pub(super) fn of(&mut self, unscaled: i128, scale: i8) -> &[u8] {
        let mut integers = self.integers;
        match i64::try_from(unscaled) {
            Ok(small) => self.of_text(integers.format(small), scale),
            Err(_) => self.of_text(integers.format(unscaled), scale),
        }
    }

    /// The text of `unscaled`, written in digits, / 10^`scale`.
    pub(super) fn of_text(&mut self, unscaled: &str, scale: i8) -> &[u8] {
        self.length = 0;
        let digits = match unscaled.strip_prefix('-') {
            Some(digits) => {
                self.push(b"-");
                digits.as_bytes()
            }
            None => unscaled.as_bytes(),
        };
        let places = usize::from(scale.unsigned_abs());
        if scale <= 0 {
            self.push(digits);
            if digits != b"0" {
                self.push_zeros(places);
            }
            return &self.text[..self.length];
        }
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        self.push(if whole.is_empty() { b"0" } else { whole });
        let significant = fraction.len() - trailing_zeros(fraction);
        if significant > 0 {
            self.push(b".");
            self.push_zeros(places - fraction.len());
            self.push(&fraction[..significant]);
        }
        &self.text[..self.length]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.text[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    fn push_zeros(&mut self, count: usize) {
        self.text[self.length..self.length + count].fill(b'0');
        self.length += count;
    }
}

fn trailing_zeros(digits: &[u8]) -> usize {
    digits
        .iter()
        .rev()
        .take_while(|&&digit| digit == b'0')
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unscaled: i128, scale: i8, expected: &str) {
        let mut text = DecimalText::new();
        assert_eq!(
            text.of(unscaled, scale),
            expected.as_bytes(),
            "{unscaled} {scale}"
        );
        let wide = text.of_text(&unscaled.to_string(), scale);
        assert_eq!(wide, expected.as_bytes());
    }

    #[test]
    fn decimals_are_written_plainly() {
        check(160, 2, "1.6");
        check(0, 2, "0");
        check(0, -2, "0");
        check(100, 2, "1");
        check(-5, 3, "-0.005");
        check(-1200, 3, "-1.2");
        check(12, 0, "12");
        check(12, -3, "12000");
        check(i128::MIN, 38, "-1.70141183460469231731687303715884105728");
        check(i128::MAX, 0, "170141183460469231731687303715884105727");
        check(1, 127, &format!("0.{}1", "0".repeat(126)));
        check(7, -128, &format!("7{}", "0".repeat(128)));
    }
}
