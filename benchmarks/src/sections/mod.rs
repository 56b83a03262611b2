//! The sections of the report, a module each.

mod gas;
mod network;
mod policy;
mod policy_data;
mod soak;
mod time;

use crate::section::Section;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

/// All sections. A new one is a module and an entry here.
pub const ALL: [Section; 6] =
    [gas::SECTION, network::SECTION, policy::SECTION, policy_data::SECTION, time::SECTION, soak::SECTION];

/// Returns the figures of all sections as one object.
///
/// # Errors
/// If a figure is missing.
pub fn figures(root: &Path) -> Result<Value> {
    let mut all = json!({});
    for section in &ALL {
        merge(&mut all, (section.figures)(root)?);
    }
    Ok(all)
}

/// Merges objects, and the objects in them: two sections may have figures below one key.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_below_one_key_are_merged() {
        let mut all = json!({"gas": {"a": 1}});
        merge(&mut all, json!({"gas": {"b": {"c": 2}}, "time": 3}));
        assert_eq!(all, json!({"gas": {"a": 1, "b": {"c": 2}}, "time": 3}));
    }
}
