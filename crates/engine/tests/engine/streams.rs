//! Lists of any length as streams.

use artstore_core::ErrorKind;
use artstore_core::artifact::ArtifactFilter;
use artstore_core::ports::stream_artifacts;
use artstore_testkit::faults::FaultTime;
use futures_util::StreamExt as _;

use crate::support::{World, request};

/// More than two pages of a stream.
const MANY: usize = 4_100;

async fn filled() -> World {
    let world = World::new();
    let requests = (0..MANY).map(|number| request(&format!("key {number}"), "content"));
    let results = world.port().publish_artifacts(requests.collect()).await;
    assert!(results.iter().all(Result::is_ok));
    world
}

#[tokio::test]
async fn a_stream_gives_everything_once_and_newest_first() {
    let world = filled().await;
    let streamed: Vec<_> = stream_artifacts(world.port(), ArtifactFilter::default())
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(streamed.len(), MANY);
    let place = |index: usize| (streamed[index].created_at, streamed[index].id);
    assert!((1..MANY).all(|index| place(index - 1) > place(index)));
}

#[tokio::test]
async fn a_stream_reads_one_page_ahead_and_no_more() {
    let world = filled().await;
    let before = world.faults.calls("list");
    let mut stream = stream_artifacts(world.port(), ArtifactFilter::default());
    assert_eq!(world.faults.calls("list"), before, "nobody asked yet");
    for _ in 0..1_999 {
        stream.next().await.unwrap().unwrap();
    }
    assert_eq!(world.faults.calls("list"), before + 2);
}

#[tokio::test]
async fn a_stream_ends_with_its_first_error() {
    let world = filled().await;
    world
        .faults
        .fail("list", 2, FaultTime::Before, ErrorKind::Unavailable);
    let mut stream = stream_artifacts(world.port(), ArtifactFilter::default());
    for _ in 0..2_000 {
        stream.next().await.unwrap().unwrap();
    }
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(stream.next().await.is_none());
}
