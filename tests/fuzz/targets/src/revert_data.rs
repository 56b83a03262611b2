use assent_verifier::Refusal;

/// Revert data: what decodes is one refusal's, and that refusal's data is the same bytes.
pub fn revert_data(input: &[u8]) {
    if let Some(refusal) = Refusal::decode(input) {
        assert_eq!(refusal.revert_data(), input);
        assert!(refusal.signature().starts_with(refusal.name()));
        assert!(!refusal.to_string().is_empty());
    }
}
