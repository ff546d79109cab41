//! `artstore demo`: the binary, and the commands that it tells to type.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test asserts")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The binary of another package: beside this test, where a build of the workspace puts it. Made if it is not there or is
/// older than its sources, as it may be if only this test is built.
fn artstore() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile_directory = test.parent().unwrap().parent().unwrap();
        let binary = profile_directory.join("artstore");
        if !is_fresh(&binary) {
            build(profile_directory.parent().unwrap());
        }
        assert!(binary.is_file(), "{} is built", binary.display());
        binary
    })
}

fn is_fresh(binary: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let Some(built) = modified(binary) else {
        return false;
    };
    let Ok(sources) = fs::read_to_string(binary.with_extension("d")) else {
        return false;
    };
    let (_, sources) = sources.split_once(": ").unwrap_or_default();
    let sources = sources.trim().replace("\\ ", "\0");
    sources.split(' ').all(|source| {
        let source = source.replace('\0', " ");
        modified(Path::new(&source)).is_some_and(|changed| changed <= built)
    })
}

fn build(target_directory: &Path) {
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--package", "artstore", "--bin", "artstore"])
        .args(["--locked", "--profile", profile, "--target-dir"])
        .arg(target_directory)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.expect("cargo runs").success());
}

/// A working directory, and a directory for temporary files that the demo leaves empty.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["work", "temporary"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(artstore());
        command
            .args(arguments)
            .current_dir(self.path("work"))
            .env_clear()
            .env("HOME", self.path("work"))
            .env("TMPDIR", self.path("temporary"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        serde_json::from_str(&ok(output)).unwrap()
    }

    fn fails(&self, command: &mut Command, status: i32, code: &str, message: &str) {
        let output = command.arg("--json").output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert_eq!(output.stdout, b"");
        let document: Value = serde_json::from_slice(&output.stderr).unwrap();
        let error = &document["error"];
        assert_eq!(
            (&error["code"], &error["message"]),
            (&code.into(), &message.into())
        );
        assert!(error["hint"].is_string(), "{document}");
        assert!(error["context"]["path"].is_string(), "{document}");
        assert_eq!(names_in(&self.path("temporary")), [""; 0]);
    }
}

fn ok(output: Output) -> String {
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

fn steps(document: &Value) -> &[Value] {
    document["steps"].as_array().unwrap()
}

fn command_of(step: &Value) -> &str {
    step["command"].as_str().unwrap()
}

/// How the commands begin, in their order.
const STORY: [&str; 15] = [
    "cd ",
    "artstore type register ",
    "artstore publish weather.csv ",
    "artstore publish weather-semicolons.csv ",
    "artstore publish report.txt ",
    "artstore lineage ",
    "artstore publish weather-corrected.csv ",
    "artstore supersede ",
    "artstore history ",
    "artstore status --digest",
    "rm -v ",
    "artstore list",
    "artstore admin rebuild",
    "artstore status --digest",
    "cd; rm -r ",
];

#[test]
fn every_step_is_told_and_nothing_is_left() {
    let world = World::new();
    let mut command = world.command(&["demo"]);
    // Neither a store nor settings of the user matter, not even wrong ones.
    command
        .env("ARTSTORE_ROOT", world.path("store"))
        .env("ARTSTORE_SQLITE_READERS", "none");
    let text = ok(command.output().unwrap());
    let commands: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .collect();
    assert_eq!(commands.len(), STORY.len(), "{text}");
    for (command, expected) in commands.iter().zip(STORY) {
        assert!(command.starts_with(expected), "{command}");
    }
    let titles = text.lines().filter(|line| line.starts_with("# ")).count();
    assert_eq!(titles, STORY.len());
    for part in [
        "\nrecognised by: content_hash\n",
        "\n└─ ",
        "/catalog.sqlite'\n",
        "\nrebuilt from: 3 records, 1 event, no faults\n",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(names_in(&world.path("temporary")), [""; 0]);
    assert_eq!(names_in(&world.path("work")), [""; 0]);
    assert!(!world.path("store").exists());
}

#[test]
fn with_json_the_answer_is_one_document() {
    let world = World::new();
    let document = world.json(&["demo"]);
    let steps = steps(&document);
    assert_eq!(steps.len(), STORY.len());
    for (step, expected) in steps.iter().zip(STORY) {
        assert!(command_of(step).starts_with(expected), "{step}");
        assert!(step["title"].as_str().unwrap().ends_with('.'), "{step}");
        assert!(step["result"].is_object(), "{step}");
        assert_eq!(step.as_object().unwrap().len(), 3, "{step}");
    }
    let digests: Vec<_> = steps
        .iter()
        .filter_map(|step| step["result"]["dumpDigest"].as_str())
        .collect();
    assert_eq!(digests.len(), 2);
    assert_eq!(digests[0], digests[1]);
    let directory = steps[14]["result"]["removed"].as_str().unwrap();
    assert!(Path::new(directory).starts_with(world.path("temporary")));
    assert_eq!(names_in(&world.path("temporary")), [""; 0]);
}

#[test]
fn a_kept_store_answers() {
    let world = World::new();
    for name in ["new/store", "empty"] {
        let kept = world.path(name);
        if name == "empty" {
            fs::create_dir(&kept).unwrap();
        }
        let kept = kept.to_str().unwrap();
        let document = world.json(&["demo", "--keep", kept]);
        let steps = steps(&document);
        assert_eq!(steps[14]["result"]["kept"], kept);
        assert_eq!(names_in(&world.path("temporary")), [""; 0]);
        for (step, arguments) in [(11, &["list"][..]), (13, &["status", "--digest"])] {
            let answer = world.json(&[&["--root", kept], arguments].concat());
            assert_eq!(answer, steps[step]["result"]);
        }
        let settled = world.json(&["--root", kept, "admin", "settle"]);
        assert_eq!(settled["faults"], serde_json::json!([]));
    }
}

#[test]
fn what_is_there_is_not_touched() {
    let world = World::new();
    let directory = world.path("taken");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("file");
    fs::write(&file, "mine").unwrap();
    let hidden = world.path("hidden");
    fs::create_dir(&hidden).unwrap();
    fs::write(hidden.join(".file"), "mine").unwrap();
    for (path, message) in [
        (&directory, "the directory is not empty"),
        (&hidden, "the directory is not empty"),
        (&file, "the path is not a directory"),
    ] {
        let mut command = world.command(&["demo", "--keep", path.to_str().unwrap()]);
        world.fails(&mut command, 4, "already_exists", message);
    }
    assert_eq!(names_in(&directory), ["file"]);
    assert_eq!(names_in(&hidden), [".file"]);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn without_a_place_for_temporary_files_it_says_so() {
    let world = World::new();
    let file = world.path("file");
    fs::write(&file, "").unwrap();
    let read_only = world.path("read-only");
    fs::create_dir(&read_only).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o555);
    fs::set_permissions(&read_only, mode).unwrap();
    let mut places = vec![file, world.path("nowhere")];
    // Some may write everywhere.
    if fs::File::create(read_only.join("probe")).is_err() {
        places.push(read_only);
    }
    for place in places {
        let message = "there is no place for a temporary directory";
        let mut command = world.command(&["demo"]);
        world.fails(command.env("TMPDIR", place), 6, "unavailable", message);
    }
}

/// A pipe with room for less than the demo has to tell.
fn nearly_full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b' '; 60 * 1024]).unwrap();
    (reader, writer)
}

#[test]
fn a_signal_ends_it_without_remains() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = World::new();
        let temporary = world.path("temporary");
        let (reader, writer) = nearly_full_pipe();
        let mut child = world
            .command(&["demo"])
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Wait for a store with an artifact. The child cannot end, because nobody reads what it tells.
        let has_artifacts = || {
            let demos = names_in(&temporary).into_iter();
            let mut stores = demos.map(|demo| temporary.join(demo).join("store/artifacts"));
            stores.any(|artifacts| artifacts.exists())
        };
        while !has_artifacts() {
            assert_eq!(child.try_wait().unwrap(), None);
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(names_in(&temporary), [""; 0]);
        drop(reader);
    }
}

/// Types the commands of a demo, with ids of its own, and answers what they answer.
struct Typist<'a> {
    world: &'a World,
    root: PathBuf,
    ids: BTreeMap<String, String>,
}

impl Typist<'_> {
    fn type_in(&mut self, step: &Value) -> String {
        let mut command = command_of(step).to_owned();
        for (told, own) in &self.ids {
            command = command.replace(told, own);
        }
        if command.starts_with("artstore ") {
            command += " --json";
        }
        let directory = artstore().parent().unwrap().to_str().unwrap();
        let path = std::env::var("PATH").unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/cli/demo");
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(data)
            .env_clear()
            .env("HOME", self.world.path("work"))
            .env("PATH", format!("{directory}:{path}"))
            .env("ARTSTORE_ROOT", &self.root)
            .env("ARTSTORE_ACTOR", "demo")
            .output();
        ok(output.unwrap())
    }

    /// `answer` with the ids and the root of the demo, and without what no two stores have in common.
    fn translate(&self, answer: &str) -> Value {
        let mut answer = answer.to_owned();
        for (told, own) in &self.ids {
            answer = answer.replace(own, told);
        }
        without_times(serde_json::from_str(&answer).unwrap())
    }
}

fn without_times(document: Value) -> Value {
    const VARYING: [&str; 7] = [
        "createdAt",
        "updatedAt",
        "started",
        "finished",
        "storeId",
        "root",
        "dumpDigest",
    ];
    match document {
        Value::Object(fields) => {
            let kept = fields.into_iter();
            let kept = kept.filter(|(name, _)| !VARYING.contains(&name.as_str()));
            Value::Object(
                kept.map(|(name, value)| (name, without_times(value)))
                    .collect(),
            )
        }
        Value::Array(items) => items.into_iter().map(without_times).collect(),
        Value::String(text) => match text.rsplit_once("/artifacts/") {
            // The root is another one, and so may be the day.
            Some((_, path)) => path.rsplit('/').next().into(),
            None => Value::String(text),
        },
        other => other,
    }
}

#[test]
fn whoever_types_the_commands_sees_the_same() {
    let world = World::new();
    let document = world.json(&["demo"]);
    let mut typist = Typist {
        root: world.path("typed"),
        world: &world,
        ids: BTreeMap::new(),
    };
    let mut digests = Vec::new();
    // But for coming to the directory and leaving it.
    for step in &steps(&document)[1..14] {
        let answer = typist.type_in(step);
        if command_of(step).starts_with("rm ") {
            assert!(answer.contains("catalog.sqlite'\n"), "{answer}");
            continue;
        }
        let own: Value = serde_json::from_str(&answer).unwrap();
        if command_of(step).starts_with("artstore publish")
            && let (Some(told), Some(own)) = (
                step["result"]["artifactId"].as_str(),
                own["artifactId"].as_str(),
            )
        {
            typist.ids.insert(told.to_owned(), own.to_owned());
        }
        digests.extend(own["dumpDigest"].as_str().map(str::to_owned));
        let told = without_times(step["result"].clone());
        assert_eq!(typist.translate(&answer), told, "{}", command_of(step));
    }
    assert_eq!(typist.ids.len(), 3);
    assert_eq!(digests.len(), 2);
    assert_eq!(digests[0], digests[1]);
}
