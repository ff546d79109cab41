//! Observers that fail planned calls, meddle before one, count calls, or hold them up.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::observed::{Call, Next, Observer};

/// Fails the calls that it was told to, by their names, and counts them.
#[derive(Debug, Default)]
pub struct Script(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failed: BTreeMap<String, u64>,
    failing: BTreeMap<String, Failing>,
}

#[derive(Debug)]
struct Failing {
    kind: ErrorKind,
    /// The call that must come first.
    waits_for: Option<String>,
}

impl Script {
    /// An observer that fails nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every call with this name fails.
    pub fn fail(&self, name: &str, kind: ErrorKind) {
        self.plan(name, kind, None);
    }

    /// Every call with this name fails from the next call of `first` on.
    pub fn fail_after(&self, first: &str, name: &str, kind: ErrorKind) {
        self.plan(name, kind, Some(first.to_owned()));
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        self.state().failing.clear();
    }

    /// How often a call with this name was failed.
    pub fn failed(&self, name: &str) -> u64 {
        self.state().failed.get(name).copied().unwrap_or(0)
    }

    fn plan(&self, name: &str, kind: ErrorKind, waits_for: Option<String>) {
        let failing = Failing { kind, waits_for };
        self.state().failing.insert(name.to_owned(), failing);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Script {
    fn before(&self, call: &Call<'_>) -> Next {
        let name = call.to_string();
        let mut state = self.state();
        for failing in state.failing.values_mut() {
            failing.waits_for.take_if(|first| *first == name);
        }
        let Some(failing) = state.failing.get(&name) else {
            return Next::Proceed;
        };
        if failing.waits_for.is_some() {
            return Next::Proceed;
        }
        let kind = failing.kind;
        *state.failed.entry(name).or_default() += 1;
        Next::Fail(kind)
    }
}

/// Does something once, before the first call with a name.
pub struct Meddler {
    before: &'static str,
    deed: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Meddler {
    /// Does `deed` before the first call that is named `before`.
    pub fn new(before: &'static str, deed: impl FnOnce() + Send + 'static) -> Self {
        Self {
            before,
            deed: Mutex::new(Some(Box::new(deed))),
        }
    }

    /// Whether the deed is done.
    pub fn is_done(&self) -> bool {
        let deed = self.deed.lock().unwrap_or_else(PoisonError::into_inner);
        deed.is_none()
    }
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meddler")
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}

impl Observer for Meddler {
    fn before(&self, call: &Call<'_>) -> Next {
        if call.to_string() == self.before {
            let mut deed = self.deed.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(deed) = deed.take() {
                deed();
            }
        }
        Next::Proceed
    }
}

/// Counts calls by their names.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    /// An observer that has counted nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many calls with this name were made.
    pub fn count(&self, name: &str) -> u64 {
        self.counts().get(name).copied().unwrap_or(0)
    }

    /// How many calls with this verb were made, whatever they were about.
    pub fn count_verb(&self, verb: &str) -> u64 {
        let counts = self.counts();
        let of_verb = counts
            .iter()
            .filter(|(name, _)| name.rsplit('.').next() == Some(verb));
        of_verb.map(|(_, count)| count).sum()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Tally {
    fn before(&self, call: &Call<'_>) -> Next {
        *self.counts().entry(call.to_string()).or_default() += 1;
        Next::Proceed
    }
}

/// Holds up every call with a name until it is opened.
#[derive(Debug)]
pub struct Gate {
    at: &'static str,
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    held: usize,
    is_open: bool,
}

impl Gate {
    /// Holds up calls that are named `at`.
    pub fn closed(at: &'static str) -> Self {
        Self {
            at,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Lets all calls go on, those that come later, too.
    pub fn open(&self) {
        self.state().is_open = true;
        self.changed.notify_all();
    }

    /// Blocks until so many calls have come to the gate.
    pub fn wait_for(&self, calls: usize) {
        let waiting = self
            .changed
            .wait_while(self.state(), |state| state.held < calls);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Gate {
    fn before(&self, call: &Call<'_>) -> Next {
        if call.to_string() == self.at {
            let mut state = self.state();
            state.held += 1;
            self.changed.notify_all();
            let opened = self.changed.wait_while(state, |state| !state.is_open);
            drop(opened.unwrap_or_else(PoisonError::into_inner));
        }
        Next::Proceed
    }
}
