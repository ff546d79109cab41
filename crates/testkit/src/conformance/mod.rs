//! One function per promise of a backend trait, and one macro per trait that makes a test of each.
//!
//! A backend implements the harness of its trait and calls the macro in a test file, in a module of its own:
//!
//! ```text
//! mod catalog {
//!     artstore_testkit::artifact_catalog_conformance!(super::SqliteHarness::new());
//! }
//! ```
//!
//! The expression is evaluated anew in every test, inside a runtime, so that every test owns its world.
//!
//! | trait | harness | macro |
//! |---|---|---|
//! | `ArtifactCatalog` | [`CatalogHarness`](catalog::CatalogHarness) | [`artifact_catalog_conformance!`](crate::artifact_catalog_conformance) |
//! | `BlobStore` | [`StoreHarness`](blobs::StoreHarness) | [`blob_store_conformance!`](crate::blob_store_conformance) |
//! | `PublicationLog` | [`StoreHarness`](blobs::StoreHarness) | [`publication_log_conformance!`](crate::publication_log_conformance) |
//! | `StoreRoot` | [`RootHarness`](root::RootHarness) | [`store_root_conformance!`](crate::store_root_conformance) |
//! | `DomainLock` | [`LockHarness`](lock::LockHarness) | [`domain_lock_conformance!`](crate::domain_lock_conformance) |

use std::future::Future;
use std::time::Duration;

use artstore_core::{ErrorKind, Result};

pub mod blobs;
pub mod catalog;
pub mod lock;
mod macros;
pub mod publication;
pub mod root;

/// Whether a harness can bring a situation about. Lacking it is declared, and the declaration is tested: the harness
/// must then refuse with [`Unsupported`](artstore_core::ErrorKind::Unsupported).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// It can.
    Present,
    /// Its backend has no such situation.
    Lacking,
}

/// How long anything may take before a test has failed.
const TEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Runs one test to its end, on two threads and not for ever.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    runtime
        .block_on(async { tokio::time::timeout(TEST_TIMEOUT, test).await })
        .expect("the test hangs");
    // Work that was given up on may still hold a thread.
    runtime.shutdown_timeout(Duration::from_secs(1));
}

/// What bringing a situation about came to: whether the test goes on.
fn brought_about(declared: Capability, result: Result<()>) -> bool {
    match declared {
        Capability::Present => {
            result.expect("the harness declares that it can do this");
            true
        }
        Capability::Lacking => {
            expect_kind(result, ErrorKind::Unsupported);
            false
        }
    }
}

/// That `result` is an error of `kind`.
#[track_caller]
fn expect_kind<T>(result: Result<T>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("succeeded instead of failing with {kind:?}"),
        Err(error) => assert_eq!(error.kind(), kind, "{error}"),
    }
}
