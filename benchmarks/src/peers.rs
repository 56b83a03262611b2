//! Figures of other systems, for comparison.

/// Gas of another system's verification, measured with forge 1.7.1 for the EVM version osaka, with cold storage,
/// execution only; docs/performance.md says what each figure covers.
pub struct Peer {
    /// Contract and function.
    pub name: &'static str,
    /// The curve or curves.
    pub curve: &'static str,
    /// Gas by the number of non-signers: 0, 1 and 10.
    pub gas: [Option<u64>; 3],
}

/// EigenLayer's middleware.
pub const EIGENLAYER: Peer = Peer {
    name: "EigenLayer middleware, `checkSignatures`",
    curve: "BN254",
    gas: [Some(202_985), Some(219_405), Some(366_753)],
};

/// Symbiotic's verifier of compressed operator sets.
pub const SYMBIOTIC: Peer =
    Peer { name: "Symbiotic, `SigVerifierBlsBn254Simple`", curve: "BN254", gas: [Some(171_536), None, Some(236_036)] };

/// All, the closest to Assent's task first.
pub const PEERS: [Peer; 5] = [
    Peer { name: "Newton, protected call (10 operators)", curve: "BN254", gas: [Some(525_953), None, None] },
    EIGENLAYER,
    Peer {
        name: "EigenLayer, `BN254CertificateVerifier`",
        curve: "BN254",
        gas: [Some(185_070), None, Some(1_153_033)],
    },
    SYMBIOTIC,
    Peer { name: "randa-mu `BLS2`, one signature, key given", curve: "BLS12-381", gas: [Some(130_768), None, None] },
];

/// How long another system takes from a request to an authorization, as it says itself.
pub struct DecisionPeer {
    /// The system.
    pub name: &'static str,
    /// The seconds.
    pub seconds: f64,
}

/// All systems whose time is known.
pub const DECISION_PEERS: [DecisionPeer; 1] = [DecisionPeer { name: "Newton, by its own words", seconds: 4.0 }];
