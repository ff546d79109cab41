use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use artstore_core::{Error, ErrorKind, Result};

/// Which calls fail, shared by the decorators it is given to; it also counts every call.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

/// Whether a failing call does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultTime {
    /// It fails and nothing was done.
    Before,
    /// It does its work, and its caller is told that it failed.
    After,
}

#[derive(Debug, Default)]
struct Plan {
    calls: BTreeMap<&'static str, u64>,
    faults: Vec<Fault>,
    is_dead: bool,
}

#[derive(Debug)]
struct Fault {
    method: &'static str,
    /// The number of the call, counted from the first one ever.
    call: u64,
    time: FaultTime,
    kind: ErrorKind,
    kills: bool,
}

impl Faults {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The `nth` call of `method` from now on, counted from 1, fails with an error of `kind`.
    pub fn fail(&self, method: &'static str, nth: u64, time: FaultTime, kind: ErrorKind) {
        self.plan_fault(method, nth, time, kind, false);
    }

    /// At the `nth` call of `method` from now on, counted from 1, the process dies: this call and every later one of any
    /// method fails, and only what was done before stays done.
    pub fn die(&self, method: &'static str, nth: u64, time: FaultTime) {
        self.plan_fault(method, nth, time, ErrorKind::Unavailable, true);
    }

    /// How many times `method` was called.
    pub fn calls(&self, method: &str) -> u64 {
        self.plan().calls.get(method).copied().unwrap_or(0)
    }

    /// How many times each method was called.
    pub fn all_calls(&self) -> BTreeMap<&'static str, u64> {
        self.plan().calls.clone()
    }

    /// The number of faults that have not happened yet. A test that plans a fault and does not see it tests nothing.
    pub fn outstanding(&self) -> usize {
        self.plan().faults.len()
    }

    fn plan_fault(
        &self,
        method: &'static str,
        nth: u64,
        time: FaultTime,
        kind: ErrorKind,
        kills: bool,
    ) {
        assert!(nth > 0, "calls are counted from 1");
        let mut plan = self.plan();
        let call = plan.calls.get(method).copied().unwrap_or(0) + nth;
        plan.faults.push(Fault {
            method,
            call,
            time,
            kind,
            kills,
        });
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().expect("no test panics holding it")
    }

    /// A call begins. The error is that of a call that does nothing; what is returned is asked when it has ended.
    pub(super) fn enter(&self, method: &'static str) -> Result<Leave> {
        let mut plan = self.plan();
        let count = plan.calls.entry(method).or_default();
        *count += 1;
        let call = *count;
        if plan.is_dead {
            return Err(injected(ErrorKind::Unavailable, method));
        }
        let planned = plan
            .faults
            .iter()
            .position(|fault| fault.method == method && fault.call == call);
        let Some(position) = planned else {
            return Ok(Leave(None));
        };
        let fault = plan.faults.swap_remove(position);
        plan.is_dead = fault.kills;
        let error = injected(fault.kind, method);
        match fault.time {
            FaultTime::Before => Err(error),
            FaultTime::After => Ok(Leave(Some(error))),
        }
    }
}

/// How a call that did its work ends.
#[derive(Debug)]
pub(super) struct Leave(Option<Error>);

impl Leave {
    pub(super) fn with<T>(self, result: Result<T>) -> Result<T> {
        match self.0 {
            Some(error) => Err(error),
            None => result,
        }
    }
}

fn injected(kind: ErrorKind, method: &'static str) -> Error {
    Error::new(kind, "injected fault").with("method", method)
}
