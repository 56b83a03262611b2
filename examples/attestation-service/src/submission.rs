//! The content of a request.

use crate::answer::Problem;
use alloy_primitives::Bytes;
use assent_verifier::{
    AttestationDocument, Authorization, Context, Difference, Intent,
    json::{ObjectOnly, hex},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// A call and the authorization for it, which parses.
pub struct Submission {
    pub intent: Intent,
    pub authorization: Authorization,
    /// The authorization's bytes.
    pub encoded: Vec<u8>,
    /// The document, if the request has one.
    document: Option<AttestationDocument>,
}

impl Submission {
    /// Reads an attestation document.
    pub fn from_document(body: &[u8]) -> Result<Self, Problem> {
        let document: AttestationDocument = read_json(body)?;
        let authorization = document.authorization().map_err(|error| Problem::malformed_request(error.to_string()))?;
        Ok(Self {
            intent: document.attestation.intent.clone(),
            encoded: authorization.encode(),
            authorization,
            document: Some(document),
        })
    }

    /// Reads an intent and an authorization.
    pub fn from_authorization(body: &[u8]) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(remote = "Self", deny_unknown_fields)]
        struct Fields {
            intent: Intent,
            #[serde(with = "hex")]
            authorization: Bytes,
        }
        impl<'de> Deserialize<'de> for Fields {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(ObjectOnly(deserializer))
            }
        }
        let Fields { intent, authorization: encoded } = read_json(body)?;
        let authorization = Authorization::parse(&encoded).map_err(Problem::malformed_authorization)?;
        Ok(Self { intent, authorization, encoded: encoded.into(), document: None })
    }

    /// Returns the fields in which the document differs from what is verified: the explanation of a refusal.
    ///
    /// Verification is for the context's client, so a document for another client must not be accepted.
    pub fn differences<L>(&self, context: &Context<L>) -> Vec<Difference> {
        let document = self.document.as_ref();
        document.map_or_else(Vec::new, |document| context.differences(document, &self.intent, &self.authorization))
    }
}

/// Reads JSON, with the field in the error.
fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer);
    let value = value.map_err(|error| Problem::malformed_request(error.to_string()))?;
    deserializer.end().map_err(|error| Problem::malformed_request(error.to_string()))?;
    Ok(value)
}
