//! The content hash of a column.

use std::hint::black_box;

use anyhow::Result;
use artstore_core::table::TableRules;
use artstore_tabular::content_hash;

use crate::columns::Column;
use crate::contender::{Contender, World};

struct Ch1Side {
    column: Column,
}

/// Makes the column.
pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    let column = Column::new(&world.case)?;
    Ok(Box::new(Ch1Side { column }))
}

impl Contender for Ch1Side {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        let Column {
            schema, batches, ..
        } = &self.column;
        let rules = TableRules::default();
        black_box(content_hash(schema, batches.iter(), &rules)?);
        Ok(self.column.canonical_bytes)
    }
}
