//! What whole-store tests need beyond `artstore-testkit`: things that name several adapters at once.
//!
//! | module | holds |
//! |---|---|
//! | [`crowd`] | what many processes or tasks publish at once |
//! | [`model_fs`] | a filesystem in memory that knows what a loss of power would leave of it |
//! | [`explorer`] | every crash and every fault of small workloads |
//! | [`kill`] | processes that are killed at named points |
//! | [`observed`] | decorators that ask an observer before every change |
//! | [`spelling`] | one small table in many spellings |
//! | [`store`] | a store on the local filesystem whose parts can be wrapped |
//! | [`trial`] | a store in a directory of its own, looked at from outside |

#![expect(clippy::expect_used, reason = "a test harness asserts")]

pub mod crowd;
pub mod explorer;
pub mod kill;
pub mod model_fs;
pub mod observed;
pub mod spelling;
pub mod store;
pub mod trial;
