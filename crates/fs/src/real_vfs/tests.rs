use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;

struct World {
    directory: TempDir,
    vfs: RealVfs,
}

impl World {
    fn root(&self) -> &Path {
        self.vfs.root()
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Runs `check` with paths resolved in both ways.
fn with_both_resolvers(check: impl Fn(&World)) {
    for resolver in [Resolver::Kernel, Resolver::Walk] {
        let directory = tempfile::tempdir().unwrap();
        let vfs = RealVfs::with_resolver(directory.path().join("a/root"), resolver);
        vfs.create_root().unwrap();
        check(&World { directory, vfs });
    }
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
    result.err().unwrap().kind()
}

fn is_link_refusal(kind: io::ErrorKind) -> bool {
    kind == io::ErrorKind::NotADirectory || kind == io::Error::from(rustix::io::Errno::LOOP).kind()
}

fn make_fifo(at: &Path) {
    let made = std::process::Command::new("mkfifo").arg(at).status();
    assert!(made.unwrap().success());
}

#[test]
fn reading_at_a_position_does_not_move_the_other_one() {
    with_both_resolvers(|world| {
        let mut file = world.vfs.create(&path("f"), 0o644).unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut file = world.vfs.open(&path("f")).unwrap();
        let mut buffer = [0; 4];
        for (position, expected) in [(3, "3456"), (8, "89"), (10, "")] {
            let count = file.read_at(&mut buffer, position).unwrap();
            assert_eq!(&buffer[..count], expected.as_bytes(), "{position}");
        }
        assert_eq!(file.read(&mut buffer).unwrap(), 4);
        assert_eq!(&buffer, b"0123");
    });
}

#[test]
fn files_are_created_written_read_and_named() {
    with_both_resolvers(|world| {
        let vfs = &world.vfs;
        vfs.create_directory(&path("d")).unwrap();
        let mut file = vfs.create(&path("d/f"), 0o444).unwrap();
        file.reserve(100).unwrap();
        file.write_all(b"hello").unwrap();
        file.sync().unwrap();
        file.write_back_handle().unwrap().unwrap().sync().unwrap();
        assert_eq!(file.metadata().unwrap().size, 5);
        assert_eq!(
            kind(vfs.create(&path("d/f"), 0o444)),
            io::ErrorKind::AlreadyExists
        );
        let mode = fs::metadata(world.root().join("d/f"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o333, 0);

        vfs.rename_new(&path("d/f"), &path("g")).unwrap();
        vfs.sync_directory(None).unwrap();
        vfs.sync_directory(Some(&path("d"))).unwrap();
        let mut read = [0; 10];
        assert_eq!(vfs.open(&path("g")).unwrap().read(&mut read).unwrap(), 5);
        let entries = vfs.read_directory(None).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(vfs.read_directory(Some(&path("d"))).unwrap(), []);
        vfs.remove_directory(&path("d")).unwrap();
        vfs.remove_file(&path("g")).unwrap();
        assert_eq!(kind(vfs.metadata(&path("g"))), io::ErrorKind::NotFound);
    });
}

#[test]
fn no_component_may_be_a_symbolic_link() {
    with_both_resolvers(|world| {
        let vfs = &world.vfs;
        fs::create_dir(world.outside("victim")).unwrap();
        fs::write(world.outside("victim/f"), "secret").unwrap();
        fs::create_dir(world.root().join("real")).unwrap();
        fs::write(world.root().join("real/f"), "mine").unwrap();
        symlink(world.outside("victim"), world.root().join("out")).unwrap();
        symlink("real", world.root().join("within")).unwrap();
        symlink("real/f", world.root().join("file")).unwrap();
        symlink("/", world.root().join("slash")).unwrap();
        for link in ["out/f", "within/f", "slash/etc"] {
            let (link, new) = (path(link), path("new"));
            assert!(is_link_refusal(kind(vfs.open(&link))));
            assert!(is_link_refusal(kind(vfs.metadata(&link))));
            assert!(is_link_refusal(kind(vfs.remove_file(&link))));
            assert!(is_link_refusal(kind(vfs.rename_new(&link, &new))));
            assert!(is_link_refusal(kind(
                vfs.rename_new(&path("real/f"), &link)
            )));
            assert!(is_link_refusal(kind(
                vfs.rename_over(&path("real/f"), &link)
            )));
            assert!(is_link_refusal(kind(vfs.make_read_only(&link))));
            assert!(is_link_refusal(kind(vfs.lock(&link, LockWait::Try))));
            let below = link.parent().unwrap().join("x").unwrap();
            assert!(is_link_refusal(kind(vfs.create(&below, 0o644))));
            assert!(is_link_refusal(kind(vfs.create_directory(&below))));
            assert!(is_link_refusal(kind(
                vfs.adopt(&world.outside("victim/f"), &below)
            )));
        }
        for last in ["file", "within", "out"] {
            assert!(is_link_refusal(kind(vfs.open(&path(last)))), "{last}");
            assert!(is_link_refusal(kind(vfs.lock(&path(last), LockWait::Try))));
            assert_eq!(vfs.metadata(&path(last)).unwrap().kind, FileKind::Other);
        }
        assert!(is_link_refusal(kind(
            vfs.read_directory(Some(&path("out")))
        )));
        assert!(is_link_refusal(kind(
            vfs.sync_directory(Some(&path("within")))
        )));
        assert_eq!(fs::read(world.outside("victim/f")).unwrap(), b"secret");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn climbing_is_impossible_even_past_the_type_of_paths() {
    with_both_resolvers(|world| {
        fs::write(world.outside("secret"), "secret").unwrap();
        let root = world.vfs.root.get().unwrap();
        let flags = OFlags::RDONLY;
        let climb = Resolver::Kernel.open(root.as_fd(), "../../secret", flags, Mode::empty());
        assert_eq!(climb.err(), Some(rustix::io::Errno::XDEV));
        assert!(RelPath::new("../../secret").is_err());
    });
}

#[test]
fn special_files_and_directories_are_not_read() {
    with_both_resolvers(|world| {
        make_fifo(&world.root().join("fifo"));
        make_fifo(&world.outside("fifo"));
        fs::create_dir(world.root().join("d")).unwrap();
        let vfs = &world.vfs;
        assert_eq!(kind(vfs.open(&path("fifo"))), io::ErrorKind::InvalidInput);
        assert_eq!(
            kind(vfs.open_source(&world.outside("fifo"))),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(kind(vfs.open(&path("d"))), io::ErrorKind::IsADirectory);
        assert_eq!(
            kind(vfs.open_source(world.root())),
            io::ErrorKind::IsADirectory
        );
        assert_eq!(
            kind(vfs.adopt(&world.outside("fifo"), &path("x"))),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(vfs.metadata(&path("fifo")).unwrap().kind, FileKind::Other);
    });
}

#[test]
fn renaming_never_replaces_unless_asked() {
    with_both_resolvers(|world| {
        let vfs = &world.vfs;
        fs::write(world.root().join("old"), "old").unwrap();
        fs::write(world.root().join("new"), "new").unwrap();
        fs::write(world.outside("source"), "source").unwrap();
        let taken = io::ErrorKind::AlreadyExists;
        assert_eq!(kind(vfs.rename_new(&path("new"), &path("old"))), taken);
        assert_eq!(
            kind(vfs.adopt(&world.outside("source"), &path("old"))),
            taken
        );
        assert_eq!(
            kind(vfs.give_back(&path("old"), &world.outside("source"))),
            taken
        );
        let root = world.vfs.root.get().unwrap();
        let name = |name| Name::new(root.as_fd(), Path::new(name));
        let linked = rename::link_and_unlink(name("new"), name("old"));
        assert_eq!(linked, Err(rustix::io::Errno::EXIST));
        assert_eq!(fs::read(world.root().join("old")).unwrap(), b"old");

        rename::link_and_unlink(name("new"), name("newer")).unwrap();
        assert_eq!(fs::metadata(world.root().join("newer")).unwrap().nlink(), 1);
        vfs.rename_over(&path("newer"), &path("old")).unwrap();
        assert_eq!(fs::read(world.root().join("old")).unwrap(), b"new");
        vfs.adopt(&world.outside("source"), &path("adopted"))
            .unwrap();
        vfs.give_back(&path("adopted"), &world.outside("back"))
            .unwrap();
        assert_eq!(fs::read(world.outside("back")).unwrap(), b"source");
    });
}

#[test]
fn read_only_means_for_everybody() {
    with_both_resolvers(|world| {
        let file = world.root().join("f");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o766)).unwrap();
        world.vfs.make_read_only(&path("f")).unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
            0o544
        );
    });
}

#[test]
fn locks_exclude_and_follow_the_name() {
    with_both_resolvers(|world| {
        let (vfs, name) = (&world.vfs, path("locks/deep/x.lock"));
        let held = vfs.lock(&name, LockWait::Block).unwrap().unwrap();
        assert!(vfs.lock(&name, LockWait::Try).unwrap().is_none());
        held.write(b"note").unwrap();
        held.write(b"NOTE").unwrap();
        assert_eq!(held.read().unwrap(), b"NOTE");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| vfs.lock(&name, LockWait::Block).unwrap().unwrap());
            // Whether it waits already or not, it must end up with the new file.
            vfs.remove_file(&name).unwrap();
            drop(held);
            let second = waiting.join().unwrap();
            assert_eq!(second.read().unwrap(), b"");
            assert!(vfs.lock(&name, LockWait::Try).unwrap().is_none());
        });
        assert!(vfs.lock(&name, LockWait::Try).unwrap().is_some());
    });
}

#[test]
fn a_lock_is_good_only_for_the_file_that_has_the_name() {
    with_both_resolvers(|world| {
        let (name, at) = (path("x.lock"), world.root().join("x.lock"));
        let locked = File::create(&at).unwrap();
        assert!(lock::names(&world.vfs, &name, &locked).unwrap());
        fs::write(world.outside("other"), "").unwrap();
        fs::rename(world.outside("other"), &at).unwrap();
        assert!(!lock::names(&world.vfs, &name, &locked).unwrap());
        fs::remove_file(&at).unwrap();
        assert!(!lock::names(&world.vfs, &name, &locked).unwrap());
    });
}

#[test]
fn another_directory_in_the_roots_place_is_not_the_root() {
    with_both_resolvers(|world| {
        let vfs = &world.vfs;
        vfs.create(&path("f"), 0o644).unwrap();
        fs::rename(world.root(), world.outside("elsewhere")).unwrap();
        let is_refused = || {
            let lock = vfs.lock(&path("locks/l"), LockWait::Try);
            assert_eq!(kind(lock), io::ErrorKind::NotFound);
            assert_eq!(kind(vfs.open(&path("f"))), io::ErrorKind::NotFound);
            assert_eq!(kind(vfs.read_directory(None)), io::ErrorKind::NotFound);
        };
        is_refused();
        fs::create_dir(world.root()).unwrap();
        is_refused();
        vfs.create_root().unwrap();
        assert_eq!(vfs.read_directory(None).unwrap(), []);
    });
}

#[test]
fn the_machine_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let vfs = RealVfs::new(directory.path().join("not/yet"));
    assert_eq!(vfs.filesystem().unwrap(), FilesystemKind::Local);
    assert_eq!(vfs.boot_id().unwrap().len(), 36);
    assert!(!directory.path().join("not").exists());
}

#[test]
fn a_root_that_is_a_file_is_not_created() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("f");
    fs::write(&file, "").unwrap();
    assert_eq!(
        kind(RealVfs::new(file.clone()).create_root()),
        io::ErrorKind::NotADirectory
    );
    let below = RealVfs::new(file.join("root"));
    assert_eq!(kind(below.create_root()), io::ErrorKind::NotADirectory);
}
