//! What the manifest says of the built-in source `history`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the manifest says of a source `history`.
///
/// Complete: it is the format of the manifest, which has a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// The event as Solidity declares it: `event Transfer(address indexed from, address indexed to, uint256 value)`.
    pub event: String,
    /// The contract that emits it: an address, or the path of one in the request, such as `task.client`.
    pub address: String,
    /// Values of indexed arguments, by name: each a value, or the path of one in the request.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, String>,
    /// How far back.
    pub window: Window,
    /// The argument to add up, an unsigned integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
    /// Whether to list the newest events, at most [`HISTORY_LISTED`](crate::limits::HISTORY_LISTED).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub events: bool,
}

/// A window that ends with the reference block, which is in it.
///
/// Complete: it is the format of the manifest, which has a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Window {
    /// So many blocks.
    Blocks(u64),
    /// The blocks whose time is less than so many seconds before the reference block's.
    Seconds(u64),
}
