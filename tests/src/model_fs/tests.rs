use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use artstore_context::UuidV7Ids;
use artstore_core::backend::{LockHold, LockPermit, PublicationLog as _, blocking};
use artstore_core::path::RelPath;
use artstore_core::{Domain, Result};
use artstore_fs::FsStore;
use artstore_fs::vfs::{LockWait, Vfs as _};
use bytes::Bytes;
use futures_util::FutureExt as _;

use super::{
    CallKind, Disk, Failure, FaultDuration, FaultPlan, Lie, ModelVfs, OUTSIDE, Observer, ROOT,
};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn store() -> ModelVfs {
    let vfs = ModelVfs::new();
    vfs.create_root().unwrap();
    vfs
}

fn write(vfs: &ModelVfs, name: &str, content: &[u8], sync: bool) {
    let mut file = vfs.create(&path(name), 0o666).unwrap();
    file.write_all(content).unwrap();
    if sync {
        file.sync().unwrap();
    }
}

/// Every listing of files that a power loss may leave, as `name=content` below the root.
fn survivors(vfs: &ModelVfs) -> BTreeSet<Vec<String>> {
    vfs.crash_states(4096, 1)
        .map(|image| listing(image.disk()))
        .collect()
}

fn listing(disk: &Disk) -> Vec<String> {
    let show = |(path, content): (String, &[u8])| {
        let path = path.strip_prefix(ROOT).unwrap_or(&path).to_owned();
        format!("{path}={}", String::from_utf8_lossy(content))
    };
    disk.files().into_iter().map(show).collect()
}

fn check(vfs: &ModelVfs, expected: &[&[&str]]) {
    let expected: BTreeSet<Vec<String>> = expected
        .iter()
        .map(|files| files.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(survivors(vfs), expected);
}

#[test]
fn unsynced_bytes_survive_as_any_prefix_or_as_zeros() {
    let vfs = store();
    write(&vfs, "a", b"one", true);
    vfs.sync_directory(None).unwrap();
    check(&vfs, &[&["/a=one"]]);
    let mut file = vfs.create(&path("b"), 0o666).unwrap();
    vfs.sync_directory(None).unwrap();
    file.write_all(b"AB").unwrap();
    file.write_all(b"C").unwrap();
    check(
        &vfs,
        &[
            &["/a=one", "/b="],
            &["/a=one", "/b=A"],
            &["/a=one", "/b=AB"],
            &["/a=one", "/b=ABC"],
            &["/a=one", "/b=\0\0\0"],
        ],
    );
    file.sync().unwrap();
    check(&vfs, &[&["/a=one", "/b=ABC"]]);
}

#[test]
fn a_synced_file_without_a_synced_name_may_be_lost() {
    let vfs = store();
    write(&vfs, "a", b"one", true);
    check(&vfs, &[&[], &["/a=one"]]);
}

#[test]
fn either_half_of_a_rename_may_be_lost() {
    let vfs = store();
    vfs.create_directory(&path("from")).unwrap();
    vfs.create_directory(&path("to")).unwrap();
    vfs.sync_directory(None).unwrap();
    write(&vfs, "from/a", b"1", true);
    vfs.sync_directory(Some(&path("from"))).unwrap();
    vfs.rename_new(&path("from/a"), &path("to/b")).unwrap();
    check(
        &vfs,
        &[&[], &["/from/a=1"], &["/to/b=1"], &["/from/a=1", "/to/b=1"]],
    );
    vfs.sync_directory(Some(&path("to"))).unwrap();
    check(&vfs, &[&["/to/b=1"], &["/from/a=1", "/to/b=1"]]);
    vfs.sync_directory(Some(&path("from"))).unwrap();
    check(&vfs, &[&["/to/b=1"]]);
}

#[test]
fn replacing_a_file_leaves_the_old_or_the_new_one() {
    let vfs = store();
    write(&vfs, "record", b"old", true);
    write(&vfs, "staged", b"new", true);
    vfs.sync_all();
    vfs.rename_over(&path("staged"), &path("record")).unwrap();
    for files in survivors(&vfs) {
        let is_whole = |file: &String| file == "/record=old" || file == "/record=new";
        assert!(files.iter().any(is_whole), "{files:?}");
    }
}

#[test]
fn a_new_directory_vanishes_with_all_below_it_unless_its_parent_is_synced() {
    let vfs = store();
    vfs.create_directory(&path("a")).unwrap();
    vfs.create_directory(&path("a/b")).unwrap();
    write(&vfs, "a/b/c", b"1", true);
    vfs.sync_directory(Some(&path("a/b"))).unwrap();
    vfs.sync_directory(Some(&path("a"))).unwrap();
    check(&vfs, &[&[], &["/a/b/c=1"]]);
    vfs.sync_directory(None).unwrap();
    check(&vfs, &[&["/a/b/c=1"]]);
}

#[test]
fn the_move_of_a_users_file_is_whole_or_did_not_happen() {
    let vfs = store();
    let source = Path::new(OUTSIDE).join("mine");
    vfs.put_file(&source, b"1");
    vfs.adopt(&source, &path("a")).unwrap();
    check(&vfs, &[&["/a=1"], &["/outside/mine=1"]]);
    vfs.sync_directory(None).unwrap();
    check(&vfs, &[&["/a=1"]]);
    vfs.give_back(&path("a"), &source).unwrap();
    check(&vfs, &[&["/a=1"], &["/outside/mine=1"]]);
    vfs.adopt(&source, &path("b")).unwrap();
    check(&vfs, &[&["/a=1"], &["/b=1"], &["/outside/mine=1"]]);
}

#[test]
fn a_removed_file_may_come_back() {
    let vfs = store();
    write(&vfs, "a", b"1", true);
    vfs.sync_directory(None).unwrap();
    vfs.remove_file(&path("a")).unwrap();
    check(&vfs, &[&[], &["/a=1"]]);
}

#[test]
fn the_first_two_states_are_nothing_and_everything() {
    let vfs = store();
    for number in 0..20 {
        write(&vfs, &format!("f{number}"), b"12345", false);
    }
    let states: Vec<_> = vfs.crash_states(50, 7).collect();
    assert_eq!(listing(states[0].disk()).len(), 0);
    assert_eq!(listing(states[1].disk()), listing(&vfs.disk()));
    assert!(states.len() > 40 && states.len() <= 50, "{}", states.len());
    let again: Vec<_> = vfs.crash_states(50, 7).collect();
    let show = |states: &[super::DurableImage]| -> Vec<_> {
        states.iter().map(|state| listing(state.disk())).collect()
    };
    assert_eq!(show(&states), show(&again));
}

#[test]
fn a_kill_keeps_the_page_cache_and_frees_locks() {
    let vfs = store();
    write(&vfs, "a", b"1", false);
    let lock = vfs.lock(&path("lock"), LockWait::Try).unwrap();
    assert!(lock.is_some());
    assert!(vfs.lock(&path("lock"), LockWait::Try).unwrap().is_none());
    let killed = ModelVfs::from_image(vfs.kill_image(), "boot-0");
    assert_eq!(listing(&killed.disk()), listing(&vfs.disk()));
    assert!(killed.lock(&path("lock"), LockWait::Try).unwrap().is_some());
    assert_eq!(killed.boot_id().unwrap(), vfs.boot_id().unwrap());
    drop(lock);
    assert!(vfs.lock(&path("lock"), LockWait::Try).unwrap().is_some());
}

#[test]
fn names_that_exist_are_not_replaced_by_accident() {
    let vfs = store();
    write(&vfs, "a", b"1", true);
    write(&vfs, "b", b"2", true);
    let kind = |result: io::Result<()>| result.unwrap_err().kind();
    assert_eq!(
        kind(vfs.rename_new(&path("a"), &path("b"))),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        kind(vfs.create(&path("a"), 0).map(drop)),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        kind(vfs.create(&path("x/a"), 0).map(drop)),
        ErrorKind::NotFound
    );
    assert_eq!(
        kind(vfs.create(&path("a/a"), 0).map(drop)),
        ErrorKind::NotADirectory
    );
    assert_eq!(
        kind(vfs.create_directory(&path("a"))),
        ErrorKind::AlreadyExists
    );
}

#[test]
fn reading_at_a_position_does_not_move_the_other_one() {
    let vfs = store();
    write(&vfs, "a", b"0123456789", true);
    let mut file = vfs.open(&path("a")).unwrap();
    let mut buffer = [0; 4];
    for (position, expected) in [(3, "3456"), (8, "89"), (10, ""), (u64::MAX, "")] {
        let count = file.read_at(&mut buffer, position).unwrap();
        assert_eq!(&buffer[..count], expected.as_bytes(), "{position}");
    }
    assert_eq!(file.read(&mut buffer).unwrap(), 4);
    assert_eq!(&buffer, b"0123");
}

#[test]
fn faults_strike_the_planned_calls_only() {
    let vfs = store();
    vfs.set_fault(Some(FaultPlan {
        kind: Some(CallKind::Create),
        first: 2,
        duration: FaultDuration::Once,
        failure: Failure::StorageFull,
    }));
    write(&vfs, "a", b"1", true);
    let error = vfs.create(&path("b"), 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    write(&vfs, "b", b"1", true);
}

#[test]
fn a_failed_sync_loses_what_was_written_for_good() {
    let vfs = store();
    let mut file = vfs.create(&path("a"), 0).unwrap();
    vfs.sync_directory(None).unwrap();
    file.write_all(b"1").unwrap();
    vfs.set_fault(Some(FaultPlan {
        kind: Some(CallKind::Sync),
        first: 1,
        duration: FaultDuration::Once,
        failure: Failure::DeviceError,
    }));
    file.sync().unwrap_err();
    assert_eq!(vfs.breaches().len(), 0);
    file.sync().unwrap();
    assert_eq!(vfs.breaches().len(), 1);
    assert!(survivors(&vfs).contains(&vec!["/a=".to_owned()]));
}

#[test]
fn lies_leave_syncs_out() {
    let vfs = store();
    vfs.set_lies([Lie::DataSync].into());
    write(&vfs, "data", b"1", true);
    write(
        &vfs,
        "record",
        b"{\n  \"format\": \"artstore.artifact\"",
        true,
    );
    vfs.sync_directory(None).unwrap();
    let states = survivors(&vfs);
    assert!(states.len() > 1);
    for files in states {
        assert!(files[1].ends_with("artifact\""), "{files:?}");
    }
    vfs.set_lies([Lie::ParentDirectorySync].into());
    vfs.create_directory(&path("d")).unwrap();
    write(&vfs, "d/a", b"1", true);
    vfs.sync_directory(Some(&path("d"))).unwrap();
    vfs.sync_directory(None).unwrap();
    assert!(survivors(&vfs).iter().any(|files| files.len() == 2));
}

#[test]
fn observers_see_the_state_before_and_within_a_write() {
    #[derive(Debug, Default)]
    struct Sizes(std::sync::Mutex<Vec<usize>>);
    impl Observer for Sizes {
        fn before(&self, _call: &super::Call, disk: &Disk) {
            self.within(_call, disk);
        }
        fn within(&self, _call: &super::Call, disk: &Disk) {
            let size = disk.files().iter().map(|(_, content)| content.len()).sum();
            self.0.lock().unwrap().push(size);
        }
    }
    let vfs = store();
    let sizes = std::sync::Arc::new(Sizes::default());
    vfs.set_observer(Some(sizes.clone()));
    write(&vfs, "a", b"1234", true);
    assert_eq!(*sizes.0.lock().unwrap(), [0, 0, 2, 4]);
}

#[derive(Debug)]
struct NoHold;

impl LockHold for NoHold {}

/// Puts a document by a store of its own, as a new process would.
fn put(vfs: &ModelVfs, document: &'static str) -> Result<()> {
    let store = FsStore::new(Arc::new(vfs.clone()), Arc::new(UuidV7Ids::default()));
    let permit = LockPermit::new(Domain::Artifacts, Arc::new(NoHold));
    let at = path("types/deep/a.json");
    let document = Bytes::from_static(document.as_bytes());
    let put = || {
        store
            .put_document(&permit, &at, document)
            .now_or_never()
            .expect("nothing to wait for")
    };
    blocking::allow(put)
}

#[test]
fn a_document_that_is_put_is_the_old_or_the_new_one_after_every_loss_of_power() {
    let is_document = |file: &&String| file.starts_with("/types/deep/a.json=");
    for old in [None, Some("old")] {
        for first in 1.. {
            let vfs = store();
            if let Some(old) = old {
                put(&vfs, old).unwrap();
            }
            vfs.set_fault(Some(FaultPlan {
                kind: None,
                first,
                duration: FaultDuration::ForEver,
                failure: Failure::DeviceError,
            }));
            let is_put = put(&vfs, "new").is_ok();
            for files in survivors(&vfs) {
                let found = files.iter().find(is_document);
                let found = found
                    .and_then(|file| file.split_once('='))
                    .map(|(_, text)| text);
                let is_new = found == Some("new");
                assert!(is_new || (!is_put && found == old), "{first}: {files:?}");
            }
            assert_eq!(vfs.breaches(), Vec::<String>::new());
            if is_put {
                assert!(first > 10, "{first}");
                break;
            }
        }
    }
}

#[test]
fn directories_that_a_killed_process_left_are_made_durable_with_the_document() {
    for first in 1.. {
        let vfs = store();
        vfs.set_fault(Some(FaultPlan {
            kind: None,
            first,
            duration: FaultDuration::ForEver,
            failure: Failure::DeviceError,
        }));
        let is_put = put(&vfs, "old").is_ok();
        let killed = ModelVfs::from_image(vfs.kill_image(), "boot-0");
        put(&killed, "new").unwrap();
        let expected = "/types/deep/a.json=new".to_owned();
        for files in survivors(&killed) {
            assert!(files.contains(&expected), "{first}: {files:?}");
        }
        if is_put {
            break;
        }
    }
}
