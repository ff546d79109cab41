use std::path::Path;

use artstore_core::ErrorKind;

use super::*;

fn load<const N: usize>(variables: [(&str, &str); N]) -> Result<Settings> {
    Settings::load(&Environment::from(variables), SettingsOverrides::default())
}

/// Loading fails with this message, and the error holds these values.
fn check_refused<const N: usize>(
    variables: [(&str, &str); N],
    message: &str,
    context: &[(&str, &str)],
) {
    refused(load(variables), message, context);
}

fn refused(result: Result<Settings>, message: &str, context: &[(&str, &str)]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(error.message(), message, "{error}");
    for (name, value) in context {
        assert_eq!(error.context_value(name), Some(*value), "{name}: {error}");
    }
}

fn config_file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

#[test]
fn defaults_hold_where_nothing_is_said() {
    assert_eq!(load([]).unwrap(), Settings::default());
    let settings = load([
        ("PATH", "/bin"),
        ("ARTSTORE_RUN_ID", "x"),
        ("ARTSTORE_ROOT", ""),
    ]);
    assert_eq!(settings.unwrap(), Settings::default());
}

#[test]
fn names_are_the_fields() {
    let defaults = Config::try_from(&Settings::default()).unwrap();
    let mut fields: Vec<_> = origins_of(&defaults).into_keys().collect();
    fields.sort();
    let mut names = Settings::NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(fields, names);
}

#[test]
fn the_actor_is_the_user_and_the_host() {
    let actor = load([("USER", "ada")]).unwrap().actor;
    assert!(actor.starts_with("ada@") && actor.len() > 4, "{actor}");
    assert!(
        load([("LOGNAME", "eve")])
            .unwrap()
            .actor
            .starts_with("eve@")
    );
    assert_eq!(
        load([("USER", "ada"), ("ARTSTORE_ACTOR", "ci")])
            .unwrap()
            .actor,
        "ci"
    );
}

#[test]
fn every_setting_is_read_from_the_environment() {
    let settings = load([
        ("ARTSTORE_ROOT", "/r"),
        ("ARTSTORE_CATALOG", "sqlite:c"),
        ("ARTSTORE_ACTOR", "a"),
        ("ARTSTORE_LOCK_PATIENCE_SECONDS", "1"),
        ("ARTSTORE_SQLITE_READERS", "2"),
        ("ARTSTORE_SQLITE_BUSY_TIMEOUT_MILLISECONDS", "3"),
        ("ARTSTORE_LOG", "debug"),
        ("ARTSTORE_LOG_FORMAT", "json"),
    ]);
    let expected = Settings {
        root: "/r".into(),
        catalog: Some("sqlite:c".into()),
        actor: "a".into(),
        lock_patience_seconds: 1,
        sqlite_readers: 2,
        sqlite_busy_timeout_milliseconds: 3,
        log: "debug".into(),
        log_format: LogFormat::Json,
    };
    assert_eq!(settings.unwrap(), expected);
}

#[test]
fn later_sources_win() {
    let (directory, path) = config_file("root = 'data'\nactor = 'file'\nsqlite_readers = 7\n");
    let config = path.to_str().unwrap();
    let from_file = load([("ARTSTORE_CONFIG", config)]).unwrap();
    assert_eq!(from_file.root, directory.path().join("data"));
    assert_eq!(
        (from_file.actor.as_str(), from_file.sqlite_readers),
        ("file", 7)
    );

    let variables = [
        ("ARTSTORE_CONFIG", config),
        ("ARTSTORE_ACTOR", "variable"),
        ("ARTSTORE_ROOT", "/variable"),
    ];
    let from_variables = load(variables).unwrap();
    assert_eq!(from_variables.actor, "variable");
    assert_eq!(from_variables.root, Path::new("/variable"));
    assert_eq!(from_variables.sqlite_readers, 7);

    let overrides = SettingsOverrides {
        root: Some("/told".into()),
        actor: Some("told".into()),
        ..SettingsOverrides::default()
    };
    let told = Settings::load(&Environment::from(variables), overrides).unwrap();
    assert_eq!((told.actor.as_str(), told.root), ("told", "/told".into()));
}

#[test]
fn the_usual_file_is_read_if_it_is_there() {
    let home = tempfile::tempdir().unwrap();
    let home_text = home.path().to_str().unwrap();
    assert_eq!(load([("HOME", home_text)]).unwrap(), Settings::default());
    let write = |directory: &str, actor: &str| {
        let directory = home.path().join(directory).join("artstore");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("config.toml"), format!("actor = '{actor}'")).unwrap();
    };
    write(".config", "home");
    write("xdg", "xdg");
    assert_eq!(load([("HOME", home_text)]).unwrap().actor, "home");
    let xdg = home.path().join("xdg");
    let variables = [
        ("HOME", home_text),
        ("XDG_CONFIG_HOME", xdg.to_str().unwrap()),
    ];
    assert_eq!(load(variables).unwrap().actor, "xdg");
}

#[test]
fn names_of_earlier_programs_are_understood() {
    let settings = load([
        ("ARTIFACTS_ROOT", "/r"),
        ("ARTIFACT_MANIFEST_DB", "/m/x.sqlite"),
    ]);
    let settings = settings.unwrap();
    assert_eq!(settings.root, Path::new("/r"));
    assert_eq!(settings.catalog.as_deref(), Some("sqlite:/m/x.sqlite"));

    let relative = load([("ARTIFACT_MANIFEST_DB", "x.sqlite")]).unwrap();
    let expected = std::env::current_dir().unwrap().join("x.sqlite");
    assert_eq!(
        relative.catalog,
        Some(format!("sqlite:{}", expected.display()))
    );

    load([("ARTIFACTS_ROOT", "/r"), ("ARTSTORE_ROOT", "/r/")]).unwrap();
    load([
        ("ARTIFACT_MANIFEST_DB", "/m"),
        ("ARTSTORE_CATALOG", "sqlite:/m"),
    ])
    .unwrap();
}

#[test]
fn both_names_must_agree() {
    check_refused(
        [("ARTIFACTS_ROOT", "/a"), ("ARTSTORE_ROOT", "/b")],
        "two environment variables disagree",
        &[
            ("first", "ARTSTORE_ROOT=/b"),
            ("second", "ARTIFACTS_ROOT=/a"),
        ],
    );
    check_refused(
        [
            ("ARTIFACT_MANIFEST_DB", "/a"),
            ("ARTSTORE_CATALOG", "sqlite:b"),
        ],
        "two environment variables disagree",
        &[
            ("first", "ARTSTORE_CATALOG=sqlite:b"),
            ("second", "ARTIFACT_MANIFEST_DB=/a"),
        ],
    );
}

#[test]
fn wrong_variables_are_named() {
    check_refused(
        [("ARTSTORE_ROOTS", "/a")],
        "unknown environment variable",
        &[("variable", "ARTSTORE_ROOTS")],
    );
    let error = load([("ARTSTORE_X", "1")]).unwrap_err();
    assert!(
        error
            .context_value("known")
            .unwrap()
            .contains("ARTSTORE_LOG_FORMAT, ARTSTORE_CONFIG")
    );
    check_refused(
        [("ARTSTORE_SQLITE_READERS", "many")],
        "the setting cannot be understood",
        &[
            ("problem", "string \"many\" is not an integer"),
            ("setting", "sqlite_readers"),
            ("from", "environment variable ARTSTORE_SQLITE_READERS"),
        ],
    );
    check_refused(
        [("ARTSTORE_SQLITE_READERS", "0")],
        "the setting is out of range",
        &[
            ("setting", "sqlite_readers"),
            ("from", "environment variable ARTSTORE_SQLITE_READERS"),
            ("allowed", "1 to 64"),
        ],
    );
    check_refused(
        [("ARTSTORE_LOG_FORMAT", "xml")],
        "the setting cannot be understood",
        &[
            ("setting", "log_format"),
            ("from", "environment variable ARTSTORE_LOG_FORMAT"),
        ],
    );
}

#[test]
fn an_unknown_catalog_answers_with_the_known_ones() {
    check_refused(
        [("ARTSTORE_CATALOG", "oracle:x")],
        "unknown kind of catalog",
        &[
            ("known", "sqlite"),
            ("setting", "catalog"),
            ("from", "environment variable ARTSTORE_CATALOG"),
        ],
    );
    let overrides = SettingsOverrides {
        catalog: Some("x".into()),
        ..SettingsOverrides::default()
    };
    let result = Settings::load(&Environment::default(), overrides);
    refused(
        result,
        "the catalog has no scheme",
        &[("setting", "catalog"), ("from", "override")],
    );
}

#[test]
fn wrong_files_are_named() {
    let check = |text: &str, message: &str, setting: Option<&str>| {
        let (_directory, path) = config_file(text);
        let path = path.to_str().unwrap();
        let error = load([("ARTSTORE_CONFIG", path)]).unwrap_err();
        assert_eq!(error.message(), message, "{error}");
        assert_eq!(error.context_value("setting"), setting, "{error}");
        let place = error.context_value("from").or(error.context_value("path"));
        assert_eq!(place, Some(path), "{error}");
    };
    check("rot = 'x'", "unknown setting", Some("rot"));
    check("a.b = 1", "unknown setting", Some("a"));
    check(
        "root = [1]",
        "the setting cannot be understood",
        Some("root"),
    );
    check(
        "lock_patience_seconds = -1",
        "the setting cannot be understood",
        Some("lock_patience_seconds"),
    );
    check(
        "lock_patience_seconds = 90000",
        "the setting is out of range",
        Some("lock_patience_seconds"),
    );
    check("actor = \"\"", "the actor is empty", Some("actor"));
    check("root = ", "the configuration file is not TOML", None);
}

#[test]
fn a_named_file_must_be_there() {
    check_refused(
        [("ARTSTORE_CONFIG", "/nowhere/x.toml")],
        "the configuration file cannot be read",
        &[
            ("path", "/nowhere/x.toml"),
            ("from", "environment variable ARTSTORE_CONFIG"),
        ],
    );
    let overrides = SettingsOverrides {
        config_file: Some("/nowhere/y.toml".into()),
        ..SettingsOverrides::default()
    };
    let result = Settings::load(&Environment::from([("ARTSTORE_CONFIG", "/x")]), overrides);
    refused(
        result,
        "the configuration file cannot be read",
        &[("path", "/nowhere/y.toml"), ("from", "override")],
    );
}

#[test]
fn variables_that_are_not_utf_8_are_named() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let value = OsString::from_vec(vec![b'/', 0xff]);
    let environment = Environment::from([("ARTSTORE_ROOT", value)]);
    let result = Settings::load(&environment, SettingsOverrides::default());
    refused(
        result,
        "the environment variable is not UTF-8",
        &[("variable", "ARTSTORE_ROOT")],
    );
}
