//! What to do about errors that come from below: the file system, the network, a contract, a key file. What this program
//! finds wrong itself, it says in the error.

use anyhow::Error;
use assent_client::{ClientError, Revert};
use assent_contracts::deployment::InvalidDeployment;
use assent_signer::{KeyFileError, KeystoreError};
use assent_verifier::AuthorizationError;
use std::io::{self, ErrorKind};

/// What to do next, if the cause is one whose remedy is known.
pub fn of(error: &Error) -> Option<&'static str> {
    error.chain().find_map(|cause| {
        cause
            .downcast_ref()
            .and_then(of_client)
            .or_else(|| cause.downcast_ref().and_then(of_keystore))
            .or_else(|| cause.downcast_ref().and_then(of_key_file))
            .or_else(|| cause.downcast_ref().map(of_authorization))
            .or_else(|| cause.downcast_ref().and_then(of_file))
    })
}

fn of_client(error: &ClientError) -> Option<&'static str> {
    Some(match error {
        ClientError::Reverted { reason: Revert::Other { description, .. }, .. } => {
            return of_revert(description.as_deref()?);
        }
        ClientError::Transport(cause) => match cause.as_error_resp() {
            None => "check the URL, and that a node listens there; `anvil --hardfork osaka` starts one on this machine",
            Some(answer) if answer.message.to_lowercase().contains("funds") => {
                "give the sending account some of the chain's currency, or send from another account"
            }
            Some(_) => {
                "with --account the node must hold that account unlocked; sign here instead with --private-key-file"
            }
        },
        ClientError::UnexpectedAnswer { .. } | ClientError::NoContract { .. } => {
            "check the address and the node's chain: `assent deploy` prints where the contracts stand"
        }
        ClientError::Failed { .. } | ClientError::Receipt(_) | ClientError::MissingEffect { .. } => {
            "look the transaction up at the node before you send anything again"
        }
        ClientError::NoBlock | ClientError::NoSuchBlock { .. } => {
            "wait until the node has synchronised, or ask another"
        }
        ClientError::NoSuchEpoch { .. } => "`assent epoch show --operator-set NUMBER` shows the newest of a set",
        ClientError::OperatorTable { .. } => "ask another node: contracts write no such table",
        ClientError::PrecompilesMissing { .. } => "use a chain that has had Prague, or start `anvil --hardfork osaka`",
        ClientError::InvalidDeployment(InvalidDeployment::ZeroOwner) => "give the owner's address with --owner",
        ClientError::InvalidDeployment(InvalidDeployment::GracePeriodTooLong { .. }) => "give a shorter --grace-period",
        ClientError::Reverted { .. } | ClientError::Authorization(_) | ClientError::DeploymentProxyMissing { .. } => {
            return None;
        }
    })
}

/// By the name of the contract's error.
fn of_revert(description: &str) -> Option<&'static str> {
    Some(match description.split('(').next()? {
        "OwnableUnauthorizedAccount" => "only the contract's owner may do this: send it from the owner's account",
        "OperatorAlreadyRegistered" => "`assent operator rotate` replaces a registered operator's key",
        "OperatorNotRegistered" => "the operator has to register first: `assent operator register`",
        "KeyAlreadyUsed" => "a key is registered once and never again: make another with `assent keys new`",
        "InvalidProofOfPossession" => {
            "the proof is for another operator, registry or chain: check --registry and the node"
        }
        "OperatorsNotAscending" => "name each operator once",
        "OperatorWithoutWeight" => "its weight comes first: `assent weights set`; check --operator-set as well",
        "WrongOperatorCount" => "name at least one operator, and at most 2,000",
        "NoSuchEpoch" => "`assent epoch show --operator-set NUMBER` shows the newest epoch of a set",
        "AssentInvalidTaskManager" => "check --task-manager: `assent deploy` prints where it stands",
        "AssentInvalidPolicy" => {
            "the quorum is from 5001 to 10000 basis points, and neither policy id nor lifetime may be zero"
        }
        "NotAgent" => "only the vault's agent may call it: send from the agent's account",
        _ => return None,
    })
}

fn of_keystore(error: &KeystoreError) -> Option<&'static str> {
    Some(match error {
        KeystoreError::WrongPassword => {
            "check the password, and that it is this file's; nobody can read the key without it"
        }
        KeystoreError::EmptyPassword => "choose a password, or --unencrypted for a trial",
        KeystoreError::KeyOfAnotherScheme => "make a key for Assent: `assent keys new`",
        KeystoreError::TooLong
        | KeystoreError::NotAKeystore(_)
        | KeystoreError::Malformed { .. }
        | KeystoreError::Unsupported { .. }
        | KeystoreError::KeyDerivationOutOfBounds(_)
        | KeystoreError::PublicKeyMismatch
        | KeystoreError::Key(_) => "take the key file from a backup; `assent keys new` makes a new key",
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
        AuthorizationError::NoTrailingAuthorization { .. } => "an authorization follows a selector and its arguments",
        _ => "an authorization is what `assent attest` prints: check that it was copied whole",
    }
}

fn of_file(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::NotFound => "check the path; relative ones start from the directory that you are in",
        ErrorKind::PermissionDenied => "check the file's owner and permissions: `ls -l` shows them",
        ErrorKind::AlreadyExists => "give another name, or move the file that is there",
        ErrorKind::IsADirectory => "give a file, not a directory",
        ErrorKind::NotADirectory => "a part of the path is a file: give another directory",
        ErrorKind::StorageFull => "free some space on that disk",
        _ => return None,
    })
}
