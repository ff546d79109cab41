//! Named points at which a process is killed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use crate::observed::{Call, Next, Observer};

/// When to kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KillPlan {
    /// Never; only count.
    Never,
    /// Before the `nth` time (from 1) that the point is reached.
    AtPoint {
        /// The point's name.
        name: String,
        /// Which time.
        nth: u64,
    },
    /// Before the `nth` point (from 1), whatever its name.
    AtCall(u64),
}

impl fmt::Display for KillPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::AtPoint { name, nth } => write!(f, "{name}:{nth}"),
            Self::AtCall(nth) => write!(f, "call:{nth}"),
        }
    }
}

impl FromStr for KillPlan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let (name, nth) = text
            .split_once(':')
            .ok_or("a plan is `never` or NAME:NTH")?;
        let nth = nth.parse().map_err(|_| "NTH is not a number")?;
        Ok(match name {
            "call" => Self::AtCall(nth),
            _ => Self::AtPoint {
                name: name.to_owned(),
                nth,
            },
        })
    }
}

/// Counts points and kills this process at the planned one.
#[derive(Debug)]
pub struct Killer {
    plan: KillPlan,
    reached: Mutex<BTreeMap<String, u64>>,
}

impl Killer {
    /// A killer with this plan.
    pub fn new(plan: KillPlan) -> Self {
        Self {
            plan,
            reached: Mutex::default(),
        }
    }

    /// How often each point was reached.
    pub fn reached(&self) -> BTreeMap<String, u64> {
        self.reached
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Observer for Killer {
    fn before(&self, call: &Call<'_>) -> Next {
        let name = call.to_string();
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let here = reached.entry(name.clone()).or_default();
        *here += 1;
        let here = *here;
        let total: u64 = reached.values().sum();
        let is_due = match &self.plan {
            KillPlan::Never => false,
            KillPlan::AtPoint { name: planned, nth } => *planned == name && here == *nth,
            KillPlan::AtCall(nth) => total == *nth,
        };
        if is_due {
            let this_process = rustix::process::getpid();
            let _ = rustix::process::kill_process(this_process, rustix::process::Signal::KILL);
        }
        Next::Proceed
    }
}

/// Every point that operations pass, settling included.
pub const POINTS: &[&str] = &[
    "staged-data.create",
    "staged-data.write",
    "staged-data.sync",
    "staged-document.create",
    "staged-document.sync",
    "source.sync",
    "intent.create",
    "intent.write",
    "directory.create",
    "directory.sync",
    "data.rename",
    "data.adopt",
    "record.rename",
    "event.rename",
    "catalog.before-commit",
    "catalog.after-commit",
    "record.replace",
    "counter.write",
    "intent.remove",
    // Of tables.
    "table.inspect",
    "table.describe",
    "table.convert",
    "table.write",
    "table.end",
    "table.converted",
    // Between an event and its rows, and between these and the records that follow from them.
    "catalog.before-commit-of-republished",
    "catalog.before-commit-of-superseded",
    "catalog.after-commit-of-superseded",
    "catalog.before-commit-of-tombstoned",
    "catalog.after-commit-of-tombstoned",
    // Of registered types.
    "type.replace",
];
