//! How many values a delta encoding announces, and how long they are.
//!
//! The library allocates what these headers say before it looks at anything else.

use super::levels::varint;

/// Larger blocks than any writer makes.
const MAX_BLOCK_VALUES: u64 = 1 << 20;

/// What a page of byte arrays in a delta encoding holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeltaPage {
    /// The number of values.
    pub(super) values: u64,
    /// The bytes that values share with the one before, all together.
    pub(super) shared_bytes: u64,
}

/// Looks at a page of `DELTA_LENGTH_BYTE_ARRAY`.
pub(super) fn delta_length_page(mut data: &[u8]) -> Option<DeltaPage> {
    let header = Header::read(&mut data)?;
    Some(DeltaPage {
        values: header.values,
        shared_bytes: 0,
    })
}

/// Looks at a page of `DELTA_BYTE_ARRAY`, which has no more than `most_values` values.
pub(super) fn delta_byte_array_page(mut data: &[u8], most_values: u64) -> Option<DeltaPage> {
    let prefixes = Header::read(&mut data).filter(|header| header.values <= most_values)?;
    let shared_bytes = prefixes.read_sum(&mut data)?;
    let suffixes = Header::read(&mut data).filter(|header| header.values == prefixes.values)?;
    Some(DeltaPage {
        values: suffixes.values,
        shared_bytes,
    })
}

/// The header of `DELTA_BINARY_PACKED`.
struct Header {
    mini_blocks: u64,
    mini_block_values: u64,
    values: u64,
    first: i32,
}

impl Header {
    fn read(data: &mut &[u8]) -> Option<Self> {
        let block_values = varint(data)?;
        let mini_blocks = varint(data)?;
        let values = varint(data)?;
        let first = i32::try_from(zigzag(data)?).ok()?;
        let is_possible = block_values <= MAX_BLOCK_VALUES
            && block_values.is_multiple_of(128)
            && (1..=block_values / 32).contains(&mini_blocks)
            && block_values.is_multiple_of(32 * mini_blocks);
        is_possible.then_some(Self {
            mini_blocks,
            mini_block_values: block_values / mini_blocks,
            values,
            first,
        })
    }

    /// Reads all blocks, whose values are lengths, and gives their sum.
    fn read_sum(&self, data: &mut &[u8]) -> Option<u64> {
        let Some(mut left) = self.values.checked_sub(1) else {
            return Some(0);
        };
        let mut length = self.first;
        let mut sum = u64::try_from(length).ok()?;
        while left > 0 {
            let least = i32::try_from(zigzag(data)?).ok()?;
            let (widths, rest) = data.split_at_checked(usize::try_from(self.mini_blocks).ok()?)?;
            *data = rest;
            for &width in widths {
                if left == 0 {
                    break;
                }
                if width > 32 {
                    return None;
                }
                let bytes = usize::try_from(u64::from(width) * self.mini_block_values / 8).ok()?;
                let (packed, rest) = data.split_at_checked(bytes)?;
                *data = rest;
                let count = left.min(self.mini_block_values);
                for position in 0..count as usize {
                    let delta = bits(packed, position * usize::from(width), width);
                    length = length.wrapping_add(least).wrapping_add(delta as i32);
                    sum = sum.checked_add(u64::try_from(length).ok()?)?;
                }
                left -= count;
            }
        }
        Some(sum)
    }
}

fn zigzag(data: &mut &[u8]) -> Option<i64> {
    let value = varint(data)?;
    Some((value >> 1) as i64 ^ -((value & 1) as i64))
}

/// The `width` bits from `first_bit` on, at most 32.
fn bits(packed: &[u8], first_bit: usize, width: u8) -> u32 {
    let mut window = [0; 8];
    let from = packed.get(first_bit / 8..).unwrap_or_default();
    window
        .iter_mut()
        .zip(from)
        .for_each(|(to, byte)| *to = *byte);
    let mask = (1_u64 << width) - 1;
    (u64::from_le_bytes(window) >> (first_bit % 8) & mask) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 128 values a block, one mini block of 128 in it.
    fn lengths(values: u8, first: u8, least: u8, width: u8, packed: &[u8]) -> Vec<u8> {
        let mut data = vec![0x80, 1, 1, values, first << 1];
        if values > 1 {
            data.extend([least << 1, width]);
            data.extend(packed);
        }
        data
    }

    #[test]
    fn shared_bytes_are_counted() {
        // Prefixes 0, 3, 6, 9: each is three more than the one before.
        let mut page = lengths(4, 0, 3, 0, &[]);
        page.extend(lengths(4, 5, 0, 0, &[]));
        let expected = DeltaPage {
            values: 4,
            shared_bytes: 18,
        };
        assert_eq!(delta_byte_array_page(&page, 4), Some(expected));
        assert_eq!(delta_byte_array_page(&page, 3), None);
        // Prefixes 1, 2, 4: deltas of one bit above one.
        let mut packed = [0; 16];
        packed[0] = 0b10;
        let mut page = lengths(3, 1, 1, 1, &packed);
        page.extend(lengths(3, 5, 0, 0, &[]));
        assert_eq!(
            delta_byte_array_page(&page, 9).map(|page| page.shared_bytes),
            Some(7)
        );
        // The last block, two bytes, is not looked at.
        for cut in 0..page.len() - 2 {
            assert_eq!(delta_byte_array_page(&page[..cut], 9), None, "{cut}");
        }
    }

    #[test]
    fn counts_that_differ_or_explode_are_refused() {
        let mut page = lengths(1, 0, 0, 0, &[]);
        page.extend([0x80, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]);
        assert_eq!(delta_byte_array_page(&page, 1), None);
        let explosive = [0x80, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0];
        assert_eq!(
            delta_length_page(&explosive).map(|page| page.values),
            Some((1 << 35) - 1)
        );
        assert_eq!(
            delta_length_page(&[0x80, 0x80, 0x80, 0x80, 1, 1, 1, 0]),
            None
        );
    }
}
