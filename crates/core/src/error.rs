//! The one public error: a kind, a message, a hint, context pairs and a source.
//!
//! The kind says what the caller does next; the message says what happened; the context carries the values
//! (`path`, `id`, `operation` ...). Adapters map their private errors to this one in their own `error.rs`.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::key::OpId;

/// A [`std::result::Result`] with artstore's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it was, and so what the caller does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The thing asked for does not exist. Ask for another one.
    NotFound,
    /// The thing to be created exists already. Use it or choose another name.
    AlreadyExists,
    /// The request contradicts the present state. Read the state again and decide anew.
    Conflict,
    /// The request itself is wrong. Correct it; repeating it is pointless.
    Invalid,
    /// This store, backend or version cannot do it.
    Unsupported,
    /// Stored data is damaged. Repair it (`rebuild`, a backup) before going on.
    Corrupt,
    /// Somebody else holds what is needed. Try again later.
    Busy,
    /// The store cannot be reached or written: no space, no permission, gone. Mend the cause, then try again.
    Unavailable,
    /// The change may or may not have happened. Repeat the call with the same operation id to learn the outcome.
    CommitUnknown,
    /// A bug or an impossible situation.
    Internal,
}

impl ErrorKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 10] = [
        Self::NotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Invalid,
        Self::Unsupported,
        Self::Corrupt,
        Self::Busy,
        Self::Unavailable,
        Self::CommitUnknown,
        Self::Internal,
    ];
}

/// Why a catalog could not answer, where the engine itself can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mendable {
    CatalogMissing,
    CatalogOutdated,
}

/// The one public error of artstore.
///
/// [`Display`](fmt::Display) gives the message followed by the context pairs, without the hint and the source;
/// the source is reachable by [`StdError::source`]. Cloning is for telling several waiters of one failure.
#[derive(Clone)]
pub struct Error(Box<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    context: Vec<(&'static str, String)>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    mendable: Option<Mendable>,
}

macro_rules! constructors {
    ($($name:ident => $kind:ident),* $(,)?) => {
        $(
            #[doc = concat!("An error of kind [`ErrorKind::", stringify!($kind), "`].")]
            pub fn $name(message: impl Into<String>) -> Self {
                Self::new(ErrorKind::$kind, message)
            }
        )*
    };
}

impl Error {
    /// An error of `kind` with a lowercase `message` without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            message: message.into(),
            hint: None,
            context: Vec::new(),
            source: None,
            mendable: None,
        }))
    }

    constructors! {
        not_found => NotFound,
        already_exists => AlreadyExists,
        conflict => Conflict,
        invalid => Invalid,
        unsupported => Unsupported,
        corrupt => Corrupt,
        busy => Busy,
        unavailable => Unavailable,
        internal => Internal,
    }

    /// The outcome of the change `op_id` is not known: repeating the call with the same `op_id` tells it.
    pub fn commit_unknown(op_id: &OpId) -> Self {
        Self::new(
            ErrorKind::CommitUnknown,
            "the change may or may not have happened",
        )
        .with("op_id", op_id)
        .hint(format!(
            "repeat the call with operation id {op_id} to learn the outcome"
        ))
    }

    /// A catalog whose database does not exist. The engine rebuilds it under the domain's lock.
    pub fn catalog_missing(location: impl fmt::Display) -> Self {
        let mut error = Self::unavailable("the catalog does not exist").with("catalog", location);
        error.0.mendable = Some(Mendable::CatalogMissing);
        error
    }

    /// A catalog of an older schema. It is as good as missing: the engine rebuilds it under the domain's lock.
    pub fn catalog_outdated(location: impl fmt::Display) -> Self {
        let mut error = Self::unavailable("the catalog has an older schema")
            .with("catalog", location)
            .hint("it is rebuilt by whoever may write to the store");
        error.0.mendable = Some(Mendable::CatalogOutdated);
        error
    }

    /// Adds a context pair.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((name, value.to_string()));
        self
    }

    /// Says what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Attaches the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without the context pairs.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the user can do about it, if anything is known.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The context pairs in the order in which they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The value of the context pair `name`.
    pub fn context_value(&self, name: &str) -> Option<&str> {
        self.0
            .context
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a catalog does not exist or is outdated, which the engine mends by rebuilding it.
    pub fn is_catalog_missing(&self) -> bool {
        self.0.mendable.is_some()
    }

    /// Whether a catalog is there, with an older schema.
    pub fn is_catalog_outdated(&self) -> bool {
        self.0.mendable == Some(Mendable::CatalogOutdated)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for (position, (name, value)) in self.0.context.iter().enumerate() {
            let opening = if position == 0 { " (" } else { ", " };
            write!(f, "{opening}{name}: {value}")?;
        }
        if !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("context", &self.0.context)
            .field("hint", &self.0.hint)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_shows_message_and_context_but_not_hint_or_source() {
        let error = Error::not_found("artifact not found")
            .with("id", 7)
            .with("root", "/data")
            .hint("list them")
            .caused_by(std::io::Error::other("disk"));
        assert_eq!(error.to_string(), "artifact not found (id: 7, root: /data)");
        assert_eq!(error.source().map(ToString::to_string), Some("disk".into()));
    }

    #[test]
    fn only_a_missing_catalog_is_mendable() {
        assert!(Error::catalog_missing("catalog.sqlite").is_catalog_missing());
        assert!(!Error::unavailable("gone").is_catalog_missing());
        let outdated = Error::catalog_outdated("catalog.sqlite");
        assert!(outdated.is_catalog_missing() && outdated.is_catalog_outdated());
        assert!(!Error::catalog_missing("catalog.sqlite").is_catalog_outdated());
    }
}
