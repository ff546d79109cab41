//! The fields of a request, each read and checked.

use std::borrow::Cow;
use std::collections::BTreeMap;

use artstore_core::Error;
use artstore_core::id::ArtifactId;
use artstore_core::tags::Tags;
use serde_json::{Map, Value};

use super::error::Fault;

/// How the names of fields are written. In this crate's code they are in snake_case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Snake,
    Camel,
}

impl Spelling {
    fn of(self, name: &'static str) -> Cow<'static, str> {
        if self == Self::Snake || !name.contains('_') {
            return Cow::Borrowed(name);
        }
        let mut words = name.split('_');
        let mut spelled = words.next().unwrap_or_default().to_owned();
        for word in words {
            let (initial, rest) = word.split_at(1);
            spelled.push_str(&initial.to_ascii_uppercase());
            spelled.push_str(rest);
        }
        Cow::Owned(spelled)
    }
}

/// The fields of an object. A field that is null counts as not given.
#[derive(Debug)]
pub(super) struct Fields {
    values: Map<String, Value>,
    spelling: Spelling,
    /// Where the object is in the request; empty for the request itself.
    place: String,
}

impl Fields {
    /// The fields of `value`, which may have only the `known` ones.
    pub(super) fn new(
        value: Value,
        place: impl Into<String>,
        spelling: Spelling,
        known: &[&'static str],
    ) -> Result<Self, Fault> {
        let fields = Self::of_any_names(value, place, spelling)?;
        let known: Vec<_> = known.iter().map(|name| spelling.of(name)).collect();
        let is_unknown = |name: &&String| !known.iter().any(|known| known == name.as_str());
        if let Some(name) = fields.values.keys().find(is_unknown) {
            let field = join(&fields.place, name);
            return Err(Error::invalid(format!("Unknown field: '{field}'"))
                .with("field", &field)
                .with("known", known.join(", "))
                .into());
        }
        Ok(fields)
    }

    /// The fields of `value`, whatever they are.
    pub(super) fn of_any_names(
        value: Value,
        place: impl Into<String>,
        spelling: Spelling,
    ) -> Result<Self, Fault> {
        let place = place.into();
        match value {
            Value::Object(values) => Ok(Self {
                values,
                spelling,
                place,
            }),
            other if place.is_empty() => {
                let found = kind_of(&other);
                let message = format!("a request is a JSON object, not {found}");
                Err(Fault::of_class("TypeError", Error::invalid(message)))
            }
            other => Err(wrong_type(&place, "an object", &other)),
        }
    }

    fn place_of(&self, name: &'static str) -> String {
        join(&self.place, &self.spelling.of(name))
    }

    /// Any value but null.
    pub(super) fn any(&mut self, name: &'static str) -> Option<Value> {
        let value = self.values.swap_remove(self.spelling.of(name).as_ref());
        value.filter(|value| !value.is_null())
    }

    /// As [`Self::any`]; of a list of filters what is false, zero or empty counts as not given too.
    pub(super) fn any_but_empty(&mut self, name: &'static str) -> Option<Value> {
        self.any(name).filter(|value| match value {
            Value::Bool(flag) => *flag,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Null => false,
        })
    }

    /// A field that must be given, whatever it is.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Result<Option<T>, Fault>,
    ) -> Result<T, Fault> {
        if let Some(value) = read(self, name)? {
            return Ok(value);
        }
        Err(self.missing(name))
    }

    /// The error that the field `name` is not given.
    pub(super) fn missing(&self, name: &'static str) -> Fault {
        let field = self.place_of(name);
        let error =
            Error::invalid(format!("Missing required field: '{field}'")).with("field", &field);
        Fault::of_class("KeyError", error)
    }

    pub(super) fn spelling(&self) -> Spelling {
        self.spelling
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Fault> {
        let value = self.any(name);
        value
            .map(|value| text(value, || self.place_of(name)))
            .transpose()
    }

    /// A text; an empty one counts as not given.
    pub(super) fn filled_text(&mut self, name: &'static str) -> Result<Option<String>, Fault> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// A text that is read as something else.
    pub(super) fn parsed<T>(&mut self, name: &'static str) -> Result<Option<T>, Fault>
    where
        T: std::str::FromStr<Err = Error>,
    {
        let text = self.text(name)?;
        text.map(|text| self.read(name, &text)).transpose()
    }

    /// Reads `text`, the value of the field `name`.
    pub(super) fn read<T>(&self, name: &'static str, text: &str) -> Result<T, Fault>
    where
        T: std::str::FromStr<Err = Error>,
    {
        text.parse()
            .map_err(|error: Error| error.with("field", self.place_of(name)).into())
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Fault> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.wrong_type(name, "true or false", &other)),
        }
    }

    /// A whole number from 0 to 4,294,967,295.
    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<u32>, Fault> {
        let Some(value) = self.any(name) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number {
            Some(number) => Ok(Some(number)),
            None if value.is_number() => Err(Error::invalid(format!(
                "the field '{}' is not a whole number from 0 to {}",
                self.place_of(name),
                u32::MAX
            ))
            .with("given", value)
            .into()),
            None => Err(self.wrong_type(name, "a whole number", &value)),
        }
    }

    pub(super) fn object(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Map<String, Value>>, Fault> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(other) => Err(self.wrong_type(name, "an object", &other)),
        }
    }

    /// A list, each item with its place.
    pub(super) fn list(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Vec<(String, Value)>>, Fault> {
        let place = self.place_of(name);
        match self.any(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(position, item)| (format!("{place}[{position}]"), item))
                    .collect(),
            )),
            Some(other) => Err(wrong_type(&place, "a list", &other)),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Fault> {
        let items = self.list(name)?;
        let read = |items: Vec<(String, Value)>| {
            items
                .into_iter()
                .map(|(place, item)| text(item, || place))
                .collect()
        };
        items.map(read).transpose()
    }

    /// The id of an artifact. A text that is no id is the name of an artifact that does not exist.
    pub(super) fn artifact_id(&mut self, name: &'static str) -> Result<Option<ArtifactId>, Fault> {
        let text = self.text(name)?;
        let read = |text: String| text.parse().map_err(|_| Fault::no_artifact(&text));
        text.map(read).transpose()
    }

    /// Tags: each key with a value or a list of values.
    pub(super) fn tags(&mut self, name: &'static str) -> Result<Tags, Fault> {
        let place = self.place_of(name);
        match self.any(name) {
            None => Ok(Tags::new()),
            Some(value) => tags(value, &place),
        }
    }

    /// Texts by name.
    pub(super) fn text_by_name(
        &mut self,
        name: &'static str,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let place = self.place_of(name);
        let fields = self.object(name)?.unwrap_or_default();
        fields
            .into_iter()
            .map(|(key, value)| {
                let value = text(value, || join(&place, &key))?;
                Ok((key, value))
            })
            .collect()
    }

    /// The error that the field `name` is not `expected`.
    pub(super) fn wrong_type(&self, name: &'static str, expected: &str, value: &Value) -> Fault {
        wrong_type(&self.place_of(name), expected, value)
    }
}

/// Reads tags that are at `place`.
pub(super) fn tags(value: Value, place: &str) -> Result<Tags, Fault> {
    let Value::Object(groups) = value else {
        return Err(wrong_type(place, "an object", &value));
    };
    let mut tags = Tags::new();
    for (key, value) in groups {
        let place = join(place, &key);
        let values = match value {
            Value::Array(values) => values,
            Value::String(_) => vec![value],
            other => return Err(wrong_type(&place, "a text or a list of texts", &other)),
        };
        for value in values {
            let value = text(value, || place.clone())?;
            tags.insert(key.as_str(), value)
                .map_err(|error| error.with("field", &place))?;
        }
    }
    Ok(tags)
}

fn text(value: Value, place: impl FnOnce() -> String) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong_type(&place(), "a text", &other)),
    }
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

/// The error that the field at `place` is not `expected`.
pub(super) fn wrong_type(place: &str, expected: &str, value: &Value) -> Fault {
    let found = kind_of(value);
    let message = format!("the field '{place}' must be {expected}, not {found}");
    Fault::of_class("TypeError", Error::invalid(message).with("field", place))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
