//! publish of tables, and what is told of them.

use serde_json::{Value, json};

use crate::world::{World, text_of};

const PRICES: &str = "\
ts,symbol,price
2026-11-01T00:00:00Z,\"ACME, Inc.\",1.5
2026-11-02T12:00:00Z,Widgets,2.25
";

/// The same table with other quotes, line ends, delimiter and digits.
const PRICES_AGAIN: &str = "\u{feff}\"ts\";\"symbol\";\"price\"\r\n2026-11-01T01:00:00+01:00;ACME, Inc.;1.50\r\n\
                            2026-11-02T12:00:00Z;\"Widgets\";2.25\r\n";

fn publish(world: &World, name: &str, options: &[&str]) -> Value {
    let arguments = ["publish", name, "--type", "prices", "--key", "k"];
    world.json(&[&arguments[..], options].concat())
}

fn refused(world: &World, name: &str, options: &[&str], message: &str) {
    let arguments = ["publish", name, "--type", "prices", "--key", "k"];
    world.fails(&[&arguments[..], options].concat(), 2, "invalid", message);
}

/// The record beside a new artifact.
fn record(published: &Value) -> Value {
    let path = text_of(published, "pathSidecar");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn column_types(published: &Value) -> Vec<(String, String)> {
    let record = record(published);
    let columns = record["identity"]["schema"].as_array().unwrap();
    let column = |column: &Value| {
        let of = |key| text_of(column, key).to_owned();
        (of("name"), of("type"))
    };
    columns.iter().map(column).collect()
}

#[test]
fn csv_becomes_a_table() {
    let world = World::new();
    world.write("prices.csv", PRICES);
    let published = publish(&world, "prices.csv", &[]);
    assert_eq!(
        (&published["success"], &published["deduped"]),
        (&json!(true), &json!(false))
    );
    let id = text_of(&published, "artifactId");
    let file = text_of(&published, "pathParquet");
    assert!(file.ends_with(&format!("/k__{id}.parquet")), "{file}");
    assert!(std::fs::read(file).unwrap().starts_with(b"PAR1"));
    assert!(world.path("prices.csv").exists());

    let artifact = world.json(&["get", id]);
    assert_eq!(artifact["kind"], "table");
    assert_eq!(artifact["rowCount"], 2);
    assert_eq!(artifact["minTs"], "2026-11-01T00:00:00.000Z");
    assert_eq!(artifact["maxTs"], "2026-11-02T12:00:00.000Z");
    assert!(text_of(&artifact, "contentHash").starts_with("ch1:"));
    let text = world.ok(&["get", id]);
    let expected = "\nrows: 2\nfrom: 2026-11-01T00:00:00.000Z\nto: 2026-11-02T12:00:00.000Z\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn the_same_table_is_recognised_in_other_bytes() {
    let world = World::new();
    world.write("prices.csv", PRICES);
    let id = text_of(&publish(&world, "prices.csv", &[]), "artifactId").to_owned();

    world.ok(&["export", &id, "-o", "prices.parquet"]);
    assert_eq!(
        publish(&world, "prices.parquet", &[]),
        json!({"success": true, "deduped": true, "mode": "file_hash", "existingArtifactId": id})
    );

    world.write("again.txt", PRICES_AGAIN);
    let again = publish(
        &world,
        "again.txt",
        &["--format", "csv", "--delimiter", ";"],
    );
    assert_eq!(
        (&again["deduped"], &again["existingArtifactId"]),
        (&json!(true), &json!(id))
    );
    world.write(
        "tabs.tsv",
        PRICES
            .replace("\"ACME, Inc.\"", "ACME; Inc.")
            .replace(',', "\t")
            .replace(';', ","),
    );
    assert_eq!(
        publish(&world, "tabs.tsv", &[])["existingArtifactId"],
        json!(id)
    );
    assert_eq!(world.json(&["list"])["items"].as_array().unwrap().len(), 1);

    world.write("other.csv", PRICES.replace("2.25", "2.5"));
    assert_eq!(publish(&world, "other.csv", &[])["deduped"], false);
}

#[test]
fn as_decides_between_table_and_file() {
    let world = World::new();
    world.write("prices.csv", PRICES);
    let as_file = publish(&world, "prices.csv", &["--as", "file"]);
    assert_eq!(
        std::fs::read(text_of(&as_file, "pathParquet")).unwrap(),
        PRICES.as_bytes()
    );
    assert!(text_of(&as_file, "pathParquet").ends_with(".csv"));
    // A file is no duplicate of a table, nor a table of a file.
    let as_table = publish(&world, "prices.csv", &["--as", "table"]);
    assert_eq!(as_table["deduped"], false);

    world.write("prices.txt", PRICES);
    assert_eq!(
        publish(&world, "prices.txt", &[])["existingArtifactId"],
        as_file["artifactId"]
    );
    let message = "the file's name does not tell how the table is written";
    refused(&world, "prices.txt", &["--as", "table"], message);
    let told = publish(&world, "prices.txt", &["--as", "table", "--format", "csv"]);
    assert_eq!(told["existingArtifactId"], as_table["artifactId"]);
}

#[test]
fn csv_options_are_kept_in_the_record() {
    let world = World::new();
    world.write("a.csv", "id|name\n007|'x|y'\n");
    let options = ["--delimiter", "|", "--quote", "'", "--column", "id=string"];
    let published = publish(&world, "a.csv", &options);
    let expected = [("id", "string"), ("name", "string")];
    let expected = expected.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    assert_eq!(column_types(&published), expected);
    let csv = &record(&published)["source"]["csv"];
    assert_eq!(csv["delimiter"], "|");
    assert_eq!(csv["quote"], "'");

    let inferred = publish(&world, "a.csv", &["--delimiter", "|", "--quote", "'"]);
    assert_eq!(inferred["deduped"], true, "leading zeros make a text");
    let as_number = ["--delimiter", "|", "--quote", "'", "--column", "id=int"];
    let number = publish(&world, "a.csv", &as_number);
    assert_eq!(number["deduped"], false, "7 is another value than 007");
    world.write("tab.csv", "a\tb\n1\t2\n");
    let tabs = publish(&world, "tab.csv", &["--delimiter", "\\t"]);
    assert_eq!(column_types(&tabs).len(), 2);
}

#[test]
fn contradictory_table_options_are_refused() {
    let world = World::new();
    world.write("a.csv", PRICES);
    world.write("a.txt", PRICES);
    let csv_only = "--column is for tables that are written as CSV";
    refused(&world, "a.txt", &["--column", "price=float"], csv_only);
    refused(
        &world,
        "a.csv",
        &["--format", "parquet", "--column", "price=float"],
        csv_only,
    );
    refused(
        &world,
        "a.csv",
        &["--as", "file", "--delimiter", ";"],
        "--delimiter is for tables that are written as CSV",
    );
    refused(
        &world,
        "a.csv",
        &["--as", "file", "--format", "csv"],
        "what is published as a file has no table format",
    );
    refused(
        &world,
        "a.csv",
        &["--column", "price=money"],
        "invalid value 'price=money' for '--column <NAME=TYPE>': not a valid column type",
    );
    refused(
        &world,
        "a.csv",
        &["--delimiter", ";;"],
        "invalid value ';;' for '--delimiter <C>'",
    );
    refused(
        &world,
        "a.csv",
        &["--as", "picture"],
        "invalid value 'picture' for '--as <KIND>'",
    );
    assert!(!world.root().exists());
}

#[test]
fn a_malformed_table_is_told_with_its_line() {
    let world = World::new();
    world.json(&["init"]);
    world.write("a.csv", "a,b\n1,2\n3\n");
    refused(&world, "a.csv", &[], "");
    let arguments = ["publish", "a.csv", "--type", "prices", "--key", "k"];
    let said = world.run(&arguments).failed(2);
    assert!(said.contains("line: 3"), "{said}");
    world.write("a.parquet", "PAR1 no table PAR1");
    refused(&world, "a.parquet", &[], "");
    world.write("b.csv", "a\n1\nx\n");
    refused(&world, "b.csv", &["--column", "a=int"], "");
    refused(&world, "b.csv", &["--column", "c=int"], "");
    assert_eq!(world.json(&["list"]), json!({"items": []}));
    let staged = std::fs::read_dir(world.path("store/staging"));
    assert_eq!(staged.map_or(0, Iterator::count), 0);
}

#[test]
fn parquet_may_be_adopted_but_csv_not() {
    let world = World::new();
    world.write("prices.csv", PRICES);
    world.json(&["init"]);
    let before = world.listing();
    refused(&world, "prices.csv", &["--adopt"], "");
    assert_eq!(world.listing(), before);
    assert!(world.path("prices.csv").exists());

    let id = text_of(&publish(&world, "prices.csv", &[]), "artifactId").to_owned();
    world.ok(&["export", &id, "-o", "prices.parquet"]);
    let arguments = [
        "publish",
        "prices.parquet",
        "--type",
        "prices",
        "--key",
        "other",
        "--adopt",
    ];
    let adopted = world.json(&arguments);
    assert!(!world.path("prices.parquet").exists());
    let artifact = world.json(&["get", text_of(&adopted, "artifactId")]);
    assert_eq!(artifact["rowCount"], 2);
    assert_eq!(
        artifact["contentHash"],
        world.json(&["get", &id])["contentHash"]
    );
}

#[test]
fn list_finds_tables_by_their_times() {
    let world = World::new();
    world.write("prices.csv", PRICES);
    let published = publish(&world, "prices.csv", &[]);
    let id = text_of(&published, "artifactId");
    world.publish("no table", "hello");
    let check = |span: &str, is_found: bool| {
        let page = world.json(&["list", "--overlaps", span]);
        let items = page["items"].as_array().unwrap().iter();
        let ids: Vec<_> = items.map(|item| text_of(item, "artifactId")).collect();
        let expected = if is_found { vec![id] } else { Vec::new() };
        assert_eq!(ids, expected, "{span}");
    };
    check("2026-11-01..2026-11-02", true);
    check("2026-11-02T12:00:00Z..2027-01-01", true);
    check("2026-11-02T12:00:00.001Z..", false);
    check("..2026-11-01", false);
    check("..2026-11-01T00:00:00.001Z", true);
    check("..", true);
    world.fails(
        &["list", "--overlaps", "2026-11-01"],
        2,
        "invalid",
        "invalid value '2026-11-01' for '--overlaps <FROM..TO>': not a valid time span",
    );
}
