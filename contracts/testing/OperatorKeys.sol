// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {BLS12381, G1Point, G2Point} from "../libraries/BLS12381.sol";
import {HashToCurve} from "../libraries/HashToCurve.sol";
import {Precompiles} from "../libraries/Precompiles.sol";

/// @title OperatorKeys
/// @notice Makes operators' keys and signatures in the EVM, for tests. A signature is one scalar multiplication of the
/// hashed message, which the MSM precompiles compute.
/// @dev Keys and signatures are in the encoding of docs/protocol.md: 192 and 96 bytes.
/// @dev Warning: Secrets that a chain computes with are public. Use these keys only in tests.
library OperatorKeys {
    /// @notice The order of G1 and G2 (RFC 9380, section 8.8).
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    /// @notice The domain separation tag of attestations (docs/protocol.md).
    bytes internal constant SIGNATURE_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
    /// @notice The domain separation tag of proofs of possession (docs/protocol.md).
    bytes internal constant POSSESSION_TAG = "BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
    /// @notice The tag of approvals of epochs (docs/protocol.md).
    bytes internal constant EPOCH_APPROVAL_TAG = "ASSENT_EPOCH_APPROVAL_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    /// @notice Returns the secret key of a test's operator.
    function secretKey(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", index))) % ORDER;
    }

    /// @notice Returns the public key of a secret key.
    function publicKey(uint256 secret) internal view returns (bytes memory) {
        (bool success, bytes memory point) = Precompiles.g2Multiply(abi.encode(BLS12381.generatorG2(), secret));
        require(success, "G2MSM refused the generator");
        return BLS12381.encode(abi.decode(point, (G2Point)));
    }

    /// @notice Returns the signature of an attestation's digest or a tree's root. For several operators give their
    /// secrets' sum.
    function sign(uint256 secret, bytes32 root) internal view returns (bytes memory) {
        return sign(secret, bytes.concat(root), SIGNATURE_TAG);
    }

    /// @notice Returns the signature of any message under any domain separation tag.
    function sign(uint256 secret, bytes memory message, bytes memory tag) internal view returns (bytes memory) {
        (bool success, bytes memory point) =
            Precompiles.g1Multiply(abi.encode(HashToCurve.hashToG1(message, tag), secret));
        require(success, "G1MSM refused a hashed message");
        return encodeG1(abi.decode(point, (G1Point)));
    }

    /// @notice Returns the proof of possession with which an operator registers a key.
    function proofOfPossession(uint256 secret, IOperatorRegistry registry, address operator, bytes memory key)
        internal
        view
        returns (bytes memory)
    {
        return sign(secret, bytes.concat(registry.proofOfPossessionDigest(operator, key)), POSSESSION_TAG);
    }

    /// @notice Returns the sum of two signatures: the aggregate signature.
    function add(bytes memory a, bytes memory b) internal view returns (bytes memory) {
        (bool success, bytes memory sum) = Precompiles.g1Add(abi.encode(BLS12381.decodeG1(a), BLS12381.decodeG1(b)));
        require(success, "G1ADD refused a point");
        return encodeG1(abi.decode(sum, (G1Point)));
    }

    /// @notice Returns a multiple of a signature.
    function multiply(bytes memory signature, uint256 scalar) internal view returns (bytes memory) {
        (bool success, bytes memory product) = Precompiles.g1Multiply(abi.encode(BLS12381.decodeG1(signature), scalar));
        require(success, "G1MSM refused a point");
        return encodeG1(abi.decode(product, (G1Point)));
    }

    /// @notice Returns a point of G1 in 96 bytes.
    function encodeG1(G1Point memory point) internal pure returns (bytes memory) {
        return abi.encodePacked(uint128(point.xHigh), point.xLow, uint128(point.yHigh), point.yLow);
    }
}
