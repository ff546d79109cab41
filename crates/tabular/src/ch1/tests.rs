//! Layouts of memory that Parquet files do not bring, and the published vectors.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringDictionaryBuilder};
use arrow_array::types::{Float16Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::*;
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer, i256};
use arrow_schema::{DataType, Field, IntervalUnit, Schema};
use artstore_core::table::TableRules;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::*;

#[expect(non_camel_case_types, reason = "as the other floats")]
type f16 = <Float16Type as ArrowPrimitiveType>::Native;

fn hash_of(batches: &[RecordBatch], rules: &TableRules) -> String {
    let mut hasher = TableHasher::new(&batches[0].schema(), rules).unwrap();
    for batch in batches {
        hasher.update(batch).unwrap();
    }
    hasher.finish().unwrap().unwrap().to_string()
}

fn table(array: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter([("c", array)]).unwrap()
}

fn hash(array: impl Array + 'static) -> String {
    hash_of(&[table(Arc::new(array))], &TableRules::default())
}

/// All of `same` say the same, also in slices of every length.
fn check_same(same: Vec<ArrayRef>) {
    let expected = hash_of(&[table(same[0].clone())], &TableRules::default());
    for array in same {
        let padded =
            arrow_select::concat::concat(&[&array.slice(0, 1), &array, &array.slice(0, 1)]);
        let padded = padded.map_or_else(|_| array.clone(), |padded| padded.slice(1, array.len()));
        for whole in [array, padded] {
            for step in 1..=whole.len() {
                let parts: Vec<RecordBatch> = (0..whole.len())
                    .step_by(step)
                    .map(|start| table(whole.slice(start, step.min(whole.len() - start))))
                    .collect();
                let found = hash_of(&parts, &TableRules::default());
                assert_eq!(found, expected, "{} by {step}", whole.data_type());
            }
        }
    }
}

fn nulls(valid: &[bool]) -> Option<NullBuffer> {
    Some(NullBuffer::from(valid.to_vec()))
}

#[test]
fn the_published_vectors_are_met() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let expected = std::fs::read_to_string(format!("{directory}/expected.txt")).unwrap();
    assert_eq!(expected.lines().count(), 10);
    for line in expected.lines() {
        let (expected, file) = line.split_once("  ").unwrap();
        let file = Bytes::from(std::fs::read(format!("{directory}/{file}")).unwrap());
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap();
        let mut hasher = TableHasher::new(reader.schema(), &TableRules::default()).unwrap();
        for batch in reader.build().unwrap() {
            hasher.update(&batch.unwrap()).unwrap();
        }
        assert_eq!(
            hasher.finish().unwrap().unwrap().to_string(),
            expected,
            "{line}"
        );
    }
}

#[test]
fn widths_of_numbers_leave_no_trace() {
    check_same(vec![
        Arc::new(Int64Array::from(vec![Some(7), None, Some(100)])),
        Arc::new(Int8Array::from(vec![Some(7), None, Some(100)])),
        Arc::new(Int16Array::from(vec![Some(7), None, Some(100)])),
        Arc::new(Int32Array::from(vec![Some(7), None, Some(100)])),
        Arc::new(UInt8Array::from(vec![Some(7), None, Some(100)])),
        Arc::new(UInt16Array::from(vec![Some(7), None, Some(100)])),
        Arc::new(UInt32Array::from(vec![Some(7), None, Some(100)])),
    ]);
    assert_ne!(
        hash(UInt64Array::from(vec![7])),
        hash(Int64Array::from(vec![7]))
    );
    check_same(vec![
        Arc::new(Float64Array::from(vec![1.5, 0.0, f64::NAN, f64::INFINITY])),
        Arc::new(Float32Array::from(vec![
            1.5,
            -0.0,
            -f32::NAN,
            f32::INFINITY,
        ])),
        Arc::new(Float16Array::from(vec![
            f16::from_f32(1.5),
            f16::NEG_ZERO,
            f16::NAN,
            f16::INFINITY,
        ])),
        Arc::new(Float64Array::from(vec![
            1.5,
            -0.0,
            f64::from_bits(0xfff8_0000_dead_beef),
            f64::INFINITY,
        ])),
    ]);
}

#[test]
fn decimals_are_equal_by_value() {
    check_same(vec![
        Arc::new(
            Decimal128Array::from(vec![160, -5, 0])
                .with_precision_and_scale(10, 2)
                .unwrap(),
        ),
        Arc::new(
            Decimal32Array::from(vec![1600, -50, 0])
                .with_precision_and_scale(9, 3)
                .unwrap(),
        ),
        Arc::new(
            Decimal64Array::from(vec![160, -5, 0])
                .with_precision_and_scale(18, 2)
                .unwrap(),
        ),
        Arc::new(
            Decimal256Array::from(vec![i256::from_i128(160), i256::from_i128(-5), i256::ZERO])
                .with_precision_and_scale(70, 2)
                .unwrap(),
        ),
    ]);
}

#[test]
fn what_lies_under_nulls_leaves_no_trace() {
    let valid = nulls(&[true, false, true]);
    let ints = |hidden| Int64Array::new(vec![1, hidden, 3].into(), valid.clone());
    assert_eq!(hash(ints(0)), hash(ints(i64::MIN)));
    let bools = |hidden| {
        BooleanArray::new(
            BooleanBuffer::from(vec![true, hidden, false]),
            valid.clone(),
        )
    };
    assert_eq!(hash(bools(true)), hash(bools(false)));
    let texts = |middle: &str| {
        let offsets = OffsetBuffer::from_lengths([1, middle.len(), 1]);
        StringArray::new(
            offsets,
            Buffer::from(format!("a{middle}b").into_bytes()),
            valid.clone(),
        )
    };
    assert_eq!(hash(texts("")), hash(texts("hidden")));
    let times = |hidden| Time64MicrosecondArray::new(vec![1, hidden, 3].into(), valid.clone());
    assert_eq!(hash(times(0)), hash(times(i64::MAX)));
    let lists = |hidden: usize| {
        let item = Arc::new(Field::new_list_field(DataType::Int64, true));
        let values: Int64Array = (0..(2 + hidden as i64))
            .map(|at| if at == 0 { 1 } else { 2 })
            .collect();
        let offsets = OffsetBuffer::from_lengths([1, hidden, 1]);
        ListArray::new(item, offsets, Arc::new(values), valid.clone())
    };
    assert_eq!(hash(lists(0)), hash(lists(5)));
    let structs = |hidden: Option<i64>| {
        let inner: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), hidden, None]));
        let field = Arc::new(Field::new("x", DataType::Int64, true));
        StructArray::new(vec![field].into(), vec![inner], valid.clone())
    };
    assert_eq!(hash(structs(None)), hash(structs(Some(9))));
}

#[test]
fn texts_are_equal_in_every_layout() {
    let texts = [
        "",
        "short",
        "exactly 12 b",
        "longer than fits a view",
        "sixteen bytes ok",
        "short",
    ];
    let texts: Vec<Option<&str>> = texts.into_iter().map(Some).chain([None]).collect();
    let mut dictionary = StringDictionaryBuilder::<Int8Type>::new();
    texts
        .iter()
        .for_each(|text| dictionary.append_option(*text));
    // A null in the values of a dictionary is a null too.
    let values = StringArray::from(vec![
        None,
        Some("sixteen bytes ok"),
        Some("longer than fits a view"),
        Some("exactly 12 b"),
        Some("short"),
        Some(""),
    ]);
    let with_null_value = DictionaryArray::<Int16Type>::new(
        Int16Array::from(vec![5, 4, 3, 2, 1, 4, 0]),
        Arc::new(values),
    );
    let run_values = StringArray::from(texts.clone());
    let run_ends = Int32Array::from(vec![1, 2, 3, 4, 5, 6, 7]);
    let runs = RunArray::<Int32Type>::try_new(&run_ends, &run_values).unwrap();
    check_same(vec![
        Arc::new(StringArray::from(texts.clone())),
        Arc::new(LargeStringArray::from(texts.clone())),
        Arc::new(StringViewArray::from(texts.clone())),
        Arc::new(dictionary.finish()),
        Arc::new(with_null_value),
        Arc::new(runs),
    ]);
    let long = "x".repeat(100_000);
    check_same(vec![
        Arc::new(StringArray::from(vec![long.as_str(), "y", &long])),
        Arc::new(StringViewArray::from(vec![long.as_str(), "y", &long])),
    ]);
    let bytes: Vec<&[u8]> = vec![b"abcd", b"efgh"];
    check_same(vec![
        Arc::new(BinaryArray::from(bytes.clone())),
        Arc::new(LargeBinaryArray::from(bytes.clone())),
        Arc::new(BinaryViewArray::from(bytes.clone())),
        Arc::new(FixedSizeBinaryArray::try_from_iter(bytes.into_iter()).unwrap()),
    ]);
}

#[test]
fn runs_are_equal_to_their_slots() {
    let runs = RunArray::<Int64Type>::try_new(
        &Int64Array::from(vec![2, 3, 6]),
        &Int64Array::from(vec![Some(5), None, Some(8)]),
    );
    let slots = vec![Some(5), Some(5), None, Some(8), Some(8), Some(8)];
    check_same(vec![
        Arc::new(Int64Array::from(slots)),
        Arc::new(runs.unwrap()),
    ]);
}

#[test]
fn lists_are_equal_in_every_layout() {
    let item = || Arc::new(Field::new_list_field(DataType::Int64, true));
    let mut list = ListBuilder::new(arrow_array::builder::Int64Builder::new());
    for values in [Some([Some(1), None]), None, Some([Some(3), Some(4)])] {
        list.append_option(values);
    }
    let list = list.finish();
    let values: ArrayRef = Arc::new(Int64Array::from(vec![
        Some(1),
        None,
        Some(9),
        Some(9),
        Some(3),
        Some(4),
    ]));
    let valid = nulls(&[true, false, true]);
    let fixed = FixedSizeListArray::new(item(), 2, values.clone(), valid.clone());
    let large = LargeListArray::new(
        item(),
        OffsetBuffer::from_lengths([2, 2, 2]),
        values,
        valid.clone(),
    );
    // Elements out of order, and some that no list has.
    let values: ArrayRef = Arc::new(Int64Array::from(vec![
        Some(3),
        Some(4),
        Some(7),
        Some(1),
        None,
    ]));
    let view = ListViewArray::new(
        item(),
        ScalarBuffer::from(vec![3, 1, 0]),
        ScalarBuffer::from(vec![2, 1, 2]),
        values.clone(),
        valid.clone(),
    );
    let large_view = LargeListViewArray::new(
        item(),
        ScalarBuffer::from(vec![3_i64, 1, 0]),
        ScalarBuffer::from(vec![2_i64, 1, 2]),
        values,
        valid,
    );
    check_same(vec![
        Arc::new(list),
        Arc::new(large),
        Arc::new(fixed),
        Arc::new(view),
        Arc::new(large_view),
    ]);
}

#[test]
fn temporal_types_are_equal_in_every_unit() {
    check_same(vec![
        Arc::new(TimestampSecondArray::from(vec![-1, 5])),
        Arc::new(TimestampMillisecondArray::from(vec![-1000, 5000])),
        Arc::new(TimestampMicrosecondArray::from(vec![-1_000_000, 5_000_000])),
        Arc::new(TimestampNanosecondArray::from(vec![
            -1_000_000_000,
            5_000_000_000,
        ])),
    ]);
    check_same(vec![
        Arc::new(TimestampSecondArray::from(vec![-1, 5]).with_timezone("UTC")),
        Arc::new(TimestampMillisecondArray::from(vec![-1000, 5000]).with_timezone("+09:00")),
    ]);
    check_same(vec![
        Arc::new(DurationSecondArray::from(vec![-1, 5])),
        Arc::new(DurationMillisecondArray::from(vec![-1000, 5000])),
        Arc::new(DurationMicrosecondArray::from(vec![-1_000_000, 5_000_000])),
        Arc::new(DurationNanosecondArray::from(vec![
            -1_000_000_000,
            5_000_000_000,
        ])),
    ]);
    check_same(vec![
        Arc::new(Time32SecondArray::from(vec![86_399])),
        Arc::new(Time32MillisecondArray::from(vec![86_399_000])),
        Arc::new(Time64MicrosecondArray::from(vec![86_399_000_000])),
        Arc::new(Time64NanosecondArray::from(vec![86_399_000_000_000])),
    ]);
    check_same(vec![
        Arc::new(Date32Array::from(vec![-1, 1])),
        Arc::new(Date64Array::from(vec![-1, 86_400_000])),
    ]);
    let intervals = [
        IntervalUnit::YearMonth,
        IntervalUnit::DayTime,
        IntervalUnit::MonthDayNano,
    ]
    .map(|unit| arrow_array::new_null_array(&DataType::Interval(unit), 2));
    check_same(intervals.to_vec());
}

#[test]
fn int96_reaches_every_time() {
    let field = |metadata: bool| {
        let field = Field::new("c", DataType::FixedSizeBinary(12), true);
        if metadata {
            field.with_metadata([(INT96_KEY.to_owned(), String::new())].into())
        } else {
            field
        }
    };
    let mut bytes = 1_500_000_000_i64.to_le_bytes().to_vec();
    bytes.extend(2_440_589_i32.to_le_bytes());
    let array: ArrayRef =
        Arc::new(FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).unwrap());
    let schema = Arc::new(Schema::new(vec![field(true)]));
    let int96 = RecordBatch::try_new(schema, vec![array.clone()]).unwrap();
    let same: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![86_401_500]));
    assert_eq!(
        hash_of(&[int96], &TableRules::default()),
        hash_of(&[table(same)], &TableRules::default())
    );
    let schema = Arc::new(Schema::new(vec![field(false)]));
    let binary = RecordBatch::try_new(schema, vec![array.clone()]).unwrap();
    assert_eq!(
        hash_of(&[binary], &TableRules::default()),
        hash_of(&[table(array)], &TableRules::default())
    );
    let first = Int96::from_bytes(&[0xff; 12]).instant();
    assert_eq!(
        (first.seconds, first.nanoseconds),
        (-2_440_589 * 86_400 - 1, 999_999_999)
    );
}

#[test]
fn a_time_of_day_out_of_range_is_refused() {
    let batch = table(Arc::new(Time64MicrosecondArray::from(vec![i64::MAX])));
    let mut hasher = TableHasher::new(&batch.schema(), &TableRules::default()).unwrap();
    let error = hasher.update(&batch).unwrap_err();
    assert_eq!(error.kind(), artstore_core::ErrorKind::Invalid);
}

#[test]
fn types_without_canonical_form_have_no_hash() {
    let fields = [(0, Arc::new(Field::new("a", DataType::Int64, true)))];
    let union = DataType::Union(fields.into_iter().collect(), arrow_schema::UnionMode::Dense);
    let list = DataType::new_list(union.clone(), true);
    for data_type in [union, list] {
        let batch = table(arrow_array::new_empty_array(&data_type));
        let mut hasher = TableHasher::new(&batch.schema(), &TableRules::default()).unwrap();
        hasher.update(&batch).unwrap();
        assert_eq!(hasher.finish().unwrap(), None);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let nested =
        |depth| (1..depth).fold(DataType::Int64, |inner, _| DataType::new_list(inner, true));
    let try_depth = |depth| {
        let schema = Schema::new(vec![Field::new("c", nested(depth), true)]);
        TableHasher::new(&schema, &TableRules::default())
            .err()
            .map(|error| error.kind())
    };
    assert_eq!(try_depth(64), None);
    assert_eq!(try_depth(65), Some(artstore_core::ErrorKind::Invalid));
}

#[test]
fn sorted_rows_have_one_hash_in_any_order() {
    let rules = TableRules {
        sort_keys: vec!["k".into()],
        ..TableRules::default()
    };
    let keys = [
        f64::NAN,
        -0.0,
        0.0,
        f64::INFINITY,
        1.0,
        1.0,
        f64::from_bits(0xfff8_0000_0000_0001),
    ];
    let times: Vec<i64> = vec![4, 3, 2, 1, 7, 6, 5];
    let make = |order: &[usize]| {
        let k: ArrayRef = Arc::new(
            order
                .iter()
                .map(|&at| (at > 0).then_some(keys[at]))
                .collect::<Float64Array>(),
        );
        let t: ArrayRef = Arc::new(
            order
                .iter()
                .map(|&at| Some(times[at]))
                .collect::<TimestampSecondArray>()
                .with_timezone("UTC"),
        );
        let s: ArrayRef = Arc::new(
            order
                .iter()
                .map(|&at| Some(format!("text number {at}")))
                .collect::<StringViewArray>(),
        );
        RecordBatch::try_from_iter([("k", k), ("t", t), ("s", s)]).unwrap()
    };
    let expected = hash_of(&[make(&[2, 1, 5, 4, 3, 6, 0])], &TableRules::default());
    for order in [
        [0, 1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1, 0],
        [3, 0, 6, 1, 5, 2, 4],
    ] {
        assert_eq!(hash_of(&[make(&order)], &rules), expected);
        let (first, second) = order.split_at(3);
        assert_eq!(hash_of(&[make(first), make(second)], &rules), expected);
    }
}
