//! The floors of `stream` and `open`: all rows of the catalog's list, and a connection for one row.

use anyhow::{Result, ensure};
use artstore_core::id::ArtifactId;
use rusqlite::Statement;
use rusqlite::types::Value;

use super::statements::{
    FIND, FIND_INPUTS, StatementFloor, connect, input_count, look_at, look_at_rows,
    open as open_floor,
};
use crate::contender::{Contender, World};
use crate::population::Population;
use crate::questions;

const LIST: &str = include_str!("../../../crates/sqlite/src/sql/artifacts/list_by_creation.sql");

/// Every row of the catalog, newest first.
struct AllRows;

/// The same, and the inputs of those that have some.
struct AllRowsWithInputs {
    input_count: usize,
    /// The first column that is the id of the artifact.
    id: usize,
}

/// A connection that is opened for one row, and closed.
struct OneRow {
    world: World,
    population: Population,
}

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    open_floor(world, AllRows)
}

pub(crate) fn open_with_inputs(world: &World) -> Result<Box<dyn Contender>> {
    let connection = connect(world)?;
    let question = AllRowsWithInputs {
        input_count: input_count(&connection)?,
        id: connection.prepare(FIND)?.column_index("artifact_id")?,
    };
    open_floor(world, question)
}

pub(crate) fn open_connection(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(OneRow {
        world: world.clone(),
        population: Population::of(world.artifacts),
    }))
}

impl Contender for StatementFloor<AllRows> {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        self.with(|connection| {
            let mut list = connection.prepare_cached(LIST)?;
            bind_everything(&mut list)?;
            look_at_rows(&mut list, |_| Ok(()))
        })
    }
}

impl Contender for StatementFloor<AllRowsWithInputs> {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        self.with(|connection| {
            let mut list = connection.prepare_cached(LIST)?;
            let mut find_inputs = connection.prepare_cached(FIND_INPUTS)?;
            bind_everything(&mut list)?;
            look_at_rows(&mut list, |row| {
                if row.get_ref(self.question.input_count)?.as_i64()? == 0 {
                    return Ok(());
                }
                let id = row.get_ref(self.question.id)?.as_blob()?;
                find_inputs.raw_bind_parameter(1, id)?;
                look_at_rows(&mut find_inputs, |_| Ok(()))?;
                Ok(())
            })
        })
    }
}

/// What is not bound is NULL, which is no condition.
fn bind_everything(list: &mut Statement<'_>) -> Result<()> {
    let bounds = [
        (":created_from", Value::Integer(i64::MIN)),
        (":before_time", Value::Integer(i64::MAX)),
        (":before_id", Value::Blob(Vec::new())),
        (":limit", Value::Integer(i64::MAX)),
    ];
    for (name, value) in bounds {
        if let Some(position) = list.parameter_index(name)? {
            list.raw_bind_parameter(position, value)?;
        }
    }
    Ok(())
}

impl Contender for OneRow {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let connection = connect(&self.world)?;
        let id: Option<ArtifactId> = questions::ids(self.population, "", n).next();
        let mut find = connection.prepare(FIND)?;
        let found = id.map(|id| look_at(&mut find, id, |_| Ok(())));
        ensure!(found.transpose()? == Some(1), "a row is missing");
        Ok(1)
    }
}
