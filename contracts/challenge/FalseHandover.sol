// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {EpochHandover} from "../crosschain/EpochHandover.sol";
import {EpochSignature} from "../crosschain/EpochSignature.sol";
import {Handover} from "../interfaces/IEpochMirror.sol";
import {IFault} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";
import {SignedFault} from "./SignedFault.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @title FalseHandover
/// @notice Proves that operators handed over to an epoch that the registry does not have so.
/// @dev The proof is `abi.encode(Handover handover, bytes nonSigners, bytes signature)`. Any weight is enough: each
/// signer lied. The registry never changes what a handover states of an epoch, so that a true one stays true.
contract FalseHandover is SignedFault {
    /// @notice Thrown when the handover is of another chain's or another registry's epochs.
    error OtherHome(uint256 homeChain, address homeRegistry);
    /// @notice Thrown when the registry has the epoch as the handover states it.
    error HandoverIsTrue(EpochId epoch);

    constructor(IOperatorRegistry operatorRegistry) SignedFault(operatorRegistry) {}

    /// @inheritdoc IFault
    function prove(bytes calldata proof) external view returns (EpochId, bytes32, bytes memory) {
        (Handover memory handover, bytes memory nonSigners, bytes memory signature) =
            abi.decode(proof, (Handover, bytes, bytes));
        if (handover.homeChain != block.chainid || handover.homeRegistry != address(OPERATOR_REGISTRY)) {
            revert OtherHome(handover.homeChain, handover.homeRegistry);
        }
        bytes32 digest = EpochHandover.digest(handover);
        (address signers, OperatorSetId operatorSet) = _tableOf(handover.signedBy);
        this.requireSigned(signers, digest, nonSigners, signature);
        if (_isTrue(handover, operatorSet)) revert HandoverIsTrue(handover.epoch);
        return (handover.signedBy, digest, nonSigners);
    }

    /// @inheritdoc SignedFault
    function _tag() internal pure override returns (bytes memory) {
        return EpochSignature.TAG;
    }

    function _isTrue(Handover memory handover, OperatorSetId signersSet) private view returns (bool) {
        (address table, OperatorSetId operatorSet,, uint48 expiresAt) = OPERATOR_REGISTRY.epochs(handover.epoch);
        uint32 set = OperatorSetId.unwrap(handover.operatorSet);
        return table != address(0) && OperatorSetId.unwrap(operatorSet) == set
            && OperatorSetId.unwrap(signersSet) == set && expiresAt == handover.expiresAt
            && OPERATOR_REGISTRY.committedAt(handover.epoch) == handover.committedAt
            && EpochHandover.contentHash(SSTORE2.read(table)) == handover.contentHash
            && EpochId.unwrap(handover.signedBy) < EpochId.unwrap(handover.epoch);
    }
}
