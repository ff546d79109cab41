//! What the page says about single figures.

use crate::figure::Figure;

/// Why a figure is measured as it is, and what its time goes into.
pub(super) fn note(figure: Figure) -> &'static str {
    match figure {
        Figure::Publish => {
            "The floor of publishing hashes 8 KiB, writes and syncs bytes and a record of 1.5 KiB, renames both, syncs the directory
once a group and writes (5 + rows) frames of 4 KiB into a preallocated log, with one sync; a leader takes whatever has
queued. It has no intent, no lock file and no database. Syncs of the store are counted at the filesystem adapter and once a
commit; checkpoints of the database (after every 2,500 pages) and new directories come to it. What a measurement leaves is removed before the
next one; ext4 without a journal looks past the numbers of files that were removed lately, so that whoever makes more names pays more for some
minutes. One measurement alone, with `--keep`, does not have that."
        }
        Figure::Batch => {
            "A batch is one call of `publish_artifacts` by one caller; one by one is the same caller with `publish_artifact`. Commits are
those of the catalog."
        }
        Figure::Processes => {
            "Each process has one store and one publisher; all begin together. An error in any of them, `busy` too, ends the
measurement. Latencies of a process are put in order by themselves, and the worst process is told. The floor's processes
share a directory and no lock."
        }
        Figure::Big => {
            "Hashing and writing overlap, and no thread waits for another; what is left goes into the kernel's handling of fresh pages,
whose cost differs from run to run. A file to be adopted is hashed and renamed."
        }
        Figure::Duplicate => "A duplicate is hashed and looked up; that nothing was changed or written is asserted.",
        Figure::Table => {
            "The libraries infer the columns' types over the whole file (`arrow-csv`), convert it with the store's writer settings
(`arrow-csv`, `parquet`), and hash the source and the result, one after the other; they sync nothing. A test holds both
files against each other: the same types, encodings and settings. The CSV has nine columns of all common types, some with
nulls. A larger file is measured by `table --mebibytes 4096 --pairs 2`."
        }
        Figure::Ch1 => {
            "Rows that are named after a column show its `ch1` against SHA-256 of as many bytes as its canonical form has, both in memory and
on one thread. SHA-256 is a part of `ch1`; of decimals, writing the numbers as text takes most of the rest."
        }
        Figure::Get => {
            "Artifacts are asked for by random ids. A store hands each call to a thread that may block; alone, both sides look for each
other for some microseconds before they sleep, which takes the processors' time instead of two wake-ups. The catalog on the calling thread
shows what is left without that. Where many are wanted, `get_artifacts` pays for it once."
        }
        Figure::Lineage => {
            "Two in five artifacts have one to four inputs, in twelve layers. The catalog gives ids; with the artifacts of all nodes, as the
port answers, a walk takes several times as long."
        }
        Figure::Page => {
            "That no list sorts or scans is asserted on the query plans in the tests of `crates/sqlite`. Conditions that no index answers
are tested on the way, so that a page costs as many steps as there are artifacts between two that match: what overlaps a period or begins with
a day is found after everything newer was passed over, and a last page ends after everything older was."
        }
        Figure::Stream => {
            "A stream reads pages of the list and asks for the next one while the present one is consumed. The statement is the
catalog's own list without limit, every column looked at and none copied; with the inputs, those of each artifact are asked for as well."
        }
        Figure::Probe => {
            "A publish asks twice: whether one of the newest active artifacts of the scope has the source's size, and, in one transaction, whether the
operation was done and the content is there. Here it never is, under the keys of random artifacts."
        }
        Figure::Open => "Opening reads the store's document and the catalog's schema; nothing is compared unless a writer was interrupted.",
        Figure::Size => {
            "All indexes are included. The catalog was closed, and made in one piece; one that grew is told beside it. An artifact here has an id,
a UUID as its operation, three or four digests of 32 bytes, a file name and a key of about 30 bytes. Each tag takes about 60 bytes and each
input about 95; without either, 20,000 artifacts take at most 450 bytes each, which a test of `crates/sqlite` asserts."
        }
        Figure::Growth => {
            "The same question to a catalog of a hundredth, a tenth and all of the artifacts, in turns. A tree of a hundred times as
many rows has one or two levels more, and its pages do not fit into SQLite's cache. Nodes are counted rather than walks, because a small graph
has fewer of them within reach. That nothing else grows is asserted on SQLite's counters in the tests of `crates/sqlite`."
        }
        Figure::CommandLine => {
            "Every answer of a one-shot command is a process: started, asked for one artifact by a random id, and ended; an empty program is
`/bin/true`. A co-process is asked for one artifact after the other, each after the answer to the one before; `cat` gives
the line back, which is what the two pipes cost."
        }
        Figure::Rebuild => {
            "Every artifact has a record as the store writes it, a small file and, one in eight, an event. The floor lists all files, and reads
and hashes records and events on one thread. All files are in the system's page cache."
        }
        Figure::Adopt => "",
    }
}
