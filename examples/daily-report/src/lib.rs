//! A step of a pipeline: a day's sales come in, a report goes out, and the store remembers both.
//!
//! It shows how application code uses an artifact store. The library depends on `artstore-core` only, that is on ports:
//! it knows no database, no directory and no environment, and so its tests hand it a mock, a store in memory, or a real
//! one in a temporary directory. Only `main.rs` knows `artstore-context`.
//!
//! | module | holds |
//! |---|---|
//! | `day` | [`Day`], and what artifacts are about it |
//! | `sales` | [`Sales`]: a day's table, read from CSV |
//! | `pipeline` | [`DailyReport`]: publish, skip, replace, find, trace |
//! | `backfill` | many days in few calls |
//! | `retry` | [`Patience`]: which failures are worth another attempt, and with which operation id |

mod backfill;
mod day;
mod pipeline;
mod retry;
mod sales;

pub use backfill::DayResult;
pub use day::Day;
pub use pipeline::{DailyReport, Outcome, register_types};
pub use retry::Patience;
pub use sales::Sales;
