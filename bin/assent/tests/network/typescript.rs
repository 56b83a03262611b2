//! TypeScript against a local network: the package's tests, and the examples that use it.

use super::{Network, command::Desk};
use assent_examples::ARTIFACTS;
use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A network with two gateways, and a folder from which Node's programs see the packages.
struct Workshop {
    desk: Desk,
    network: Network,
    root: PathBuf,
}

impl Workshop {
    /// The packages are those that forge, which compiles the contracts, comes with.
    fn open() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository");
        let modules = root.join("node_modules");
        let desk = Desk::new();
        let package = "node_modules/@assent/viem";
        fs::create_dir_all(desk.path(package)).expect("a folder");
        for entry in fs::read_dir(&modules).expect("node_modules").map(|entry| entry.expect("an entry").file_name()) {
            if entry != "@assent" {
                symlink(modules.join(&entry), desk.path("node_modules").join(&entry)).expect("a link");
            }
        }
        symlink(ARTIFACTS, desk.path("out")).expect("a link");
        fs::copy(root.join("packages/viem/package.json"), desk.path(package).join("package.json")).expect("copied");
        let workshop = {
            let data = desk.path("network");
            let data = data.to_str().expect("UTF-8");
            let (network, report) =
                Network::with_json(&desk, &["--rpc-port", "0", "--gateways", "2", "--data-dir", data]);
            desk.write("network.json", report.to_string());
            Self { desk, network, root }
        };
        let (project, dist) =
            (workshop.root.join("packages/viem/tsconfig.json"), workshop.desk.path(package).join("dist"));
        workshop.tsc(&["--project", text(&project), "--outDir", text(&dist)]);
        workshop
    }

    fn tsc(&self, arguments: &[&str]) {
        let compiler = self.root.join("node_modules/typescript/bin/tsc");
        self.node(&[&[text(&compiler)], arguments].concat());
    }

    /// Runs a program of Node in the folder, and returns what it printed.
    #[track_caller]
    fn node(&self, arguments: &[&str]) -> String {
        let mut node = Command::new("node");
        node.args(arguments).current_dir(self.desk.path("")).env("NETWORK", self.desk.path("network.json"));
        let Output { status, stdout, stderr } = node.output().expect("Node runs");
        let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{arguments:?} ended with {status}:\n{out}\n{err}");
        out.into_owned()
    }

    /// Copies a file of the repository to the same path in the folder.
    fn copy(&self, path: &str) {
        let to = self.desk.path(path);
        fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        fs::copy(self.root.join(path), to).expect("copied");
    }

    /// Runs an example, and requires that it prints these words in this order.
    #[track_caller]
    fn example(&self, path: &str, arguments: &[&str], words: &[&str]) {
        self.copy(path);
        let printed = self.node(&[&[path], arguments].concat());
        let mut rest = printed.as_str();
        for word in words {
            let Some((_, after)) = rest.split_once(word) else { panic!("{word:?} does not follow in:\n{printed}") };
            rest = after;
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn the_package_asks_real_operators_through_two_gateways() {
    let workshop = Workshop::open();
    workshop.copy("packages/viem/test/network/network.test.ts");
    let options = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "--types", "node"];
    let output = ["--target", "es2022", "--module", "nodenext", "--outDir", "tests"];
    workshop.desk.write("package.json", r#"{ "type": "module" }"#);
    workshop.tsc(&[&options[..], &output, &["packages/viem/test/network/network.test.ts"]].concat());
    workshop.node(&["--test", "tests/network.test.js"]);
    workshop.network.interrupt();
}

#[test]
fn the_example_of_erc_4337_pays_by_a_user_operation() {
    let workshop = Workshop::open();
    let denied = "900 EXT: deny: 900000000000000000000 is more than the limit of 500000000000000000000";
    let words = ["is the agent of the vault", "250 EXT: allow", "paid 250 EXT", "AttestationAlreadySpent", denied];
    workshop.example("examples/erc-4337/pay.mjs", &["network.json"], &words);
    workshop.network.interrupt();
}

#[test]
fn the_example_of_a_safe_pays_what_owners_and_operators_signed() {
    let workshop = Workshop::open();
    let policy = workshop.root.join("examples/safe/policy");
    let built = ["policy", "build", text(&policy), "--out", "network/policies/safe-payments.policy", "--json"];
    workshop.desk.write("policy.json", workshop.desk.run(&built).succeeded());
    let tested = workshop.desk.run(&["policy", "test", text(&policy)]);
    assert!(tested.status == Some(0), "{tested:?}");
    let denied = "5 ETH: deny: 5000000000000000000 wei is more than the limit of 1000000000000000000";
    let words = ["has the guard", "MalformedAuthorization", "1 ETH: allow", "paid 1 ETH", denied];
    workshop.example("examples/safe/pay.mjs", &["network.json", "policy.json"], &words);
    workshop.network.interrupt();
}
