//! The artifacts domain.
//!
//! | module | holds |
//! |---|---|
//! | `port` | the [`ArtifactStorePort`](artstore_core::ports::ArtifactStorePort) |
//! | `publish` | what happens before the lock: probing, then staging |
//! | `batch` | many publishes in one call |
//! | `limits` | what a publish may ask for |
//! | `stage` | bytes or a table, and the record, under no final name |
//! | `rules` | the [`DomainRules`](crate::protocol::DomainRules) of artifacts |
//! | `decide` | every decision of the domain: replays, publishes, tags |
//! | `merge` | what a duplicate brings to the artifact that was there |
//! | `retire` | which artifact may replace which, and which may be withdrawn |
//! | `request` | the digest of a request, by which a repeated operation is recognised |
//! | `trace` | lineage, downstream, supersession |
//! | `types` | the [`ArtifactTypeRegistry`](artstore_core::ports::ArtifactTypeRegistry) |
//! | `read` | queries that see the right catalog, and verified bytes |
//! | `adopt` | rows for what settling found |
//! | `inventory` | what lies in the directory, compared with rows |
//! | `rebuild` | the catalog from records and events |

mod adopt;
mod batch;
mod decide;
mod inventory;
mod limits;
mod merge;
mod port;
mod publish;
mod read;
mod rebuild;
mod request;
mod retire;
mod rules;
mod stage;
mod trace;
mod types;

pub(crate) use port::ArtifactEngine;
