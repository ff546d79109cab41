use artstore_core::artifact::{Artifact, PublishArtifactRequest, PublishArtifactResult};
use artstore_core::{Error, Result};

use crate::pipeline::{report_request, table_request};
use crate::retry::{is_worth_repeating, new_op_id};
use crate::{DailyReport, Day, Sales};

/// What became of one day of many.
#[derive(Debug)]
pub struct DayResult {
    /// The day.
    pub day: Day,
    /// Its report, or why it has none.
    pub report: Result<Artifact>,
}

impl DailyReport {
    /// Reports on many days in few calls: first all tables, then all reports. A day that fails keeps no other one back,
    /// and can be run again by itself.
    ///
    /// # Errors
    /// Only such that concern all days; those of one day are its result.
    pub async fn backfill(&self, days: &[(Day, Sales)]) -> Result<Vec<DayResult>> {
        let requests: Result<_> = days
            .iter()
            .map(|(day, sales)| table_request(day, sales))
            .collect();
        let mut results = Vec::new();
        let mut requests_of_reports = Vec::new();
        for ((day, sales), table) in days.iter().zip(self.publish_all(requests?).await?) {
            match table {
                Ok(table) => {
                    let request = report_request(day, sales, table.artifact())?;
                    requests_of_reports.push((day, table, request));
                }
                Err(error) => results.push(failed(day, error)),
            }
        }
        let requests = requests_of_reports.iter().map(|(_, _, request)| request);
        let reports = self.publish_all(requests.cloned().collect()).await?;
        for ((day, table, _), report) in requests_of_reports.into_iter().zip(reports) {
            results.push(match self.put_in_force(table, report).await {
                Ok(report) => DayResult {
                    day: day.clone(),
                    report: Ok(report),
                },
                Err(error) => failed(day, error),
            });
        }
        results.sort_by(|one, other| one.day.cmp(&other.day));
        Ok(results)
    }

    async fn put_in_force(
        &self,
        table: PublishArtifactResult,
        report: Result<PublishArtifactResult>,
    ) -> Result<Artifact> {
        let report = report?.artifact().clone();
        self.replace_others_with(table.artifact()).await?;
        self.replace_others_with(&report).await?;
        Ok(report)
    }

    /// Publishes many artifacts in one call, and those that are worth it again, with their operation ids.
    async fn publish_all(
        &self,
        mut requests: Vec<PublishArtifactRequest>,
    ) -> Result<Vec<Result<PublishArtifactResult>>> {
        for request in &mut requests {
            request.op_id = Some(new_op_id()?);
        }
        let mut results = self.store.publish_artifacts(requests.clone()).await;
        for pause in self.patience.pauses() {
            let is_open =
                |position: &usize| results[*position].as_ref().is_err_and(is_worth_repeating);
            let open: Vec<usize> = (0..results.len()).filter(is_open).collect();
            if open.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            let again = open.iter().map(|position| requests[*position].clone());
            let answers = self.store.publish_artifacts(again.collect()).await;
            for (position, answer) in open.into_iter().zip(answers) {
                results[position] = answer;
            }
        }
        Ok(results)
    }
}

fn failed(day: &Day, error: Error) -> DayResult {
    DayResult {
        day: day.clone(),
        report: Err(error),
    }
}
