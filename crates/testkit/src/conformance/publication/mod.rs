//! What every `PublicationLog` promises.

mod keep;
mod publish;
mod put;
mod settle;

use artstore_core::backend::{Publication, PublicationItem, StagedFile};
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, ErrorKind};
use bytes::Bytes;

pub use keep::*;
pub use publish::*;
pub use put::*;
pub use settle::*;

use super::blobs::{OpenStore, read, stage};
use crate::samples::{op_id, path, publication_id};

fn publication(number: u64, items: Vec<PublicationItem>) -> Publication {
    Publication {
        id: publication_id(number),
        domain: Domain::Artifacts,
        items,
    }
}

fn item(name: &str, files: Vec<(StagedFile, RelPath)>, document: Option<&str>) -> PublicationItem {
    PublicationItem {
        op_id: op_id(name),
        files,
        document: document.map(|document| (path(document), Bytes::from(format!("of {name}")))),
    }
}

/// An item with data, a record and an event below `artifacts/<name>`, as the engine makes them.
async fn full_item(store: &OpenStore, number: u64, name: &str) -> PublicationItem {
    let data = stage(store, 10 * number, format!("data of {name}")).await;
    let record = stage(store, 10 * number + 1, format!("record of {name}")).await;
    let files = vec![
        (data, path(&format!("artifacts/{name}/data"))),
        (record, path(&format!("artifacts/{name}/record"))),
    ];
    item(name, files, Some(&format!("artifacts/{name}/event")))
}

async fn check_full_item(store: &OpenStore, name: &str) {
    for (part, expected) in [
        ("data", format!("data of {name}")),
        ("record", format!("record of {name}")),
        ("event", format!("of {name}")),
    ] {
        let part = path(&format!("artifacts/{name}/{part}"));
        assert_eq!(
            read(store, &part).await,
            Some(expected.into_bytes()),
            "{part}"
        );
    }
}

async fn assert_absent(store: &OpenStore, item: &PublicationItem) {
    for name in item.final_names() {
        assert_eq!(store.blobs.size(&name).await.unwrap(), None, "{name}");
    }
}

fn assert_taken(error: &Error) {
    let is_definite = matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists);
    assert!(is_definite, "a taken name is a conflict: {error:?}");
}
