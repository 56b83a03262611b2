// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import {EpochId} from "../interfaces/Protocol.sol";
import {BLS12381} from "../libraries/BLS12381.sol";
import {HashToCurve} from "../libraries/HashToCurve.sol";
import {OperatorTable} from "../libraries/OperatorTable.sol";
import {Quorum} from "../libraries/Quorum.sol";
import {Pointer} from "../types/Pointer.sol";

/// @title EpochSignature
/// @notice Verifies what an epoch's operators sign about epochs, for all chains at once.
/// @dev The statements are EIP-712 structs under a domain without chain and contract. They name the chain and the
/// registry of the epoch, so one signature is valid on every chain.
library EpochSignature {
    /// @notice Thrown when the operators that signed have too little weight.
    error EpochQuorumNotReached(uint256 signed, uint256 required);
    /// @notice Thrown when the signature is not the canonical encoding of a point of G1's prime-order subgroup other
    /// than infinity.
    error MalformedEpochSignature();
    /// @notice Thrown when the operators that are said to have signed did not.
    error InvalidEpochSignature();

    /// @dev The domain separation tag. Separate from that of attestations, whose roots can be any 32 bytes.
    bytes internal constant TAG = "ASSENT_EPOCH_HANDOVER_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    /// @dev keccak256 of EIP712Domain(string name,string version), keccak256("Assent") and keccak256("1"). As a number,
    /// because the compiler would compute it each time.
    bytes32 private constant DOMAIN_SEPARATOR = 0x6f2e5ce29a99b83554b7668b85cc962c078e85188844edb425c67a92a6e11712;
    bytes32 private constant REVOCATION_TYPEHASH =
        keccak256("EpochRevocation(uint256 homeChain,address homeRegistry,uint32 epoch)");

    /// @notice Returns the digest of the statement that an epoch is revoked, which has no end and is valid anywhere.
    /// @param homeChain The chain of the registry.
    /// @param homeRegistry The registry that committed the epoch.
    /// @param epoch The epoch.
    function revocationDigest(uint256 homeChain, address homeRegistry, EpochId epoch) internal pure returns (bytes32) {
        return typedDigest(keccak256(abi.encode(REVOCATION_TYPEHASH, homeChain, homeRegistry, epoch)));
    }

    /// @notice Returns the digest of an EIP-712 struct with this hash.
    function typedDigest(bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, structHash));
    }

    /// @notice Reverts unless operators of an epoch signed that have this share of its weight.
    /// @param table The head of the epoch's operator table.
    /// @param quorum The share in basis points, without a floor.
    /// @param digest What they signed.
    /// @param tag The domain separation tag under which they signed: `TAG` for statements about epochs.
    /// @param nonSigners Bitmap of the operators that did not sign, as in an authorization.
    /// @param signature The aggregate signature, a point of G1 in 96 bytes.
    /// @return signed The weight that signed.
    /// @return total The epoch's whole weight.
    function requireSigned(
        address table,
        uint16 quorum,
        bytes32 digest,
        bytes memory tag,
        bytes calldata nonSigners,
        bytes calldata signature
    ) internal view returns (uint256 signed, uint256 total) {
        (Pointer product, Pointer hashed, Pointer negatedKey) = BLS12381.allocateProduct();
        (signed, total) = OperatorTable.signedWeight(table, nonSigners, negatedKey);
        uint256 required = Quorum.portionOf(total, quorum);
        if (signed < required) revert EpochQuorumNotReached(signed, required);
        // Infinity would be the signature of no signers.
        if (signature.length != BLS12381.G1_LENGTH || BLS12381.copyG1(signature, product)) {
            revert MalformedEpochSignature();
        }
        HashToCurve.hashWordToG1(digest, tag, hashed);
        (bool wellFormed, bool holds) = BLS12381.checkProduct(product, 2);
        if (!wellFormed) revert MalformedEpochSignature();
        if (!holds) revert InvalidEpochSignature();
    }
}
