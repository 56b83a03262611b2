//! The configuration: file, flags and variables.

use std::process::{Command, Output};

use assent_gateway::{GatewayConfig, GatewayOptions};
use clap::{Args, Command as Flags};

const FILE: &str = "
    listen = \"127.0.0.1:0\"
    metrics-listen = \"127.0.0.1:0\"
    names = [\"gateway.example:443\"]
    rpc-url = \"http://127.0.0.1:8545\"
    task-manager = \"0x1111111111111111111111111111111111111111\"
    policies = \"./policies\"
    task-log = \"tasks.redb\"
    task-log-certificates = \"authority.pem\"
    task-log-credentials = \"gateway.creds\"
    task-log-client-certificate = \"client.pem\"
    task-log-client-key = \"client.key\"
    task-log-stream = \"tasks\"
    task-log-max-bytes = 1000
    task-log-replicas = 3
    name = \"one\"
    evidence = [\"https://operator.example\"]
    tls-certificate = \"chain.pem\"
    tls-key = \"key.pem\"
    tokens = [\"alice:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"]
    cors-origins = [\"https://app.example\"]
    page = false
    page-replay = \"replay.js\"
    trust-forwarded-for = true
    rate = 1
    burst = 50
    max-connections = 3
    max-connections-per-address = 2
    max-operators = 4
    max-requests = 5
    max-requests-per-caller = 2
    max-tasks = 6
    max-body = 7
    max-batch = 8
    max-wait = 9
    batch-from = 13
    batch-tasks = 14
    batch-millis = 15
    default-lifetime = 10
    retention = 11
    poll = 12
    otlp-endpoint = \"http://127.0.0.1:4318\"
";

/// The part of the file that names the log and the gateway.
const NAMED: &str = "task-log = \"tasks.redb\"\n    task-log-certificates = \"authority.pem\"\n    \
    task-log-credentials = \"gateway.creds\"\n    task-log-client-certificate = \"client.pem\"\n    \
    task-log-client-key = \"client.key\"\n    task-log-stream = \"tasks\"\n    task-log-max-bytes = 1000\n    \
    task-log-replicas = 3\n    name = \"one\"\n";

fn program(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assent-gateway"));
    command.args(arguments).envs(variables.iter().copied()).output().unwrap()
}

fn options(text: &str) -> GatewayOptions {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    GatewayOptions::read_file(&path).unwrap()
}

#[test]
fn every_key_is_a_flag_and_a_variable() {
    let flags = GatewayOptions::augment_args(Flags::new("gateway"));
    for key in GatewayOptions::KEYS {
        let flag = flags.get_arguments().find(|argument| argument.get_id() == key).unwrap();
        let dashed = key.replace('_', "-");
        assert_eq!(flag.get_long(), Some(dashed.as_str()));
        let variable = format!("ASSENT_GATEWAY_{}", key.to_uppercase());
        assert_eq!(flag.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
        assert!(FILE.contains(&format!("\n    {dashed} = ")), "{dashed}");
    }
    assert_eq!(flags.get_arguments().count(), GatewayOptions::KEYS.len());
    // Each key of the file sets its option: without it, the options are others.
    for line in FILE.lines().filter(|line| !line.trim().is_empty()) {
        assert_ne!(options(FILE), options(&FILE.replace(line, "")), "{line}");
    }
    assert!(GatewayConfig::new(options(FILE)).is_ok());
}

#[test]
fn what_cannot_be_used_is_named() {
    let check = |from: &str, to: &str| {
        assert!(FILE.contains(from), "{from}");
        GatewayConfig::new(options(&FILE.replace(from, to))).err().map(|error| format!("{error:#}"))
    };
    assert_eq!(check("rate = 1", "rate = 1"), None);
    for (from, to, reason) in [
        ("rpc-url = \"http://127.0.0.1:8545\"", "", "rpc-url is missing: give --rpc-url, ASSENT_GATEWAY_RPC_URL, or"),
        ("http://127.0.0.1:8545", "ftp://127.0.0.1:8545", "rpc-url is not the http:// or https:// URL of a node"),
        ("http://127.0.0.1:8545", "127.0.0.1:8545", "rpc-url is not the http:// or https:// URL of a node"),
        ("rate = 1", "rate = 0", "rate is 0"),
        ("http://127.0.0.1:4318", "grpc://127.0.0.1:4317", "otlp-endpoint is not the URL of a collector"),
        ("batch-tasks = 14", "batch-tasks = 257", "a batch has at most 256 tasks"),
        ("batch-tasks = 14", "batch-tasks = 0", "batch-tasks is 0"),
        ("batch-millis = 15", "batch-millis = 0", "batch-millis is 0"),
        ("burst = 50", "burst = 7", "burst is 7, less than the 8 calls of a batch"),
        ("gateway.example:443", "gateway.example", "not host:port"),
        ("tls-key = \"key.pem\"", "", "tls-certificate and tls-key go together"),
        ("alice:2bb8", "alice:", "the token alice has no SHA-256"),
        ("name = \"one\"", "name = \"\"", "name is empty"),
        ("task-log-replicas = 3", "task-log-replicas = 2", "NATS keeps a stream on 1, 3 or 5 servers"),
        ("task-log-client-key = \"client.key\"", "", "task-log-client-certificate and task-log-client-key go together"),
        ("task-log-stream = \"tasks\"", "task-log-stream = \"a.b\"", "task-log-stream is not 1 to 64 letters"),
        ("task-log-max-bytes = 1000", "task-log-max-bytes = 0", "task-log-max-bytes is 0"),
        (NAMED, "task-log = \"nats://127.0.0.1:4222\"\n", "name is missing: gateways that share"),
    ] {
        let found = check(from, to).unwrap_or_else(|| panic!("{to} is taken"));
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn the_page_lists_every_key() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gateway.md")).unwrap();
    let (_, table) = page.split_once("<!-- configuration -->").unwrap();
    let (table, _) = table.split_once("<!-- end of configuration -->").unwrap();
    for key in GatewayOptions::KEYS {
        let key = key.replace('_', "-");
        assert!(table.contains(&format!("\n| `{key}` |")), "docs/gateway.md lacks {key}");
    }
    assert_eq!(table.matches("\n| `").count(), GatewayOptions::KEYS.len(), "docs/gateway.md has another key");
}

#[test]
fn a_configuration_file_has_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
    let error = format!("{:#}", GatewayOptions::read_file(&path).unwrap_err());
    assert!(error.contains("is longer than 1048576 bytes"), "{error}");
    let endless = std::path::Path::new("/dev/zero");
    if endless.exists() {
        let error = format!("{:#}", GatewayOptions::read_file(endless).unwrap_err());
        assert!(error.contains("is longer than 1048576 bytes"), "{error}");
    }
}

#[test]
fn the_program_checks_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let path = path.to_str().unwrap();
    // What the files lack is found before the start.
    let without_tls: String =
        FILE.lines().filter(|line| !line.contains("tls-")).map(|line| format!("{line}\n")).collect();
    for (text, expected) in
        [(FILE, "cannot read chain.pem"), (&without_tls, "policies: the folder ./policies does not exist")]
    {
        std::fs::write(path, text).unwrap();
        let output = program(&["--config", path, "--check-config"], &[]);
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(expected), "{error}");
    }
    std::fs::write(path, without_tls.replace("./policies", folder.path().to_str().unwrap())).unwrap();
    let output = program(&["--config", path, "--check-config"], &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "the configuration is valid; neither node nor task log were asked\n");
    // The files for NATS are read if the log is there.
    let nats = ["--config", path, "--check-config", "--task-log", "nats://127.0.0.1:4222"];
    for (arguments, expected) in [
        (&[][..], "cannot read authority.pem"),
        (&["--task-log-certificates", path], "gateway.toml has no certificate"),
    ] {
        let output = program(&[&nats, arguments].concat(), &[]);
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(expected), "{error}");
    }
    // A flag counts before a variable, and a variable before the file.
    let output = program(&["--config", path, "--check-config"], &[("ASSENT_GATEWAY_RATE", "0")]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("rate is 0"));
    let output = program(&["--config", path, "--check-config", "--rate", "3"], &[("ASSENT_GATEWAY_RATE", "0")]);
    assert!(output.status.success());
    std::fs::write(path, "rat = 1").unwrap();
    let output = program(&["--config", path, "--check-config"], &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown field `rat`"));
    let help = program(&["--help"], &[]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("Examples:") && help.contains("ASSENT_GATEWAY_TASK_LOG"), "{help}");
}
