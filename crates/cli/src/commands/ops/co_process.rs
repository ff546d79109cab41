//! Requests line by line.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::thread;

use artstore_core::Error;
use artstore_wire::ops::{MAX_REQUEST_BYTES, OpsLine};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::answers::{AnswerSink, Answers, no_thread};
use super::gate::Gate;
use super::{perform, too_long};
use crate::commands::Session;
use crate::failure::Failure;
use crate::lines::{Lines, stdin, unreadable};
use crate::signals::GRACE;

/// Answers requests until the input ends, the reader of the answers goes, or a signal comes. What was begun then is
/// finished and answered.
pub(super) async fn run(session: &Session, concurrency: usize) -> Result<(), Failure> {
    let gate = Arc::new(Gate::new(concurrency));
    let mut requests = start_reading(Arc::clone(&gate))?;
    let mut answers = Answers::start(session.output.file(), gate)?;
    let sink = answers.sink();
    let mut under_way = FuturesUnordered::new();
    let mut signals = session.signals.lock().await;
    let outcome = loop {
        tokio::select! {
            biased;
            signal = signals.next() => break Err(signal),
            failure = answers.broken() => return Err(failure),
            Some(()) = under_way.next() => {}
            request = requests.recv() => match request {
                Some(Ok(line)) => under_way.push(answer(session, line, &sink)),
                Some(Err(error)) => break Err(error.into()),
                None => break Ok(()),
            },
        }
    };
    let was_asked_to_end = matches!(outcome, Err(Failure::Signal(_)));
    let finished = async {
        while under_way.next().await.is_some() {}
        answers.finish().await
    };
    tokio::select! {
        biased;
        finished = finished => finished.and(outcome),
        // Whoever asks again does not want to wait.
        signal = signals.next() => Err(signal),
        () = tokio::time::sleep(GRACE), if was_asked_to_end => outcome,
    }
}

async fn answer(session: &Session, line: OpsLine, sink: &AnswerSink) {
    let answer = perform(&session.context, line.request).await;
    sink.put(&OpsLine::answer(line.id, answer));
}

/// Reads requests on a thread of its own, each when `gate` lets it in, until the input ends.
fn start_reading(gate: Arc<Gate>) -> Result<UnboundedReceiver<Result<OpsLine, Error>>, Error> {
    let source = stdin()?;
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::Builder::new()
        .name("artstore-requests".to_owned())
        .spawn(move || {
            if let Err(error) = read(source, &gate, &sender) {
                // Nobody is left to tell if the command has ended.
                let _ = sender.send(Err(unreadable(error)));
            }
        })
        .map_err(no_thread)?;
    Ok(receiver)
}

fn read(
    source: File,
    gate: &Gate,
    sender: &UnboundedSender<Result<OpsLine, Error>>,
) -> io::Result<()> {
    let mut lines = Lines::new(source, MAX_REQUEST_BYTES);
    loop {
        gate.enter();
        let Some(line) = lines.next()? else {
            return Ok(());
        };
        let request = match line.content {
            Some(content) => OpsLine::parse(content),
            None => OpsLine::unreceived(too_long()),
        };
        if sender.send(Ok(request)).is_err() {
            return Ok(());
        }
    }
}
