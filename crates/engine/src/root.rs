//! Making a place a store, and reading what it is.

use artstore_core::backend::{Clock, IdSource, RootState, StoreRoot};
use artstore_core::format::{CatalogUrls, StoreDocument};
use artstore_core::id::StoreId;
use artstore_core::{Error, Result};

/// The store at `root`, or `None` where there is none yet (nothing, or an empty directory).
///
/// # Errors
/// [`Conflict`](artstore_core::ErrorKind::Conflict) if the root holds other things,
/// [`Unsupported`](artstore_core::ErrorKind::Unsupported) if the store is newer than this program or the root cannot be
/// trusted with locks, [`Corrupt`](artstore_core::ErrorKind::Corrupt) if its document is damaged.
pub async fn load(root: &dyn StoreRoot) -> Result<Option<StoreDocument>> {
    match root.state().await? {
        RootState::Empty => Ok(None),
        RootState::Foreign(name) => Err(foreign(root, &name)),
        RootState::Store(document) => StoreDocument::parse(&document)
            .map(Some)
            .map_err(|error| error.with("root", root.describe())),
    }
}

/// Makes `root` a store with these catalogs, or reads the store that is there: initialising twice changes nothing.
///
/// # Durability
/// When it returns, the store survives a power loss.
///
/// # Errors
/// As [`load`], and [`Conflict`](artstore_core::ErrorKind::Conflict) if the store that is there has other catalogs.
pub async fn initialize(
    root: &dyn StoreRoot,
    clock: &dyn Clock,
    ids: &dyn IdSource,
    catalogs: CatalogUrls,
) -> Result<StoreDocument> {
    let store = match load(root).await? {
        Some(store) => store,
        None => {
            let wanted = StoreDocument::new(
                StoreId::from_uuid(ids.next_id()),
                clock.now(),
                catalogs.clone(),
            );
            let written = root.initialize(wanted.to_bytes()?).await?;
            StoreDocument::parse(&written).map_err(|error| error.with("root", root.describe()))?
        }
    };
    if store.catalogs != catalogs {
        return Err(
            Error::conflict("the store was initialised with another catalog")
                .with("root", root.describe())
                .with("store", &store.catalogs.artifacts)
                .with("setting", &catalogs.artifacts)
                .hint("leave the catalog setting out: the store knows its catalog"),
        );
    }
    Ok(store)
}

fn foreign(root: &dyn StoreRoot, name: &str) -> Error {
    Error::conflict("the directory is not a store and not empty")
        .with("root", root.describe())
        .with("holds", name.escape_debug())
        .hint("choose an empty or new directory")
}
