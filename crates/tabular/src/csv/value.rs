//! What the text of one field says.
//!
//! These parsers know every spelling that a given type allows; the narrower set that a type is inferred from is in `infer`.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// `true` or `false` in any case.
pub(super) fn boolean(text: &[u8]) -> Option<bool> {
    if text.eq_ignore_ascii_case(b"true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case(b"false").then_some(false)
}

/// An integer of 64 bits with sign; a plus and leading zeros are allowed.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = split_sign(text);
    let magnitude = magnitude(digits)?;
    if is_negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// An integer of 64 bits without sign; a plus, leading zeros and `-0` are allowed.
pub(super) fn unsigned(text: &[u8]) -> Option<u64> {
    let (is_negative, digits) = split_sign(text);
    magnitude(digits).filter(|magnitude| !is_negative || *magnitude == 0)
}

/// A number in decimal or exponent form that is finite as a 64-bit float, or one of the words for what is not a number
/// or infinite.
pub(super) fn float(text: &[u8]) -> Option<f64> {
    let (is_negative, rest) = split_sign(text);
    match rest {
        [b'0'..=b'9' | b'.', ..] => {
            let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            number.is_finite().then_some(number)
        }
        b"inf" | b"Inf" | b"Infinity" if is_negative => Some(f64::NEG_INFINITY),
        b"inf" | b"Inf" | b"Infinity" => Some(f64::INFINITY),
        b"nan" | b"NaN" if rest.len() == text.len() => Some(f64::NAN),
        _ => None,
    }
}

/// A plain decimal number, scaled to an integer: `1.5` with scale 2 is 150. Digits after the `scale`th must be zero.
pub(super) fn decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (is_negative, number) = split_sign(text);
    let point = number.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&number[..point], &number[point + 1..]),
        None => (number, &number[number.len()..]),
    };
    let (kept, rest) = fraction.split_at(fraction.len().min(usize::from(scale)));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits || rest.iter().any(|byte| *byte != b'0') {
        return None;
    }
    let missing = usize::from(scale) - kept.len();
    let zeros = std::iter::repeat_n(&b'0', missing);
    let mut scaled = 0_i128;
    for byte in whole.iter().chain(kept).chain(zeros) {
        let digit = digit(*byte)?;
        scaled = scaled.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    let limit = 10_i128.checked_pow(u32::from(precision))?;
    let fits = scaled < limit;
    fits.then_some(if is_negative { -scaled } else { scaled })
}

/// A day of the proleptic Gregorian calendar, years 0000 to 9999, as days since 1970-01-01.
pub(super) fn date(text: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = 100 * two_digits(y1, y2)? + two_digits(y3, y4)?;
    let month = two_digits(m1, m2)?;
    let day = two_digits(d1, d2)?;
    let is_valid = (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
    is_valid.then(|| days_since_epoch(year, month, day))
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    /// Seconds since midnight.
    pub(super) seconds: u32,
    /// The fraction of a second in nanoseconds.
    pub(super) nanoseconds: u32,
    /// With how many digits the fraction is written.
    pub(super) fraction_digits: u8,
}

/// `HH:MM`, with seconds if wanted, with a fraction of one to nine digits if wanted.
pub(super) fn time(text: &[u8]) -> Option<TimeOfDay> {
    let (time, rest) = split_time(text)?;
    rest.is_empty().then_some(time)
}

/// A date with a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Seconds since 1970-01-01T00:00:00, of the instant if there is an offset, otherwise of what is written.
    pub(super) seconds: i64,
    /// The fraction of a second in nanoseconds.
    pub(super) nanoseconds: u32,
    /// With how many digits the fraction is written.
    pub(super) fraction_digits: u8,
    /// Whether an offset or `Z` is written.
    pub(super) has_offset: bool,
}

impl Moment {
    /// The beginning of a day.
    pub(super) fn midnight(days: i32) -> Self {
        Self {
            seconds: i64::from(days) * DAY,
            nanoseconds: 0,
            fraction_digits: 0,
            has_offset: false,
        }
    }

    /// Microseconds since 1970-01-01T00:00:00, rounded down.
    pub(super) fn microseconds(self) -> i64 {
        self.seconds * 1_000_000 + i64::from(self.nanoseconds / 1_000)
    }

    /// Nanoseconds since 1970-01-01T00:00:00, if 64 bits hold them.
    pub(super) fn nanoseconds(self) -> Option<i64> {
        let exact = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds);
        i64::try_from(exact).ok()
    }
}

/// A date, `T` or a space, a time of day, and if wanted an offset: `Z`, `+HH:MM`, `+HHMM` or `+HH`.
pub(super) fn moment(text: &[u8]) -> Option<Moment> {
    let (day, rest) = text.split_at_checked(10)?;
    let days = date(day)?;
    let (b'T' | b' ', rest) = rest.split_first()? else {
        return None;
    };
    let (time, zone) = split_time(rest)?;
    let offset = if zone.is_empty() {
        Some(0)
    } else {
        offset(zone)
    }?;
    Some(Moment {
        seconds: i64::from(days) * DAY + i64::from(time.seconds) - offset,
        nanoseconds: time.nanoseconds,
        fraction_digits: time.fraction_digits,
        has_offset: !zone.is_empty(),
    })
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn digit(byte: u8) -> Option<u8> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(digit)
}

fn two_digits(tens: u8, ones: u8) -> Option<i32> {
    Some(10 * i32::from(digit(tens)?) + i32::from(digit(ones)?))
}

fn magnitude(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let mut magnitude = 0_u64;
    for byte in digits {
        let digit = u64::from(digit(*byte)?);
        magnitude = magnitude.checked_mul(10)?.checked_add(digit)?;
    }
    Some(magnitude)
}

fn split_time(text: &[u8]) -> Option<(TimeOfDay, &[u8])> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else {
        return None;
    };
    let (hour, minute) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two_digits(*s1, *s2)?, rest),
        _ => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let has_seconds = text.len() - rest.len() == "HH:MM:SS".len();
    let (nanoseconds, fraction_digits, rest) = match rest {
        [b'.', fraction @ ..] if has_seconds => split_fraction(fraction)?,
        _ => (0, 0, rest),
    };
    let time = TimeOfDay {
        seconds: u32::try_from((hour * 60 + minute) * 60 + second).ok()?,
        nanoseconds,
        fraction_digits,
    };
    Some((time, rest))
}

fn split_fraction(text: &[u8]) -> Option<(u32, u8, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    if !(1..=9).contains(&length) {
        return None;
    }
    let zeros = std::iter::repeat_n(&b'0', 9 - length);
    let nanoseconds = digits
        .iter()
        .chain(zeros)
        .fold(0, |value, byte| value * 10 + u32::from(byte - b'0'));
    Some((nanoseconds, u8::try_from(length).ok()?, rest))
}

/// Seconds east of Greenwich.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, h1, h2, m1, m2) = match *zone {
        [b'Z'] => return Some(0),
        [sign, h1, h2] => (sign, h1, h2, b'0', b'0'),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => (sign, h1, h2, m1, m2),
        _ => return None,
    };
    let (hours, minutes) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i64::from(hours * 60 + minutes) * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn days_of_month(year: i32, month: i32) -> i32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts years from March, so that the leap day is a year's last.
fn days_since_epoch(year: i32, month: i32, day: i32) -> i32 {
    const DAYS_BEFORE_EPOCH: i32 = 719_468;
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - DAYS_BEFORE_EPOCH
}
