//! The compact protocol of Thrift, as far as checking needs it. `None` stands for bytes that are not the protocol.

/// Structs and lists within each other.
const MAX_NESTING: usize = 32;

/// Types of fields and elements, as they are written.
pub(super) mod wire {
    pub(in crate::parquet) const TRUE: u8 = 1;
    pub(in crate::parquet) const FALSE: u8 = 2;
    pub(in crate::parquet) const BYTE: u8 = 3;
    pub(in crate::parquet) const I16: u8 = 4;
    pub(in crate::parquet) const I32: u8 = 5;
    pub(in crate::parquet) const I64: u8 = 6;
    pub(in crate::parquet) const DOUBLE: u8 = 7;
    pub(in crate::parquet) const BINARY: u8 = 8;
    pub(in crate::parquet) const LIST: u8 = 9;
    pub(in crate::parquet) const STRUCT: u8 = 12;
}

/// Reads forward through bytes.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

/// The beginning of a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) id: i16,
    pub(super) wire_type: u8,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// An integer of any width.
    pub(super) fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Bytes after their length.
    pub(super) fn binary(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let end = self.position.checked_add(length)?;
        let bytes = self.bytes.get(self.position..end)?;
        self.position = end;
        Some(bytes)
    }

    /// The next field of a struct; inside, `None` at its end.
    pub(super) fn field(&mut self, last_id: &mut i16) -> Option<Option<Field>> {
        let byte = self.byte()?;
        let wire_type = byte & 0x0f;
        if wire_type == 0 {
            return Some(None);
        }
        *last_id = match byte >> 4 {
            0 => i16::try_from(self.integer()?).ok()?,
            delta => last_id.checked_add(i16::from(delta))?,
        };
        Some(Some(Field {
            id: *last_id,
            wire_type,
        }))
    }

    /// The type and the number of a list's elements. There are never more than bytes left.
    pub(super) fn list(&mut self) -> Option<(u8, usize)> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => usize::try_from(self.varint()?).ok()?,
            count => usize::from(count),
        };
        let is_possible = count <= self.bytes.len() - self.position;
        is_possible.then_some((byte & 0x0f, count))
    }

    /// A list of structs: how many.
    pub(super) fn structs(&mut self) -> Option<usize> {
        let (wire_type, count) = self.list()?;
        (count == 0 || wire_type == wire::STRUCT).then_some(count)
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self, wire_type: u8) -> Option<()> {
        self.skip_nested(wire_type, MAX_NESTING)
    }

    fn skip_nested(&mut self, wire_type: u8, depth: usize) -> Option<()> {
        let deeper = depth.checked_sub(1)?;
        match wire_type {
            wire::TRUE | wire::FALSE => Some(()),
            wire::BYTE => self.byte().map(|_| ()),
            wire::I16 | wire::I32 | wire::I64 => self.varint().map(|_| ()),
            wire::DOUBLE => {
                self.position = self.position.checked_add(8)?;
                (self.position <= self.bytes.len()).then_some(())
            }
            wire::BINARY => self.binary().map(|_| ()),
            wire::LIST => {
                let (element, count) = self.list()?;
                // Booleans take a byte as elements, though none as fields.
                let element = if matches!(element, wire::TRUE | wire::FALSE) {
                    wire::BYTE
                } else {
                    element
                };
                (0..count).try_for_each(|_| self.skip_nested(element, deeper))
            }
            wire::STRUCT => {
                let mut last_id = 0;
                while let Some(field) = self.field(&mut last_id)? {
                    self.skip_nested(field.wire_type, deeper)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Reads a struct, field by field. `visit` reads the value and says so, or leaves it to be passed over.
    pub(super) fn for_each_field(
        &mut self,
        mut visit: impl FnMut(&mut Self, Field) -> Option<Visited>,
    ) -> Option<()> {
        let mut last_id = 0;
        while let Some(field) = self.field(&mut last_id)? {
            if let Visited::No = visit(self, field)? {
                self.skip(field.wire_type)?;
            }
        }
        Some(())
    }
}

/// Whether the value of a field was read.
pub(super) enum Visited {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_read_and_passed_over() {
        // 1: i32 = -3, 2: list<i32> [1, 2], 18 (long form): binary "ab", 19: true
        let bytes = [0x15, 5, 0x19, 0x25, 2, 4, 0x08, 36, 2, b'a', b'b', 0x11, 0];
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(cursor.skip(wire::STRUCT), Some(()));
        assert_eq!(cursor.position(), bytes.len());
        let mut seen = Vec::new();
        let read = Cursor::new(&bytes).for_each_field(|cursor, field| {
            seen.push(field.id);
            if field.id == 1 {
                assert_eq!(cursor.integer(), Some(-3));
                return Some(Visited::Yes);
            }
            Some(Visited::No)
        });
        assert_eq!((read, seen), (Some(()), vec![1, 2, 18, 19]));
        for cut in 0..bytes.len() {
            assert_eq!(Cursor::new(&bytes[..cut]).skip(wire::STRUCT), None, "{cut}");
        }
    }

    #[test]
    fn lists_cannot_promise_more_than_there_is() {
        assert_eq!(Cursor::new(&[0xf5, 0xff, 0xff, 0xff, 0x7f, 0]).list(), None);
        assert_eq!(Cursor::new(&[0x25, 2]).list(), None);
        assert_eq!(Cursor::new(&[0xff; 12]).integer(), None);
    }

    #[test]
    fn nesting_is_bounded() {
        assert_eq!(Cursor::new(&[0x1c; 1000]).skip(wire::STRUCT), None);
        assert_eq!(Cursor::new(&[0x19; 1000]).skip(wire::LIST), None);
    }
}
