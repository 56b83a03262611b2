//! Pages give the gas figures that forge measured last, and the sizes that the contracts have.

use std::{fs, path::Path};

#[test]
fn the_readme_gives_the_gas_figures_of_the_snapshots() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let snapshot = |name: &str| {
        fs::read_to_string(root.join(format!("snapshots/{name}.json"))).expect("`forge test` writes the snapshots")
    };
    let calls = snapshot("protectedCall");
    let call = |name: &str| figure(&calls, name).map(thousands).expect("a figure");
    for operators in [10, 100, 1000] {
        let figure = call(&format!("{operators} operators, 0 non-signers"));
        require(&readme, &format!("| **Assent**, 10 to 1,000 operators | {figure} |"));
    }
    require(&readme, &format!("The same call unprotected costs {}.", call("unprotected")));

    let use_of_256 = figure(&snapshot("recordedUse"), "batch of 256").map(thousands).expect("a figure");
    require(&readme, &format!("Under the recorded root of a batch of 256, a call costs {use_of_256}."));

    let floor = snapshot("floor");
    let [paid, sum] =
        ["paid", "sum"].map(|name| figure(&floor, name).expect("a figure").parse::<f64>().expect("a number"));
    require(&readme, &format!("Assent's figure is {:.1} % above the sum", (paid / sum - 1.0) * 100.0));
}

#[test]
fn the_page_about_stake_gives_the_gas_figures_of_the_snapshots() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("a file of the repository");
    let (page, snapshot) = (read("docs/stake.md"), read("snapshots/stake.json"));
    for operators in [1, 10, 100] {
        let of = ["", ", 3 strategies", ", 5 strategies", ", Symbiotic"]
            .map(|stake| figure(&snapshot, &format!("commit{operators}{stake}")).map(thousands).expect("a figure"));
        let row = format!("| {operators} | {} |", of.join(" | "));
        assert!(page.contains(&row), "docs/stake.md should have the row: {row}");
    }
    for slash in ["queue 50 slashes, Symbiotic", "slash, Symbiotic"] {
        let gas = figure(&snapshot, slash).map(thousands).expect("a figure");
        assert!(page.contains(&format!("{gas} gas")), "docs/stake.md should give {gas} gas for {slash}");
    }
    let offences = read("snapshots/offences.json");
    for fault in ["equivocation", "falseHandover"] {
        let gas = figure(&offences, fault).map(thousands).expect("a figure");
        assert!(page.contains(&gas), "docs/stake.md should give {gas} for {fault}");
    }
    let page = read("docs/crosschain.md");
    let snapshot = read("snapshots/crosschain.json");
    for operators in [10, 100] {
        let gas = figure(&snapshot, &format!("accept{operators}")).map(thousands).expect("a figure");
        let row = format!("| {operators} | {gas} |");
        assert!(page.contains(&row), "docs/crosschain.md should have the row: {row}");
    }
}

/// Counts as the page says: `grep -cvE '^\s*(//|/\*|$)'`.
#[test]
fn the_page_for_auditors_gives_the_contracts_lines_of_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/audit.md")).expect("the page");
    let mut rows = 0;
    for line in page.lines() {
        let Some((sources, count)) = line.split_once(" | ").filter(|(sources, _)| sources.starts_with("| [`")) else {
            continue;
        };
        let sources: Vec<_> = sources.split("](../").skip(1).filter_map(|rest| rest.split_once(')')).collect();
        if sources.is_empty() || sources.iter().any(|(path, _)| !path.ends_with(".sol")) {
            continue;
        }
        let code = sources.iter().flat_map(|(path, _)| {
            let source = fs::read_to_string(root.join(path)).expect("a contract");
            source.lines().map(|line| line.trim_start().to_owned()).collect::<Vec<_>>()
        });
        let actual = code.filter(|line| !["//", "/*"].iter().any(|start| line.starts_with(start)) && !line.is_empty());
        let (given, _) = count.split_once(" | ").expect("a number of lines");
        assert_eq!(given, actual.count().to_string(), "docs/audit.md, lines of code of {:?}", sources[0].0);
        rows += 1;
    }
    assert!(rows >= 11, "the table's rows are found: {rows}");
}

#[test]
fn the_readme_gives_the_peers_figures_of_the_performance_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let [readme, page] =
        ["README.md", "docs/performance.md"].map(|file| fs::read_to_string(root.join(file)).expect("the page"));
    for (peer, gas) in [("Newton", "525,953"), ("`checkSignatures`", "202,985"), ("Symbiotic", "171,536")] {
        let in_page = page.lines().any(|line| line.contains(peer) && line.contains(&format!("| {gas} |")));
        assert!(in_page, "docs/performance.md has another figure for {peer}");
        let in_readme = readme.lines().any(|line| line.contains(peer) && line.contains(&format!("| {gas} |")));
        assert!(in_readme, "README.md should give {gas} for {peer}");
    }
}

#[test]
fn the_readme_is_at_most_8192_bytes_long() {
    let readme = include_str!("../../../README.md");
    assert!(readme.len() <= 8192, "{} bytes: move a part to docs/", readme.len());
}

fn require(readme: &str, line: &str) {
    assert!(readme.contains(line), "the README should say: {line}");
}

/// The number of a name, in a file of lines such as `"name": "1234",`.
fn figure(snapshot: &str, name: &str) -> Option<String> {
    let line = snapshot.lines().find(|line| line.contains(&format!("\"{name}\"")))?;
    line.rsplit('"').nth(1).map(str::to_owned)
}

fn thousands(digits: String) -> String {
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
