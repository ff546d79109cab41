//! Many processes on one store.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout};
use std::sync::mpsc;

use artstore_core::id::ArtifactId;
use artstore_tests::crowd::Crowd;
use artstore_tests::trial::Trial;

use crate::support::check_clean;

const WORKER: &str = env!("CARGO_BIN_EXE_crowd-worker");

/// A process that has opened the store and waits.
struct Worker {
    child: Child,
    output: BufReader<ChildStdout>,
}

fn start(crowd: Crowd, trial: &Trial) -> Vec<Worker> {
    let children = crowd.members().map(|member| {
        let started = member.start(Path::new(WORKER), &trial.root(), crowd.publishes);
        started.unwrap()
    });
    let children: Vec<Child> = children.collect();
    let workers = children.into_iter().map(|mut child| {
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "READY\n");
        Worker { child, output }
    });
    let mut workers: Vec<Worker> = workers.collect();
    for worker in &mut workers {
        let input = worker.child.stdin.as_mut().unwrap();
        input.write_all(b"GO\n").unwrap();
    }
    workers
}

#[tokio::test]
async fn sixty_four_processes_publish_a_hundred_each() {
    let trial = Trial::new();
    let crowd = Crowd {
        members: 64,
        publishes: 100,
    };
    let listening = start(crowd, &trial).into_iter().map(|mut worker| {
        std::thread::spawn(move || {
            let lines: Vec<String> = worker.output.lines().map(Result::unwrap).collect();
            assert!(worker.child.wait().unwrap().success());
            lines
        })
    });
    let listening: Vec<_> = listening.collect();
    let mut told = BTreeSet::new();
    for thread in listening {
        let lines = thread.join().unwrap();
        let (last, answers) = lines.split_last().unwrap();
        assert_eq!(last, "DONE");
        assert_eq!(answers.len() as u64, crowd.publishes);
        told.extend(answers.iter().enumerate().map(|(number, line)| {
            let id = line.strip_prefix(&format!("ACK {number} "));
            let id: ArtifactId = id.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
            id
        }));
    }
    let store = trial.open().await;
    let differences = crowd.differences(&*store.artifacts(), &told).await;
    assert_eq!(differences.unwrap(), Vec::<String>::new());
    store.close().await;
    drop(store);
    assert_eq!(trial.files_in("artifacts").len(), 2 * told.len());
    check_clean(&trial).await;
}

/// Counted, not timed: nobody gets more than twice what another one gets.
#[tokio::test]
async fn processes_get_equal_shares() {
    const TOTAL: u64 = 1200;
    let trial = Trial::new();
    let crowd = Crowd {
        members: 8,
        publishes: TOTAL,
    };
    let (sender, heard) = mpsc::channel();
    let mut children = Vec::new();
    let mut listening = Vec::new();
    for (number, worker) in start(crowd, &trial).into_iter().enumerate() {
        let Worker { child, output } = worker;
        children.push(child);
        let sender = sender.clone();
        listening.push(std::thread::spawn(move || {
            for line in output.lines().map(Result::unwrap) {
                // Nobody listens any more when the shares are counted.
                let _ = sender.send((number, line));
            }
        }));
    }
    drop(sender);
    let mut shares = [0_u64; 8];
    while shares.iter().sum::<u64>() < TOTAL {
        let (number, line) = heard.recv().unwrap();
        assert!(line.starts_with("ACK"), "{line}");
        shares[number] += 1;
    }
    for child in &mut children {
        drop(child.stdin.take());
    }
    drop(heard);
    for thread in listening {
        thread.join().unwrap();
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(most <= &(2 * least), "{shares:?}");
    check_clean(&trial).await;
}
