//! The README tells the gas figures that forge measured last.

use std::{fs, path::Path};

#[test]
fn the_readme_tells_the_gas_figures_of_the_snapshots() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let snapshot = |name: &str| {
        fs::read_to_string(root.join(format!("snapshots/{name}.json"))).expect("`forge test` writes the snapshots")
    };
    let calls = snapshot("protectedCall");
    let figure_or_dash = |name: &str| figure(&calls, name).map_or_else(|| "–".to_owned(), thousands);
    for operators in [10, 100, 1000] {
        let [none, one, ten] =
            [0, 1, 10].map(|absent| figure_or_dash(&format!("{operators} operators, {absent} non-signers")));
        require(&readme, &format!("| {operators} | {none} | {one} | {ten} |"));
    }
    require(&readme, &format!("the same call unprotected costs {}.", figure_or_dash("unprotected")));

    let use_of_256 = figure(&snapshot("recordedUse"), "batch of 256").map(thousands).expect("a figure");
    require(&readme, &format!("a batch of 256 then costs {use_of_256}."));

    let floor = snapshot("floor");
    let [paid, sum] =
        ["paid", "sum"].map(|name| figure(&floor, name).expect("a figure").parse::<f64>().expect("a number"));
    require(&readme, &format!("That is {:.1} % above the sum", (paid / sum - 1.0) * 100.0));
}

fn require(readme: &str, line: &str) {
    assert!(readme.contains(line), "the README should say: {line}");
}

/// The number behind a name, in a file of lines such as `"name": "1234",`.
fn figure(snapshot: &str, name: &str) -> Option<String> {
    let line = snapshot.lines().find(|line| line.contains(&format!("\"{name}\"")))?;
    line.rsplit('"').nth(1).map(str::to_owned)
}

fn thousands(digits: String) -> String {
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
