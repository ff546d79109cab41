//! `artstore-example-daily-report DAY SALES.csv [DAY SALES.csv ...]`: reports on days of sales.
//!
//! Which store it uses is told by the environment and the configuration file, as for the command line
//! (`ARTSTORE_ROOT=./artstore-data`).

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use artstore_context::Context;
use artstore_core::{Error, Result};
use artstore_example_daily_report::{DailyReport, Day, Outcome, Sales, register_types};

#[tokio::main]
async fn main() -> ExitCode {
    match report_on_days().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let hint = error.hint_text().map(|hint| format!("\nhint: {hint}"));
            let _ = writeln!(io::stderr(), "error: {error}{}", hint.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

async fn report_on_days() -> Result<()> {
    let days = read_arguments()?;
    let context = Context::from_env()?;
    let result = report_with(&context, &days).await;
    // Also after an error: what others of this program began is finished first.
    context.close().await;
    result
}

async fn report_with(context: &Context, days: &[(Day, Sales)]) -> Result<()> {
    let store = context.artifact_store_or_init().await?;
    register_types(context.artifact_types().await?.as_ref()).await?;
    let reports = DailyReport::new(store);
    for (day, sales) in days {
        let outcome = reports.run(day, sales).await?;
        let id = outcome.report().id;
        match &outcome {
            Outcome::Unchanged(_) => say(&format!("{day}  unchanged  {id}"))?,
            Outcome::Reported { replaced, .. } if replaced.is_empty() => {
                say(&format!("{day}  reported   {id}"))?;
            }
            Outcome::Reported { replaced, .. } => {
                let replaced: Vec<_> = replaced.iter().map(ToString::to_string).collect();
                say(&format!(
                    "{day}  replaced   {id} instead of {}",
                    replaced.join(", ")
                ))?;
            }
        }
        for table in reports.sources_of(id).await? {
            let rows = table.row_count.unwrap_or_default();
            say(&format!(
                "            made from  {} ({rows} rows)",
                table.id
            ))?;
        }
    }
    if let Some(report) = reports.latest().await? {
        say(&format!("\n{}", reports.text_of(report.id).await?))?;
    }
    Ok(())
}

fn read_arguments() -> Result<Vec<(Day, Sales)>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (pairs, rest) = arguments.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(Error::invalid("days and their sales are needed")
            .hint("artstore-example-daily-report 2026-11-20 sales.csv"));
    }
    pairs
        .iter()
        .map(|[day, path]| Ok((day.parse()?, read_sales(Path::new(path))?)))
        .collect()
}

fn read_sales(path: &Path) -> Result<Sales> {
    let csv = std::fs::read(path).map_err(|error| {
        Error::unavailable("the sales cannot be read")
            .with("path", path.display())
            .caused_by(error)
    })?;
    Sales::from_csv(csv.into()).map_err(|error| error.with("path", path.display()))
}

fn say(line: &str) -> Result<()> {
    writeln!(io::stdout(), "{line}")
        .map_err(|error| Error::unavailable("standard output is closed").caused_by(error))
}
