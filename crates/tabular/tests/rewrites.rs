//! The same table in other encodings is the same table; any other table is not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a harness of tests asserts"
)]

mod support;

use artstore_core::table::TableRules;
use proptest::prelude::*;
use support::describe;
use support::naive::{Value, compare};
use support::tables::{Random, Table};

fn hash_of(table: &Table, random: &mut Random, rules: &TableRules) -> String {
    let facts = describe(&table.write(random), rules).unwrap();
    assert_eq!(facts.row_count, table.rows as u64);
    facts.content_hash.unwrap().to_string()
}

/// Puts the rows of `table` in the order `order`.
fn reorder(table: &Table, order: &[usize]) -> Table {
    let mut reordered = table.clone();
    for column in &mut reordered.columns {
        column.values = order
            .iter()
            .map(|row| column.values[*row].clone())
            .collect();
    }
    reordered
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn encodings_leave_no_trace(seed in any::<u64>()) {
        let random = &mut Random(seed);
        let table = Table::random(random, 3);
        let first = describe(&table.write(random), &TableRules::default()).unwrap();
        prop_assert_eq!(first.content_hash.unwrap().to_string(), table.hash());
        prop_assert_eq!(first.row_count, table.rows as u64);
        for _ in 0..4 {
            prop_assert_eq!(&describe(&table.write(random), &TableRules::default()).unwrap(), &first);
        }
    }

    #[test]
    fn any_change_is_seen(seed in any::<u64>()) {
        let random = &mut Random(seed);
        let table = Table::random(random, 2);
        let before = hash_of(&table, random, &TableRules::default());
        let column = random.below(table.columns.len() as u64) as usize;
        let mut renamed = table.clone();
        renamed.columns[column].name.push('s');
        prop_assert_ne!(&hash_of(&renamed, random, &TableRules::default()), &before);
        if table.rows == 0 {
            return Ok(());
        }
        let mut changed = table.clone();
        let row = random.below(table.rows as u64) as usize;
        changed.columns[column].values[row] = table.kinds[column].value(random, 2);
        let after = hash_of(&changed, random, &TableRules::default());
        prop_assert_eq!(after == before, changed.hash() == table.hash());
        let mut longer = table.clone();
        longer.rows += 1;
        for column in &mut longer.columns {
            column.values.push(column.values[row].clone());
        }
        prop_assert_ne!(&hash_of(&longer, random, &TableRules::default()), &before);
        let mut order: Vec<usize> = (0..table.rows).collect();
        order.swap(0, row);
        let swapped = reorder(&table, &order);
        let after = hash_of(&swapped, random, &TableRules::default());
        prop_assert_eq!(after == before, swapped.hash() == table.hash());
    }

    #[test]
    fn sorted_tables_have_one_hash(seed in any::<u64>()) {
        let random = &mut Random(seed);
        let table = Table::random(random, 0);
        let keys: Vec<usize> = (0..table.columns.len()).filter(|_| random.one_in(2)).take(2).collect();
        let rules = TableRules {
            sort_keys: keys.iter().map(|key| table.columns[*key].name.clone()).collect(),
            ..TableRules::default()
        };
        let rest = (0..table.columns.len()).filter(|column| !keys.contains(column));
        let by: Vec<usize> = keys.iter().copied().chain(rest).collect();
        let mut order: Vec<usize> = (0..table.rows).collect();
        if !keys.is_empty() {
            order.sort_by(|a, b| {
                let orders = by.iter().map(|column| {
                    let values: &[Value] = &table.columns[*column].values;
                    compare(&values[*a], &values[*b])
                });
                orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            });
        }
        let expected = reorder(&table, &order).hash();
        prop_assert_eq!(&hash_of(&table, random, &rules), &expected);
        let mut shuffled: Vec<usize> = (0..table.rows).collect();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.below(at as u64 + 1) as usize);
        }
        if !keys.is_empty() {
            prop_assert_eq!(&hash_of(&reorder(&table, &shuffled), random, &rules), &expected);
        }
    }

    #[test]
    fn canonical_columns_are_taken_in_their_order(seed in any::<u64>()) {
        let random = &mut Random(seed);
        let table = Table::random(random, 1);
        let mut chosen: Vec<usize> = (0..table.columns.len()).filter(|_| random.one_in(2)).collect();
        chosen.reverse();
        prop_assume!(!chosen.is_empty());
        let rules = TableRules {
            canonical_columns: chosen.iter().map(|column| table.columns[*column].name.clone()).collect(),
            ..TableRules::default()
        };
        let columns: Vec<_> = chosen.iter().map(|column| table.columns[*column].clone()).collect();
        prop_assert_eq!(hash_of(&table, random, &rules), support::naive::hash(&columns, table.rows));
    }
}
