//! The document of the documentation's examples: every field is set, and its signature signs nothing.

use assent_types::AttestationDocument;

pub fn document() -> AttestationDocument {
    include!("../../doc/document.rs")
}
