//! The table of what is wanted: every row of the page, in its order.

mod reading;
mod writing;

use reading::{COMMAND_LINE, GROWTH, READING};
use writing::{FILES, PUBLISH, REBUILD};

use crate::contender::Load;
use crate::figure::Figure;
use crate::judge::{Quantity, Wanted};

/// A row of the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub(crate) figure: Figure,
    pub(crate) case: &'static str,
    pub(crate) load: Load,
    /// What is done. `{all}`, `{tenth}` and `{hundredth}` stand for numbers of artifacts, `{size}` for that of a file.
    pub(crate) work: &'static str,
    pub(crate) quantity: Quantity,
    pub(crate) wanted: Wanted,
}

impl Goal {
    const fn new(figure: Figure, work: &'static str, quantity: Quantity, wanted: Wanted) -> Self {
        Self {
            figure,
            case: "",
            load: Load::ONE,
            work,
            quantity,
            wanted,
        }
    }

    const fn case(self, case: &'static str) -> Self {
        Self { case, ..self }
    }

    const fn load(self, load: Load) -> Self {
        Self { load, ..self }
    }
}

/// What is compared, most often.
const STORE: &str = "artstore";

/// What stands together on the page, in the order in which it is measured: many small files come first and last, so that
/// removing them slows nothing down.
pub(crate) const GROUPS: &[(&str, &[Goal])] = &[
    ("Publishing", PUBLISH),
    ("Files and tables", FILES),
    ("Reading", READING),
    ("Growth", GROWTH),
    ("Command line", COMMAND_LINE),
    ("Rebuild", REBUILD),
];

#[cfg(test)]
mod tests;
