//! Logs on standard error.

use artstore_context::{LogFormat, Settings};
use artstore_core::{Error, Result};
use tracing_subscriber::EnvFilter;

/// Starts logging as the settings say.
pub(crate) fn start(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::builder().parse(&settings.log).map_err(|error| {
        Error::invalid("the log filter is not understood")
            .with("setting", "log")
            .with("value", &settings.log)
            .with("problem", error)
            .hint("write a filter as `info` or `warn,artstore_engine=debug`")
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => subscriber.with_ansi(false).try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    started.map_err(|error| Error::internal("logging is started already").caused_by(error))
}
