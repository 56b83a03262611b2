// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IFault} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId} from "../interfaces/Protocol.sol";
import {DoubleStatement} from "./DoubleStatement.sol";
import {SignedFault} from "./SignedFault.sol";
import {SigningDomain, TaskStatements} from "./TaskStatements.sol";
import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";

/// @notice What operators of an epoch signed that a source answered.
struct SignedObservation {
    /// @dev The epoch, which has the same number and operators on every chain.
    EpochId epoch;
    /// @dev The hash of the block at which the source read the chain.
    bytes32 referenceBlock;
    /// @dev keccak256 of the output's canonical JSON.
    bytes32 output;
    /// @dev The block's header in RLP, whose hash is `referenceBlock`; not needed if both have the same block.
    bytes blockHeader;
    /// @dev Bitmap of the operators that did not sign.
    bytes nonSigners;
    /// @dev The aggregate signature of the observation.
    bytes signature;
}

/// @title ConflictingObservations
/// @notice Proves that operators signed two different observations of one source for one task.
/// @dev The proof is `abi.encode(SigningDomain domain, bytes32 taskId, bytes32 source, SignedObservation first,
/// SignedObservation second)`. Any weight is enough: an operator signs one observation of a task and source, ever.
contract ConflictingObservations is DoubleStatement {
    /// @notice Thrown when the header is not that of the reference block.
    error WrongBlockHeader(bytes32 expected, bytes32 actual);

    /// @dev The domain separation tag of observations.
    bytes private constant OBSERVATION_TAG = "ASSENT_OBSERVATION_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    constructor(IOperatorRegistry operatorRegistry) DoubleStatement(operatorRegistry) {}

    /// @inheritdoc IFault
    function prove(bytes calldata proof) external view returns (EpochId epoch, bytes32 deed, bytes memory nonSigners) {
        SigningDomain memory domain;
        bytes32 taskId;
        bytes32 source;
        SignedObservation memory first;
        SignedObservation memory second;
        (domain, taskId, source, first, second) =
            abi.decode(proof, (SigningDomain, bytes32, bytes32, SignedObservation, SignedObservation));
        if (first.referenceBlock != second.referenceBlock) {
            _requireRemembered(_timestampOf(first), _timestampOf(second));
        }
        bytes32 digest = _requireSigned(domain, taskId, source, first);
        _requireDifferent(digest, _requireSigned(domain, taskId, source, second));
        epoch = first.epoch;
        nonSigners = _nonOffenders(epoch, first.nonSigners, second.epoch, second.nonSigners);
        deed = keccak256(abi.encode(taskId, source));
    }

    /// @dev Returns the time of the reference block, by which a journal forgets an observation.
    function _timestampOf(SignedObservation memory observation) private pure returns (uint256) {
        bytes32 actual = keccak256(observation.blockHeader);
        if (actual != observation.referenceBlock) revert WrongBlockHeader(observation.referenceBlock, actual);
        return BlockHeader.getTimestamp(observation.blockHeader);
    }

    /// @dev Returns the observation's digest.
    function _requireSigned(
        SigningDomain memory domain,
        bytes32 taskId,
        bytes32 source,
        SignedObservation memory signed
    ) private view returns (bytes32 digest) {
        digest = TaskStatements.observationDigest(domain, taskId, source, signed.referenceBlock, signed.output);
        _requireSigned(signed.epoch, digest, signed.nonSigners, signed.signature);
    }

    /// @inheritdoc SignedFault
    function _tag() internal pure override returns (bytes memory) {
        return OBSERVATION_TAG;
    }
}
