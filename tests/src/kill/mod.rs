//! Processes that are killed with SIGKILL at named points, and what must be true afterwards.
//!
//! | module | holds |
//! |---|---|
//! | [`point`] | names of the points, and what kills at them |
//! | [`history`] | seeded operations, what was acknowledged of them, and the checks |
//! | [`plan`] | what a history does and what is there afterwards |
//! | [`mutant`] | workers that leave a step of the protocol out |
//! | [`race`] | what many processes do to the same few tables at once |
//! | [`process`] | the binary `crash-worker` as a child process |

pub mod history;
pub mod mutant;
pub mod plan;
pub mod point;
pub mod process;
pub mod race;
