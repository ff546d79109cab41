//! Lists.

use artstore_core::page::Page;
use serde::{Deserialize, Serialize};

/// One page of a list: `{"items": [...], "next": "cursor"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListDocument<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// What to pass to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> ListDocument<T> {
    /// The document of `page`, whose items are told by `document`.
    pub fn new<Item>(page: Page<Item>, document: impl FnMut(Item) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(document).collect(),
            next: page.next.map(|cursor| cursor.to_string()),
        }
    }
}

/// What was asked for by several ids: `{"items": [...]}` in the order of the ids, null for each that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchDocument<T> {
    /// One item per id.
    pub items: Vec<Option<T>>,
}

impl<T> BatchDocument<T> {
    /// The document of `items`, each told by `document`.
    pub fn new<Item>(items: Vec<Option<Item>>, mut document: impl FnMut(Item) -> T) -> Self {
        Self {
            items: items
                .into_iter()
                .map(|item| item.map(&mut document))
                .collect(),
        }
    }
}
