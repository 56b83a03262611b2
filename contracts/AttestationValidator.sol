// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Epoch, IAttestationValidator, RecordedRoot, SignedRoot} from "./interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "./interfaces/Protocol.sol";
import {Authorization} from "./libraries/Authorization.sol";
import {BLS12381, G1Point, G2Point} from "./libraries/BLS12381.sol";
import {HashToCurve} from "./libraries/HashToCurve.sol";
import {OperatorTable} from "./libraries/OperatorTable.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {SignatureBatch} from "./libraries/SignatureBatch.sol";
import {Pointer} from "./types/Pointer.sol";

/// @title AttestationValidator
/// @notice Makes checks 8 to 11 of the protocol: the epoch, the signed weight, and the aggregate BLS signature.
/// @dev A base of the TaskManager and not a separate contract, because a call of one more cold account would cost every
/// authorization about 3,000 gas. For the same reason the registry publishes epochs and is not called (docs/decisions).
abstract contract AttestationValidator is IAttestationValidator {
    using Authorization for bytes;
    using SignatureBatch for SignatureBatch.Batch;

    /// @dev Ciphersuite of the IETF BLS signature draft, section 4.2.3, which is also the domain separation tag.
    bytes internal constant SIGNATURE_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    /// @inheritdoc IAttestationValidator
    address public immutable OPERATOR_REGISTRY;

    /// @inheritdoc IAttestationValidator
    mapping(EpochId number => Epoch) public epochs;
    /// @inheritdoc IAttestationValidator
    mapping(EpochId number => mapping(bytes32 root => RecordedRoot)) public recordedRoots;

    /// @dev Reverts on a chain that lacks a precompile (`PrecompileMissing`) or the instruction CLZ of EIP-7939
    /// (`InstructionMissing`, or an invalid opcode). Every use would be refused there.
    constructor(IOperatorRegistry operatorRegistry) {
        OPERATOR_REGISTRY = address(operatorRegistry);
        G2Point memory key = BLS12381.generatorG2();
        BLS12381.addInPlace(key, key);
        G1Point memory hashed = HashToCurve.hashToG1("", SIGNATURE_TAG);
        BLS12381.checkSignature(hashed, hashed, key);
        BLS12381.requireInSubgroup(hashed);
        bool counts;
        // In assembly: Solidity has no CLZ. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            counts := lt(clz(timestamp()), 256)
        }
        if (!counts) revert InstructionMissing();
    }

    /* EPOCHS */

    /// @inheritdoc IAttestationValidator
    function updateEpoch(EpochId number, Epoch calldata epoch) external {
        if (msg.sender != OPERATOR_REGISTRY) revert NotOperatorRegistry(msg.sender);
        epochs[number] = epoch;
        emit EpochUpdated(number, epoch.operatorSet, epoch.table, epoch.validUntil);
    }

    /* ROOTS */

    /// @inheritdoc IAttestationValidator
    function recordRoot(EpochId number, SignedRoot calldata signedRoot) external {
        address table = _requireEpochInForce(number);
        (uint256 signed, uint256 total) =
            _requireSignedRoot(table, Quorum.FLOOR, signedRoot.root, signedRoot.nonSigners, signedRoot.signature);
        _record(number, signedRoot.root, signed, total);
    }

    /// @inheritdoc IAttestationValidator
    function recordRoots(EpochId number, SignedRoot[] calldata signedRoots) external {
        address table = _requireEpochInForce(number);
        if (signedRoots.length == 0) revert NoRoots();
        // Commits to every input of the product: the calldata has all but the keys, and the table's code has these. The
        // number of a future epoch would not do: its keys could be chosen after the coefficients are known.
        bytes32 seed = keccak256(abi.encode(block.chainid, address(this), table.codehash, keccak256(msg.data)));
        SignatureBatch.Batch memory batch = SignatureBatch.start(signedRoots.length, seed);
        bytes32 currentNonSigners;
        uint256 signed;
        uint256 total;
        for (uint256 i = 0; i < signedRoots.length; ++i) {
            SignedRoot calldata signedRoot = signedRoots[i];
            bytes32 nonSigners = keccak256(signedRoot.nonSigners);
            if (nonSigners != currentNonSigners) {
                currentNonSigners = nonSigners;
                (signed, total) = OperatorTable.signedWeight(table, signedRoot.nonSigners, batch.nextKey());
                _requireQuorum(signed, total, Quorum.FLOOR);
            }
            (Pointer signature, Pointer hashed) = batch.next();
            _decodeSignature(signedRoot.signature, signature);
            HashToCurve.hashWordToG1(signedRoot.root, SIGNATURE_TAG, hashed);
            _record(number, signedRoot.root, signed, total);
        }
        (bool wellFormed, bool holds) = batch.check();
        _verifySignature(wellFormed, holds);
    }

    /* CHECKS */

    /// @dev Reverts unless a quorum of the operator set signed the root that a digest is under.
    /// @param operatorSet The operator set that the client trusts.
    /// @param quorum Least share of the epoch's weight, in basis points; the floor of `Quorum` holds whatever it is.
    /// @param digest The attestation's EIP-712 digest.
    /// @param authorization A well-formed authorization.
    function _requireSigned(OperatorSetId operatorSet, uint16 quorum, bytes32 digest, bytes calldata authorization)
        internal
        view
    {
        EpochId number = authorization.epoch();
        (address table, OperatorSetId setOfEpoch, uint48 validUntil) = _requireKnownEpoch(number);
        // The client does not trust the operators of another set.
        if (OperatorSetId.unwrap(setOfEpoch) != OperatorSetId.unwrap(operatorSet)) revert UnknownEpoch(number);

        bytes32 root = authorization.root(digest);
        if (authorization.isRecorded()) {
            // The signature was verified while the epoch was in force. Only revocation undoes that.
            _requireNotRevoked(number, validUntil);
            (uint256 signed, uint256 total, uint48 epochEnd) = _requireRecordedRoot(number, root);
            _requireWithinEpoch(authorization.expiration(), epochEnd);
            _requireQuorum(signed, total, quorum);
        } else {
            _requireInForce(number, validUntil);
            _requireSignedRoot(table, quorum, root, authorization.nonSigners(), authorization.signature());
        }
    }

    /// @dev Check 8, first half.
    function _requireKnownEpoch(EpochId number)
        private
        view
        returns (address table, OperatorSetId operatorSet, uint48 validUntil)
    {
        Epoch storage epoch = epochs[number];
        (table, operatorSet, validUntil) = (epoch.table, epoch.operatorSet, epoch.validUntil);
        if (table == address(0)) revert UnknownEpoch(number);
    }

    /// @dev Check 8. Returns the head of the epoch's operator table.
    function _requireEpochInForce(EpochId number) private view returns (address table) {
        uint48 validUntil;
        (table,, validUntil) = _requireKnownEpoch(number);
        _requireInForce(number, validUntil);
    }

    /// @dev Check 8, second half, of a signature.
    function _requireInForce(EpochId number, uint48 validUntil) private view {
        if (block.timestamp < validUntil) return;
        _requireNotRevoked(number, validUntil);
        revert EpochExpired(number, validUntil);
    }

    /// @dev Check 8, second half, of a recorded root.
    function _requireNotRevoked(EpochId number, uint48 validUntil) private pure {
        if (validUntil == 0) revert EpochRevoked(number);
    }

    /// @dev Check 9, first part, of a recorded root.
    function _requireRecordedRoot(EpochId number, bytes32 root)
        private
        view
        returns (uint256 signed, uint256 total, uint48 epochEnd)
    {
        RecordedRoot storage recorded = recordedRoots[number][root];
        (signed, total, epochEnd) = (recorded.signedWeight, recorded.totalWeight, recorded.epochEnd);
        if (total == 0) revert RootNotRecorded(number, root);
    }

    /// @dev Check 9, second part, of a recorded root. Nothing signed under an epoch outlives it, however late the root
    /// was recorded.
    function _requireWithinEpoch(uint48 expiration, uint48 epochEnd) private pure {
        if (expiration > epochEnd) revert ExpirationBeyondEpoch(expiration, epochEnd);
    }

    /// @dev Check 9, last part.
    function _requireQuorum(uint256 signed, uint256 total, uint16 quorum) private pure {
        if (!Quorum.isReached(signed, total, quorum)) {
            revert QuorumNotReached(signed, Quorum.requiredWeight(total, quorum));
        }
    }

    /// @dev Checks 9 to 11 of one signature. Returns the weight that signed and the epoch's.
    function _requireSignedRoot(
        address table,
        uint16 quorum,
        bytes32 root,
        bytes calldata nonSigners,
        bytes calldata signature
    ) private view returns (uint256 signed, uint256 total) {
        (Pointer product, Pointer hashed, Pointer negatedKey) = BLS12381.allocateProduct();
        (signed, total) = OperatorTable.signedWeight(table, nonSigners, negatedKey);
        _requireQuorum(signed, total, quorum);
        _decodeSignature(signature, product);
        HashToCurve.hashWordToG1(root, SIGNATURE_TAG, hashed);
        (bool wellFormed, bool holds) = BLS12381.checkProduct(product, 2);
        _verifySignature(wellFormed, holds);
    }

    /// @dev Check 10, as far as the precompiles leave it open. With all operators absent, infinity would pass check 11.
    function _decodeSignature(bytes calldata encoded, Pointer destination) private pure {
        if (encoded.length != BLS12381.G1_LENGTH || BLS12381.copyG1(encoded, destination)) revert MalformedSignature();
    }

    function _verifySignature(bool wellFormed, bool holds) private pure {
        // Of the points in a product only a signature can be invalid: the others are computed or come from the
        // registry.
        if (!wellFormed) revert MalformedSignature();
        if (!holds) revert InvalidSignature();
    }

    function _record(EpochId number, bytes32 root, uint256 signed, uint256 total) private {
        RecordedRoot memory recorded = recordedRoots[number][root];
        if (recorded.signedWeight >= signed) return;
        if (recorded.totalWeight == 0) recorded.epochEnd = epochs[number].expiresAt;
        // Weights have 96 bits.
        // forge-lint: disable-next-item(unsafe-typecast)
        (recorded.signedWeight, recorded.totalWeight) = (uint96(signed), uint96(total));
        recordedRoots[number][root] = recorded;
        emit RootRecorded(number, root, signed, total);
    }
}
