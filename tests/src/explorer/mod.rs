//! Tries every crash of small workloads.
//!
//! A workload runs once, undisturbed, on the real engine and filesystem adapter over a [`ModelVfs`](crate::model_fs::ModelVfs)
//! and a catalog in memory. At every moment at which its process may die, the machine is taken down: by a kill, which
//! leaves everything that was written, and by a loss of power, which leaves one of many states. From each of them the store
//! is opened anew, with its catalog as it was, an older copy of it, or none, and every promise is checked. Settling itself is
//! taken down too.
//!
//! All of it is decided by a seed: a violation says how to see it again.

mod beginning;
mod check;
mod recorder;
mod recording;
mod stack;
pub mod sweep;
mod workload;

use std::fmt;

use artstore_testkit::memory::CatalogCopy;
pub use beginning::explore_beginning;
use check::{CrashKind, Finding, Route, check_recovery, failed};
use recorder::{Moment, Recorder};
use recording::Recording;
use stack::Machine;
pub use stack::Mutant;
pub use workload::{Step, Workload};

use crate::model_fs::{DurableImage, Random};

/// How thoroughly to explore.
#[derive(Debug, Clone, Copy)]
pub struct Exploration {
    /// Decides every choice.
    pub seed: u64,
    /// How many states of a loss of power are tried at most at each moment.
    pub power_losses: usize,
    /// Of every so many moments one is tried, in each workload another one.
    pub stride: usize,
    /// Of every so many states, settling is taken down in one.
    pub settling_every: u64,
    /// A step that is left out.
    pub mutant: Option<Mutant>,
}

/// How much was explored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Explored {
    /// Moments at which a machine was taken down.
    pub moments: u64,
    /// States from which a store was opened.
    pub states: u64,
    /// Those of them that came from taking settling down.
    pub settling_states: u64,
}

impl Explored {
    /// Adds what was explored elsewhere.
    pub fn add(&mut self, other: Self) {
        self.moments += other.moments;
        self.states += other.states;
        self.settling_states += other.settling_states;
    }
}

/// A promise that was broken, and how to see it again.
#[derive(Debug)]
pub struct Violation {
    description: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)
    }
}

/// Tries every crash during the last operation of `workload`; those before it belong to the shorter workloads.
///
/// # Errors
/// The first promise that was found broken.
pub fn explore(workload: &Workload, exploration: &Exploration) -> Result<Explored, Violation> {
    block_on(async {
        let recording = Recording::of(workload, exploration.mutant).await;
        let recording = recording.map_err(|finding| Violation {
            description: format!("{workload} fails undisturbed: {finding}"),
        })?;
        let mut explorer = Explorer {
            exploration,
            recording,
            explored: Explored::default(),
        };
        explorer.explore().await?;
        Ok(explorer.explored)
    })
}

/// Runs `work` on one thread, with one more for what blocks.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(work)
}

struct Explorer<'a> {
    exploration: &'a Exploration,
    recording: Recording,
    explored: Explored,
}

/// A state from which the store is opened.
struct CrashState<'a> {
    image: DurableImage,
    crash: CrashKind,
    /// How many times the machine was started before, this time included.
    boot: u64,
    catalog: Option<&'a CatalogCopy>,
    answered: usize,
    route: Route,
    /// How many crashes came before the opening.
    crashes: u64,
}

impl Explorer<'_> {
    async fn explore(&mut self) -> Result<(), Violation> {
        let moments = std::mem::take(&mut self.recording.moments);
        let older = std::mem::take(&mut self.recording.older);
        let stride = self.exploration.stride.max(1);
        let first = self.recording.expected.workload.number() % stride;
        for (position, moment) in moments.iter().enumerate().skip(first).step_by(stride) {
            self.explored.moments += 1;
            let seed = self.exploration.seed.wrapping_add(position as u64);
            let mut random = Random::new(seed);
            for route in [Route::Settle, Route::Repeat] {
                let image = moment.disk.kill_image();
                let state = CrashState {
                    image,
                    crash: CrashKind::Kill,
                    boot: 0,
                    catalog: self.catalog(moment, &older, &mut random),
                    answered: moment.answered,
                    route,
                    crashes: 1,
                };
                self.try_state(moment, position, "kill", state, &mut random)
                    .await?;
            }
            let states = moment
                .disk
                .crash_states(self.exploration.power_losses, seed);
            for (number, image) in states.enumerate() {
                let catalog = self.catalog(moment, &older, &mut random);
                let state = CrashState {
                    image,
                    crash: CrashKind::PowerLoss,
                    boot: 1,
                    catalog,
                    answered: moment.answered,
                    route: match random.below(2) {
                        0 => Route::Repeat,
                        _ => Route::Settle,
                    },
                    crashes: 1,
                };
                let name = format!("loss of power, state {number}");
                self.try_state(moment, position, &name, state, &mut random)
                    .await?;
            }
        }
        Ok(())
    }

    /// Mostly the catalog of the moment, sometimes an older one or none.
    fn catalog<'c>(
        &self,
        moment: &'c Moment,
        older: &'c [CatalogCopy],
        random: &mut Random,
    ) -> Option<&'c CatalogCopy> {
        match random.below(6) {
            0 => None,
            1 => older.get(random.below(older.len())),
            _ => Some(&moment.catalog),
        }
    }

    async fn try_state(
        &mut self,
        moment: &Moment,
        position: usize,
        name: &str,
        state: CrashState<'_>,
        random: &mut Random,
    ) -> Result<(), Violation> {
        let describe = |what: &str, finding: Finding| Violation {
            description: format!(
                "{workload}, moment {position} ({label}), {name}{what}, catalog {catalog}, {route:?} first, {answered} answered, \
                 {exploration:?}: {finding}",
                workload = self.recording.expected.workload,
                label = moment.label,
                catalog = match state.catalog {
                    None => "missing",
                    Some(copy) if is_of(moment, copy) => "of the moment",
                    Some(_) => "older",
                },
                route = state.route,
                answered = state.answered,
                exploration = self.exploration,
            ),
        };
        let tried = self.check(&state).await;
        tried.map_err(|finding| describe("", finding))?;
        self.explored.states += 1;
        if !random
            .next()
            .is_multiple_of(self.exploration.settling_every.max(1))
        {
            return Ok(());
        }
        let mut taken_down = 0;
        let tried = self
            .take_settling_down(&state, random, &mut taken_down)
            .await;
        tried.map_err(|finding| describe(", settling taken down", finding))?;
        self.explored.states += taken_down;
        self.explored.settling_states += taken_down;
        Ok(())
    }

    async fn check(&self, state: &CrashState<'_>) -> Result<(), Finding> {
        let machine = self.machine(state);
        check_recovery(
            &machine,
            &self.recording.expected,
            state.answered,
            state.route,
            state.crash,
        )
        .await
    }

    fn machine(&self, state: &CrashState<'_>) -> Machine {
        Machine::after_crash(
            state.image.clone(),
            &format!("boot-{}", state.boot),
            state.catalog,
            self.exploration.mutant,
            state.crashes,
        )
    }

    /// Takes the machine down at every moment of settling, and once more while settling that.
    async fn take_settling_down(
        &self,
        state: &CrashState<'_>,
        random: &mut Random,
        taken_down: &mut u64,
    ) -> Result<(), Finding> {
        let mut moments = self.settling_moments(state).await?;
        let mut boot = state.boot;
        for round in 2..=3 {
            let (mut next, mut next_boot) = (Vec::new(), boot);
            for (position, moment) in moments.iter().enumerate() {
                let again = |image, crash| CrashState {
                    image,
                    crash,
                    boot: boot + u64::from(crash == CrashKind::PowerLoss),
                    catalog: Some(&moment.catalog),
                    answered: moment.answered,
                    route: Route::Settle,
                    crashes: round,
                };
                let mut states = vec![again(moment.disk.kill_image(), CrashKind::Kill)];
                let losses = moment.disk.crash_states(3, random.next());
                states.extend(losses.map(|image| again(image, CrashKind::PowerLoss)));
                let chosen = random.below(states.len());
                for (number, state) in states.iter().enumerate() {
                    self.check(state).await.map_err(|finding| {
                        format!(
                            "crash {round} at {} in {:?}: {finding}",
                            moment.label, state.crash
                        )
                    })?;
                    *taken_down += 1;
                    if number == chosen && position == moments.len() / 2 {
                        next = self.settling_moments(state).await?;
                        next_boot = state.boot;
                    }
                }
            }
            moments = next;
            boot = next_boot;
        }
        Ok(())
    }

    /// Every moment of settling `state`.
    async fn settling_moments(&self, state: &CrashState<'_>) -> Result<Vec<Moment>, Finding> {
        let machine = self.machine(state);
        let recorder = Recorder::new(machine.catalog.snapshot(), state.answered);
        machine.vfs.set_observer(Some(recorder.clone()));
        let engine = machine
            .open(Some(&recorder))
            .await
            .map_err(failed("opening"))?;
        let settled = engine.maintenance().settle().await;
        settled.map_err(failed("settling"))?;
        engine.close().await;
        Ok(recorder.take())
    }
}

fn is_of(moment: &Moment, catalog: &CatalogCopy) -> bool {
    std::ptr::eq(&raw const moment.catalog, catalog)
}
