//! JSON in ASCII.

use std::fmt::Write as _;

use serde_json::Value;

/// `value` in several lines, indented by two spaces, in ASCII, without a line break at its end.
pub fn to_pretty_text(value: &Value) -> String {
    ascii(format!("{value:#}"))
}

/// `value` in one line, in ASCII, without a line break at its end.
pub fn to_compact_text(value: &Value) -> String {
    ascii(value.to_string())
}

/// Whatever is not ASCII in a JSON text is inside a string, where it can be written as an escape.
fn ascii(json: String) -> String {
    let is_plain = |byte: u8| byte.is_ascii() && byte != DELETE;
    if json.bytes().all(is_plain) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + json.len() / 2);
    for character in json.chars() {
        if u8::try_from(character).is_ok_and(is_plain) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

const DELETE: u8 = 0x7f;
