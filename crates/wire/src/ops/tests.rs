use std::path::Path;

use artstore_core::artifact::{Artifact, ArtifactStatus, PublishArtifactResult};
use artstore_core::id::ArtifactId;
use artstore_core::ports::MockArtifactStorePort;
use artstore_core::tags::Tags;
use serde_json::{Value, json};

use super::*;
use crate::tests::{file, table};

mod errors;
mod lists;
mod publishing;
mod reading;
mod writing;

const ID: &str = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11";
const OTHER: &str = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12";
const ROOT: &str = "/data/store";

fn id(text: &str) -> ArtifactId {
    text.parse().unwrap()
}

/// What `store` answers to a request.
async fn answer(store: &MockArtifactStorePort, request: Value) -> Result<Value, Value> {
    let answer = match OpsRequest::parse(request.to_string().as_bytes()) {
        Ok(request) => request.perform(store, Path::new(ROOT)).await,
        Err(error) => Err(error),
    };
    let answer = answer.or_else(OpsError::into_answer);
    answer.map_err(|error| error.document())
}

/// What a store answers to a request that it is not asked about.
async fn refused(request: Value) -> Value {
    let store = MockArtifactStorePort::new();
    answer(&store, request).await.unwrap_err()
}
