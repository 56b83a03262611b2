//! Errors of the configuration say what to do, before anything is done.

use std::fs;

use crate::process::{command, failed, succeeded};

/// The page for those who run an operator.
pub const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operate.md");

/// What the program says about a configuration that it can use.
const VALID: &str = "the configuration is valid; neither node nor gateways were asked\n";

/// A configuration whose key and journal exist.
const CONFIGURATION: &str = r#"
operator = "0x0101010101010101010101010101010101010101"
key = "operator.key"
rpc-url = "http://127.0.0.1:8545/key-of-the-node"
task-manager = "0x0202020202020202020202020202020202020202"
gateways = ["wss://gateway.example/operators"]
policies = ["policies"]
journal = "journal.redb"
evidence = "evidence"
"#;

#[test]
fn a_configuration_is_checked_without_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| command().current_dir(folder.path()).args(arguments).output().unwrap();
    let write = |text: &str| fs::write(folder.path().join("operator.toml"), text).unwrap();
    let check = || run(&["--config", "operator.toml", "--check-config"]);
    let check_with = |arguments: &[&str]| run(&[&["--config", "operator.toml", "--check-config"], arguments].concat());
    write(CONFIGURATION);
    assert!(failed(&check()).contains("the journal journal.redb does not exist; run `assent-operator journal create`"));
    assert!(
        failed(&run(&["journal", "create", "--config", "operator.toml"])).contains("cannot read key file operator.key")
    );
    assent_signer::SecretKey::generate().unwrap().write_unencrypted(&folder.path().join("operator.key")).unwrap();
    assert!(succeeded(&run(&["journal", "create", "--config", "operator.toml"])).starts_with("created journal.redb"));
    assert!(failed(&run(&["journal", "create", "--config", "operator.toml"])).contains("already exists"));
    let error = failed(&check());
    assert!(error.contains("policies: the folder policies does not exist"), "{error}");
    fs::create_dir(folder.path().join("policies")).unwrap();
    assert_eq!(succeeded(&check()), VALID);

    write(&format!("{CONFIGURATION}jurnal = \"x\"\n"));
    assert!(failed(&check()).contains("unknown key `jurnal`; did you mean `journal`?"));
    write(CONFIGURATION);
    for (arguments, expected) in [
        (&["--gateways", "https://gateway.example"][..], "give one such as wss://gateway.example/operators"),
        (&["--rpc-url", "ftp://node"], "rpc-url has the scheme ftp"),
        (&["--secrets", "none.json"], "cannot read file of secrets none.json"),
        (&["--gateway-certificates", "operator.toml"], "has no certificate"),
        (&["--policies", "gopher://x"], "policies: gopher://x"),
        (&["--evidence-days", "1"], "evidence is kept for at least 60 days"),
        (&["--key", "none.key"], "cannot read key file none.key"),
        (&["--otlp-endpoint", "grpc://key-of-the-node"], "otlp-endpoint is not the URL of a collector"),
    ] {
        let error = failed(&check_with(arguments));
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert!(!error.contains("key-of-the-node"), "{error}");
    }

    // A variable counts before the file, and a flag before the variable.
    let mut variable = command();
    variable.current_dir(folder.path()).args(["--config", "operator.toml", "--check-config"]);
    variable.env("ASSENT_OPERATOR_MAX_TASKS", "0");
    assert!(failed(&variable.output().unwrap()).contains("max-tasks is 0"));
    assert_eq!(succeeded(&variable.args(["--max-tasks", "5"]).output().unwrap()), VALID);
}

#[test]
fn a_journal_that_is_an_old_copy_is_refused_and_can_be_overridden() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let arguments = [arguments, &["--config", "operator.toml"]].concat();
        command().current_dir(folder.path()).args(arguments).output().unwrap()
    };
    fs::write(folder.path().join("operator.toml"), CONFIGURATION).unwrap();
    assent_signer::SecretKey::generate().unwrap().write_unencrypted(&folder.path().join("operator.key")).unwrap();
    succeeded(&run(&["journal", "create"]));
    // An export with one entry, imported after the copy was made.
    let copy = fs::read(folder.path().join("journal.redb")).unwrap();
    let export = succeeded(&run(&["journal", "export"]));
    let (task_manager, hash) = ("07".repeat(20), "08".repeat(32));
    let entry = format!(
        "{{\"chainId\":\"1\",\"taskManager\":\"0x{task_manager}\",\"newest\":9,\"floor\":0,\"observations\":[],\
         \"attestations\":[{{\"taskId\":\"0x{hash}\",\"digest\":\"0x{hash}\",\"time\":9}}]}}"
    );
    let export = export.replace("\"data\": []", &format!("\"data\": [{entry}]"));
    fs::write(folder.path().join("export.json"), &export).unwrap();
    assert!(succeeded(&run(&["journal", "import", "export.json"])).starts_with("added 1 entries"), "{export}");
    assert!(succeeded(&run(&["journal", "import", "export.json"])).starts_with("added 0 entries; 1 were known"));

    fs::write(folder.path().join("journal.redb"), copy).unwrap();
    let error = failed(&run(&["journal", "export"]));
    assert!(error.contains("--accept-older-journal") && error.contains("it is an old copy"), "{error}");
    succeeded(&run(&["journal", "export", "--accept-older-journal"]));
}

#[test]
fn help_has_examples_and_every_option_of_the_file() {
    let help = succeeded(&command().arg("--help").output().unwrap());
    for expected in ["Examples:", "--check-config", "ASSENT_OPERATOR_RPC_URL", "password-file = "] {
        assert!(help.contains(expected), "{expected}\n{help}");
    }
    let page = fs::read_to_string(PAGE).unwrap();
    let (_, table) = page.split_once("<!-- configuration -->").unwrap();
    let (table, _) = table.split_once("<!-- end of configuration -->").unwrap();
    let keys = assent_operator::OperatorOptions::keys();
    for key in &keys {
        assert!(help.contains(&format!("--{key}")), "{key}");
        assert!(table.contains(&format!("\n| `{key}` |")), "docs/operate.md lacks {key}");
    }
    assert_eq!(table.matches("\n| `").count(), keys.len(), "docs/operate.md has another key");
}
