//! What applications use, and mock.
//!
//! With the feature `mocks` every port `P` comes with a `mockall` mock `MockP`.

mod artifact_store;
mod artifact_stream;
mod artifact_types;
mod maintenance;

pub use artifact_store::{ArtifactReader, ArtifactStorePort, ByteRange};
pub use artifact_stream::{ArtifactStream, stream_artifacts};
pub use artifact_types::ArtifactTypeRegistry;
pub use maintenance::{DumpLines, Maintenance};

#[cfg(feature = "mocks")]
pub use artifact_store::MockArtifactStorePort;
#[cfg(feature = "mocks")]
pub use artifact_types::MockArtifactTypeRegistry;
#[cfg(feature = "mocks")]
pub use maintenance::MockMaintenance;
