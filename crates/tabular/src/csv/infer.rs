//! The type of a column from all its fields.
//!
//! Every field adds what it looks like to a set; the type follows from the set alone, so neither the order of rows nor
//! the pieces in which a file is read take part. The rules are in `docs/formats/csv.md`.

use std::ops::BitOrAssign;

use artstore_core::table::ColumnType;

use super::value::{self, Moment};

/// What the fields of a column look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen(u16);

impl Seen {
    const BOOL: Self = Self(1);
    /// An integer below zero.
    const NEGATIVE: Self = Self(1 << 1);
    /// An integer of 0 to `i64::MAX`.
    const SMALL: Self = Self(1 << 2);
    /// An integer above `i64::MAX` that 64 bits hold without sign.
    const LARGE: Self = Self(1 << 3);
    /// An integer that 64 bits do not hold.
    const HUGE: Self = Self(1 << 4);
    /// A number with a point or an exponent.
    const REAL: Self = Self(1 << 5);
    /// Not a number, or infinite.
    const SPECIAL: Self = Self(1 << 6);
    const DATE: Self = Self(1 << 7);
    const LOCAL: Self = Self(1 << 8);
    const ZONED: Self = Self(1 << 9);
    const TIME: Self = Self(1 << 10);
    /// A fraction of a second with more than six digits.
    const FINE: Self = Self(1 << 11);
    /// A time that 64 bits do not hold in nanoseconds.
    const FAR: Self = Self(1 << 12);
    const TEXT: Self = Self(1 << 13);

    const INTEGER: Self = Self(Self::NEGATIVE.0 | Self::SMALL.0 | Self::LARGE.0 | Self::HUGE.0);
    const NUMBER: Self = Self(Self::INTEGER.0 | Self::REAL.0 | Self::SPECIAL.0);
    const TEMPORAL: Self =
        Self(Self::DATE.0 | Self::LOCAL.0 | Self::ZONED.0 | Self::FINE.0 | Self::FAR.0);

    const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, any_of: Self) -> bool {
        self.0 & any_of.0 != 0
    }

    const fn is_within(self, set: Self) -> bool {
        self.0 & !set.0 == 0
    }

    /// Whether no further field can change the type from text.
    pub(super) fn is_settled(self) -> bool {
        let is_one_family = self.is_within(Self::BOOL)
            || self.is_within(Self::NUMBER)
            || self.is_within(Self::TEMPORAL);
        !is_one_family
    }

    /// Whether times of the column need nanoseconds.
    pub(super) fn needs_nanoseconds(self) -> bool {
        self.has(Self::FINE)
    }

    /// Whether no unit holds all times of the column.
    pub(super) fn exceeds_nanoseconds(self) -> bool {
        self.has(Self::FINE) && self.has(Self::FAR)
    }

    /// The narrowest type that holds every field.
    pub(super) fn column_type(self) -> ColumnType {
        if self == Self::default() {
            return ColumnType::String;
        }
        if self.is_within(Self::BOOL) {
            return ColumnType::Bool;
        }
        if self.is_within(Self::NUMBER) {
            return self.number_type();
        }
        if self.is_within(Self::TEMPORAL) {
            return self.temporal_type();
        }
        ColumnType::String
    }

    fn number_type(self) -> ColumnType {
        let is_int = self.is_within(Self::NEGATIVE.union(Self::SMALL));
        let is_uint = self.is_within(Self::SMALL.union(Self::LARGE));
        let is_int_or_special =
            self.is_within(Self::NEGATIVE.union(Self::SMALL).union(Self::SPECIAL));
        let has_numbers = self.has(Self::INTEGER.union(Self::REAL));
        if is_int {
            ColumnType::Int
        } else if is_uint {
            ColumnType::UInt
        } else if self.has(Self::REAL) || (is_int_or_special && has_numbers) {
            ColumnType::Float
        } else {
            ColumnType::String
        }
    }

    fn temporal_type(self) -> ColumnType {
        let is_local = !self.has(Self::ZONED);
        if self.exceeds_nanoseconds() {
            ColumnType::String
        } else if is_local && !self.has(Self::LOCAL) {
            ColumnType::Date
        } else if is_local {
            ColumnType::Timestamp
        } else if !self.has(Self::DATE.union(Self::LOCAL)) {
            ColumnType::TimestampTz
        } else {
            ColumnType::String
        }
    }
}

impl BitOrAssign for Seen {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.union(other);
    }
}

/// What a field looks like of which nothing is known.
pub(super) fn look(field: &[u8]) -> Seen {
    let looks_temporal = field.len() >= 10 && field[4] == b'-';
    let known = match field {
        [b'0'..=b'9', ..] if looks_temporal => look_at_time(field),
        [b'0'..=b'9' | b'.', ..] => look_at_number(field, field),
        [b'-', b'0'..=b'9' | b'.', ..] => look_at_number(field, &field[1..]),
        [b't' | b'T' | b'f' | b'F', ..] => value::boolean(field).map(|_| Seen::BOOL),
        [b'n' | b'N' | b'i' | b'I' | b'-', ..] => value::float(field).map(|_| Seen::SPECIAL),
        _ => None,
    };
    known.unwrap_or(Seen::TEXT)
}

/// What a field of a given type looks like; `None` if it is not of that type.
pub(super) fn look_for(column_type: ColumnType, field: &[u8]) -> Option<Seen> {
    match column_type {
        ColumnType::Bool => value::boolean(field).map(|_| Seen::BOOL),
        ColumnType::Int => value::integer(field).map(|_| Seen::SMALL),
        ColumnType::UInt => value::unsigned(field).map(|_| Seen::LARGE),
        ColumnType::Float => value::float(field).map(|_| Seen::REAL),
        ColumnType::Decimal { precision, scale } => {
            value::decimal(field, precision, scale).map(|_| Seen::REAL)
        }
        ColumnType::Date => value::date(field).map(|_| Seen::DATE),
        ColumnType::Time => value::time(field).map(|time| {
            let mut seen = Seen::TIME;
            if time.fraction_digits > 6 {
                seen |= Seen::FINE;
            }
            seen
        }),
        ColumnType::Timestamp => look_at_time(field).filter(|seen| !seen.has(Seen::ZONED)),
        ColumnType::TimestampTz => look_at_time(field).filter(|seen| seen.has(Seen::ZONED)),
        ColumnType::String => Some(Seen::TEXT),
    }
}

fn look_at_time(field: &[u8]) -> Option<Seen> {
    let (mut seen, moment) = if field.len() == 10 {
        (Seen::DATE, Moment::midnight(value::date(field)?))
    } else {
        let moment = value::moment(field)?;
        let seen = if moment.has_offset {
            Seen::ZONED
        } else {
            Seen::LOCAL
        };
        (seen, moment)
    };
    if moment.fraction_digits > 6 {
        seen |= Seen::FINE;
    }
    if moment.nanoseconds().is_none() {
        seen |= Seen::FAR;
    }
    Some(seen)
}

/// `unsigned` is the field without its minus.
fn look_at_number(field: &[u8], unsigned: &[u8]) -> Option<Seen> {
    /// Every number with so few digits before the point is finite.
    const SURELY_FINITE: usize = 300;

    let (whole, rest) = split_digits(unsigned);
    if whole.len() > 1 && whole[0] == b'0' {
        return None;
    }
    if rest.is_empty() {
        return Some(look_at_integer(field));
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => split_digits(rest),
        _ => (&rest[..0], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let has_exponent = match rest {
        [] => false,
        [b'e' | b'E', b'+' | b'-', digits @ ..] | [b'e' | b'E', digits @ ..] => {
            let (exponent, rest) = split_digits(digits);
            if exponent.is_empty() || !rest.is_empty() {
                return None;
            }
            true
        }
        _ => return None,
    };
    if has_exponent || whole.len() > SURELY_FINITE {
        value::float(field)?;
    }
    Some(Seen::REAL)
}

fn look_at_integer(field: &[u8]) -> Seen {
    if let Some(integer) = value::integer(field) {
        return if integer < 0 {
            Seen::NEGATIVE
        } else {
            Seen::SMALL
        };
    }
    if value::unsigned(field).is_some() {
        return Seen::LARGE;
    }
    match value::float(field) {
        Some(_) => Seen::HUGE,
        None => Seen::TEXT,
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(length)
}
