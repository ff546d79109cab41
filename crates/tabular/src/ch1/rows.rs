//! Which slots of an array take part, and which of them are null.

use std::ops::Range;

use arrow_buffer::NullBuffer;

/// Slots of an array, in order.
pub(super) type Ranges<'a> = &'a [Range<usize>];

/// Slots of an array with its nulls.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) ranges: Ranges<'a>,
    /// `None` if no slot is null.
    pub(super) nulls: Option<&'a NullBuffer>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(ranges: Ranges<'a>, nulls: Option<&'a NullBuffer>) -> Self {
        Self {
            ranges,
            nulls: nulls.filter(|nulls| nulls.null_count() > 0),
        }
    }

    /// Calls `visit` for every slot that is not null.
    #[inline]
    pub(super) fn for_each_valid(&self, mut visit: impl FnMut(usize)) {
        for range in self.ranges {
            match self.nulls {
                None => range.clone().for_each(&mut visit),
                Some(nulls) => {
                    for run in nulls.slice(range.start, range.len()).valid_slices() {
                        (range.start + run.0..range.start + run.1).for_each(&mut visit);
                    }
                }
            }
        }
    }

    /// Calls `visit` for every slot that is null, with its position among all slots here.
    pub(super) fn for_each_null(&self, mut visit: impl FnMut(u64)) {
        let Some(nulls) = self.nulls else { return };
        let mut before = 0;
        for range in self.ranges {
            let here = nulls.slice(range.start, range.len());
            if here.null_count() > 0 {
                let invalid = !here.inner();
                for position in invalid.set_indices() {
                    visit(before + position as u64);
                }
            }
            before += range.len() as u64;
        }
    }

    /// The slots that are not null, as few ranges as possible.
    pub(super) fn valid_ranges(&self) -> Vec<Range<usize>> {
        let mut valid = RangesBuilder::default();
        for range in self.ranges {
            match self.nulls {
                None => valid.push(range.clone()),
                Some(nulls) => {
                    for run in nulls.slice(range.start, range.len()).valid_slices() {
                        valid.push(range.start + run.0..range.start + run.1);
                    }
                }
            }
        }
        valid.0
    }
}

/// Joins neighbours.
#[derive(Default)]
pub(super) struct RangesBuilder(pub(super) Vec<Range<usize>>);

impl RangesBuilder {
    pub(super) fn push(&mut self, range: Range<usize>) {
        match self.0.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.0.push(range),
        }
    }
}
