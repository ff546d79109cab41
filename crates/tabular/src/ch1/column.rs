//! The digest of one column, of any type.

use std::ops::Range;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_schema::{DataType, Field};
use artstore_core::{Error, Result};
use sha2::{Digest as _, Sha256};

use super::encoded::{DECODED_SLOTS, decoded, is_encoded};
use super::leaf;
use super::rows::{Ranges, RangesBuilder, Rows};
use super::stream::{Feed, Scratch};
use super::types::{decoded_type, is_int96, type_name};
use crate::error::wrong_array;
use crate::limits::MAX_DEPTH;

/// Digests a column batch by batch.
pub(crate) struct ColumnHasher {
    type_name: &'static str,
    shape: Shape,
    slots: u64,
    nulls: u64,
    values: Sha256,
    null_slots: Sha256,
    children: Vec<Child>,
}

struct Child {
    name: String,
    column: ColumnHasher,
}

#[derive(Clone, Copy)]
enum Shape {
    Null,
    Leaf,
    Int96,
    List,
    Map,
    Struct,
}

impl ColumnHasher {
    /// `None` if the column or something in it has a type without content hash.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if it is nested too deeply.
    pub(crate) fn new(field: &Field) -> Result<Option<Self>> {
        Self::at_depth(field, 1)
    }

    fn at_depth(field: &Field, depth: usize) -> Result<Option<Self>> {
        use DataType as T;
        if depth > MAX_DEPTH {
            return Err(Error::invalid("a column is nested too deeply").with("limit", MAX_DEPTH));
        }
        let Some(type_name) = type_name(field) else {
            return Ok(None);
        };
        let (shape, fields): (Shape, Vec<(String, &Field)>) = match decoded_type(field.data_type())
        {
            T::Null => (Shape::Null, Vec::new()),
            T::List(item)
            | T::LargeList(item)
            | T::ListView(item)
            | T::LargeListView(item)
            | T::FixedSizeList(item, _) => (Shape::List, vec![("item".to_owned(), item)]),
            T::Map(entries, _) => match entries.data_type() {
                T::Struct(fields) if fields.len() == 2 => {
                    let names = ["key", "value"].map(str::to_owned);
                    (
                        Shape::Map,
                        names
                            .into_iter()
                            .zip(fields.iter().map(AsRef::as_ref))
                            .collect(),
                    )
                }
                other => return Err(wrong_array("entries of a map", other)),
            },
            T::Struct(fields) => {
                let named = |field| Field::name(field).clone();
                (
                    Shape::Struct,
                    fields
                        .iter()
                        .map(|field| (named(field), field.as_ref()))
                        .collect(),
                )
            }
            _ if is_int96(field) => (Shape::Int96, Vec::new()),
            _ => (Shape::Leaf, Vec::new()),
        };
        let mut children = Vec::with_capacity(fields.len());
        for (name, field) in fields {
            let Some(column) = Self::at_depth(field, depth + 1)? else {
                return Ok(None);
            };
            children.push(Child { name, column });
        }
        Ok(Some(Self {
            type_name,
            shape,
            slots: 0,
            nulls: 0,
            values: Sha256::new(),
            null_slots: Sha256::new(),
            children,
        }))
    }

    /// Adds all slots of `array`.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if a value has no canonical form.
    pub(crate) fn update(&mut self, array: &ArrayRef, scratch: &mut Scratch) -> Result<()> {
        let all = 0..array.len();
        self.update_ranges(array, std::slice::from_ref(&all), scratch)
    }

    fn update_ranges(
        &mut self,
        array: &ArrayRef,
        ranges: Ranges<'_>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        if is_encoded(array) {
            return self.update_encoded(array, ranges, scratch);
        }
        self.add_slots(array, ranges, scratch);
        let rows = Rows::new(ranges, array.nulls());
        match self.shape {
            Shape::Null => Ok(()),
            Shape::Leaf | Shape::Int96 => {
                let mut feed = Feed::new(&mut self.values, scratch);
                let fed = match self.shape {
                    Shape::Int96 => leaf::feed_int96(array, rows, &mut feed),
                    _ => leaf::feed_values(array, rows, &mut feed),
                };
                feed.finish();
                fed
            }
            Shape::List => self.update_list(array, rows, scratch),
            Shape::Map => {
                let map = array
                    .as_map_opt()
                    .ok_or_else(|| wrong_array("a map", array.data_type()))?;
                let entries = self.feed_offsets(map.value_offsets(), rows, scratch);
                self.update_child(0, map.keys(), &entries, scratch)?;
                self.update_child(1, map.values(), &entries, scratch)
            }
            Shape::Struct => {
                let columns = array
                    .as_struct_opt()
                    .ok_or_else(|| wrong_array("a struct", array.data_type()))?
                    .columns();
                let present = rows.valid_ranges();
                for (position, column) in columns.iter().enumerate() {
                    self.update_child(position, column, &present, scratch)?;
                }
                Ok(())
            }
        }
    }

    fn update_encoded(
        &mut self,
        array: &ArrayRef,
        ranges: Ranges<'_>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        for range in ranges {
            for start in range.clone().step_by(DECODED_SLOTS) {
                let slots = DECODED_SLOTS.min(range.end - start);
                self.update(&decoded(&array.slice(start, slots))?, scratch)?;
            }
        }
        Ok(())
    }

    fn add_slots(&mut self, array: &ArrayRef, ranges: Ranges<'_>, scratch: &mut Scratch) {
        let first = self.slots;
        self.slots += ranges.iter().map(|range| range.len() as u64).sum::<u64>();
        let mut feed = Feed::new(&mut self.null_slots, scratch);
        if matches!(self.shape, Shape::Null) {
            (first..self.slots).for_each(|slot| feed.one(slot.to_le_bytes()));
            self.nulls = self.slots;
        } else {
            let nulls = &mut self.nulls;
            Rows::new(ranges, array.nulls()).for_each_null(|position| {
                *nulls += 1;
                feed.one((first + position).to_le_bytes());
            });
        }
        feed.finish();
    }

    fn update_child(
        &mut self,
        position: usize,
        array: &ArrayRef,
        ranges: Ranges<'_>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        match self.children.get_mut(position) {
            Some(child) => child.column.update_ranges(array, ranges, scratch),
            None => Err(wrong_array("fewer fields", array.data_type())),
        }
    }

    fn update_list(
        &mut self,
        array: &ArrayRef,
        rows: Rows<'_>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let wrong = || wrong_array("a list", array.data_type());
        let (items, elements) = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list_opt::<i32>().ok_or_else(wrong)?;
                (
                    list.values(),
                    self.feed_offsets(list.value_offsets(), rows, scratch),
                )
            }
            DataType::LargeList(_) => {
                let list = array.as_list_opt::<i64>().ok_or_else(wrong)?;
                (
                    list.values(),
                    self.feed_offsets(list.value_offsets(), rows, scratch),
                )
            }
            DataType::ListView(_) => {
                let list = array.as_list_view_opt::<i32>().ok_or_else(wrong)?;
                let (offsets, sizes) = (list.value_offsets(), list.value_sizes());
                (
                    list.values(),
                    self.feed_sizes(offsets, sizes, rows, scratch),
                )
            }
            DataType::LargeListView(_) => {
                let list = array.as_list_view_opt::<i64>().ok_or_else(wrong)?;
                let (offsets, sizes) = (list.value_offsets(), list.value_sizes());
                (
                    list.values(),
                    self.feed_sizes(offsets, sizes, rows, scratch),
                )
            }
            DataType::FixedSizeList(_, size) => {
                let list = array.as_fixed_size_list_opt().ok_or_else(wrong)?;
                let size = size.unsigned_abs() as usize;
                let range = |row: usize| row * size..(row + 1) * size;
                (list.values(), self.feed_lengths(range, rows, scratch))
            }
            _ => return Err(wrong()),
        };
        self.update_child(0, items, &elements, scratch)
    }

    fn feed_offsets<O: OffsetSizeTrait>(
        &mut self,
        offsets: &[O],
        rows: Rows<'_>,
        scratch: &mut Scratch,
    ) -> Vec<Range<usize>> {
        let range = |row: usize| offsets[row].as_usize()..offsets[row + 1].as_usize();
        self.feed_lengths(range, rows, scratch)
    }

    fn feed_sizes<O: OffsetSizeTrait>(
        &mut self,
        offsets: &[O],
        sizes: &[O],
        rows: Rows<'_>,
        scratch: &mut Scratch,
    ) -> Vec<Range<usize>> {
        let range = |row: usize| {
            let start = offsets[row].as_usize();
            start..start + sizes[row].as_usize()
        };
        self.feed_lengths(range, rows, scratch)
    }

    /// Feeds the number of elements of every list, and says which elements these are.
    fn feed_lengths(
        &mut self,
        elements: impl Fn(usize) -> Range<usize>,
        rows: Rows<'_>,
        scratch: &mut Scratch,
    ) -> Vec<Range<usize>> {
        let mut all = RangesBuilder::default();
        let mut feed = Feed::new(&mut self.values, scratch);
        rows.for_each_valid(|row| {
            let range = elements(row);
            feed.one((range.len() as u64).to_le_bytes());
            all.push(range);
        });
        feed.finish();
        all.0
    }

    /// The digest of everything that was added.
    pub(crate) fn finish(self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(b"artstore.ch1.column\n");
        update_text(&mut digest, self.type_name);
        digest.update(self.slots.to_le_bytes());
        digest.update(self.nulls.to_le_bytes());
        digest.update(self.values.finalize());
        digest.update(self.null_slots.finalize());
        for child in self.children {
            update_text(&mut digest, &child.name);
            digest.update(child.column.finish());
        }
        digest.finalize().into()
    }
}

/// Adds the length of `text` and its bytes.
pub(super) fn update_text(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_le_bytes());
    digest.update(text);
}
