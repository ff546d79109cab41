//! The global options and the list of commands.

use std::path::PathBuf;

use artstore_context::{LogFormat, SettingsOverrides};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    admin, artifact_type, cat, completions, demo, downstream, export, find, get, history, init,
    lineage, list, ops, publish, status, supersede, tag, tombstone,
};
use crate::output::Format;

/// A durable store for artifacts: immutable tables and files, found by id or by type and key
#[derive(Debug, Parser)]
#[command(
    name = "artstore",
    version,
    max_term_width = 110,
    infer_long_args = false
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct GlobalOptions {
    /// The store's directory [default: ARTSTORE_ROOT, or ./artstore-data]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Answer with one JSON document
    #[arg(long, global = true)]
    json: bool,
    /// Read settings from this file [default: ARTSTORE_CONFIG, or ~/.config/artstore/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What to log on standard error (`info`, `artstore_engine=debug`) [default: warn]
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    /// How to log
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<LogFormatArgument>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormatArgument {
    Text,
    Json,
}

impl GlobalOptions {
    pub(crate) fn format(&self) -> Format {
        if self.json {
            Format::Json
        } else {
            Format::Text
        }
    }

    pub(crate) fn overrides(self) -> SettingsOverrides {
        SettingsOverrides {
            config_file: self.config,
            root: self.root,
            log: self.log,
            log_format: self.log_format.map(|format| match format {
                LogFormatArgument::Text => LogFormat::Text,
                LogFormatArgument::Json => LogFormat::Json,
            }),
            ..SettingsOverrides::default()
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the root a store; does nothing if it is one
    Init(init::Init),
    /// Keep a table or a file as an artifact
    Publish(publish::Publish),
    /// Show artifacts by id
    Get(get::Get),
    /// List artifacts, newest first
    List(list::List),
    /// List the artifacts with a type and a logical key, the newest active one first
    Find(find::Find),
    /// Show what an artifact was made from
    Lineage(lineage::Lineage),
    /// Show what was made from an artifact
    Downstream(downstream::Downstream),
    /// Replace an artifact by another one
    Supersede(supersede::Supersede),
    /// Withdraw an artifact; its bytes stay
    Tombstone(tombstone::Tombstone),
    /// Show what an artifact replaced and what replaced it
    History(history::History),
    /// Add and remove tags of an artifact
    Tag(tag::Tag),
    /// Write an artifact's bytes to standard output
    Cat(cat::Cat),
    /// Copy an artifact's bytes to a file
    Export(export::Export),
    /// Answer JSON requests of other programs
    Ops(ops::Ops),
    /// Register and show types of artifacts
    #[command(subcommand)]
    Type(artifact_type::Type),
    /// Show what the store holds
    Status(status::Status),
    /// Show publishing, lineage, history and recovery in a small store that is removed afterwards
    Demo(demo::Demo),
    /// Print the completions of a shell
    Completions(completions::Completions),
    /// Keep the store healthy
    #[command(subcommand)]
    Admin(admin::Admin),
}
