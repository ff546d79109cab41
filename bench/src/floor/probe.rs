//! The floor of `probe`: the statements that find out whether something new is there already.
//!
//! The fingerprints that are looked up are made up, as are the hashes that nobody finds.

use anyhow::Result;
use artstore_core::artifact::ArtifactKind;
use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection};

use super::statements::{StatementFloor, look_at_rows, open as open_floor};
use crate::contender::{Contender, World};
use crate::questions::{self, ProbeQuestion};

const MAY_HAVE_ACTIVE_OF_SIZE: &str =
    include_str!("../../../crates/sqlite/src/sql/artifacts/may_have_active_of_size.sql");
/// In one transaction, in this order.
const STATEMENTS: [&str; 4] = [
    include_str!("../../../crates/sqlite/src/sql/artifacts/head.sql"),
    include_str!("../../../crates/sqlite/src/sql/artifacts/find_creation.sql"),
    include_str!("../../../crates/sqlite/src/sql/artifacts/find_event.sql"),
    include_str!("../../../crates/sqlite/src/sql/artifacts/find_duplicate.sql"),
];
/// After them, for tables.
const FIND_CONTENT_DUPLICATE: &str =
    include_str!("../../../crates/sqlite/src/sql/artifacts/find_content_duplicate.sql");

struct Probe;

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    open_floor(world, Probe)
}

impl Contender for StatementFloor<Probe> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        self.with(|connection| {
            let mut asked = 0;
            for question in questions::probes(self.population, n) {
                let question = question?;
                ask(connection, MAY_HAVE_ACTIVE_OF_SIZE, &question)?;
                let transaction = connection.unchecked_transaction()?;
                for statement in STATEMENTS {
                    ask(&transaction, statement, &question)?;
                }
                if question.content_digest.is_some() {
                    ask(&transaction, FIND_CONTENT_DUPLICATE, &question)?;
                }
                asked += 1;
            }
            Ok(asked)
        })
    }
}

fn ask(connection: &Connection, text: &str, question: &ProbeQuestion) -> Result<()> {
    let mut statement = connection.prepare_cached(text)?;
    let scope = &question.scope;
    let hash = question.file_hash.as_bytes();
    let fingerprint = hash
        .first_chunk()
        .map_or(0, |bytes| i64::from_le_bytes(*bytes));
    let content = question
        .content_digest
        .map(|digest| digest.as_bytes().to_vec());
    let kind = i64::from(scope.kind == ArtifactKind::File);
    bind(&mut statement, ":artifact_type", || {
        text_of(scope.artifact_type.as_str())
    })?;
    bind(&mut statement, ":logical_key", || {
        text_of(scope.logical_key.as_str())
    })?;
    bind(&mut statement, ":schema_version", || Value::Integer(1))?;
    bind(&mut statement, ":kind", || Value::Integer(kind))?;
    bind(&mut statement, ":size_bytes", || Value::Integer(1 << 40))?;
    bind(&mut statement, ":op_id", || {
        Value::Blob(question.op_id.as_bytes().to_vec())
    })?;
    bind(&mut statement, ":fingerprint", || {
        Value::Integer(fingerprint)
    })?;
    bind(&mut statement, ":file_hash", || Value::Blob(hash.to_vec()))?;
    bind(&mut statement, ":content_algorithm", || Value::Integer(0))?;
    bind(&mut statement, ":content_digest", || content.into())?;
    look_at_rows(&mut statement, |_| Ok(()))?;
    Ok(())
}

fn text_of(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Where the statement has such a parameter.
fn bind(
    statement: &mut CachedStatement<'_>,
    name: &str,
    value: impl FnOnce() -> Value,
) -> Result<()> {
    if let Some(position) = statement.parameter_index(name)? {
        statement.raw_bind_parameter(position, value())?;
    }
    Ok(())
}
