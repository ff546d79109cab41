//! `k=v` and `id:role` arguments.

use std::convert::Infallible;
use std::str::FromStr;

use artstore_core::artifact::ArtifactInput;
use artstore_core::{Error, Result};
use serde_json::Value;

/// `k=v`; the value may hold further `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Pair {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| Error::invalid("a tag is written key=value"))?;
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// `k` or `k=v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removal {
    pub(crate) key: String,
    pub(crate) value: Option<String>,
}

impl FromStr for Removal {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (text, None),
        };
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

/// `k=JSON`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) value: Value,
}

impl FromStr for Param {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, json) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Error::invalid("a parameter is written name=JSON"))?;
        let value = serde_json::from_str(json).map_err(|error| {
            Error::invalid("the parameter's value is not JSON (text is written '\"text\"')")
                .with("problem", error)
        })?;
        Ok(Self {
            name: name.to_owned(),
            value,
        })
    }
}

/// `ID` or `ID:ROLE`; the role may hold further `:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input(pub(crate) ArtifactInput);

impl FromStr for Input {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (id, role) = match text.split_once(':') {
            Some((_, "")) => return Err(Error::invalid("the input's role is empty")),
            Some((id, role)) => (id, Some(role.to_owned())),
            None => (text, None),
        };
        Ok(Self(ArtifactInput {
            id: id.parse()?,
            role,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_colon_parts_id_and_role() {
        const ID: &str = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11";
        let Input(plain) = ID.parse().unwrap();
        assert_eq!(plain, ArtifactInput::new(ID.parse().unwrap()));
        let Input(input) = format!("{ID}:a:b c").parse().unwrap();
        assert_eq!(input.role.as_deref(), Some("a:b c"));
        for wrong in [
            format!("{ID}:"),
            ":role".to_owned(),
            "x".to_owned(),
            String::new(),
        ] {
            assert!(wrong.parse::<Input>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_equals_sign_parts() {
        let pair: Pair = "k=a=b".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("k", "a=b"));
        assert!("k".parse::<Pair>().is_err());
        assert_eq!("k".parse::<Removal>().unwrap().value, None);
        assert_eq!("k=".parse::<Removal>().unwrap().value.as_deref(), Some(""));
    }

    #[test]
    fn parameters_are_json() {
        let param: Param = "window={\"days\": 7}".parse().unwrap();
        assert_eq!(param.value["days"], 7);
        for wrong in ["x", "=1", "x=text", "x="] {
            assert!(wrong.parse::<Param>().is_err(), "{wrong}");
        }
    }
}
