//! A process that races others for the same few tables: publishes them in an encoding of its own, or takes them out of use.
//!
//! `race-worker ROOT WORKER publish|retire TABLES`

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use artstore_tests::kill::race::{Race, Turn};
use artstore_tests::store::LocalStore;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("an argument is missing");
    let root = PathBuf::from(next()?);
    let race = Race {
        worker: next()?.parse()?,
        turn: next()?.parse::<Turn>()?,
        tables: next()?.parse()?,
    };
    let store = LocalStore::open(&root).await?;
    let ran = race.run(store.artifacts().as_ref()).await;
    store.close().await;
    let said = match ran {
        Ok(()) => "DONE".to_owned(),
        Err(error) => format!("ERROR {error:?}"),
    };
    let mut output = std::io::stdout().lock();
    output.write_all(format!("{said}\n").as_bytes())?;
    Ok(())
}
