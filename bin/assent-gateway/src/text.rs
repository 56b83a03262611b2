//! Texts with a limit.

/// Returns the longest part of a text from its start that has at most so many bytes.
pub(crate) fn bounded(text: &str, most: usize) -> &str {
    let end = text.floor_char_boundary(most.min(text.len()));
    text.get(..end).unwrap_or_default()
}
