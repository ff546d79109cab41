//! Settings from file and environment, and services built from them on first use.
//!
//! This crate is the only one that reads the environment, and the only one that knows every backend. A program makes one
//! [`Context`] and asks it for ports; a test puts its own parts into the [`ContextBuilder`].
//!
//! ```no_run
//! # async fn example() -> artstore_core::Result<()> {
//! let context = artstore_context::Context::from_env()?;
//! let store = context.artifact_store().await?;
//! assert!(store.is_available().await);
//! context.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `settings` | [`Settings`]: defaults, then a file, then the environment, then what the program was told |
//! | `environment` | [`Environment`]: the variables that matter, as a value |
//! | `context` | [`Context`]: ports on demand |
//! | `builder` | [`ContextBuilder`]: settings and replaced parts in, a context out |
//! | `backends` | the table of backends by name |
//! | `catalog_url` | where a catalog is |
//! | `root` | the directory of a store, made absolute |
//! | `system` | [`SystemClock`], [`UuidV7Ids`] |

mod backends;
mod builder;
mod catalog_url;
mod context;
mod environment;
mod root;
mod settings;
mod system;

pub use builder::ContextBuilder;
pub use context::Context;
pub use environment::Environment;
pub use settings::{LogFormat, Settings, SettingsOverrides};
pub use system::{SystemClock, UuidV7Ids};
