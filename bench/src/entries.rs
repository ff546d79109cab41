//! The table of contenders.

use anyhow::{Context, Result, bail};

use crate::contender::Entry;
use crate::figure::Figure;
use crate::{floor, store};

/// Everybody, floors first. The last one of a figure is what its ratios are about.
const ENTRIES: &[Entry] = &[
    Entry {
        figure: Figure::Publish,
        name: "floor",
        set_up: floor::publish::set_up,
        open: floor::publish::open,
    },
    Entry {
        figure: Figure::Publish,
        name: "artstore",
        set_up: store::set_up,
        open: store::publish::open_small,
    },
    Entry {
        figure: Figure::Big,
        name: "disk",
        set_up: floor::nothing,
        open: floor::disk::open,
    },
    Entry {
        figure: Figure::Big,
        name: "sha256",
        set_up: floor::nothing,
        open: floor::sha256::open,
    },
    Entry {
        figure: Figure::Big,
        name: "artstore",
        set_up: store::set_up,
        open: store::publish::open_copy,
    },
    Entry {
        figure: Figure::Adopt,
        name: "sha256",
        set_up: floor::nothing,
        open: floor::sha256::open,
    },
    Entry {
        figure: Figure::Adopt,
        name: "artstore",
        set_up: store::set_up,
        open: store::publish::open_adopt,
    },
    Entry {
        figure: Figure::Duplicate,
        name: "sha256",
        set_up: floor::nothing,
        open: floor::sha256::open,
    },
    Entry {
        figure: Figure::Duplicate,
        name: "artstore",
        set_up: store::set_up,
        open: store::publish::open_duplicate,
    },
    Entry {
        figure: Figure::Table,
        name: "libraries",
        set_up: floor::nothing,
        open: floor::table::open,
    },
    Entry {
        figure: Figure::Table,
        name: "artstore",
        set_up: store::set_up,
        open: store::publish::open_table,
    },
    Entry {
        figure: Figure::Ch1,
        name: "sha256",
        set_up: floor::nothing,
        open: floor::sha256::open_column,
    },
    Entry {
        figure: Figure::Ch1,
        name: "ch1",
        set_up: floor::nothing,
        open: store::ch1::open,
    },
    Entry {
        figure: Figure::Lineage,
        name: "statements",
        set_up: floor::nothing,
        open: floor::statements::open_walk,
    },
    Entry {
        figure: Figure::Lineage,
        name: "with artifacts",
        set_up: floor::nothing,
        open: store::read::open_lineage,
    },
    Entry {
        figure: Figure::Lineage,
        name: "ids",
        set_up: floor::nothing,
        open: store::read::open_walk,
    },
    Entry {
        figure: Figure::Get,
        name: "statement",
        set_up: floor::nothing,
        open: floor::statements::open_get,
    },
    Entry {
        figure: Figure::Get,
        name: "statements",
        set_up: floor::nothing,
        open: floor::statements::open_get_with_inputs,
    },
    Entry {
        figure: Figure::Get,
        name: "catalog in place",
        set_up: floor::nothing,
        open: store::read::open_catalog_get_in_place,
    },
    Entry {
        figure: Figure::Get,
        name: "catalog",
        set_up: floor::nothing,
        open: store::read::open_catalog_get,
    },
    Entry {
        figure: Figure::Get,
        name: "artstore",
        set_up: floor::nothing,
        open: store::read::open_get,
    },
    Entry {
        figure: Figure::Page,
        name: "first",
        set_up: floor::nothing,
        open: store::page::open_first,
    },
    Entry {
        figure: Figure::Page,
        name: "middle",
        set_up: floor::nothing,
        open: store::page::open_middle,
    },
    Entry {
        figure: Figure::Page,
        name: "last",
        set_up: floor::nothing,
        open: store::page::open_last,
    },
];

/// The contender of this name.
pub(crate) fn find(figure: Figure, name: &str) -> Result<&'static Entry> {
    of(figure)
        .find(|entry| entry.name == name)
        .with_context(|| {
            let known: Vec<_> = of(figure).map(|entry| entry.name).collect();
            format!(
                "no contender `{name}` for this figure; known are {}",
                known.join(", ")
            )
        })
}

/// The contenders of these names, or all of the figure if none is named. A lone one is compared with itself, which shows
/// how far ratios stray by chance.
pub(crate) fn sides(figure: Figure, names: &[String]) -> Result<Vec<&'static Entry>> {
    let mut sides: Vec<&Entry> = if names.is_empty() {
        of(figure).collect()
    } else {
        let found = names.iter().map(|name| find(figure, name));
        found.collect::<Result<_>>()?
    };
    match sides.first() {
        None => bail!("this figure has no contenders"),
        Some(&first) if sides.len() == 1 => sides.push(first),
        Some(_) => {}
    }
    Ok(sides)
}

fn of(figure: Figure) -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().filter(move |entry| entry.figure == figure)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_figure_has_a_case_and_two_sides() {
        for figure in Figure::value_variants() {
            assert!(!figure.cases().is_empty(), "{figure:?}");
            assert!(sides(*figure, &[]).unwrap().len() >= 2, "{figure:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = sides(Figure::Big, &["tape".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no contender `tape` for this figure; known are disk, sha256, artstore"
        );
    }
}
