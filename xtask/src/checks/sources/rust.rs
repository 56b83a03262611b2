//! Imports of Rust: paths that start with `crate`, `super` or `self`.
//!
//! A path that names a re-export leads to the module that defines the item. Between a module and the modules that
//! contain it, paths lead both ways by nature; they are not counted.

use std::collections::BTreeMap;

use super::graph::Graph;

/// A module's path below its crate, `["backend", "blst"]`.
type ModulePath = Vec<String>;

struct Module<'a> {
    file: &'a str,
    /// Without comments and unit tests.
    code: String,
}

/// Reads the imports of each crate.
pub fn imports(sources: &BTreeMap<String, String>) -> Vec<Graph> {
    let mut crates: BTreeMap<&str, BTreeMap<ModulePath, Module>> = BTreeMap::new();
    for (file, text) in sources {
        let Some((package, below)) = file.strip_suffix(".rs").and_then(|stem| stem.split_once("/src/")) else {
            continue;
        };
        let mut path: ModulePath = below.split('/').map(str::to_owned).collect();
        if path.last().is_some_and(|name| name == "mod") || matches!(below, "lib" | "main") {
            path.pop();
        }
        // A program's main.rs is a crate beside lib.rs, and imports it by its name.
        if below == "main" && sources.contains_key(&format!("{package}/src/lib.rs")) {
            continue;
        }
        crates.entry(package).or_default().insert(path, Module { file, code: code(text) });
    }
    crates.values().map(of_crate).collect()
}

fn of_crate(modules: &BTreeMap<ModulePath, Module>) -> Graph {
    let mut graph = Graph::default();
    for (from, module) in modules {
        for path in paths(&module.code) {
            let Some(target) = resolve(modules, from, &path, 0) else { continue };
            let contains = from.starts_with(&target) || target.starts_with(from);
            if let Some(to) = modules.get(&target).filter(|_| !contains) {
                graph.add(module.file, to.file);
            }
        }
    }
    graph
}

/// The module that a path leads to, from within a module.
fn resolve(
    modules: &BTreeMap<ModulePath, Module>,
    from: &[String],
    path: &[String],
    depth: usize,
) -> Option<ModulePath> {
    let mut target = match path.first().map(String::as_str)? {
        "crate" => vec![],
        "self" => from.to_vec(),
        "super" => from.split_last()?.1.to_vec(),
        // Relative to the module itself, as in `use inner::Inner`.
        name if modules.contains_key(&[from, &[name.to_owned()]].concat()) => [from, &[name.to_owned()]].concat(),
        _ => return None,
    };
    let mut rest = path.get(1..)?;
    while let [name, others @ ..] = rest {
        let inner = [&target[..], std::slice::from_ref(name)].concat();
        if name == "super" {
            target.pop();
        } else if modules.contains_key(&inner) {
            target = inner;
        } else {
            return Some(defined_in(modules, &target, name, depth).unwrap_or(target));
        }
        rest = others;
    }
    Some(target)
}

/// The module whose item another one re-exports under this name.
fn defined_in(
    modules: &BTreeMap<ModulePath, Module>,
    exporter: &[String],
    name: &String,
    depth: usize,
) -> Option<ModulePath> {
    let code = &modules.get(exporter)?.code;
    let exported = code.match_indices("pub").flat_map(|(start, _)| {
        let rest = code[start + 3..].trim_start();
        let rest = if rest.starts_with('(') { rest.split_once(')').map_or("", |(_, rest)| rest) } else { rest };
        used(rest.trim_start())
    });
    let path = exported.filter(|path| path.last() == Some(name)).find(|path| path.len() > 1)?;
    if depth > 8 { None } else { resolve(modules, exporter, &path, depth + 1) }
}

/// Every path of a module: of its `use` declarations, and those in its code that start with `crate` or `super`.
fn paths(code: &str) -> Vec<ModulePath> {
    let is_start = |start: usize| !code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
    let declared = code.match_indices("use ").filter(|(start, _)| is_start(*start));
    let mut paths: Vec<_> = declared.flat_map(|(start, _)| used(&code[start..])).collect();
    for root in ["crate::", "super::"] {
        for (start, _) in code.match_indices(root).filter(|(start, _)| is_start(*start)) {
            let end = code[start..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let path = &code[start..start + end.unwrap_or(code.len() - start)];
            paths.push(path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect());
        }
    }
    paths
}

/// The paths of the `use` declaration at the beginning of a text.
fn used(text: &str) -> Vec<ModulePath> {
    let Some(tree) = text.strip_prefix("use ").and_then(|rest| rest.split(';').next()) else { return vec![] };
    let mut paths = vec![];
    expand(&[], tree.trim(), &mut paths);
    paths
}

/// Expands the braces of a `use` tree.
fn expand(prefix: &[String], tree: &str, paths: &mut Vec<ModulePath>) {
    let (head, group) = match tree.split_once('{') {
        Some((head, group)) => (head, group.rsplit_once('}').map(|(group, _)| group)),
        None => (tree, None),
    };
    let head = head.split(" as ").next().unwrap_or_default();
    let names = head.split("::").map(str::trim).filter(|name| !name.is_empty() && *name != "*").map(str::to_owned);
    let path: ModulePath = prefix.iter().cloned().chain(names).collect();
    match group {
        None if path.len() > 1 && path.last().is_some_and(|name| name == "self") => {
            paths.push(path[..path.len() - 1].to_vec());
        }
        None => paths.push(path),
        Some(group) => branches(group).iter().for_each(|branch| expand(&path, branch.trim(), paths)),
    }
}

/// Splits at the commas outside of inner braces.
fn branches(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let at_top = |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    };
    group.split(at_top).filter(|branch| !branch.trim().is_empty()).collect()
}

/// The code without line comments and what is compiled for tests only, which is at the end of a file.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    lines.collect::<Vec<_>>().join("\n")
}
