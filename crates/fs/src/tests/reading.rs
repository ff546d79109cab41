use std::os::unix::fs::symlink;

use artstore_core::ErrorKind;
use artstore_core::format::document::MAX_DOCUMENT_BYTES;
use futures_util::TryStreamExt as _;

use super::*;

#[tokio::test]
async fn files_are_read_whole_in_small_pieces() {
    let world = World::new().await;
    for size in [
        0,
        1,
        1024 * 1024 - 1,
        1024 * 1024,
        1024 * 1024 + 1,
        5_000_000,
    ] {
        let content: Vec<u8> = (0..size).map(|at| (at % 241) as u8).collect();
        std::fs::write(world.at("f"), &content).unwrap();
        let reader = world.store.open(&path("f")).await.unwrap().unwrap();
        assert_eq!(reader.size_bytes, size as u64);
        let pieces: Vec<Bytes> = reader.bytes.try_collect().await.unwrap();
        assert!(
            pieces
                .iter()
                .all(|piece| (1..=1024 * 1024).contains(&piece.len()))
        );
        assert!(pieces.concat() == content, "{size}");
        assert_eq!(
            world.store.size(&path("f")).await.unwrap(),
            Some(size as u64)
        );
    }
}

#[tokio::test]
async fn what_is_missing_is_none_and_what_is_wrong_is_corrupt() {
    let world = World::new().await;
    let store = &world.store;
    assert!(store.open(&path("a/b")).await.unwrap().is_none());
    assert!(store.size(&path("a/b")).await.unwrap().is_none());
    assert!(store.read_document(&path("a/b")).await.unwrap().is_none());
    std::fs::create_dir(world.at("d")).unwrap();
    std::fs::write(world.at("f"), "x").unwrap();
    symlink("d", world.at("to-directory")).unwrap();
    symlink("f", world.at("to-file")).unwrap();
    for wrong in ["d", "to-directory", "to-file", "to-directory/f", "f/below"] {
        let name = path(wrong);
        assert_eq!(
            store.open(&name).await.unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{wrong}"
        );
        assert_eq!(
            store.size(&name).await.unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{wrong}"
        );
        let document = store.read_document(&name).await;
        assert_eq!(document.unwrap_err().kind(), ErrorKind::Corrupt, "{wrong}");
    }
    let large = vec![b' '; MAX_DOCUMENT_BYTES as usize + 1];
    std::fs::write(world.at("large"), &large).unwrap();
    let document = store.read_document(&path("large")).await;
    assert_eq!(document.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(store.read_document(&path("f")).await.unwrap().unwrap(), "x");
    assert_eq!(store.local_path(&path("f")), Some(world.at("f")));
}

#[tokio::test]
async fn a_vanished_root_is_unavailable_and_not_empty() {
    let world = World::new().await;
    std::fs::remove_dir_all(world.at("")).unwrap();
    let unavailable = ErrorKind::Unavailable;
    assert_eq!(
        world.store.open(&path("f")).await.unwrap_err().kind(),
        unavailable
    );
    assert_eq!(
        world.store.size(&path("f")).await.unwrap_err().kind(),
        unavailable
    );
    let listed: Result<Vec<_>> = world.store.list(&path("a")).try_collect().await;
    assert_eq!(listed.unwrap_err().kind(), unavailable);
}

#[tokio::test]
async fn lists_name_every_regular_file_below() {
    let world = World::new().await;
    std::fs::create_dir_all(world.at("a/b/c")).unwrap();
    for name in ["a/1", "a/b/22", "a/b/c/333", "elsewhere"] {
        std::fs::write(world.at(name), name).unwrap();
    }
    symlink(world.at("a/b"), world.at("a/link")).unwrap();
    symlink(world.at("a/1"), world.at("a/b/link")).unwrap();
    let pages: Vec<Vec<_>> = world.store.list(&path("a")).try_collect().await.unwrap();
    let mut found: Vec<(String, u64)> = pages
        .into_iter()
        .flatten()
        .map(|entry| (entry.path.to_string(), entry.size_bytes))
        .collect();
    found.sort();
    let expected = [("a/1", 3), ("a/b/22", 6), ("a/b/c/333", 9)];
    assert_eq!(found, expected.map(|(name, size)| (name.to_owned(), size)));
    let nothing: Vec<_> = world.store.list(&path("none")).try_collect().await.unwrap();
    assert!(nothing.iter().all(Vec::is_empty));
}
