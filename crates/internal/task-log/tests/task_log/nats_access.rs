//! Credentials for a real server: of a user of an account, and of an nkey.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, U256};
use assent_task_log::{Appended, Limits, NatsOptions, NatsTaskLog, OpenError, Task, TaskLog};
use data_encoding::BASE64URL_NOPAD;
use futures_executor::block_on;
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::nats_server::{NatsServer, is_installed};

/// Writes a file that only its owner may read.
fn private(folder: &Path, name: &str, contents: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, contents).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// Connects with credentials, and returns the error if that is refused.
fn connect(address: String, credentials: Option<&Path>) -> Result<NatsTaskLog, OpenError> {
    let mut options = NatsOptions::new([address]);
    options.credentials = credentials.map(Into::into);
    block_on(NatsTaskLog::connect(options, Limits::default()))
}

fn require_works(log: &NatsTaskLog) {
    let id = B256::from(U256::from(1));
    let task = Task { id, caller: "alice".to_owned(), deadline: u64::MAX, body: vec![7; 20].into() };
    assert_eq!(block_on(log.append(task)).unwrap(), Appended::New);
}

/// Signs claims as NATS does.
fn jwt(issuer: &KeyPair, subject: &KeyPair, nats: Value) -> String {
    let (issuer_key, subject) = (issuer.public_key(), subject.public_key());
    let (issued_at, name) = (1_700_000_000, "test");
    let claims =
        json!({ "jti": subject, "iat": issued_at, "iss": issuer_key, "name": name, "sub": subject, "nats": nats });
    let encode = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", encode(json!({ "typ": "JWT", "alg": "ed25519-nkey" })), encode(claims));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

fn creds(jwt: &str, user: &KeyPair) -> String {
    let seed = user.seed().unwrap();
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}

#[test]
fn a_file_of_credentials_opens_the_log_of_an_account() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (operator, system, account) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account());
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
    });
    let account_claims = json!({ "type": "account", "version": 2, "limits": limits });
    // A system account has no JetStream.
    let mut system_claims = account_claims.clone();
    for key in ["mem_storage", "disk_storage", "streams", "consumer"] {
        system_claims["limits"].as_object_mut().unwrap().remove(key);
    }
    let config = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{\n{}: {}\n{}: {}\n}}\n",
        jwt(&operator, &operator, json!({ "type": "operator", "version": 2 })),
        system.public_key(),
        system.public_key(),
        jwt(&operator, &system, system_claims),
        account.public_key(),
        jwt(&operator, &account, account_claims),
    );
    let config = private(folder.path(), "server.conf", &config);
    let server = NatsServer::start_with(&["--config", config.to_str().unwrap()]);

    let user = KeyPair::new_user();
    let claims = json!({ "type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1 });
    let valid = private(folder.path(), "gateway.creds", &creds(&jwt(&account, &user, claims.clone()), &user));
    require_works(&connect(server.url(), Some(&valid)).unwrap());

    // A user of another account, and another key than the user's.
    let other = jwt(&KeyPair::new_account(), &user, claims.clone());
    let stolen = jwt(&account, &user, claims);
    for contents in [creds(&other, &user), creds(&stolen, &KeyPair::new_user())] {
        let file = private(folder.path(), "other.creds", &contents);
        assert!(matches!(connect(server.url(), Some(&file)), Err(OpenError::Unreachable(_))));
    }
    assert!(matches!(connect(server.url(), None), Err(OpenError::Unreachable(_))));
}

#[test]
fn the_seed_of_an_nkey_opens_the_log() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let user = KeyPair::new_user();
    let config = format!("authorization {{ users = [ {{ nkey: \"{}\" }} ] }}\n", user.public_key());
    let config = private(folder.path(), "server.conf", &config);
    let server = NatsServer::start_with(&["--config", config.to_str().unwrap()]);
    let seed = private(folder.path(), "gateway.nk", &format!("{}\n", user.seed().unwrap()));
    require_works(&connect(server.url(), Some(&seed)).unwrap());
    let other = private(folder.path(), "other.nk", &KeyPair::new_user().seed().unwrap());
    assert!(matches!(connect(server.url(), Some(&other)), Err(OpenError::Unreachable(_))));
}

#[test]
fn credentials_that_cannot_be_used_are_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    // No server is asked.
    let refused = |address: &str, path: &Path| match connect(address.to_owned(), Some(path)) {
        Err(OpenError::Credentials(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it is accepted"),
    };
    let seed = KeyPair::new_user().seed().unwrap();
    let valid = private(folder.path(), "valid", &seed);
    let reason = refused("nats://alice:secret@127.0.0.1:9", &valid);
    assert!(reason.contains("give one of the two") && !reason.contains("secret"), "{reason}");
    let no_file = folder.path().join("none");
    assert!(refused("nats://127.0.0.1:9", &no_file).contains("cannot be read"));
    let half = private(folder.path(), "half", &format!("-----BEGIN NATS USER JWT-----\n{seed}"));
    let reason = refused("nats://127.0.0.1:9", &half);
    assert!(reason.contains("neither a .creds file nor an nkey's seed") && !reason.contains(&seed), "{reason}");
    let open = private(folder.path(), "open", &seed);
    fs::set_permissions(&open, Permissions::from_mode(0o644)).unwrap();
    let reason = refused("nats://127.0.0.1:9", &open);
    assert!(reason.contains("can be read by others") && !reason.contains(&seed), "{reason}");
}
