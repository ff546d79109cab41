//! Tests of both readings together.

mod faults;
mod inference;
mod pieces;
mod support;
mod values;
