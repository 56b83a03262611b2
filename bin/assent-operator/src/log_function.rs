//! Where the lines of an operator's log go.

use std::sync::Arc;

/// Writes a line of the log.
pub type LogFunction = Arc<dyn Fn(&str) + Send + Sync>;
