//! [`DomainLock`] by file locks.
//!
//! Two files per domain: who wants the lock (`locks/<domain>.lock`) waits for its turn (`locks/<domain>.turn`) first and
//! holds the turn until it has the lock. Without the turn a process that frees the lock and wants it again at once would
//! mostly have it before a waiting one is even awake. Within one [`FsLock`] waiters queue before they come to the files,
//! so that at most one thread per domain and instance waits for the system.
//!
//! The lock file holds the note of the last holder: 36 bytes for the id of the machine's start and 20 digits for the
//! catalog's commit counter, always of the same length.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex as StdMutex, PoisonError, Weak, mpsc};
use std::time::{Duration, Instant};

use artstore_core::backend::{Acquired, DomainLock, LockHold, LockPermit};
use artstore_core::layout::LOCKS;
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, Result};
use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::time::timeout;

use crate::copy::fill;
use crate::error;
use crate::store::run_blocking;
use crate::vfs::{LockWait, Vfs, VfsLock};

const BOOT_ID_BYTES: usize = 36;
const COMMITS_DIGITS: usize = 20;
const NOTE_BYTES: usize = BOOT_ID_BYTES + 1 + COMMITS_DIGITS + 1;

/// The locks of a store's domains, as files below its root.
#[derive(Debug)]
pub struct FsLock {
    vfs: Arc<dyn Vfs>,
    artifacts: Arc<DomainState>,
}

/// What this instance knows of one domain.
#[derive(Debug)]
struct DomainState {
    domain: Domain,
    queue: Arc<Mutex<()>>,
    holder: StdMutex<Weak<FileHold>>,
    waiter: Waiter,
}

/// Frees the lock first and lets the next waiter of this instance go on then.
#[derive(Debug)]
struct FileHold {
    lock: Box<dyn VfsLock>,
    _place: OwnedMutexGuard<()>,
}

impl LockHold for FileHold {}

/// A lock and the counter in its note.
#[derive(Debug)]
struct Taken {
    hold: FileHold,
    commits: Option<u64>,
}

impl FsLock {
    /// The locks below the root of `vfs`.
    pub fn new(vfs: Arc<dyn Vfs>) -> Arc<Self> {
        Arc::new(Self {
            vfs,
            artifacts: Arc::new(DomainState::new(Domain::Artifacts)),
        })
    }

    fn state(&self, domain: Domain) -> &Arc<DomainState> {
        match domain {
            Domain::Artifacts => &self.artifacts,
        }
    }

    /// The hold behind `permit`, if this instance gave it.
    fn own_hold(&self, permit: &LockPermit) -> Result<Arc<FileHold>> {
        let state = self.state(permit.domain());
        let holder = state.holder.lock().unwrap_or_else(PoisonError::into_inner);
        holder
            .upgrade()
            .filter(|own| std::ptr::addr_eq(Arc::as_ptr(own), Arc::as_ptr(permit.hold())))
            .ok_or_else(|| Error::internal("the permit was given by another lock"))
    }
}

#[async_trait]
impl DomainLock for FsLock {
    async fn acquire(&self, domain: Domain, patience: Duration) -> Result<Acquired> {
        let started = Instant::now();
        let state = Arc::clone(self.state(domain));
        let busy = || {
            Error::busy("another writer holds the lock")
                .with("domain", domain)
                .with("waited_ms", started.elapsed().as_millis())
                .hint("try again, or wait longer")
        };
        let queue = Arc::clone(&state.queue);
        let place = match Arc::clone(&queue).try_lock_owned() {
            Ok(place) => place,
            Err(_) => timeout(patience, queue.lock_owned())
                .await
                .map_err(|_| busy())?,
        };
        let vfs = Arc::clone(&self.vfs);
        // Where the lock is free this is all.
        let tried = run_blocking(move || take(vfs.as_ref(), domain, place, LockWait::Try)).await?;
        let taken = match tried {
            Attempt::Taken(taken) => taken,
            Attempt::Held(place) => {
                let waiting = state.waiter.wait(&self.vfs, domain, place)?;
                let remaining = patience.saturating_sub(started.elapsed());
                match timeout(remaining, waiting).await {
                    Err(_) => return Err(busy()),
                    Ok(Ok(taken)) => taken?,
                    Ok(Err(_)) => return Err(error::thread_lost("waiting for a lock")),
                }
            }
        };
        Ok(state.admit(taken))
    }

    async fn leave_commits(&self, permit: &LockPermit, commits: u64) -> Result<()> {
        let hold = self.own_hold(permit)?;
        let (vfs, domain) = (Arc::clone(&self.vfs), permit.domain());
        run_blocking(move || {
            let path = lock_path(domain)?;
            let note = Note::new(vfs.as_ref()).write(commits);
            hold.lock
                .write(note.as_bytes())
                .map_err(|error| error::below(vfs.as_ref(), "write", Some(&path), error))
        })
        .await
    }

    async fn last_commits(&self, domain: Domain) -> Result<Option<u64>> {
        let vfs = Arc::clone(&self.vfs);
        run_blocking(move || read_without_lock(vfs.as_ref(), domain)).await
    }
}

impl DomainState {
    fn new(domain: Domain) -> Self {
        Self {
            domain,
            queue: Arc::new(Mutex::new(())),
            holder: StdMutex::new(Weak::new()),
            waiter: Waiter::default(),
        }
    }

    fn admit(&self, taken: Taken) -> Acquired {
        let hold = Arc::new(taken.hold);
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&hold);
        Acquired {
            permit: LockPermit::new(self.domain, hold),
            commits: taken.commits,
        }
    }
}

enum Attempt {
    Taken(Taken),
    Held(OwnedMutexGuard<()>),
}

/// A thread that waits for the system on behalf of one domain and instance, for as long as the instance lives. A call that
/// gave up may leave it waiting; what it then obtains is freed at once.
#[derive(Debug, Default)]
struct Waiter(StdMutex<Option<mpsc::Sender<Wait>>>);

/// One wait for a lock.
struct Wait {
    place: OwnedMutexGuard<()>,
    answer: oneshot::Sender<Result<Taken>>,
}

impl Waiter {
    fn wait(
        &self,
        vfs: &Arc<dyn Vfs>,
        domain: Domain,
        place: OwnedMutexGuard<()>,
    ) -> Result<oneshot::Receiver<Result<Taken>>> {
        let (answer, answered) = oneshot::channel();
        let mut wait = Wait { place, answer };
        let mut thread = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = thread.as_ref() {
            match running.send(wait) {
                Ok(()) => return Ok(answered),
                Err(mpsc::SendError(returned)) => wait = returned,
            }
        }
        let started = start_waiting(Arc::clone(vfs), domain)?;
        started
            .send(wait)
            .map_err(|_| error::thread_lost("waiting for a lock"))?;
        *thread = Some(started);
        Ok(answered)
    }
}

fn start_waiting(vfs: Arc<dyn Vfs>, domain: Domain) -> Result<mpsc::Sender<Wait>> {
    let (sender, waits) = mpsc::channel::<Wait>();
    let work = move || {
        for Wait { place, answer } in waits {
            let taken = match take(vfs.as_ref(), domain, place, LockWait::Block) {
                Ok(Attempt::Taken(taken)) => Ok(taken),
                Ok(Attempt::Held(_)) => Err(Error::internal("waiting for a lock ended without it")),
                Err(error) => Err(error),
            };
            // If nobody waits for the answer any more, dropping it frees the lock.
            let _ = answer.send(taken);
        }
    };
    std::thread::Builder::new()
        .name(format!("lock-{domain}"))
        .spawn(work)
        .map_err(error::no_thread)?;
    Ok(sender)
}

fn take(
    vfs: &dyn Vfs,
    domain: Domain,
    place: OwnedMutexGuard<()>,
    wait: LockWait,
) -> Result<Attempt> {
    let (path, turn_path) = (lock_path(domain)?, turn_path(domain)?);
    let failed = |path: &RelPath, error: io::Error| error::below(vfs, "lock", Some(path), error);
    let turn = vfs.lock(&turn_path, wait);
    let Some(_turn) = turn.map_err(|error| failed(&turn_path, error))? else {
        return Ok(Attempt::Held(place));
    };
    let lock = vfs
        .lock(&path, wait)
        .map_err(|error| failed(&path, error))?;
    let Some(lock) = lock else {
        return Ok(Attempt::Held(place));
    };
    let note = lock.read().map_err(|error| failed(&path, error))?;
    let commits = Note::new(vfs).read(&note);
    let hold = FileHold {
        lock,
        _place: place,
    };
    Ok(Attempt::Taken(Taken { hold, commits }))
}

fn read_without_lock(vfs: &dyn Vfs, domain: Domain) -> Result<Option<u64>> {
    let path = lock_path(domain)?;
    let Some(mut file) = error::missing_is_none(vfs, "open", Some(&path), vfs.open(&path))? else {
        return Ok(None);
    };
    // One byte more shows whether it is longer than a note.
    let mut note = vec![0; NOTE_BYTES + 1];
    let length = fill(file.as_mut(), &mut note)
        .map_err(|error| error::below(vfs, "read", Some(&path), error))?;
    note.truncate(length);
    Ok(Note::new(vfs).read(&note))
}

/// Reads and writes the note of a lock file.
struct Note {
    /// Unknown where the system does not tell: then no note is believed.
    boot_id: Option<String>,
}

impl Note {
    fn new(vfs: &dyn Vfs) -> Self {
        let boot_id = vfs.boot_id().ok().map(|id| fixed_length(&id));
        Self { boot_id }
    }

    fn write(&self, commits: u64) -> String {
        let boot_id = self.boot_id.clone().unwrap_or_else(|| fixed_length(""));
        format!("{boot_id} {commits:020}\n")
    }

    fn read(&self, note: &[u8]) -> Option<u64> {
        let line = std::str::from_utf8(note).ok()?.strip_suffix('\n')?;
        let digits = line
            .strip_prefix(self.boot_id.as_deref()?)?
            .strip_prefix(' ')?;
        let well_formed =
            digits.len() == COMMITS_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        well_formed.then(|| digits.parse().ok()).flatten()
    }
}

/// Exactly as many printable ASCII characters as a UUID has.
fn fixed_length(boot_id: &str) -> String {
    let printable = boot_id.chars().map(|character| {
        if character.is_ascii_graphic() {
            character
        } else {
            '-'
        }
    });
    printable
        .chain(std::iter::repeat('-'))
        .take(BOOT_ID_BYTES)
        .collect()
}

fn lock_path(domain: Domain) -> Result<RelPath> {
    RelPath::new(format!("{LOCKS}/{domain}.lock"))
}

fn turn_path(domain: Domain) -> Result<RelPath> {
    RelPath::new(format!("{LOCKS}/{domain}.turn"))
}
