//! Workers that leave a step of the protocol out: a harness that does not notice them proves nothing.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::observed::{Call, Next, Observer};

/// What a worker leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mutant {
    /// Nothing.
    #[default]
    None,
    /// Intents: their files stay empty, as if the process had died before it wrote them.
    NoIntent,
}

impl Mutant {
    /// `observer`, and what this mutant does to calls.
    pub fn around(self, observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
        match self {
            Self::None => observer,
            Self::NoIntent => Arc::new(WithoutIntent(observer)),
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::NoIntent => "no-intent",
        })
    }
}

impl FromStr for Mutant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "no-intent" => Ok(Self::NoIntent),
            _ => Err(format!("not a mutant: {text}")),
        }
    }
}

#[derive(Debug)]
struct WithoutIntent(Arc<dyn Observer>);

impl Observer for WithoutIntent {
    fn before(&self, call: &Call<'_>) -> Next {
        match self.0.before(call) {
            Next::Proceed if call.to_string() == "intent.write" => Next::Pretend,
            next => next,
        }
    }
}
