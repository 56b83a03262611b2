// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IFault} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {Attestation, EpochId} from "../interfaces/Protocol.sol";
import {DoubleStatement} from "./DoubleStatement.sol";
import {SignedFault} from "./SignedFault.sol";
import {SigningDomain, TaskStatements} from "./TaskStatements.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @notice An attestation that operators of an epoch signed, by itself or in a batch.
struct SignedAttestation {
    /// @dev The epoch, which has the same number and operators on every chain.
    EpochId epoch;
    Attestation attestation;
    /// @dev From the attestation's digest to the root that was signed; empty if it was signed by itself.
    bytes32[] proof;
    /// @dev Bitmap of the operators that did not sign.
    bytes nonSigners;
    /// @dev The aggregate signature of the root.
    bytes signature;
}

/// @title Equivocation
/// @notice Proves that operators signed two different attestations of one task.
/// @dev The proof is `abi.encode(SigningDomain domain, SignedAttestation first, SignedAttestation second)`. Any weight
/// is enough: an operator signs one decision for a task, ever. Who signed only one of them did not do it.
contract Equivocation is DoubleStatement {
    /// @notice Thrown when both are for different tasks.
    error DifferentTasks(bytes32 first, bytes32 second);

    /// @dev The domain separation tag of attestations.
    bytes private constant ATTESTATION_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    constructor(IOperatorRegistry operatorRegistry) DoubleStatement(operatorRegistry) {}

    /// @inheritdoc IFault
    function prove(bytes calldata proof)
        external
        view
        returns (EpochId epoch, bytes32 taskId, bytes memory nonSigners)
    {
        (SigningDomain memory domain, SignedAttestation memory first, SignedAttestation memory second) =
            abi.decode(proof, (SigningDomain, SignedAttestation, SignedAttestation));
        taskId = first.attestation.taskId;
        if (taskId != second.attestation.taskId) revert DifferentTasks(taskId, second.attestation.taskId);
        _requireRemembered(first.attestation.issuedAt, second.attestation.issuedAt);
        _requireDifferent(_requireSigned(domain, first), _requireSigned(domain, second));
        epoch = first.epoch;
        nonSigners = _nonOffenders(epoch, first.nonSigners, second.epoch, second.nonSigners);
    }

    /// @dev Returns the attestation's digest.
    function _requireSigned(SigningDomain memory domain, SignedAttestation memory signed)
        private
        view
        returns (bytes32 digest)
    {
        digest = TaskStatements.digestOf(domain, signed.attestation);
        bytes32 root = MerkleProof.processProof(signed.proof, digest);
        _requireSigned(signed.epoch, root, signed.nonSigners, signed.signature);
    }

    /// @inheritdoc SignedFault
    function _tag() internal pure override returns (bytes memory) {
        return ATTESTATION_TAG;
    }
}
