//! The facts of a file, columns side by side.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::Schema;
use artstore_core::backend::{Progress, RandomRead};
use artstore_core::digest::ContentHash;
use artstore_core::table::{TableFacts, TableRules, TableSchema};
use artstore_core::{Error, Result};

use super::budget::FileBudget;
use super::columns::{ColumnSet, ParquetFile};
use super::footer::read_footer;
use crate::THREAD_NAME;
use crate::cancel::Cancel;
use crate::ch1::{ColumnHasher, Scratch, Sorter, column_hashers, table_hash};
use crate::error::guarded;
use crate::facts::{Plan, TimeRange, table_schema};

const MAX_THREADS: usize = 4;
/// Readers of nested columns call themselves, as deep as columns may be nested.
const STACK_BYTES: usize = 8 << 20;
const ACTIVITY: &str = "reading the table";

/// The columns of the Parquet file `input`.
///
/// # Errors
/// [`Invalid`](artstore_core::ErrorKind::Invalid), [`Unsupported`](artstore_core::ErrorKind::Unsupported), those of `input`.
pub(crate) fn inspect(input: &Arc<dyn RandomRead>) -> Result<TableSchema> {
    on_threads(1, || {
        let footer = guarded(|| read_footer(&**input))?;
        input.check_unchanged()?;
        Ok(table_schema(&schema_of(&footer.roots)))
    })
}

/// The facts of the Parquet file `input`.
///
/// # Errors
/// As [`inspect`], and if `rules` do not fit.
pub(crate) fn describe(
    input: &Arc<dyn RandomRead>,
    rules: &TableRules,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<TableFacts> {
    let opened = Mutex::new(None);
    on_threads(1, || {
        let footer = guarded(|| read_footer(&**input))?;
        *opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(footer);
        Ok(())
    })?;
    let footer = opened.into_inner().unwrap_or_else(PoisonError::into_inner);
    let footer = footer.ok_or_else(|| Error::internal("a thread ended without its result"))?;
    let file = ParquetFile {
        input: input.clone(),
        budget: Arc::new(FileBudget::new(input.size(), cancel.clone())),
        footer,
    };
    let schema = schema_of(&file.footer.roots);
    let plan = Plan::new(&schema, rules)?;
    let hashers = column_hashers(&schema, &plan)?;
    let reading = Reading {
        file: &file,
        schema: &schema,
        plan: &plan,
        progress,
        done_bytes: AtomicU64::new(0),
    };
    let (content_hash, times) = match hashers {
        Some(hashers) if !plan.sort_keys.is_empty() => reading.sorted(hashers)?,
        hashers => reading.side_by_side(hashers)?,
    };
    input.check_unchanged()?;
    let names = table_schema(&schema);
    let timestamp_column = plan
        .timestamp
        .map(|column| names.columns[column].name.clone());
    Ok(TableFacts {
        schema: names,
        row_count: file.footer.rows,
        content_hash,
        timestamp_column,
        min_timestamp: times.earliest(),
        max_timestamp: times.latest(),
    })
}

fn schema_of(roots: &[super::schema::Root]) -> Schema {
    Schema::new(
        roots
            .iter()
            .map(|root| root.field.clone())
            .collect::<Vec<_>>(),
    )
}

/// One pass over a file.
struct Reading<'a> {
    file: &'a ParquetFile,
    schema: &'a Schema,
    plan: &'a Plan,
    progress: &'a dyn Progress,
    done_bytes: AtomicU64,
}

/// A column that is to be read, and its hasher if it has one.
type ColumnWork = (usize, Option<ColumnHasher>);

/// What was found out of a column.
type ColumnResult = (usize, Option<[u8; 32]>, TimeRange);

impl Reading<'_> {
    /// Reads columns one by one, several at the same time: none waits for another, and memory does not grow with their
    /// number.
    fn side_by_side(
        &self,
        hashers: Option<Vec<ColumnHasher>>,
    ) -> Result<(Option<ContentHash>, TimeRange)> {
        let has_hash = hashers.is_some();
        let mut hashers: BTreeMap<usize, ColumnHasher> = self
            .plan
            .canonical
            .iter()
            .copied()
            .zip(hashers.into_iter().flatten())
            .collect();
        let mut work: Vec<ColumnWork> = Vec::new();
        for column in 0..self.schema.fields().len() {
            let hasher = hashers.remove(&column);
            if hasher.is_some() || self.plan.timestamp == Some(column) {
                work.push((column, hasher));
            }
        }
        // The largest first, so that no thread begins one when the others have ended.
        work.sort_by_key(|(column, _)| std::cmp::Reverse(self.chunk_bytes(*column)));
        let total = work
            .iter()
            .map(|(column, _)| self.chunk_bytes(*column))
            .sum();
        let work: Vec<Mutex<Option<ColumnWork>>> = work
            .into_iter()
            .map(|item| Mutex::new(Some(item)))
            .collect();
        let next = AtomicUsize::new(0);
        let has_failed = AtomicBool::new(false);
        let results = Mutex::new(Vec::new());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        on_threads(threads.min(MAX_THREADS).min(work.len()).max(1), || {
            let mut scratch = Scratch::new();
            while !has_failed.load(Ordering::Relaxed) {
                let Some(item) = work.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some((column, hasher)) = item else {
                    continue;
                };
                let result = self.column(column, hasher, &mut scratch, total);
                has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
                results
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(result?);
            }
            Ok(())
        })?;
        let results: Vec<ColumnResult> =
            results.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(self.combined(has_hash, &results))
    }

    fn combined(
        &self,
        has_hash: bool,
        results: &[ColumnResult],
    ) -> (Option<ContentHash>, TimeRange) {
        let mut times = TimeRange::default();
        let mut digests = BTreeMap::new();
        for (column, digest, range) in results {
            times.merge(*range);
            digests.extend(digest.map(|digest| (*column, digest)));
        }
        let columns: Vec<(&str, [u8; 32])> = self
            .plan
            .canonical
            .iter()
            .zip(&self.plan.canonical_names)
            .filter_map(|(column, name)| Some((name.as_str(), *digests.get(column)?)))
            .collect();
        let hash = has_hash.then(|| table_hash(self.file.footer.rows, columns.into_iter()));
        (hash, times)
    }

    fn column(
        &self,
        column: usize,
        mut hasher: Option<ColumnHasher>,
        scratch: &mut Scratch,
        total: u64,
    ) -> Result<ColumnResult> {
        let mut times = TimeRange::default();
        let set = ColumnSet::new(self.file, &[column])?;
        set.read(&mut |batch| {
            let array = batch.column(0);
            if self.plan.timestamp == Some(column) {
                times.update(array)?;
            }
            let before = scratch.fed_bytes();
            if let Some(hasher) = &mut hasher {
                hasher.update(array, scratch)?;
            }
            Ok(scratch.fed_bytes() - before)
        })?;
        self.report(set.file_bytes(), total);
        Ok((column, hasher.map(ColumnHasher::finish), times))
    }

    /// Reads all columns together and keeps them until they can be sorted.
    fn sorted(&self, hashers: Vec<ColumnHasher>) -> Result<(Option<ContentHash>, TimeRange)> {
        let found = Mutex::new((Vec::new(), TimeRange::default()));
        let hashers = Mutex::new(Some(hashers));
        on_threads(1, || {
            let hashers = hashers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let mut sorter = Sorter::new(self.schema, self.plan, hashers.unwrap_or_default())?;
            let used: Vec<usize> = (0..self.schema.fields().len())
                .filter(|column| self.plan.uses(*column))
                .collect();
            let set = ColumnSet::new(self.file, &used)?;
            let total = set.file_bytes();
            let mut times = TimeRange::default();
            set.read(&mut |batch| {
                let columns = self.placed(batch, &used);
                if let Some(column) = self.plan.timestamp {
                    times.update(&columns[column])?;
                }
                sorter.update(&columns, batch.num_rows())?;
                Ok(batch.get_array_memory_size() as u64)
            })?;
            let hashers = guarded(|| sorter.finish(&mut Scratch::new()))?;
            self.report(total, total);
            let digests: Vec<[u8; 32]> = hashers.into_iter().map(ColumnHasher::finish).collect();
            *found.lock().unwrap_or_else(PoisonError::into_inner) = (digests, times);
            Ok(())
        })?;
        let (digests, times) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let names = self.plan.canonical_names.iter().map(String::as_str);
        Ok((
            Some(table_hash(self.file.footer.rows, names.zip(digests))),
            times,
        ))
    }

    /// The columns of `batch`, which are `used`, at their places; nothing at the others.
    fn placed(&self, batch: &RecordBatch, used: &[usize]) -> Vec<ArrayRef> {
        let nothing: ArrayRef = Arc::new(arrow_array::NullArray::new(0));
        let mut columns = vec![nothing; self.schema.fields().len()];
        for (column, array) in used.iter().zip(batch.columns()) {
            columns[*column] = array.clone();
        }
        columns
    }

    fn chunk_bytes(&self, column: usize) -> u64 {
        let Some(root) = self.file.footer.roots.get(column) else {
            return 0;
        };
        let leaves = root.first_leaf..root.first_leaf + root.physical_types.len();
        let row_groups = self.file.footer.row_groups.iter();
        let chunks = row_groups
            .flat_map(|row_group| row_group.chunks.get(leaves.clone()).into_iter().flatten());
        chunks
            .map(|chunk| chunk.length)
            .fold(0, u64::saturating_add)
    }

    fn report(&self, bytes: u64, total: u64) {
        let before = self.done_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.progress
            .report(ACTIVITY, before.saturating_add(bytes), Some(total));
    }
}

/// Runs `work` on `count` threads at the same time, and gives what one of them returned or the first error.
fn on_threads<T: Send>(count: usize, work: impl Fn() -> Result<T> + Sync) -> Result<T> {
    std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(count);
        for _ in 0..count {
            let builder = std::thread::Builder::new()
                .name(THREAD_NAME.to_owned())
                .stack_size(STACK_BYTES);
            let thread = builder.spawn_scoped(scope, || guarded(&work));
            let thread = thread
                .map_err(|error| Error::unavailable("no thread can be started").caused_by(error));
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) if threads.is_empty() => return Err(error),
                // Fewer do it too.
                Err(_) => break,
            }
        }
        let mut result = Err(Error::internal("a thread ended without its result"));
        let mut failure = None;
        for thread in threads {
            match thread.join() {
                Ok(Ok(value)) => result = Ok(value),
                Ok(Err(error)) => failure = failure.or(Some(error)),
                Err(_) => failure = failure.or_else(|| Some(crate::error::not_readable())),
            }
        }
        failure.map_or(result, Err)
    })
}
