//! What no test reaches, with the reason. Identified by the text of the line, so that the list survives edits
//! elsewhere.

use std::fs;

use super::lcov::File;
use crate::runner::root;

struct Exception {
    file: &'static str,
    /// The line's text, without indentation.
    text: &'static str,
    kind: Kind,
    reason: &'static str,
}

enum Kind {
    Line,
    Branch,
}

const EXCEPTIONS: [Exception; 9] = [
    Exception {
        file: "crates/assent-verifier/src/backend/blst/mod.rs",
        text: "if let Some((free_g1, free_g2)) = free.next() {",
        kind: Kind::Branch,
        reason: "there is a slot for each factor, since factors come in chunks of as many as there are slots",
    },
    Exception {
        file: "crates/assent-verifier/src/batch.rs",
        text: "if let Some(is_true) = are_true.get_mut(*index) {",
        kind: Kind::Branch,
        reason: "the index was counted along the same calls; indexing could panic",
    },
    Exception {
        file: "crates/assent-verifier/src/combination.rs",
        text: "let Some(keys) = same_epoch.first().map(|term| term.claim.keys()) else { continue };",
        kind: Kind::Branch,
        reason: "`chunk_by` gives no empty chunk",
    },
    Exception {
        file: "crates/assent-types/src/connection.rs",
        text: "} // sol!",
        kind: Kind::Line,
        reason: "a function that `sol!` generates only for the type checker (`_type_assertion`)",
    },
    Exception {
        file: "crates/assent-types/src/digest.rs",
        text: "} // sol!",
        kind: Kind::Line,
        reason: "a function that `sol!` generates only for the type checker (`_type_assertion`)",
    },
    Exception {
        file: "crates/assent-types/src/epoch_approval.rs",
        text: "} // sol!",
        kind: Kind::Line,
        reason: "a function that `sol!` generates only for the type checker (`_type_assertion`)",
    },
    Exception {
        file: "crates/assent-types/src/epoch_handover.rs",
        text: "} // sol!",
        kind: Kind::Line,
        reason: "a function that `sol!` generates only for the type checker (`_type_assertion`)",
    },
    Exception {
        file: "crates/assent-types/src/non_signers.rs",
        text: "if let Some(byte) = bytes.get_mut(byte) {",
        kind: Kind::Branch,
        reason: "the bitmap was lengthened to hold the byte in the line before",
    },
    Exception {
        file: "crates/assent-types/src/observation.rs",
        text: "} // sol!",
        kind: Kind::Line,
        reason: "a function that `sol!` generates only for the type checker (`_type_assertion`)",
    },
];

/// Adds to a file which of its unreached lines and branches are excused.
///
/// # Errors
/// If the source cannot be read.
pub fn excuse(file: &mut File) -> Result<(), String> {
    let source = fs::read_to_string(root().join(&file.path)).map_err(|error| format!("{}: {error}", file.path))?;
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    for exception in EXCEPTIONS.iter().filter(|exception| exception.file == file.path) {
        let has_text = |line: &usize| lines.get(line.saturating_sub(1)) == Some(&exception.text);
        let excused: Vec<_> = match exception.kind {
            Kind::Line => file.unreached_lines().filter(has_text).collect(),
            Kind::Branch => file.unreached_branches().filter(has_text).collect(),
        };
        if excused.is_empty() {
            file.needless_exceptions.push(format!("`{}`, {}: {}", exception.text, file.path, exception.reason));
        }
        match exception.kind {
            Kind::Line => file.excused_lines.extend(excused),
            Kind::Branch => file.excused_branches.extend(excused),
        }
    }
    Ok(())
}
