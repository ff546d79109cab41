//! How much memory one batch may take.

use std::sync::{Arc, Mutex, PoisonError};

use artstore_core::Result;

use super::budget::{Failure, FileBudget, HeavyPermit};

/// Bytes of a page from which on only one thread at a time reads such pages.
pub(super) const HEAVY_BYTES: u64 = 4 << 20;

/// What the readers of some columns share while they read a batch.
#[derive(Debug, Clone)]
pub(super) struct BatchBudget {
    file: Arc<FileBudget>,
    pub(super) failure: Failure,
    state: Arc<Mutex<BatchState>>,
}

/// Its state, for the present batch.
#[derive(Debug, Default)]
pub(super) struct BatchState {
    pub(super) rows: u64,
    /// Of pages of byte arrays after the first of each column.
    pub(super) further_bytes: u64,
    /// For each leaf, the memory of the largest row of its page.
    pub(super) row_bytes: Vec<u64>,
    pub(super) has_page: Vec<bool>,
    pub(super) is_too_large: bool,
    pub(super) heavy: Option<HeavyPermit>,
}

impl BatchBudget {
    pub(super) fn new(file: Arc<FileBudget>, failure: Failure, leaves: usize, rows: u64) -> Self {
        let state = BatchState {
            rows,
            row_bytes: vec![0; leaves],
            has_page: vec![false; leaves],
            ..BatchState::default()
        };
        Self {
            file,
            failure,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A batch begins; what the one before took is free.
    pub(super) fn begin(&self) {
        self.with_state(|state| {
            state.further_bytes = 0;
            state.has_page.fill(false);
        });
    }

    /// Whether reading ended because the batch would be too large, though one of fewer rows would not.
    pub(super) fn is_too_large(&self) -> bool {
        self.with_state(|state| state.is_too_large)
    }

    pub(super) fn with_state<T>(&self, work: impl FnOnce(&mut BatchState) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn count_page(&self, bytes: u64) -> Result<()> {
        if bytes > HEAVY_BYTES {
            self.enter_heavy();
        }
        self.file.count(bytes)
    }

    /// Memory is taken that not every thread can take at the same time.
    pub(super) fn enter_heavy(&self) {
        if self.with_state(|state| state.heavy.is_none()) {
            let permit = self.file.enter_heavy();
            self.with_state(|state| state.heavy = Some(permit));
        }
    }
}
