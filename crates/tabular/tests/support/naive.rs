//! The content hash once more: slow, value by value, from its specification alone.

use sha2::{Digest as _, Sha256};

#[derive(Debug, Clone)]
pub enum Type {
    Bool,
    Int,
    UInt,
    Float,
    Decimal,
    String,
    Binary,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Struct(Vec<(String, Type)>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    /// Unscaled value and scale.
    Decimal(i128, u32),
    String(String),
    Binary(Vec<u8>),
    /// Days.
    Date(i64),
    /// Nanoseconds.
    Time(i64),
    /// Nanoseconds.
    Instant(i128),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Struct(Vec<Value>),
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub column_type: Type,
    pub values: Vec<Value>,
}

pub fn hash(columns: &[Column], rows: usize) -> String {
    let mut text = b"artstore.ch1.table\n".to_vec();
    text.extend((columns.len() as u64).to_le_bytes());
    text.extend((rows as u64).to_le_bytes());
    for column in columns {
        text.extend(string(column.name.as_bytes()));
        text.extend(column_digest(
            &column.column_type,
            &column.values.iter().collect::<Vec<_>>(),
        ));
    }
    let digest = Sha256::digest(text);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("ch1:{hex}")
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_le_bytes(), bytes].concat()
}

fn column_digest(column_type: &Type, values: &[&Value]) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut nulls = Vec::new();
    for (slot, value) in values.iter().enumerate() {
        match value {
            Value::Null => nulls.extend((slot as u64).to_le_bytes()),
            value => stream.extend(canonical(value)),
        }
    }
    let mut text = b"artstore.ch1.column\n".to_vec();
    text.extend(string(type_name(column_type).as_bytes()));
    text.extend((values.len() as u64).to_le_bytes());
    text.extend((nulls.len() as u64 / 8).to_le_bytes());
    text.extend(Sha256::digest(&stream));
    text.extend(Sha256::digest(&nulls));
    for (name, child_type, child) in children(column_type, values) {
        text.extend(string(name.as_bytes()));
        text.extend(column_digest(&child_type, &child));
    }
    Sha256::digest(&text).to_vec()
}

fn children<'a>(column_type: &Type, values: &[&'a Value]) -> Vec<(String, Type, Vec<&'a Value>)> {
    match column_type {
        Type::List(item) => {
            let mut items = Vec::new();
            for value in values {
                if let Value::List(list) = value {
                    items.extend(list);
                }
            }
            vec![("item".into(), *item.clone(), items)]
        }
        Type::Map(key, value) => {
            let (mut keys, mut map_values) = (Vec::new(), Vec::new());
            for value in values {
                if let Value::Map(entries) = value {
                    for (key, value) in entries {
                        keys.push(key);
                        map_values.push(value);
                    }
                }
            }
            vec![
                ("key".into(), *key.clone(), keys),
                ("value".into(), *value.clone(), map_values),
            ]
        }
        Type::Struct(fields) => {
            let of_field = |position: usize| -> Vec<&'a Value> {
                let present = values.iter().filter_map(|value| match value {
                    Value::Struct(fields) => Some(&fields[position]),
                    _ => None,
                });
                present.collect()
            };
            let fields = fields.iter().enumerate();
            fields
                .map(|(at, (name, field))| (name.clone(), field.clone(), of_field(at)))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn type_name(column_type: &Type) -> &'static str {
    match column_type {
        Type::Bool => "bool",
        Type::Int => "int",
        Type::UInt => "uint",
        Type::Float => "float",
        Type::Decimal => "decimal",
        Type::String => "string",
        Type::Binary => "binary",
        Type::Date => "date",
        Type::Time => "time",
        Type::Timestamp => "timestamp",
        Type::TimestampTz => "timestamptz",
        Type::List(_) => "list",
        Type::Map(..) => "map",
        Type::Struct(_) => "struct",
    }
}

fn canonical(value: &Value) -> Vec<u8> {
    match value {
        Value::Null | Value::Struct(_) => Vec::new(),
        Value::Bool(value) => vec![u8::from(*value)],
        Value::Int(value) | Value::Date(value) | Value::Time(value) => value.to_le_bytes().into(),
        Value::UInt(value) => value.to_le_bytes().into(),
        Value::Float(value) if value.is_nan() => 0x7ff8_0000_0000_0000_u64.to_le_bytes().into(),
        Value::Float(value) if *value == 0.0 => vec![0; 8],
        Value::Float(value) => value.to_le_bytes().into(),
        Value::Decimal(unscaled, scale) => string(decimal(*unscaled, *scale).as_bytes()),
        Value::String(text) => string(text.as_bytes()),
        Value::Binary(bytes) => string(bytes),
        Value::Instant(nanoseconds) => {
            let seconds = nanoseconds.div_euclid(1_000_000_000) as i64;
            let rest = nanoseconds.rem_euclid(1_000_000_000) as u32;
            [&seconds.to_le_bytes()[..], &rest.to_le_bytes()[..]].concat()
        }
        Value::List(items) => (items.len() as u64).to_le_bytes().into(),
        Value::Map(entries) => (entries.len() as u64).to_le_bytes().into(),
    }
}

fn decimal(unscaled: i128, scale: u32) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let divisor = 10_u128.pow(scale);
    let whole = unscaled.unsigned_abs() / divisor;
    let fraction = unscaled.unsigned_abs() % divisor;
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = scale as usize);
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// The order of two values of a sort key.
pub fn compare(a: &Value, b: &Value) -> std::cmp::Ordering {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match (a, b) {
        (Value::Null, Value::Null) => Equal,
        (Value::Null, _) => Greater,
        (_, Value::Null) => Less,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b))
        | (Value::Date(a), Value::Date(b))
        | (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::UInt(a), Value::UInt(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => match (a.is_nan(), b.is_nan()) {
            (false, false) => a.partial_cmp(b).unwrap(),
            (a, b) => a.cmp(&b),
        },
        (Value::Decimal(a, _), Value::Decimal(b, _)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Binary(a), Value::Binary(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        _ => panic!("not comparable: {a:?} {b:?}"),
    }
}
