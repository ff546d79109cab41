//! A process that publishes beside many others.
//!
//! `crowd-worker ROOT MEMBER PUBLISHES` opens the store, says `READY` and waits for a line. Then it publishes, and says
//! `ACK NUMBER ID` after each; it ends early when its input ends.
//!
//! `crowd-worker ROOT hold` takes the lock of artifacts, says `READY`, and holds it until its input ends.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use artstore_core::Domain;
use artstore_core::backend::DomainLock as _;
use artstore_fs::{FsLock, RealVfs};
use artstore_tests::crowd::Member;
use artstore_tests::store::LocalStore;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("an argument is missing");
    let root = PathBuf::from(next()?);
    match next()?.as_str() {
        "hold" => hold(&root).await,
        member => {
            let member = Member(member.parse()?);
            publish(&root, member, next()?.parse()?).await
        }
    }
}

async fn hold(root: &Path) -> Result<(), Box<dyn Error>> {
    let lock = FsLock::new(Arc::new(RealVfs::new(root.to_owned())));
    let held = lock.acquire(Domain::Artifacts, Duration::from_secs(30));
    let held = held.await?;
    say("READY")?;
    while !next_line()?.is_empty() {}
    drop(held);
    Ok(())
}

async fn publish(root: &Path, member: Member, publishes: u64) -> Result<(), Box<dyn Error>> {
    let store = LocalStore::open(root).await?;
    say("READY")?;
    next_line()?;
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    std::thread::spawn(move || {
        while next_line().is_ok_and(|line| !line.is_empty()) {}
        over.store(true, Ordering::SeqCst);
    });
    let port = store.artifacts();
    for number in 0..publishes {
        if is_over.load(Ordering::SeqCst) {
            break;
        }
        match member.publish(&*port, number).await {
            Ok(id) => say(&format!("ACK {number} {id}"))?,
            Err(error) => say(&format!("ERROR {number} {error:?}"))?,
        }
    }
    store.close().await;
    say("DONE")?;
    Ok(())
}

/// A line of the input; empty at its end.
fn next_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line)
}

fn say(line: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(format!("{line}\n").as_bytes())?;
    output.flush()
}
