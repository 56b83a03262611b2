// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochApproval} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {Attestation, EpochId, IRefusals, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {TrailingPath} from "./ClientTestBase.sol";

/// @title EpochTestBase
/// @notice A registry whose epochs are pending for a day, and a client that tells which of them are in force.
abstract contract EpochTestBase is TrailingPath {
    EpochId internal constant SECOND_EPOCH = EpochId.wrap(2);

    function activationDelay() internal pure virtual override returns (uint48) {
        return 1 days;
    }

    /// @dev Commits operators `first` to `first + count - 1`. Activates nothing.
    function commit(OperatorSetId operatorSet, uint256 first, uint256 count) internal returns (EpochId) {
        vm.prank(owner);
        return registry.commitEpoch(operatorSet, operatorAddresses(first, count));
    }

    function commit(uint256 first, uint256 count) internal returns (EpochId) {
        return commit(OPERATOR_SET, first, count);
    }

    /// @dev Commits, and has all operators of the set's current epoch, of which there are `signers`, approve.
    function commitApproved(uint256 first, uint256 count, uint256 signers) internal returns (EpochId epoch) {
        epoch = commit(first, count);
        registry.approveEpoch(epoch, approve(epoch, 0, signers));
    }

    /// @dev The approval of operators `absent` to `count - 1` of the set's current epoch, which has the first `count`.
    function approve(EpochId epoch, uint256 absent, uint256 count) internal view returns (EpochApproval memory) {
        uint48 deadline = uint48(block.timestamp) + 1 hours;
        bytes32 digest = approvalDigest(epoch, deadline);
        return EpochApproval(deadline, signApproval(digest, absent, count), firstBits(absent));
    }

    function approvalDigest(EpochId epoch, uint48 deadline) internal view returns (bytes32) {
        (, OperatorSetId operatorSet,,) = registry.epochs(epoch);
        EpochId signedBy = registry.latestEpoch(operatorSet);
        return registry.epochApprovalDigest(operatorSet, signedBy, registry.setHashOf(epoch), deadline);
    }

    /// @dev The aggregate signature of operators `first` to `end - 1` under the tag of approvals.
    function signApproval(bytes32 digest, uint256 first, uint256 end) internal view returns (bytes memory) {
        return signUnder(digest, first, end, OperatorKeys.EPOCH_APPROVAL_TAG);
    }

    function signUnder(bytes32 digest, uint256 first, uint256 end, bytes memory tag)
        internal
        view
        returns (bytes memory)
    {
        uint256 sum = 0;
        for (uint256 i = first; i < end; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        return OperatorKeys.sign(sum, bytes.concat(digest), tag);
    }

    function revoke(EpochId epoch) internal {
        vm.prank(owner);
        registry.revokeEpochs(only(epoch));
    }

    /* WHAT AN EPOCH'S OPERATORS CAN AUTHORIZE */

    function assertInForce(EpochId epoch, uint256 operators) internal {
        assertAuthorizes(epoch, operators, "");
    }

    function assertRevoked(EpochId epoch, uint256 operators) internal {
        assertAuthorizes(epoch, operators, abi.encodeWithSelector(IRefusals.EpochRevoked.selector, epoch));
    }

    function assertExpired(EpochId epoch, uint256 operators, uint48 validUntil) internal {
        bytes memory expected = abi.encodeWithSelector(IRefusals.EpochExpired.selector, epoch, validUntil);
        assertAuthorizes(epoch, operators, expected);
    }

    function assertUnknown(EpochId epoch, uint256 operators) internal {
        assertAuthorizes(epoch, operators, abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, epoch));
    }

    /// @dev An attestation that the first `operators` operators sign ends as expected. Leaves no trace.
    function assertAuthorizes(EpochId epoch, uint256 operators, bytes memory expected) internal {
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, operators);
        uint256 snapshot = vm.snapshotState();
        assertRefused(attestation.intent, encode(attestation, epoch, signature, "", new bytes32[](0)), expected);
        vm.revertToState(snapshot);
    }

    function validUntilOf(EpochId epoch) internal view returns (uint48 validUntil) {
        (,, validUntil,) = registry.epochs(epoch);
    }

    function expiresAtOf(EpochId epoch) internal view returns (uint48 expiresAt) {
        (,,, expiresAt) = registry.epochs(epoch);
    }
}
