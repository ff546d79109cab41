//! Reports of maintenance.

use artstore_core::maintenance::{Fault, RebuildReport, SettleReport};
use artstore_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Something in a store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultDocument {
    /// What is wrong.
    pub kind: String,
    /// Where, relative to the root.
    pub path: String,
    /// What was done about it, or what is known of it.
    pub detail: String,
}

impl From<Fault> for FaultDocument {
    fn from(fault: Fault) -> Self {
        Self {
            kind: fault.kind.as_str().to_owned(),
            path: fault.path.to_string(),
            detail: fault.detail,
        }
    }
}

/// What settling did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettleDocument {
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// Records that were compared with the rows.
    pub checked: u64,
    /// Intents that were found and dealt with.
    pub intents: u64,
    /// Whether all records were compared with the rows.
    pub compared_all: bool,
    /// Records and events that were found without a row and got one.
    pub adopted: u64,
    /// Files left in staging by dead processes that were removed.
    pub swept: u64,
    /// What was found wrong.
    pub faults: Vec<FaultDocument>,
    /// All of it in a few words.
    pub summary: String,
}

impl From<SettleReport> for SettleDocument {
    fn from(report: SettleReport) -> Self {
        let summary = format!(
            "{}, {} adopted, {} swept, {}",
            counted(report.intents, "intent"),
            report.adopted,
            counted(report.swept, "file"),
            faults_counted(&report.faults),
        );
        Self {
            started: report.started,
            finished: report.finished,
            checked: report.checked,
            intents: report.intents,
            compared_all: report.compared_all,
            adopted: report.adopted,
            swept: report.swept,
            faults: report.faults.into_iter().map(Into::into).collect(),
            summary,
        }
    }
}

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RebuildDocument {
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Records and events that were read.
    pub checked: u64,
    /// Records that were read.
    pub records: u64,
    /// Events that were read.
    pub events: u64,
    /// Where the former database was put, if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_aside: Option<String>,
    /// What was found wrong.
    pub faults: Vec<FaultDocument>,
    /// All of it in a few words.
    pub summary: String,
}

impl From<RebuildReport> for RebuildDocument {
    fn from(report: RebuildReport) -> Self {
        let summary = format!(
            "{}, {}, {}",
            counted(report.records, "record"),
            counted(report.events, "event"),
            faults_counted(&report.faults),
        );
        Self {
            started: report.started,
            finished: report.finished,
            checked: report.records + report.events,
            records: report.records,
            events: report.events,
            moved_aside: report.moved_aside,
            faults: report.faults.into_iter().map(Into::into).collect(),
            summary,
        }
    }
}

fn faults_counted(faults: &[Fault]) -> String {
    match faults.len() {
        0 => "no faults".to_owned(),
        1 => "1 fault".to_owned(),
        count => format!("{count} faults"),
    }
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
