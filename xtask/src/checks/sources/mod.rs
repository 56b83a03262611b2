//! Rules about the text of all sources: the width of lines, and the direction of imports.

mod graph;
mod relative;
mod rust;
mod scratch;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::runner::{printed, root};
use graph::Graph;

const ENDINGS: [&str; 6] = ["js", "mjs", "py", "rs", "sol", "ts"];

const WIDEST: usize = 120;

/// Generated files, whose lines may have any width.
const GENERATED: [&str; 2] = ["contracts/testing/AssentBytecode.sol", "packages/viem/src/abi.ts"];

/// What the core contracts must not import: the core can be deployed, and is audited, without these.
const BESIDE_THE_CORE: [&str; 6] = [
    "contracts/challenge/",
    "contracts/crosschain/",
    "contracts/examples/",
    "contracts/policy/",
    "contracts/stake/",
    "contracts/testing/",
];

/// Fails if a line is too wide, or modules or files import each other in a cycle. Fails also if a core contract imports
/// what is beside the core, or a value stays in scratch memory between two assembly blocks.
pub fn check() -> Result<(), String> {
    let sources = read()?;
    let mut faults = too_wide(&sources);
    faults.extend(scratch::faults(&sources));
    let relative = relative::imports(&sources);
    faults.extend(beside_the_core(&relative));
    for graph in rust::imports(&sources).into_iter().chain([relative]) {
        faults.extend(graph.cycles().iter().map(|cycle| format!("import cycle: {}", cycle.join(" -> "))));
    }
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    if faults.is_empty() { Ok(()) } else { Err(format!("{} faults in sources, listed above", faults.len())) }
}

/// Every source of the repository that git knows or would add, by its path.
fn read() -> Result<BTreeMap<String, String>, String> {
    let root = root();
    let arguments = ["-C", &root.to_string_lossy(), "ls-files", "--cached", "--others", "--exclude-standard"];
    let list = printed("git", &arguments).ok_or("git cannot list the repository's files")?;
    let is_source = |path: &&str| Path::new(path).extension().is_some_and(|end| ENDINGS.iter().any(|one| end == *one));
    let read = |path: &str| Some((path.to_owned(), fs::read_to_string(root.join(path)).ok()?));
    // A file that was deleted but not committed is still in the list.
    Ok(list.lines().filter(is_source).filter_map(read).collect())
}

fn too_wide(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = vec![];
    for (path, text) in sources.iter().filter(|(path, _)| !GENERATED.contains(&path.as_str())) {
        for (index, line) in text.lines().enumerate() {
            let width = line.chars().count();
            // A URL cannot be broken, and forge fmt does not break the line of a byte literal.
            if width > WIDEST && !line.contains("://") && !line.contains("hex\"") {
                faults.push(format!("{path}:{}: {width} columns, at most {WIDEST}", index + 1));
            }
        }
    }
    faults
}

fn beside_the_core(imports: &Graph) -> Vec<String> {
    let is_core = |path: &str| path.starts_with("contracts/") && !BESIDE_THE_CORE.iter().any(|of| path.starts_with(of));
    let is_beside = |path: &str| BESIDE_THE_CORE.iter().any(|folder| path.starts_with(folder));
    let crossing = imports.edges().filter(|(from, to)| is_core(from) && is_beside(to));
    crossing.map(|(from, to)| format!("{from}: a core contract imports {to}")).collect()
}

/// Resolves `.` and `..` of a path without asking the file system.
fn normalized(path: &Path) -> String {
    let mut parts: Vec<String> = vec![];
    for part in path.iter().map(|part| part.to_string_lossy()) {
        match &*part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part.into_owned()),
        }
    }
    parts.iter().collect::<PathBuf>().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources<const N: usize>(files: [(&str, &str); N]) -> BTreeMap<String, String> {
        files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn a_line_of_121_columns_is_too_wide_unless_it_has_a_url_or_a_byte_literal() {
        let url = format!("// https://{}", "x".repeat(WIDEST));
        let bytes = format!("bytes a = hex\"{}\";", "00".repeat(WIDEST));
        let (fits, wide) = ("é".repeat(WIDEST), "é".repeat(WIDEST + 1));
        let files = sources([("a.rs", &fits), ("b.rs", &wide), ("c.rs", &url), ("d.sol", &bytes)]);
        assert_eq!(too_wide(&files), ["b.rs:1: 121 columns, at most 120"]);
    }

    #[test]
    fn a_core_contract_imports_nothing_beside_the_core() {
        let files = sources([
            ("contracts/A.sol", "import {B} from \"./stake/B.sol\";\nimport {I} from \"./interfaces/I.sol\";"),
            ("contracts/stake/B.sol", "import {\n    I\n} from \"../interfaces/I.sol\";"),
            ("contracts/interfaces/I.sol", ""),
        ]);
        let faults = beside_the_core(&relative::imports(&files));
        assert_eq!(faults, ["contracts/A.sol: a core contract imports contracts/stake/B.sol"]);
    }

    #[test]
    fn files_that_import_each_other_are_a_cycle() {
        let files = sources([
            ("src/a.ts", "import { type B } from './b.js'"),
            ("src/b.ts", "export {\n  c\n} from \"./c.js\""),
            ("src/c.ts", "import \"./a.js\""),
            ("src/d.ts", "import { a } from \"./a.js\" // import \"./d.js\""),
        ]);
        assert_eq!(relative::imports(&files).cycles(), [["src/a.ts", "src/b.ts", "src/c.ts"]]);
    }

    #[test]
    fn modules_that_use_each_other_are_a_cycle() {
        let files = sources([
            ("x/src/lib.rs", "mod a; mod b; mod c; pub use a::A;"),
            ("x/src/a.rs", "use crate::{b::{B, self}, c};\n#[cfg(test)] mod tests { use crate::d::D; }"),
            ("x/src/b/mod.rs", "mod inner; use inner::Inner;"),
            ("x/src/b/inner.rs", "use super::B; fn f() { crate::c::g() }"),
            ("x/src/c.rs", "// use crate::d::D;\nuse super::A;"),
            ("x/src/d.rs", "use crate::a::A;"),
        ]);
        let [graph] = rust::imports(&files).try_into().ok().expect("one crate");
        assert_eq!(graph.cycles(), [["x/src/a.rs", "x/src/c.rs"]]);
    }
}
