//! Whether times may need nanoseconds.

use artstore_core::Result;
use artstore_core::backend::{CsvInspection, RandomRead};
use artstore_core::table::ColumnType;

use super::CHUNK_BYTES;
use crate::cancel::Cancel;

/// Digits of a fraction that microseconds hold.
const MICROSECOND_DIGITS: u32 = 6;

/// Whether a column of times may have a fraction with more than six digits. Never wrong when it says no.
///
/// An inspection does not say which unit times need, and reading the whole source again for it would cost as much as the first reading.
/// The bytes alone tell in nearly all cases: no point between digits is followed by seven.
pub(super) fn may_occur(
    input: &dyn RandomRead,
    inspection: &CsvInspection,
    cancel: &Cancel,
) -> Result<bool> {
    let has_times = inspection.options.column_types.values().any(|column_type| {
        matches!(
            column_type,
            ColumnType::Time | ColumnType::Timestamp | ColumnType::TimestampTz
        )
    });
    if !has_times {
        return Ok(false);
    }
    let mut pattern = Pattern::new(inspection.options.quote);
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut position = 0;
    while position < input.size() {
        cancel.check()?;
        let length = (input.size() - position).min(CHUNK_BYTES as u64) as usize;
        let chunk = &mut buffer[..length];
        input.read_exact_at(position, chunk)?;
        if pattern.finds(chunk) {
            return Ok(true);
        }
        position += length as u64;
    }
    Ok(false)
}

/// Looks for `:dd.ddddddd`. Quotes are passed over, since text may go on after a closing quote.
#[derive(Debug)]
struct Pattern {
    quote: u8,
    /// How many bytes of the pattern the last bytes are.
    matched: u32,
}

impl Pattern {
    const COLON: u32 = 1;
    const POINT: u32 = 4;
    const WHOLE: u32 = Self::POINT + MICROSECOND_DIGITS + 1;

    fn new(quote: u8) -> Self {
        Self { quote, matched: 0 }
    }

    fn finds(&mut self, chunk: &[u8]) -> bool {
        for byte in chunk {
            if *byte == self.quote {
                continue;
            }
            let is_next = match self.matched {
                0 => false,
                3 => *byte == b'.',
                _ => byte.is_ascii_digit(),
            };
            self.matched = if is_next {
                self.matched + 1
            } else if *byte == b':' {
                Self::COLON
            } else {
                0
            };
            if self.matched == Self::WHOLE {
                return true;
            }
        }
        false
    }
}
