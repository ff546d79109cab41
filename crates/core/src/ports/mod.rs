//! What applications use, and mock.
//!
//! With the feature `mocks` every port `P` comes with a `mockall` mock `MockP`.

mod artifact_store;
mod maintenance;

pub use artifact_store::{ArtifactReader, ArtifactStorePort, ByteRange};
pub use maintenance::{DumpLines, Maintenance};

#[cfg(feature = "mocks")]
pub use artifact_store::MockArtifactStorePort;
#[cfg(feature = "mocks")]
pub use maintenance::MockMaintenance;
