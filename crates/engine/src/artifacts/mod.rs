//! The artifacts domain.
//!
//! | module | holds |
//! |---|---|
//! | `port` | the [`ArtifactStorePort`](artstore_core::ports::ArtifactStorePort) |
//! | `publish` | what happens before the lock: probing, staging, the record |
//! | `rules` | the [`DomainRules`](crate::protocol::DomainRules) of artifacts |
//! | `decide` | duplicates, replays, merges, tags: every decision of the domain |
//! | `request` | the digest of a request, by which a repeated operation is recognised |
//! | `read` | queries that see the right catalog, and verified bytes |
//! | `adopt` | rows for what settling found |
//! | `inventory` | what lies in the directory, compared with rows |
//! | `rebuild` | the catalog from records and events |

mod adopt;
mod decide;
mod inventory;
mod port;
mod publish;
mod read;
mod rebuild;
mod request;
mod rules;

pub(crate) use port::ArtifactEngine;
