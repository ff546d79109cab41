//! What a table is.
