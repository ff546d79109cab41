//! How long is measured, and what sizes: all figures together take less than half an hour.

use crate::figure::Figure;
use crate::source::Sizes;

/// How a figure is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) sizes: Sizes,
    pub(crate) pairs: usize,
    pub(crate) seconds: f64,
    /// All if there are none.
    pub(crate) sides: &'static [&'static str],
}

const ARTIFACTS: u64 = 1_000_000;
const MEBIBYTES: u64 = 1024;

/// Few, and enough for every list to have two pages, and for a list of a hundredth of them too.
const FEW_ARTIFACTS: u64 = 60_000;

/// What a figure is worth, or as little as shows that it works.
pub(crate) fn effort_for(figure: Figure, is_quick: bool) -> Effort {
    let sides: &[&str] = match figure {
        Figure::Page => &["first", "last"],
        _ => &[],
    };
    let (pairs, seconds) = match figure {
        Figure::Publish | Figure::Batch | Figure::Processes => (5, 2.0),
        Figure::Get | Figure::Lineage | Figure::Probe | Figure::Growth | Figure::CommandLine => {
            (5, 1.0)
        }
        Figure::Page | Figure::Open => (5, 0.5),
        Figure::Ch1 | Figure::Duplicate => (5, 0.5),
        // Once each.
        Figure::Big | Figure::Adopt => (5, 0.0),
        Figure::Table | Figure::Stream => (3, 0.0),
        // Making the files and removing them takes longer than all turns.
        Figure::Rebuild | Figure::Size => (1, 0.0),
    };
    let mebibytes = match figure {
        Figure::Duplicate => 1,
        _ => MEBIBYTES,
    };
    let full = Effort {
        sizes: Sizes {
            mebibytes,
            artifacts: ARTIFACTS,
        },
        pairs,
        seconds,
        sides,
    };
    if !is_quick {
        return full;
    }
    Effort {
        sizes: Sizes {
            mebibytes: mebibytes.min(16),
            artifacts: FEW_ARTIFACTS,
        },
        pairs: 1,
        seconds: seconds.min(0.1),
        ..full
    }
}
