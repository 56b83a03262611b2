//! Imports of Solidity and TypeScript, which name files by relative paths.

use std::{collections::BTreeMap, path::Path};

use super::{graph::Graph, normalized};

/// Reads every import that starts with `.`, types only included.
pub fn imports(sources: &BTreeMap<String, String>) -> Graph {
    let mut graph = Graph::default();
    for (path, text) in sources.iter().filter(|(path, _)| !path.ends_with(".rs") && !path.ends_with(".py")) {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        for target in imported(text) {
            let target = normalized(&folder.join(target));
            // TypeScript imports the file that will be compiled.
            let source = target.strip_suffix(".js").map(|stem| format!("{stem}.ts"));
            if let Some(file) = source.into_iter().chain([target]).find(|file| sources.contains_key(file)) {
                graph.add(path, &file);
            }
        }
    }
    graph
}

/// The relative paths in import and export statements, which may take many lines.
fn imported(text: &str) -> Vec<&str> {
    let mut paths = vec![];
    let mut is_open = false;
    for line in text.lines() {
        is_open |= ["import ", "import\"", "import'", "export {", "export *", "export type {"]
            .iter()
            .any(|start| line.starts_with(start));
        let Some((before, quoted)) = line.split_once(['"', '\'']).filter(|_| is_open) else {
            is_open &= !line.contains(';');
            continue;
        };
        let ends = |before: &str| before.ends_with("from ") || before.ends_with("import ");
        if ends(before) && quoted.starts_with('.') {
            paths.extend(quoted.split(['"', '\'']).next());
        }
        is_open = false;
    }
    paths
}
