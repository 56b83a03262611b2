//! The next step after an error of the file system, the network, a contract or a key file. Errors of this program
//! itself already have it in their text.

use anyhow::Error;
use assent_client::{ClientError, Revert};
use assent_contracts::deployment::InvalidDeployment;
use assent_signer::{KeyFileError, KeystoreError};
use assent_verifier::AuthorizationError;
use std::io::{self, ErrorKind};

/// Returns what to do next, if the remedy is known.
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
        ClientError::Reverted { reason: Revert::Other { description: Some(description), .. }, .. } => {
            return of_revert(description);
        }
        ClientError::Transport(cause) => match cause.as_error_resp() {
            None => {
                "check the URL, and that a node is running there; `anvil --hardfork osaka` starts one on this machine"
            }
            Some(answer) if answer.message.to_lowercase().contains("funds") => {
                "give the sending account some of the chain's currency, or send from another account"
            }
            Some(_) => "with --account, the node must have that account unlocked; or sign here with --private-key-file",
        },
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
        ClientError::PrecompilesMissing { .. } => {
            "use a chain with the Prague upgrade, or start `anvil --hardfork osaka`"
        }
        ClientError::InvalidDeployment(InvalidDeployment::ZeroOwner) => "give the owner's address with --owner",
        ClientError::InvalidDeployment(_) => {
            "--activation-delay and --grace-period together must be shorter than --epoch-lifetime, at most 30 days"
        }
        _ => return None,
    })
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
            "the change is proposed first, and applied after the activation delay"
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
