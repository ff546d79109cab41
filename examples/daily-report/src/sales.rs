use std::collections::BTreeMap;
use std::fmt::Write as _;

use artstore_core::{Error, Result};
use bytes::Bytes;

use crate::Day;

/// The first line of a day's table.
const HEADER: &str = "time,shop,cents";

/// The sales of a day, as CSV with the columns `time`, `shop` and `cents`.
#[derive(Debug, Clone)]
pub struct Sales {
    csv: Bytes,
    shops: BTreeMap<String, Takings>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Takings {
    sales: u64,
    cents: i64,
}

impl Sales {
    /// Reads a day's table.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid), with the line that cannot be read.
    pub fn from_csv(csv: Bytes) -> Result<Self> {
        let not_text = |error| Error::invalid("the sales are not UTF-8").caused_by(error);
        let text = std::str::from_utf8(&csv).map_err(not_text)?;
        let mut lines = text.lines().zip(1_u64..);
        if lines.next().is_none_or(|(header, _)| header != HEADER) {
            return Err(Error::invalid("the sales do not begin with their columns")
                .with("expected", HEADER));
        }
        let mut shops: BTreeMap<String, Takings> = BTreeMap::new();
        for (line, number) in lines {
            let (shop, cents) =
                read_sale(line).ok_or_else(|| Error::invalid("not a sale").with("line", number))?;
            let takings = shops.entry(shop.to_owned()).or_default();
            takings.sales += 1;
            takings.cents += cents;
        }
        Ok(Self { csv, shops })
    }

    /// The table as it came.
    pub(crate) fn csv(&self) -> Bytes {
        self.csv.clone()
    }

    /// The report on the day: the same sales always give the same bytes, so that the same report is recognised.
    pub(crate) fn report(&self, day: &Day) -> String {
        let mut report = format!("# Sales of {day}\n\n");
        let mut total = 0;
        for (shop, Takings { sales, cents }) in &self.shops {
            total += cents;
            let _ = writeln!(report, "- {shop}: {} in {sales} sales", money(*cents));
        }
        let _ = writeln!(report, "\nTotal: {}", money(total));
        report
    }
}

fn read_sale(line: &str) -> Option<(&str, i64)> {
    let mut fields = line.split(',');
    let (_time, shop, cents) = (fields.next()?, fields.next()?, fields.next()?);
    let cents = cents.parse().ok()?;
    fields.next().is_none().then_some((shop, cents))
}

fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use artstore_core::ErrorKind;

    use super::*;

    #[test]
    fn a_report_adds_up() {
        let csv = "time,shop,cents\n\
                   2026-11-20T09:00:00Z,north,1250\n\
                   2026-11-20T09:30:00Z,south,-5\n\
                   2026-11-20T10:00:00Z,north,150\n";
        let sales = Sales::from_csv(csv.into()).unwrap();
        let expected = "# Sales of 2026-11-20\n\n\
                        - north: 14.00 in 2 sales\n\
                        - south: -0.05 in 1 sales\n\n\
                        Total: 13.95\n";
        assert_eq!(sales.report(&"2026-11-20".parse().unwrap()), expected);
    }

    #[test]
    fn the_line_that_is_wrong_is_named() {
        let csv =
            "time,shop,cents\n2026-11-20T09:00:00Z,north,1\n2026-11-20T09:00:00Z,north,much\n";
        let error = Sales::from_csv(csv.into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.context_value("line"), Some("3"));
        for wrong in [&b""[..], b"shop,cents\n", b"\xff"] {
            assert!(Sales::from_csv(Bytes::from_static(wrong)).is_err());
        }
    }
}
