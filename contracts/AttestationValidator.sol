// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {IRefusals} from "./interfaces/Protocol.sol";
import {Authorization} from "./libraries/Authorization.sol";
import {BLS12381, G1Point, G2Point} from "./libraries/BLS12381.sol";
import {HashToCurve} from "./libraries/HashToCurve.sol";
import {OperatorTable, TableEntry, TableHead} from "./libraries/OperatorTable.sol";
import {Quorum} from "./libraries/Quorum.sol";

/// @title Whether a quorum signed
/// @notice Checks 8 to 11 of the protocol: the epoch, the signed weight, and the aggregate BLS signature.
/// @dev Has no state of its own. It is a base of the TaskManager and not a contract beside it, because a call to one more
/// cold account would cost every authorization about 3,000 gas (docs/decisions).
abstract contract AttestationValidator is IRefusals {
    using Authorization for bytes;

    /// @dev Ciphersuite of the IETF BLS signature draft, section 4.2.3, which is also the domain separation tag.
    bytes internal constant SIGNATURE_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    /// @notice The registry whose epochs this validator knows.
    IOperatorRegistry public immutable OPERATOR_REGISTRY;

    /// @dev Refuses to be deployed on a chain that lacks a precompile (`PrecompileMissing`): every use would be refused.
    constructor(IOperatorRegistry operatorRegistry) {
        OPERATOR_REGISTRY = operatorRegistry;
        G2Point memory key = BLS12381.generatorG2();
        BLS12381.addInPlace(key, key);
        G1Point memory hashed = HashToCurve.hashToG1("", SIGNATURE_TAG);
        BLS12381.checkSignature(hashed, hashed, key);
    }

    /// @dev Refuses a digest unless a quorum of the operator set signed the root it stands under.
    /// @param operatorSet The operator set that the client trusts.
    /// @param quorum Least share of the epoch's weight, in basis points; the floor of `Quorum` holds whatever it is.
    /// @param digest The attestation's EIP-712 digest.
    /// @param authorization A well-formed authorization.
    function _requireQuorum(uint32 operatorSet, uint16 quorum, bytes32 digest, bytes calldata authorization)
        internal
        view
    {
        address table = _requireEpochInForce(operatorSet, authorization.epoch());
        TableHead memory head = OperatorTable.readHead(table);
        (G2Point memory negatedKey, uint256 absentWeight) = _withoutNonSigners(table, head, authorization.nonSigners());

        uint256 signed = head.totalWeight - absentWeight;
        uint256 required = Quorum.requiredWeight(head.totalWeight, quorum);
        if (signed < required) revert QuorumNotReached(signed, required);

        _requireSignature(authorization.root(digest), authorization.signature(), negatedKey);
    }

    /// @dev Check 8. Returns the head of the epoch's operator table.
    function _requireEpochInForce(uint32 operatorSet, uint32 epoch) private view returns (address) {
        (address table, uint32 setOfEpoch, uint48 validUntil) = OPERATOR_REGISTRY.epochs(epoch);
        // An epoch of another set is as good as none: its operators are not those the client trusts.
        if (table == address(0) || setOfEpoch != operatorSet) revert UnknownEpoch(epoch);
        if (block.timestamp >= validUntil) revert EpochRetired(epoch);
        return table;
    }

    /// @dev Adds each non-signer's key to the negated aggregate, which takes it away from the aggregate, and sums their
    /// weights.
    function _withoutNonSigners(address table, TableHead memory head, bytes calldata nonSigners)
        private
        view
        returns (G2Point memory negatedKey, uint256 absentWeight)
    {
        negatedKey = head.negatedAggregate;
        TableEntry memory entry;
        unchecked {
            // Sums of at most 2,040 weights of 96 bits, and counters that a bitmap's length bounds.
            for (uint256 i = 0; i < nonSigners.length; ++i) {
                uint256 bits = uint8(nonSigners[i]);
                for (uint256 index = 8 * i; bits != 0; (++index, bits >>= 1)) {
                    if (bits & 1 == 0) continue;
                    if (index >= head.operatorCount) revert MalformedAuthorization();
                    OperatorTable.readEntry(table, head, index, entry);
                    absentWeight += entry.weight;
                    BLS12381.addInPlace(negatedKey, entry.publicKey);
                }
            }
        }
    }

    /// @dev Checks 10 and 11. Infinity is refused before the pairing: with all operators absent it would pass there.
    function _requireSignature(bytes32 root, bytes calldata encoded, G2Point memory negatedKey) private view {
        G1Point memory signature = BLS12381.decodeG1(encoded);
        if (!BLS12381.isCanonical(signature) || BLS12381.isInfinity(signature)) revert MalformedSignature();

        G1Point memory hashed = HashToCurve.hashToG1(bytes.concat(root), SIGNATURE_TAG);
        (bool wellFormed, bool holds) = BLS12381.checkSignature(signature, hashed, negatedKey);
        // Of the points in this product only the signature can be bad: the others are computed or come from the registry.
        if (!wellFormed) revert MalformedSignature();
        if (!holds) revert InvalidSignature();
    }
}
