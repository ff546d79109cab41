//! Names and keys of every length and script, and what does not exist.

use artstore_core::ErrorKind;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::path::MAX_COMPONENT_BYTES;
use artstore_core::tags::{TagChange, Tags};
use artstore_testkit::samples;
use artstore_tests::trial::{Trial, dump, find, read, request};

use crate::{check_clean, refused};

/// Texts of `limit` bytes at most.
fn texts(limit: usize) -> Vec<String> {
    let mut texts: Vec<String> = [
        ".",
        "..",
        "...",
        "/",
        "//",
        "../..",
        "../../../etc/passwd",
        "/etc/passwd",
        "a/b/c",
        "a/",
        "./a",
        "~",
        "-rf",
        " ",
        " a ",
        "a.",
        "CON",
        "nul.txt",
        "a:b",
        "a\\b",
        "*?<>|\"'",
        "$(x)",
        "%2e%2e%2f",
        "a__b",
        "artstore.json",
        "x.json",
        "日本語",
        "שלום/עולם",
        "مرحبا",
        "e\u{301}",
        "\u{202e}abc",
        "\u{200b}",
        "🦀",
        "👩‍👩‍👧‍👦",
        "ﬀ",
        "\u{feff}x",
        "ı",
        "ß",
    ]
    .map(str::to_owned)
    .into();
    for piece in ["a", "é", "語", "🦀", "e\u{301}", "/", "."] {
        for length in [
            1, 2, 63, 119, 120, 121, 199, 200, 254, 255, 256, 300, 1000, 1023, 1024,
        ] {
            texts.push(piece.repeat(length / piece.len()));
        }
    }
    texts.retain(|text| (1..=limit).contains(&text.len()));
    texts.sort();
    texts.dedup();
    texts
}

#[tokio::test]
async fn keys_types_and_hints_of_every_length_and_script_are_found_again() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let mut requests = Vec::new();
    for text in texts(1024) {
        requests.push(request(&text, &text, &format!("key-{}", requests.len())));
    }
    for hint in texts(1024) {
        let number = requests.len();
        let mut hinted = request(
            &format!("hinted-{number}"),
            &hint,
            &format!("hint-{number}"),
        );
        hinted.filename_hint = Some(hint);
        requests.push(hinted);
    }
    for text in texts(ArtifactType::MAX_BYTES) {
        let number = requests.len();
        let mut typed = request(&format!("typed-{number}"), &text, &format!("type-{number}"));
        typed.artifact_type = samples::artifact_type(&text);
        requests.push(typed);
    }
    let publishing = requests
        .iter()
        .map(|request| port.publish_artifact(request.clone()));
    let results = futures_util::future::try_join_all(publishing)
        .await
        .unwrap();
    for (request, result) in requests.iter().zip(&results) {
        let artifact = result.artifact();
        assert!(!result.is_duplicate(), "{request:?}");
        for path in [&artifact.data_path, &artifact.record_path] {
            assert_eq!(path.components().count(), 5, "{path}");
            assert!(
                path.components()
                    .all(|name| name.len() <= MAX_COMPONENT_BYTES)
            );
            assert!(trial.root().join(path).is_file(), "{path}");
        }
        let page = artstore_core::page::PageRequest::default();
        let found = port.find_by_logical_key(&request.artifact_type, &request.logical_key, &page);
        let found = found.await.unwrap().items;
        assert_eq!(found, vec![artifact.clone()], "{request:?}");
    }
    let last = results.last().unwrap().artifact();
    assert!(!read(&*port, last.id).await.unwrap().is_empty());
    let before = dump(&*store.maintenance()).await.unwrap();
    trial.delete_catalog();
    assert_eq!(dump(&*store.maintenance()).await.unwrap(), before);
    store.close().await;
    drop((port, store));
    check_clean(&trial.root()).await;
}

#[test]
fn what_is_no_name_is_refused_before_anything_is_done() {
    for (text, message) in [
        (String::new(), "empty"),
        ("x".repeat(1025), "too long"),
        ("a\nb".to_owned(), "control character"),
        ("a\0".to_owned(), "control character"),
    ] {
        for error in [
            refused(LogicalKey::new(text.as_str()), ErrorKind::Invalid),
            refused(ArtifactType::new(text.as_str()), ErrorKind::Invalid),
            refused(OpId::new(text.as_str()), ErrorKind::Invalid),
        ] {
            assert!(error.message().contains(message), "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_unknown_id_is_not_found_by_any_call() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let id = samples::artifact_id(404);
    let change = TagChange {
        add: Tags::try_from([("a", "b")]).unwrap(),
        remove: Vec::new(),
    };
    for error in [
        refused(port.get_artifact(id).await, ErrorKind::NotFound),
        refused(port.open(id, None).await, ErrorKind::NotFound),
        refused(port.local_path(id).await, ErrorKind::NotFound),
        refused(port.tag(id, change, None).await, ErrorKind::NotFound),
    ] {
        assert_eq!(
            error.context_value("id"),
            Some(id.to_string().as_str()),
            "{error:?}"
        );
    }
    assert_eq!(port.get_artifacts(&[id]).await.unwrap(), [None]);
    assert_eq!(find(&*port, "nothing").await.unwrap(), []);
    store.close().await;
    assert_eq!(trial.files_in("events"), Vec::<String>::new());
}
