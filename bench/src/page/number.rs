//! Numbers as the page writes them: as many digits as mean something.

use crate::judge::Scale;

/// A value with its unit.
pub(super) fn scaled(scale: Scale, value: f64) -> String {
    match scale {
        Scale::Ratio | Scale::Plain => plain(value),
        Scale::Times => format!("{} times", plain(value)),
        Scale::Rate => format!("{} a second", plain(value)),
        Scale::Time => time(value),
        Scale::Mebibytes => bytes(value * f64::from(1 << 20)),
    }
}

/// A number, with commas where it is large.
pub(super) fn plain(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..0.095 => format!("{value:.3}"),
        ..9.95 => format!("{value:.2}"),
        ..99.5 => format!("{value:.1}"),
        _ => with_commas(&format!("{value:.0}")),
    }
}

/// Of milliseconds.
pub(super) fn time(milliseconds: f64) -> String {
    let shown = |value: f64, unit: &str| {
        let digits = match value {
            ..9.95 => 1,
            _ => 0,
        };
        format!("{value:.digits$} {unit}")
    };
    match milliseconds {
        ..0.0995 => shown(milliseconds * 1e3, "µs"),
        ..0.995 => format!("{milliseconds:.2} ms"),
        ..999.5 => shown(milliseconds, "ms"),
        _ => shown(milliseconds / 1e3, "s"),
    }
}

/// Of bytes.
pub(super) fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 4] = ["bytes", "KiB", "MiB", "GiB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let is_whole = value.fract() == 0.0 || value >= 9.95;
    let digits = usize::from(!is_whole);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Of artifacts.
pub(super) fn count(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 if number.is_multiple_of(1_000) => format!("{} k", number / 1_000),
        _ if number.is_multiple_of(1_000_000) => format!("{} M", number / 1_000_000),
        _ => with_commas(&number.to_string()),
    }
}

fn with_commas(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_mean_something() {
        let numbers = [
            0.0,
            0.0123,
            0.4567,
            4.567,
            16.0,
            444.4,
            12_345.6,
            1_234_567.0,
        ];
        assert_eq!(
            numbers.map(plain),
            [
                "0",
                "0.012",
                "0.46",
                "4.57",
                "16.0",
                "444",
                "12,346",
                "1,234,567"
            ]
        );
        let times = [0.0041, 0.0123, 0.18, 1.234, 20.0, 500.0, 4900.0, 11_500.0];
        assert_eq!(
            times.map(time),
            [
                "4.1 µs", "12 µs", "0.18 ms", "1.2 ms", "20 ms", "500 ms", "4.9 s", "12 s"
            ]
        );
        let sizes = [
            512.0,
            1536.0,
            12_345.0,
            f64::from(1 << 20),
            f64::from(1 << 30),
        ];
        assert_eq!(
            sizes.map(bytes),
            ["512 bytes", "1.5 KiB", "12 KiB", "1 MiB", "1 GiB"]
        );
        assert_eq!(
            [300, 30_000, 1_000_000, 12_345].map(count),
            ["300", "30 k", "1 M", "12,345"]
        );
    }
}
