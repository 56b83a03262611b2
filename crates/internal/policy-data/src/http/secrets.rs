//! Secrets of an operator, which requests may carry and components never see.

use alloy_primitives::{B256, hex};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};
use zeroize::Zeroizing;

/// The fewest bytes of a secret. A shorter one would be found in answers that do not echo it.
const SHORTEST: usize = 8;
/// The most bytes of a secret.
const LONGEST: usize = 4096;

/// Secrets, each bound to a host and a policy.
///
/// A policy's author writes only the name, as `{{secret:NAME}}`: the operator decides where the value is sent.
#[derive(Default)]
pub struct Secrets {
    values: BTreeMap<Binding, Zeroizing<String>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Binding {
    policy_id: B256,
    host: String,
    name: String,
}

/// Why a secret is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The name is malformed.
    #[error("{name:?} is not the name of a secret: use A-Z, 0-9 and _")]
    Name {
        /// The name.
        name: String,
    },
    /// The host is not one that a manifest could name, and so would never match.
    #[error("{host:?}, to which {name} is bound, is not a host as a manifest names it, such as api.example:8443")]
    Host {
        /// The name.
        name: String,
        /// The host.
        host: String,
    },
    /// The value cannot be in a header, or is too short to be found in an answer.
    #[error("the value of {name} is not {SHORTEST} to {LONGEST} visible ASCII characters")]
    Value {
        /// The name.
        name: String,
    },
    /// There is one already.
    #[error("the secret {name} is bound to {host} and the policy twice")]
    Twice {
        /// The name.
        name: String,
        /// The host.
        host: String,
    },
}

/// Why a file of secrets is refused. The text has nothing of what was read but names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsFileError {
    /// The text is not an array of secrets. The parser's own words can quote a value.
    #[error(
        "line {line}, column {column}\nit is an array of {{\"name\": \"KEY\", \"host\": \"api.example.com\", \
         \"policyId\": \"0x…\", \"value\": \"…\"}}; \"variable\" instead of \"value\" names an environment variable"
    )]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A variable is not set.
    #[error("the environment variable {variable} of the secret {name} is not set; export it")]
    NoVariable {
        /// The secret.
        name: String,
        /// The variable.
        variable: String,
    },
    /// A secret has no value, or two.
    #[error("the secret {0} needs one of \"value\" and \"variable\"")]
    NotOneValue(String),
    /// A secret cannot be bound.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// A secret of a file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileSecret {
    name: String,
    host: String,
    policy_id: B256,
    #[serde(default)]
    value: Option<String>,
    /// The environment variable that has the value.
    #[serde(default)]
    variable: Option<String>,
}

/// Why there is no value for a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Unknown,
    NotBound,
}

impl Secrets {
    /// Parses a file of secrets, which is an array of objects. Each has `name`, `host`, `policyId`, and either `value`
    /// or the name of a `variable`, which `variables` looks up.
    ///
    /// # Errors
    /// [`SecretsFileError`].
    pub fn parse(text: &[u8], variables: impl Fn(&str) -> Option<String>) -> Result<Self, SecretsFileError> {
        let secrets = serde_json::from_slice::<Vec<FileSecret>>(text)
            .map_err(|error| SecretsFileError::Malformed { line: error.line(), column: error.column() })?;
        let mut bound = Self::default();
        for FileSecret { name, host, policy_id, value, variable } in secrets {
            let value = match (value, variable) {
                (Some(value), None) => Zeroizing::new(value),
                (None, Some(variable)) => match variables(&variable) {
                    Some(value) => Zeroizing::new(value),
                    None => return Err(SecretsFileError::NoVariable { name, variable }),
                },
                _ => return Err(SecretsFileError::NotOneValue(name)),
            };
            bound.insert(&name, &host, policy_id, value)?;
        }
        Ok(bound)
    }

    /// Adds a secret. The host is as the manifest names it.
    ///
    /// # Errors
    /// If the name or the value is malformed, or the name is bound to host and policy already.
    pub fn insert(
        &mut self,
        name: &str,
        host: &str,
        policy_id: B256,
        value: Zeroizing<String>,
    ) -> Result<(), SecretError> {
        if !is_name(name) {
            return Err(SecretError::Name { name: name.to_owned() });
        }
        if !assent_policy::is_host(host) {
            return Err(SecretError::Host { name: name.to_owned(), host: host.to_owned() });
        }
        let is_length = (SHORTEST..=LONGEST).contains(&value.len());
        if !is_length || !value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(SecretError::Value { name: name.to_owned() });
        }
        let binding = Binding { policy_id, host: host.to_owned(), name: name.to_owned() };
        if self.values.contains_key(&binding) {
            return Err(SecretError::Twice { name: name.to_owned(), host: host.to_owned() });
        }
        self.values.insert(binding, value);
        Ok(())
    }

    /// Returns the value that is bound to a host and a policy.
    pub(super) fn get(&self, name: &str, host: &str, policy_id: B256) -> Result<&str, Missing> {
        let binding = Binding { policy_id, host: host.to_owned(), name: name.to_owned() };
        if let Some(value) = self.values.get(&binding) {
            return Ok(value);
        }
        let is_known = self.values.keys().any(|binding| binding.name == name);
        Err(if is_known { Missing::NotBound } else { Missing::Unknown })
    }

    /// Returns the name of a secret of the policy that a text contains: as it is, or in a usual encoding.
    pub(super) fn find(&self, text: &str, policy_id: B256) -> Option<&str> {
        let of_policy = self.values.iter().filter(|(binding, _)| binding.policy_id == policy_id);
        let mut lower = None;
        for (binding, value) in of_policy {
            let lower = lower.get_or_insert_with(|| Zeroizing::new(text.to_ascii_lowercase()));
            if is_in(value, text, lower) {
                return Some(&binding.name);
            }
        }
        None
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.values.keys()).finish()
    }
}

pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Returns whether a text contains a secret. `lower` is the text in lower case.
fn is_in(secret: &str, text: &str, lower: &str) -> bool {
    // Of no regard to case: hexadecimal and percent-encoded digits have either, and headers' names change theirs.
    let folded = [secret.to_owned(), hex::encode(secret), percent_encoded(secret), json_escaped(secret)];
    let folded = folded.map(|form| Zeroizing::new(form.to_ascii_lowercase()));
    folded.iter().any(|form| lower.contains(form.as_str()))
        || base64_forms(secret).iter().any(|form| text.contains(form.as_str()))
}

fn percent_encoded(secret: &str) -> String {
    let encode = |byte: u8| {
        let is_kept = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_kept { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    secret.bytes().map(encode).collect()
}

fn json_escaped(secret: &str) -> String {
    secret.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Returns what is in every base64 text of bytes that contain the secret, for its three alignments and both alphabets.
fn base64_forms(secret: &str) -> Vec<Zeroizing<String>> {
    let mut forms = vec![];
    for offset in 0..3_usize {
        // Only whole groups of three bytes do not depend on the bytes beside them.
        let aligned = secret.as_bytes().get(offset..).unwrap_or_default();
        let (groups, _rest) = aligned.as_chunks::<3>();
        let standard: String = groups.iter().flat_map(base64_group).collect();
        let url = standard.replace('+', "-").replace('/', "_");
        forms.extend([standard, url].map(Zeroizing::new));
    }
    forms
}

fn base64_group(group: &[u8; 3]) -> [char; 4] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let [first, second, third] = group.map(u32::from);
    let bits = (first << 16) | (second << 8) | third;
    [18, 12, 6, 0].map(|shift| {
        let index = usize::try_from((bits >> shift) & 0x3f).unwrap_or_default();
        char::from(ALPHABET.get(index).copied().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::{Missing, SecretError, Secrets};
    use alloy_primitives::{B256, hex};
    use zeroize::Zeroizing;

    const SECRET: &str = r#"p@ss/w"ord\+100%"#;

    fn insert(secrets: &mut Secrets, name: &str, value: &str) -> Result<(), SecretError> {
        secrets.insert(name, "api.example", B256::ZERO, Zeroizing::new(value.to_owned()))
    }

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        insert(&mut secrets, "KEY", SECRET).unwrap();
        secrets
    }

    #[test]
    fn a_secret_has_a_name_and_a_value_that_a_header_takes() {
        let mut secrets = secrets();
        assert!(matches!(insert(&mut secrets, "KEY", SECRET), Err(SecretError::Twice { .. })));
        assert!(insert(&mut secrets, "KEY_2", "12345678").is_ok());
        for name in ["", "key", "KEY-3", "KÉY"] {
            assert!(matches!(insert(&mut secrets, name, SECRET), Err(SecretError::Name { .. })), "{name}");
        }
        for value in ["", "1234567", "12345678\r\n", "1234567é"] {
            assert!(matches!(insert(&mut secrets, "OTHER", value), Err(SecretError::Value { .. })), "{value}");
        }
    }

    #[test]
    fn a_secret_is_bound() {
        let secrets = secrets();
        assert_eq!(secrets.get("KEY", "api.example", B256::ZERO), Ok(SECRET));
        assert_eq!(secrets.get("KEY", "other.example", B256::ZERO), Err(Missing::NotBound));
        assert_eq!(secrets.get("KEY", "api.example", B256::repeat_byte(1)), Err(Missing::NotBound));
        assert_eq!(secrets.get("NONE", "api.example", B256::ZERO), Err(Missing::Unknown));
    }

    #[test]
    fn a_secret_is_found_in_usual_encodings() {
        let secrets = secrets();
        let found = |text: &str| secrets.find(text, B256::ZERO) == Some("KEY");
        assert!(!found("p@ss") && !found(""));
        assert!(found(&format!("<{SECRET}>")));
        assert!(found(&format!("<{}>", SECRET.to_uppercase())));
        assert!(found(&hex::encode(SECRET)));
        assert!(found("p%40ss%2Fw%22ord%5C%2B100%25"));
        assert!(found("p%40ss%2fw%22ord%5c%2b100%25"));
        assert!(found(r#"{"got":"p@ss/w\"ord\\+100%"}"#));
        // What Python's base64 makes of it, of `:` and it, of `a:` and it, and in the URL's alphabet.
        for text in ["cEBzcy93Im9yZFwrMTAwJQ==", "OnBAc3MvdyJvcmRcKzEwMCU=", "YTpwQHNzL3cib3JkXCsxMDAl"] {
            assert!(found(text), "{text}");
        }
        assert_eq!(secrets.find(SECRET, B256::repeat_byte(1)), None);
    }

    #[test]
    fn secrets_are_not_printed() {
        let text = format!("{:?}", secrets());
        assert!(text.contains("KEY") && !text.contains("p@ss"), "{text}");
    }
}
