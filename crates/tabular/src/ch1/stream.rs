//! Bytes on their way into a digest.

use sha2::{Digest as _, Sha256};

/// Values up to this many bytes are copied as one block, whatever their length.
const SHORT: usize = 32;

/// Collects small pieces, so that a digest is fed in bulk. One serves any number of digests, one after the other.
pub(crate) struct Scratch {
    buffer: Box<[u8]>,
    filled: usize,
    fed_bytes: u64,
}

impl Scratch {
    const CAPACITY: usize = 64 << 10;

    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; Self::CAPACITY].into_boxed_slice(),
            filled: 0,
            fed_bytes: 0,
        }
    }

    /// How many bytes all digests together were fed.
    pub(crate) fn fed_bytes(&self) -> u64 {
        self.fed_bytes
    }
}

/// Feeds one digest. Ends with [`Feed::finish`].
pub(super) struct Feed<'a> {
    digest: &'a mut Sha256,
    scratch: &'a mut Scratch,
}

impl<'a> Feed<'a> {
    pub(super) fn new(digest: &'a mut Sha256, scratch: &'a mut Scratch) -> Self {
        scratch.filled = 0;
        Self { digest, scratch }
    }

    /// Hands what is left to the digest.
    pub(super) fn finish(mut self) {
        self.flush();
    }

    fn flush(&mut self) {
        let filled = std::mem::take(&mut self.scratch.filled);
        self.digest.update(&self.scratch.buffer[..filled]);
        self.scratch.fed_bytes += filled as u64;
    }

    fn make_room(&mut self, bytes: usize) {
        if Scratch::CAPACITY - self.scratch.filled < bytes {
            self.flush();
        }
    }

    /// Feeds memory as it is.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() <= Scratch::CAPACITY / 4 {
            self.make_room(bytes.len());
            let filled = self.scratch.filled;
            self.scratch.buffer[filled..filled + bytes.len()].copy_from_slice(bytes);
            self.scratch.filled += bytes.len();
            return;
        }
        self.flush();
        self.digest.update(bytes);
        self.scratch.fed_bytes += bytes.len() as u64;
    }

    /// Feeds one value of `N` bytes.
    #[inline]
    pub(super) fn one<const N: usize>(&mut self, value: [u8; N]) {
        self.make_room(N);
        let filled = self.scratch.filled;
        self.scratch.buffer[filled..filled + N].copy_from_slice(&value);
        self.scratch.filled += N;
    }

    /// Feeds `canonical` of every value.
    pub(super) fn all<T: Copy, const N: usize>(
        &mut self,
        values: &[T],
        canonical: impl Fn(T) -> [u8; N],
    ) {
        let mut rest = values;
        while !rest.is_empty() {
            self.make_room(N);
            let room = (Scratch::CAPACITY - self.scratch.filled) / N;
            let (now, later) = rest.split_at(room.min(rest.len()));
            let filled = self.scratch.filled;
            let target = &mut self.scratch.buffer[filled..filled + now.len() * N];
            for (slot, value) in target.chunks_exact_mut(N).zip(now) {
                slot.copy_from_slice(&canonical(*value));
            }
            self.scratch.filled += now.len() * N;
            rest = later;
        }
    }

    /// Feeds `canonical` of every value for which `is_valid` says so of its position. Every value is converted and
    /// written; those that do not count are overwritten by the next. That is cheaper than to branch on them.
    pub(super) fn chosen<T: Copy, const N: usize>(
        &mut self,
        values: &[T],
        is_valid: impl Fn(usize) -> bool,
        canonical: impl Fn(T) -> [u8; N],
    ) {
        let mut start = 0;
        while start < values.len() {
            self.make_room(N);
            let room = (Scratch::CAPACITY - self.scratch.filled) / N;
            let end = values.len().min(start + room);
            let mut filled = self.scratch.filled;
            for (position, value) in values.iter().enumerate().take(end).skip(start) {
                self.scratch.buffer[filled..filled + N].copy_from_slice(&canonical(*value));
                filled += N * usize::from(is_valid(position));
            }
            self.scratch.filled = filled;
            start = end;
        }
    }

    /// Feeds the lowest `length` bytes of `value` after their number. There are at most 16.
    #[inline]
    pub(super) fn short(&mut self, value: u128, length: u32) {
        let mut block = [0; 24];
        block[..8].copy_from_slice(&u64::from(length).to_le_bytes());
        block[8..].copy_from_slice(&value.to_le_bytes());
        self.make_room(block.len());
        let filled = self.scratch.filled;
        self.scratch.buffer[filled..filled + block.len()].copy_from_slice(&block);
        self.scratch.filled += 8 + length as usize;
    }

    /// Feeds the first `length` bytes of `bytes` after their number. What follows them in `bytes` is not fed, but makes
    /// short values cheap.
    #[inline]
    pub(super) fn prefixed(&mut self, bytes: &[u8], length: usize) {
        if length > Scratch::CAPACITY / 4 {
            self.one((length as u64).to_le_bytes());
            self.bytes(&bytes[..length]);
            return;
        }
        self.make_room(8 + length.max(SHORT));
        let target = &mut self.scratch.buffer[self.scratch.filled..];
        target[..8].copy_from_slice(&(length as u64).to_le_bytes());
        let is_short = length <= SHORT && bytes.len() >= SHORT;
        if is_short {
            target[8..8 + SHORT].copy_from_slice(&bytes[..SHORT]);
        } else {
            target[8..8 + length].copy_from_slice(&bytes[..length]);
        }
        self.scratch.filled += 8 + length;
    }

    /// Feeds those bits of `word` whose bits in `chosen` are set, from the lowest on, a byte for each.
    pub(super) fn bits(&mut self, word: u64, chosen: u64) {
        self.make_room(64);
        let mut filled = self.scratch.filled;
        if chosen == u64::MAX {
            let target = self.scratch.buffer[filled..filled + 64].chunks_exact_mut(8);
            for (slot, bits) in target.zip(word.to_le_bytes()) {
                slot.copy_from_slice(&SPREAD[usize::from(bits)]);
            }
            self.scratch.filled += 64;
            return;
        }
        for (bits, chosen) in word.to_le_bytes().into_iter().zip(chosen.to_le_bytes()) {
            let (bits, count) = if chosen == u8::MAX {
                (bits, 8)
            } else {
                (gather(bits, chosen), chosen.count_ones() as usize)
            };
            self.scratch.buffer[filled..filled + 8].copy_from_slice(&SPREAD[usize::from(bits)]);
            filled += count;
        }
        self.scratch.filled = filled;
    }
}

/// The bits of a byte as bytes.
static SPREAD: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            table[byte][bit] = (byte >> bit) as u8 & 1;
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// Those bits of `bits` that `chosen` says, moved to the low end.
fn gather(bits: u8, chosen: u8) -> u8 {
    let (mut rest, mut gathered, mut position) = (chosen, 0, 0);
    while rest != 0 {
        let lowest = rest.trailing_zeros();
        gathered |= (bits >> lowest & 1) << position;
        position += 1;
        rest &= rest - 1;
    }
    gathered
}
