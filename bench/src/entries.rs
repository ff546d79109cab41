//! The table of contenders.

use anyhow::{Context, Result, bail};

use crate::contender::{Entry, Load};
use crate::figure::{AT_ONCE, Figure, GET, LINES, ONE_BY_ONE, OPS, Source, TOGETHER};
use crate::{floor, store};

/// Everybody, floors first. The last one of a figure is what its ratios are about.
const ENTRIES: &[Entry] = &[
    Entry::new(Figure::Publish, "floor", floor::publish::open).after(floor::publish::set_up),
    Entry::new(Figure::Publish, "artstore", store::publish::open_small).after(store::set_up),
    Entry::new(Figure::Batch, "floor", floor::publish::open)
        .after(floor::publish::set_up)
        .with_load(Load::publishers(64)),
    Entry::new(Figure::Batch, "one by one", store::publish::open_small)
        .after(store::set_up)
        .with_load(Load::ONE),
    Entry::new(Figure::Batch, "64 publishers", store::publish::open_small)
        .after(store::set_up)
        .with_load(Load::publishers(64)),
    Entry::new(Figure::Batch, "artstore", store::batch::open).after(store::set_up),
    Entry::new(Figure::Processes, "floor", floor::publish::open).after(floor::publish::set_up),
    Entry::new(Figure::Processes, "one process", store::publish::open_small)
        .after(store::set_up)
        .with_load(Load::ONE),
    Entry::new(Figure::Processes, "artstore", store::publish::open_small).after(store::set_up),
    Entry::new(Figure::Big, "disk", floor::disk::open),
    Entry::new(Figure::Big, "sha256", floor::sha256::open),
    Entry::new(Figure::Big, "artstore", store::publish::open_copy).after(store::set_up),
    Entry::new(Figure::Adopt, "sha256", floor::sha256::open),
    Entry::new(Figure::Adopt, "artstore", store::publish::open_adopt).after(store::set_up),
    Entry::new(Figure::Duplicate, "sha256", floor::sha256::open),
    Entry::new(
        Figure::Duplicate,
        "artstore",
        store::publish::open_duplicate,
    )
    .after(store::set_up),
    Entry::new(Figure::Table, "libraries", floor::table::open),
    Entry::new(Figure::Table, "artstore", store::publish::open_table).after(store::set_up),
    Entry::new(Figure::Ch1, "sha256", floor::sha256::open_column),
    Entry::new(Figure::Ch1, "ch1", store::ch1::open),
    Entry::new(Figure::Get, "statement", floor::statements::open_get),
    Entry::new(
        Figure::Get,
        "statements",
        floor::statements::open_get_with_inputs,
    ),
    Entry::new(
        Figure::Get,
        "catalog in place",
        store::read::open_catalog_get_in_place,
    )
    .only_for(&[ONE_BY_ONE, TOGETHER]),
    Entry::new(Figure::Get, "catalog", store::read::open_catalog_get)
        .only_for(&[ONE_BY_ONE, TOGETHER]),
    Entry::new(Figure::Get, "artstore", store::read::open_get).only_for(&[ONE_BY_ONE, TOGETHER]),
    Entry::new(Figure::Get, "one by one", store::read::open_get_one_by_one).only_for(&[AT_ONCE]),
    Entry::new(Figure::Get, "artstore", store::read::open_get_at_once).only_for(&[AT_ONCE]),
    Entry::new(Figure::Lineage, "statements", floor::statements::open_walk),
    Entry::new(Figure::Lineage, "with artifacts", store::read::open_lineage),
    Entry::new(Figure::Lineage, "ids", store::read::open_walk),
    Entry::new(Figure::Page, "first", store::page::open_first),
    Entry::new(Figure::Page, "middle", store::page::open_middle),
    Entry::new(Figure::Page, "last", store::page::open_last),
    Entry::new(Figure::Stream, "statement", floor::rows::open),
    Entry::new(Figure::Stream, "statements", floor::rows::open_with_inputs),
    Entry::new(Figure::Stream, "artstore", store::stream::open),
    Entry::new(Figure::Probe, "statements", floor::probe::open),
    Entry::new(Figure::Probe, "catalog", store::probe::open),
    Entry::new(Figure::Open, "connection", floor::rows::open_connection),
    Entry::new(Figure::Open, "empty store", store::opening::open_empty),
    Entry::new(Figure::Open, "artstore", store::opening::open),
    Entry::new(Figure::Size, "only files", store::size::open)
        .reading(Source::Plain)
        .of_one_in(10),
    Entry::new(Figure::Size, "grown", store::size::open)
        .reading(Source::Grown)
        .of_one_in(10),
    Entry::new(Figure::Size, "artstore", store::size::open),
    Entry::new(Figure::Growth, "1/100", store::growth::open).of_one_in(100),
    Entry::new(Figure::Growth, "1/10", store::growth::open).of_one_in(10),
    Entry::new(Figure::Growth, "all", store::growth::open),
    Entry::new(
        Figure::CommandLine,
        "empty program",
        floor::program::open_empty,
    )
    .only_for(&[GET, OPS]),
    Entry::new(Figure::CommandLine, "cat", floor::program::open_cat).only_for(&[LINES]),
    Entry::new(Figure::CommandLine, "artstore", store::command::open),
    Entry::new(Figure::Rebuild, "read and hash", floor::records::open),
    Entry::new(Figure::Rebuild, "1/100", store::rebuild::open).of_one_in(100),
    Entry::new(Figure::Rebuild, "1/10", store::rebuild::open).of_one_in(10),
    Entry::new(Figure::Rebuild, "artstore", store::rebuild::open),
];

/// The contender of this name.
pub(crate) fn find(figure: Figure, case: &str, name: &str) -> Result<&'static Entry> {
    of(figure, case)
        .find(|entry| entry.name == name)
        .with_context(|| {
            let known: Vec<_> = of(figure, case).map(|entry| entry.name).collect();
            format!(
                "no contender `{name}` for this figure; known are {}",
                known.join(", ")
            )
        })
}

/// The contenders of these names, or all of the case if none is named. A lone one is compared with itself, which shows
/// how far ratios stray by chance.
pub(crate) fn sides(
    figure: Figure,
    case: &str,
    names: &[impl AsRef<str>],
) -> Result<Vec<&'static Entry>> {
    let mut sides: Vec<&Entry> = if names.is_empty() {
        of(figure, case).collect()
    } else {
        let found = names.iter().map(|name| find(figure, case, name.as_ref()));
        found.collect::<Result<_>>()?
    };
    match sides.first() {
        None => bail!("this figure has no contenders"),
        Some(&first) if sides.len() == 1 => sides.push(first),
        Some(_) => {}
    }
    Ok(sides)
}

fn of(figure: Figure, case: &str) -> impl Iterator<Item = &'static Entry> {
    ENTRIES
        .iter()
        .filter(move |entry| entry.figure == figure && entry.is_for(case))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    const EVERYBODY: [&str; 0] = [];

    #[test]
    fn every_case_has_two_sides_with_names_of_their_own() {
        for figure in Figure::value_variants() {
            assert!(!figure.cases().is_empty(), "{figure:?}");
            for case in figure.cases() {
                let sides = sides(*figure, case, &EVERYBODY).unwrap();
                assert!(sides.len() >= 2, "{figure:?} {case}");
                for side in &sides {
                    let same = sides.iter().filter(|other| other.name == side.name);
                    assert_eq!(same.count(), 1, "{figure:?} {case} {}", side.name);
                }
            }
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = sides(Figure::Big, "", &["tape"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no contender `tape` for this figure; known are disk, sha256, artstore"
        );
    }
}
