//! Processes that are killed with SIGKILL at named points, and what must be true afterwards.
//!
//! | module | holds |
//! |---|---|
//! | [`point`] | names of the points, and what kills at them |
//! | [`vfs`] | a filesystem that is killed at a point |
//! | [`catalog`] | a catalog that is killed before or after it commits |
//! | [`history`] | seeded operations, what was acknowledged of them, and the checks |
//! | [`process`] | the binary `crash-worker` as a child process |

pub mod catalog;
pub mod history;
pub mod point;
pub mod process;
pub mod vfs;
