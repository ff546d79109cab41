//! The floors of reading: the statements of the catalog, with nothing around them.
//!
//! Their texts are those of the catalog. A connection is opened read-only and otherwise as SQLite has it, which is how the
//! catalog opens its own: a page cache of 2 MB, no memory mapping, the rest in the system's page cache. Values are looked at
//! where SQLite has them, not copied or checked.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use artstore_core::id::ArtifactId;
use artstore_core::lineage::Relation;
use rusqlite::{Connection, OpenFlags, Statement, Transaction};

use crate::contender::{Contender, World};
use crate::figure::TOGETHER;
use crate::population::{self, Population};
use crate::questions::{self, WalkQuestion};

pub(super) const FIND: &str = include_str!("../../../crates/sqlite/src/sql/artifacts/find.sql");
pub(super) const FIND_INPUTS: &str =
    include_str!("../../../crates/sqlite/src/sql/artifacts/find_inputs.sql");
const FIND_OUTPUTS: &str =
    include_str!("../../../crates/sqlite/src/sql/artifacts/find_outputs.sql");

type Id = [u8; 16];

/// Questions about a population, answered by a connection.
pub(super) struct StatementFloor<Q> {
    connection: Mutex<Connection>,
    pub(super) population: Population,
    pub(super) question: Q,
}

/// All columns of a row by its id.
struct Get {
    case: String,
}

/// The same, and the inputs of those that have some: all that an artifact consists of.
struct GetWithInputs {
    get: Get,
    /// Which column of [`FIND`] counts the inputs.
    input_count: usize,
}

/// What one step leads to, level by level, each visited once.
struct Walk {
    case: String,
}

pub(crate) fn open_get(world: &World) -> Result<Box<dyn Contender>> {
    open(world, Get::of(world))
}

pub(crate) fn open_get_with_inputs(world: &World) -> Result<Box<dyn Contender>> {
    let input_count = input_count(&connect(world)?)?;
    let get = Get::of(world);
    open(world, GetWithInputs { get, input_count })
}

pub(crate) fn open_walk(world: &World) -> Result<Box<dyn Contender>> {
    let case = world.case.clone();
    open(world, Walk { case })
}

/// Which column of [`FIND`] and of the lists counts the inputs.
pub(super) fn input_count(connection: &Connection) -> Result<usize> {
    Ok(connection.prepare(FIND)?.column_index("input_count")?)
}

pub(super) fn open<Q>(world: &World, question: Q) -> Result<Box<dyn Contender>>
where
    StatementFloor<Q>: Contender + 'static,
{
    Ok(Box::new(StatementFloor {
        connection: Mutex::new(connect(world)?),
        population: Population::of(world.artifacts),
        question,
    }))
}

pub(super) fn connect(world: &World) -> Result<Connection> {
    let path = world.source.join(population::CATALOG);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(&path, flags)
        .with_context(|| format!("cannot open {}", path.display()))
}

impl<Q> StatementFloor<Q> {
    pub(super) fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        work(
            &self
                .connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Get {
    fn of(world: &World) -> Self {
        Self {
            case: world.case.clone(),
        }
    }

    /// Ids that are asked for together are answered from one state of the database.
    fn transaction<'a>(&self, connection: &'a Connection) -> Result<Option<Transaction<'a>>> {
        let begin = || connection.unchecked_transaction();
        Ok((self.case == TOGETHER).then(begin).transpose()?)
    }
}

impl Contender for StatementFloor<Get> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        self.with(|connection| {
            let _transaction = self.question.transaction(connection)?;
            let mut find = connection.prepare_cached(FIND)?;
            let mut found = 0;
            for id in questions::ids(self.population, &self.question.case, n) {
                found += look_at(&mut find, id, |_| Ok(()))?;
            }
            Ok(found)
        })
    }
}

impl Contender for StatementFloor<GetWithInputs> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        self.with(|connection| {
            let _transaction = self.question.get.transaction(connection)?;
            let mut find = connection.prepare_cached(FIND)?;
            let mut find_inputs = connection.prepare_cached(FIND_INPUTS)?;
            let mut found = 0;
            for id in questions::ids(self.population, &self.question.get.case, n) {
                found += look_at(&mut find, id, |row| {
                    if row.get_ref(self.question.input_count)?.as_i64()? > 0 {
                        look_at(&mut find_inputs, id, |_| Ok(()))?;
                    }
                    Ok(())
                })?;
            }
            Ok(found)
        })
    }
}

impl Contender for StatementFloor<Walk> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let question = questions::walk(self.population, &self.question.case, n)?;
        self.with(|connection| walk(connection, &question))
    }
}

/// Looks at every column of every row that an id leads to. Returns the number of rows.
pub(super) fn look_at(
    statement: &mut Statement<'_>,
    id: ArtifactId,
    then: impl FnMut(&rusqlite::Row<'_>) -> Result<()>,
) -> Result<u64> {
    statement.raw_bind_parameter(1, id.as_uuid().as_bytes().as_slice())?;
    look_at_rows(statement, then)
}

/// Looks at every column of every row. Returns the number of rows.
pub(super) fn look_at_rows(
    statement: &mut Statement<'_>,
    mut then: impl FnMut(&rusqlite::Row<'_>) -> Result<()>,
) -> Result<u64> {
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut count = 0;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            black_box(row.get_ref(column)?);
        }
        then(row)?;
        count += 1;
    }
    Ok(count)
}

/// Returns the number of nodes.
fn walk(connection: &Connection, question: &WalkQuestion) -> Result<u64> {
    let text = match question.relation {
        Relation::Inputs => FIND_INPUTS,
        _ => FIND_OUTPUTS,
    };
    // As the catalog does: a walk sees one state of the database, and is spared a lock for each step.
    let transaction = connection.unchecked_transaction()?;
    let mut step = transaction.prepare_cached(text)?;
    let start: Id = *question.start.as_uuid().as_bytes();
    let mut seen = HashSet::from([start]);
    let mut level = vec![start];
    let mut depth = 0;
    while !level.is_empty() && question.depth.is_none_or(|limit| depth < limit) {
        let mut next = Vec::new();
        for id in level {
            step.raw_bind_parameter(1, id.as_slice())?;
            let mut rows = step.raw_query();
            while let Some(row) = rows.next()? {
                let found: Id = row.get_ref(0)?.as_blob()?.try_into()?;
                black_box(row.get_ref(1)?);
                if seen.insert(found) {
                    next.push(found);
                }
            }
        }
        level = next;
        depth += 1;
    }
    Ok(seen.len() as u64 - 1)
}
