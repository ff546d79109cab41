//! Parquet that came from anywhere.
//!
//! The library decodes pages, and with caution the schema. Everything that says how much there is (footer, row groups,
//! page headers, counts inside pages) is read here first and held against the limits.
//!
//! | module | does |
//! |---|---|
//! | `batch` | how much memory one batch may take |
//! | `budget` | how much a file may decode to |
//! | `columns` | reads a set of columns, batch by batch |
//! | `delta` | how many values a delta encoding announces |
//! | `describe` | the facts of a file, columns side by side |
//! | `footer` | reads and checks the footer |
//! | `inflate` | how much a compressed page holds |
//! | `levels` | how many elements the rows of a page have |
//! | `page` | the header and the parts of a page |
//! | `pages` | hands checked pages to the library |
//! | `schema` | the types that the file's own types give |
//! | `source` | reads bytes |
//! | `thrift` | the compact protocol, as far as it is needed |

mod batch;
mod budget;
mod columns;
mod delta;
mod describe;
mod footer;
mod inflate;
mod levels;
mod page;
mod pages;
mod schema;
mod source;
mod thrift;

pub(crate) use describe::{describe, inspect};
