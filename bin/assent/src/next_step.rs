//! The next step after an error of the file system, the network, a contract or a key file. Errors of this program
//! itself already have it in their text.

use anyhow::Error;
use assent_client::{ClientError, Revert, gateway::GatewayError};
use assent_contracts::deployment::InvalidDeployment;
use assent_signer::{KeyFileError, KeystoreError};
use assent_verifier::AuthorizationError;
use std::io::{self, ErrorKind};

/// Returns what to do next, if the remedy is known.
pub fn of(error: &Error) -> Option<&str> {
    error.chain().find_map(|cause| {
        cause
            .downcast_ref()
            .and_then(of_client)
            .or_else(|| cause.downcast_ref().map(GatewayError::next_step))
            .or_else(|| cause.downcast_ref().and_then(of_keystore))
            .or_else(|| cause.downcast_ref().and_then(of_key_file))
            .or_else(|| cause.downcast_ref().map(of_authorization))
            .or_else(|| cause.downcast_ref().and_then(of_file))
    })
}

fn of_client(error: &ClientError) -> Option<&'static str> {
    Some(match error {
        ClientError::Reverted { reason: Revert::Other { description: Some(description), .. }, .. } => {
            return of_revert(description);
        }
        ClientError::Reverted { reason: Revert::Other { data, .. }, .. } if data.is_empty() => {
            "check the address: a contract without the function that was called gives no reason"
        }
        ClientError::Transport(cause) => match cause.as_error_resp() {
            None => {
                "check the URL, and that a node is running there; `anvil --hardfork osaka` starts one on this machine"
            }
            Some(answer) => return of_answer(answer.code, &answer.message),
        },
        ClientError::DeploymentProxyMissing { .. } => {
            "`assent deploy --without-proxy` deploys at addresses that depend on the sending account"
        }
        ClientError::UnexpectedAnswer { .. } | ClientError::NoContract { .. } => {
            "check the address and the node's chain: `assent deploy` prints the contracts' addresses"
        }
        ClientError::Failed { .. } | ClientError::Receipt(_) | ClientError::MissingEffect { .. } => {
            "look up the transaction on the node before you send anything again"
        }
        ClientError::NoBlock | ClientError::NoSuchBlock { .. } => {
            "wait until the node is synchronized, or use another node"
        }
        ClientError::NoSuchEpoch { .. } => "`assent epoch show --operator-set NUMBER` shows the newest of a set",
        ClientError::OperatorTable { .. } => "use another node: the contracts never write such a table",
        ClientError::ChainNotSupported { .. } => {
            "use a chain with that upgrade, or start `anvil --hardfork osaka` on this machine"
        }
        ClientError::InvalidDeployment(InvalidDeployment::ZeroOwner) => "give the owner's address with --owner",
        ClientError::InvalidDeployment(_) => {
            "--activation-delay and --grace-period together must be shorter than --epoch-lifetime, at most 30 days"
        }
        _ => return None,
    })
}

/// JSON-RPC 2.0: the method does not exist.
const METHOD_NOT_FOUND: i64 = -32601;

/// Parts of nodes' messages, in lower case, with the next step. The first that matches counts.
const ANSWERS: [(&[&str], &str); 7] = [
    (
        &["insufficient funds", "lackoffund", "enough funds", "doesn't have enough", "insufficient balance"],
        "give the sending account some of the chain's currency, or send from another account",
    ),
    (
        &[
            "unknown account",
            "no signer",
            "eth_sendtransaction",
            "authentication needed",
            "account is locked",
            "could not unlock",
            "signer not found",
            "unable to sign",
        ],
        "with --account, the node must have that account unlocked; or sign here with --private-key-file",
    ),
    (
        &[
            "notactivated",
            "invalid opcode",
            "bad instruction",
            "invalidinstruction",
            "opcodenotfound",
            "invalid operation",
        ],
        "the chain lacks an instruction that the contracts use: use one with the Osaka upgrade, or start `anvil \
         --hardfork osaka` on this machine",
    ),
    (
        &["nonce too low", "nonce too high", "already known", "underpriced", "nonce has already been used"],
        "another transaction of the account is pending or was just mined: wait for it, then repeat the command",
    ),
    (
        &["missing trie node", "header not found", "state is not available", "historical state", "pruned", "archive"],
        "the node has not kept that state: use an archive node, or the latest block",
    ),
    (
        &["rate limit", "too many requests", "limit exceeded", "capacity", "request rate"],
        "the node limits how often it answers: wait, or use another node",
    ),
    (
        &["exceeds block gas limit", "gas limit too high", "gas required exceeds", "out of gas", "outofgas"],
        "the transaction does not fit into the node's gas limits: use another node, or do less in one command",
    ),
];

/// Returns the next step for a node's error, by its message: the codes differ from node to node.
fn of_answer(code: i64, message: &str) -> Option<&'static str> {
    let message = message.to_lowercase();
    let found = ANSWERS.iter().find(|(parts, _)| parts.iter().any(|part| message.contains(part)));
    match found {
        Some((_, next_step)) => Some(next_step),
        None if code == METHOD_NOT_FOUND => Some("the node does not have a method that this needs: use another node"),
        None => None,
    }
}

/// Returns the next step for a contract's error, by its name.
fn of_revert(description: &str) -> Option<&'static str> {
    Some(match description.split('(').next()? {
        "OwnableUnauthorizedAccount" => "only the contract's owner can do this: send it from the owner's account",
        "OperatorAlreadyRegistered" => "`assent operator rotate` replaces a registered operator's key",
        "OperatorNotRegistered" => "the operator has to register first: `assent operator register`",
        "KeyAlreadyUsed" => "a key can be registered only once: make another with `assent keys new`",
        "InvalidProofOfPossession" => {
            "the proof is for another operator, registry or chain: check --registry and the node"
        }
        "OperatorsNotAscending" => "name each operator once",
        "EpochIsPending" => {
            "`assent epoch activate` or `assent epoch approve` comes first; `assent epoch list` shows it"
        }
        "EpochNotPending" => "`assent epoch list` shows the epochs that are pending",
        "ActivationTooEarly" => "wait until then, or have the current operators approve it: `assent epoch approve`",
        "NoEpochInForce" => {
            "no epoch of the set can approve: activate it after the delay, with `assent epoch activate`"
        }
        "InvalidApproval" => "sign again with `assent epoch sign`: the deadline or the epochs differ",
        "ChangeNotProposed" | "ChangeTooEarly" => {
            "`assent registry propose` proposes the change, and `assent registry apply` applies it after the delay"
        }
        "WrongOperatorCount" => {
            "name 1 to 2,000 operators with a key (`assent operator register`) and weight (`assent weights set`)"
        }
        "NoSuchEpoch" => "`assent epoch show --operator-set NUMBER` shows the newest epoch of a set",
        "AssentInvalidTaskManager" => "check --task-manager: `assent deploy` prints its address",
        "AssentInvalidPolicy" => {
            "the quorum must be from 5001 to 10000 basis points, and policy id and lifetime must not be zero"
        }
        "NotAgent" => "only the vault's agent can call it: send from the agent's account",
        _ => return None,
    })
}

fn of_keystore(error: &KeystoreError) -> Option<&'static str> {
    Some(match error {
        KeystoreError::WrongPassword => {
            "check that the password is this file's; the key cannot be recovered without it"
        }
        KeystoreError::EmptyPassword => "choose a password, or use --unencrypted for a trial",
        KeystoreError::KeyOfAnotherScheme => "make a key for Assent: `assent keys new`",
        KeystoreError::TooLong
        | KeystoreError::NotAKeystore(_)
        | KeystoreError::Malformed { .. }
        | KeystoreError::Unsupported { .. }
        | KeystoreError::KeyDerivationOutOfBounds(_)
        | KeystoreError::PublicKeyMismatch
        | KeystoreError::Key(_) => "restore the key file from a backup; `assent keys new` makes a new key",
        _ => return None,
    })
}

fn of_key_file(error: &KeyFileError) -> Option<&'static str> {
    match error {
        KeyFileError::NotHex | KeyFileError::Key(_) => Some("`assent keys new` makes a key file"),
        _ => None,
    }
}

fn of_authorization(error: &AuthorizationError) -> &'static str {
    match error {
        AuthorizationError::NoTrailingAuthorization { .. } => {
            "an authorization is appended to a selector and its arguments"
        }
        _ => "an authorization is what `assent attest` prints: check that it was copied completely",
    }
}

fn of_file(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::NotFound => "check the path; relative paths start from the current directory",
        ErrorKind::PermissionDenied => "check the file's owner and permissions: `ls -l` shows them",
        ErrorKind::AlreadyExists => "give another name, or move the existing file",
        ErrorKind::IsADirectory => "give a file, not a directory",
        ErrorKind::NotADirectory => "part of the path is a file: give another directory",
        ErrorKind::StorageFull => "free some space on that disk",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::of_answer;

    /// What nodes say, and a word of the advice: none for an error that none of it is about.
    #[test]
    fn advice_is_given_only_for_the_error_it_is_about() {
        let answers = [
            (-32000, "unknown account", Some("unlocked")),
            (-32602, "No Signer available", Some("unlocked")),
            (-32601, "The method eth_sendTransaction does not exist/is not available", Some("unlocked")),
            (-32000, "authentication needed: password or unlock", Some("unlocked")),
            (-32000, "insufficient funds for gas * price + value: balance 0", Some("currency")),
            (-32003, "Insufficient funds for gas * price + value", Some("currency")),
            (-32603, "EVM error NotActivated", Some("Osaka")),
            (-32000, "invalid opcode: opcode 0x1e not defined", Some("Osaka")),
            (-32015, "VM execution error. Bad instruction 1e", Some("Osaka")),
            (-32601, "the method eth_feeHistory does not exist/is not available", Some("another node")),
            (-32003, "nonce too low", Some("pending")),
            (-32000, "replacement transaction underpriced", Some("pending")),
            (-32000, "missing trie node 12ab (path )", Some("archive")),
            (-32005, "daily request count exceeded, request rate limited", Some("limits how often")),
            (-32000, "execution aborted (timeout = 5s)", None),
            (-32603, "Internal error", None),
            (-32000, "execution reverted", None),
        ];
        for (code, message, expected) in answers {
            match (of_answer(code, message), expected) {
                (None, None) => {}
                (Some(advice), Some(word)) => assert!(advice.contains(word), "{message}: {advice}"),
                (advice, _) => panic!("{message}: {advice:?}"),
            }
        }
    }
}
