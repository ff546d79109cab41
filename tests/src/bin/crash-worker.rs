//! A process to be killed: performs steps of a history on a store and says what it was told.
//!
//! `crash-worker ROOT SOURCES WORKER SEED FIRST COUNT GROUP PLAN [MUTANT]`: publishes in a row are given to the store in
//! one call, up to GROUP of them; the plan is `never`, `call:N` or `POINT:N`, the mutant `none` or `no-intent`.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use artstore_tests::kill::history::History;
use artstore_tests::kill::mutant::Mutant;
use artstore_tests::kill::point::Killer;
use artstore_tests::store::LocalStore;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("an argument is missing");
    let root = PathBuf::from(next()?);
    let sources = PathBuf::from(next()?);
    let history = History {
        sources,
        worker: next()?.parse()?,
        seed: next()?.parse()?,
    };
    let first: u64 = next()?.parse()?;
    let count: u64 = next()?.parse()?;
    let group: u64 = next()?.parse()?;
    let killer = Arc::new(Killer::new(next()?.parse()?));
    let mutant: Mutant = next().unwrap_or_else(|_| "none".to_owned()).parse()?;

    let store = LocalStore::open_observed(&root, mutant.around(killer.clone())).await?;
    let end = first + count;
    let mut next = first;
    while next < end {
        let steps = next..history.group_end(next, end.min(next + group));
        say(&format!("TRY {} {}", steps.start, steps.end))?;
        let answers = history.perform_together(&store, steps.clone()).await;
        for (number, answer) in steps.clone().zip(answers) {
            match answer {
                Ok(told) => say(&format!("ACK {number} {told}"))?,
                Err(error) => say(&format!("ERROR {number} {error:?}"))?,
            }
        }
        next = steps.end;
    }
    store.close().await;
    for (point, times) in killer.reached() {
        say(&format!("POINT {point} {times}"))?;
    }
    say("DONE")?;
    Ok(())
}

/// One write per line, so that a kill never tears it.
fn say(line: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(format!("{line}\n").as_bytes())?;
    output.flush()
}
