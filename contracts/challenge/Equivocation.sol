// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IFault} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {Attestation, EpochId} from "../interfaces/Protocol.sol";
import {SignedFault} from "./SignedFault.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @notice An attestation that operators of an epoch signed, by itself or in a batch.
struct SignedAttestation {
    Attestation attestation;
    /// @dev From the attestation's digest to the root that was signed; empty if it was signed by itself.
    bytes32[] proof;
    /// @dev Bitmap of the operators that did not sign.
    bytes nonSigners;
    /// @dev The aggregate signature of the root.
    bytes signature;
}

/// @title Equivocation
/// @notice Proves that operators of an epoch signed two different attestations of one task.
/// @dev The proof is `abi.encode(EpochId epoch, SignedAttestation first, SignedAttestation second)`. Any weight is
/// enough: an operator signs one decision for a task, ever. Who signed only one of them did not do it.
contract Equivocation is SignedFault {
    /// @notice Thrown when both are for different tasks.
    error DifferentTasks(bytes32 first, bytes32 second);
    /// @notice Thrown when both are the same attestation.
    error SameAttestation(bytes32 digest);
    /// @notice Thrown when the attestations were issued so far apart that an operator may have deleted the first.
    error IssuedTooFarApart(uint48 first, uint48 second);

    /// @notice Least time between the issuance of two attestations that an operator no longer has to know both of, in
    /// seconds. It is the time for which a journal keeps what it signed (docs/operators/journal.md).
    uint48 public constant RETENTION = 60 days;

    /// @dev The domain separation tag of attestations.
    bytes private constant ATTESTATION_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    /// @notice The TaskManager whose tasks they are.
    ITaskManager public immutable TASK_MANAGER;

    /// @param taskManager The TaskManager, whose registry is on this chain.
    constructor(ITaskManager taskManager) SignedFault(IOperatorRegistry(taskManager.OPERATOR_REGISTRY())) {
        TASK_MANAGER = taskManager;
    }

    /// @inheritdoc IFault
    function prove(bytes calldata proof)
        external
        view
        returns (EpochId epoch, bytes32 taskId, bytes memory nonSigners)
    {
        SignedAttestation memory first;
        SignedAttestation memory second;
        (epoch, first, second) = abi.decode(proof, (EpochId, SignedAttestation, SignedAttestation));
        (address table,) = _tableOf(epoch);
        taskId = first.attestation.taskId;
        _requireOneTask(first.attestation, second.attestation);
        if (_requireSigned(table, first) == _requireSigned(table, second)) {
            revert SameAttestation(TASK_MANAGER.digestOf(first.attestation));
        }
        return (epoch, taskId, _union(first.nonSigners, second.nonSigners));
    }

    function _requireOneTask(Attestation memory first, Attestation memory second) private pure {
        if (first.taskId != second.taskId) revert DifferentTasks(first.taskId, second.taskId);
        uint48 apart =
            first.issuedAt > second.issuedAt ? first.issuedAt - second.issuedAt : second.issuedAt - first.issuedAt;
        if (apart >= RETENTION) revert IssuedTooFarApart(first.issuedAt, second.issuedAt);
    }

    /// @dev Returns the attestation's digest.
    function _requireSigned(address table, SignedAttestation memory signed) private view returns (bytes32 digest) {
        digest = TASK_MANAGER.digestOf(signed.attestation);
        bytes32 root = MerkleProof.processProof(signed.proof, digest);
        this.requireSigned(table, root, signed.nonSigners, signed.signature);
    }

    /// @inheritdoc SignedFault
    function _tag() internal pure override returns (bytes memory) {
        return ATTESTATION_TAG;
    }

    /// @dev Returns the operators that are in one of two bitmaps.
    function _union(bytes memory first, bytes memory second) private pure returns (bytes memory longer) {
        bytes memory shorter;
        (longer, shorter) = first.length < second.length ? (second, first) : (first, second);
        for (uint256 i = 0; i < shorter.length; ++i) {
            longer[i] |= shorter[i];
        }
    }
}
