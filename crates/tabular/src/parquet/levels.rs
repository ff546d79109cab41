//! How many elements the rows of a page have.

/// Counts the elements of rows, page by page: rows may go on in the next page.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowElements {
    /// Of the row that is not complete.
    open: u64,
    /// Of the row with most of them in this page, with those of its beginning in earlier pages.
    pub(super) longest: u64,
}

impl RowElements {
    /// Reads the repetition levels of a page with `values` values: runs and packed groups. `None` if they are not valid;
    /// fewer levels than values are.
    pub(super) fn read_page(&mut self, levels: &[u8], max_level: i16, values: u64) -> Option<()> {
        let width = usize::try_from(u16::BITS - max_level.unsigned_abs().leading_zeros()).ok()?;
        let run_bytes = width.div_ceil(8);
        self.longest = self.open;
        let mut left = values;
        let mut rest = levels;
        while left > 0 && !rest.is_empty() {
            let header = varint(&mut rest)?;
            if header & 1 == 0 {
                let count = (header >> 1).min(left);
                let level = rest.get(..run_bytes)?;
                rest = &rest[run_bytes..];
                self.add(level.iter().all(|byte| *byte == 0), count);
                left -= count;
                continue;
            }
            let bytes = usize::try_from(header >> 1)
                .ok()?
                .checked_mul(width)?
                .min(rest.len());
            let (packed, after) = rest.split_at(bytes);
            rest = after;
            let count = ((bytes * 8 / width) as u64).min(left);
            for position in 0..count as usize {
                self.add(is_zero(packed, position * width, width), 1);
            }
            left -= count;
        }
        Some(())
    }

    /// Takes a page with `values` values whose levels are not known: one row.
    pub(super) fn read_unknown(&mut self, values: u64) {
        self.open += values;
        self.longest = self.open;
    }

    /// Adds `count` values that begin a row each, or that go on with one.
    fn add(&mut self, begins_row: bool, count: u64) {
        if count == 0 {
            return;
        }
        self.open = if begins_row {
            1
        } else {
            self.open.saturating_add(count)
        };
        self.longest = self.longest.max(self.open);
    }
}

fn is_zero(packed: &[u8], first_bit: usize, width: usize) -> bool {
    (first_bit..first_bit + width).all(|bit| packed[bit / 8] >> (bit % 8) & 1 == 0)
}

/// Reads an unsigned integer of seven bits a byte.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_row_is_found_across_pages() {
        let mut rows = RowElements::default();
        // A packed group 0 1 1 0 1 0 0 1, then a run of five ones.
        assert_eq!(rows.read_page(&[3, 0b1001_0110, 10, 1], 1, 13), Some(()));
        assert_eq!(rows.longest, 7);
        // The row goes on for three, then four rows of one.
        assert_eq!(rows.read_page(&[6, 1, 8, 0], 1, 7), Some(()));
        assert_eq!(rows.longest, 10);
        assert_eq!(rows.read_page(&[200, 1, 0], 1, 100), Some(()));
        assert_eq!(rows.longest, 1);
    }

    #[test]
    fn levels_are_of_any_width() {
        let mut rows = RowElements::default();
        // Eight levels of two bits: 0 1 2 3 0 2 0 1.
        assert_eq!(
            rows.read_page(&[3, 0b1110_0100, 0b0100_1000], 3, 8),
            Some(())
        );
        assert_eq!(rows.longest, 4);
    }

    #[test]
    fn levels_that_end_early_are_left_to_the_library() {
        let mut rows = RowElements::default();
        assert_eq!(rows.read_page(&[0xff; 11], 1, 8), None);
        assert_eq!(rows.read_page(&[201, 1, 0xff], 1, 800), Some(()));
        assert_eq!(rows.longest, 8);
    }
}
