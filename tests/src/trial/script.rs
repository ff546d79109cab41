//! An observer that fails planned calls.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::observed::{Call, Next, Observer};

/// Counts calls by their names, and fails those that it was told to.
#[derive(Debug, Default)]
pub struct Script(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    calls: BTreeMap<String, u64>,
    failing: BTreeMap<String, Failing>,
}

#[derive(Debug, Clone, Copy)]
struct Failing {
    kind: ErrorKind,
    /// How many calls still succeed.
    after: u64,
    /// How many fail then.
    times: u64,
}

impl Script {
    /// An observer that fails nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every call with this name fails.
    pub fn fail(&self, name: &str, kind: ErrorKind) {
        self.plan(name, kind, 0, u64::MAX);
    }

    /// The `nth` call with this name from now on (from 1) fails, and no other.
    pub fn fail_nth(&self, name: &str, nth: u64, kind: ErrorKind) {
        self.plan(name, kind, nth.saturating_sub(1), 1);
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        self.state().failing.clear();
    }

    /// How often a call with this name was made or failed.
    pub fn calls(&self, name: &str) -> u64 {
        self.state().calls.get(name).copied().unwrap_or(0)
    }

    fn plan(&self, name: &str, kind: ErrorKind, after: u64, times: u64) {
        let failing = Failing { kind, after, times };
        self.state().failing.insert(name.to_owned(), failing);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Script {
    fn before(&self, call: &Call<'_>) -> Next {
        let mut state = self.state();
        *state.calls.entry(call.to_string()).or_default() += 1;
        let Some(failing) = state.failing.get_mut(&call.to_string()) else {
            return Next::Proceed;
        };
        if failing.after > 0 {
            failing.after -= 1;
            return Next::Proceed;
        }
        if failing.times == 0 {
            return Next::Proceed;
        }
        failing.times -= 1;
        Next::Fail(failing.kind)
    }
}
