use assent_verifier::{
    Authorization, AuthorizationError, MerkleProof, NonSigners, QuorumProof, append_trailing, offset, split_trailing,
};

/// Authorizations, bitmaps and trailing calldata: what parses is written as the same bytes, so that nothing has two
/// spellings.
pub fn authorization(input: &[u8]) {
    if let Ok(authorization) = Authorization::parse(input) {
        assert_eq!(authorization.encode(), input);
        assert!(authorization.merkle_proof.as_slice().len() <= MerkleProof::MAX_LENGTH);
        if let QuorumProof::Direct { non_signers, .. } = &authorization.quorum_proof {
            assert_eq!(input[offset::BITMAP..][..usize::from(input[offset::BITMAP_LENGTH])], *non_signers.as_bytes());
        }
        let calldata = append_trailing(&[1, 2, 3, 4], &authorization).expect("a selector is enough");
        assert_eq!(split_trailing(&calldata), Ok((&[1, 2, 3, 4][..], input)));
    }
    bitmap(input);
    trailing(input);
}

fn bitmap(input: &[u8]) {
    let Ok(non_signers) = NonSigners::from_bytes(input) else { return };
    assert_eq!(non_signers.as_bytes(), input);
    assert_eq!(NonSigners::from_indices(non_signers.indices()), Ok(non_signers.clone()));
    assert_eq!(non_signers.count(), input.iter().map(|byte| byte.count_ones() as usize).sum::<usize>());
    assert_eq!(non_signers.is_empty(), input.is_empty());
    assert!(non_signers.indices().is_sorted_by(|one, next| one < next));
}

fn trailing(input: &[u8]) {
    match split_trailing(input) {
        Ok((calldata, authorization)) => {
            assert!(calldata.len() >= 4);
            let length = u16::try_from(authorization.len()).expect("the length is two bytes").to_be_bytes();
            assert_eq!([calldata, authorization, &length].concat(), input);
            if let Ok(parsed) = Authorization::parse(authorization) {
                assert_eq!(append_trailing(calldata, &parsed).expect("it was split from one"), input);
            }
        }
        Err(error) => assert_eq!(error, AuthorizationError::NoTrailingAuthorization { length: input.len() }),
    }
}
