// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Attestation, EpochId, IRefusals, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {stdError} from "forge-std/StdError.sol";

/// @dev A clock at the end of its range: the protocol's times have 48 bits, and a block's 256.
contract AttackTimeTest is TrailingPath {
    Attestation private attestation;
    bytes private authorization;
    EpochId private epoch;

    function setUp() public override {
        super.setUp();
        // The last second of the type is the first at which this epoch is no longer in force.
        vm.warp(type(uint48).max - EPOCH_LIFETIME);
        epoch = commitEpoch(0, OPERATORS);
        vm.warp(1_800_000_000);
        attestation = attest(protectedCall());
        authorization = authorize(attestation);
    }

    function test_LastSecondOfTheTimestampsTypeIsStillKept() public {
        uint256 last = type(uint48).max;
        vm.warp(last - 1);
        (attestation.issuedAt, attestation.expiration) = (uint48(last - 1), uint48(last));
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, OPERATORS);
        assertPasses(attestation.intent, encode(attestation, epoch, signature, "", new bytes32[](0)));
    }

    /// @dev From the greatest expiration on nothing can be valid, and no sum wraps.
    function test_RevertWhen_TimestampIsAtOrBeyondTheLimitOfItsType() public {
        uint48 last = type(uint48).max;
        (attestation.issuedAt, attestation.expiration) = (last - MAX_LIFETIME, last);
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, OPERATORS);
        authorization = encode(attestation, epoch, signature, "", new bytes32[](0));
        uint256 snapshot = vm.snapshotState();
        vm.warp(last - 1);
        assertPasses(attestation.intent, authorization);
        vm.revertToState(snapshot);

        uint256[5] memory times = [
            uint256(type(uint48).max),
            uint256(type(uint48).max) + 1,
            uint256(type(uint48).max) + block.timestamp,
            type(uint64).max,
            type(uint256).max
        ];
        for (uint256 i = 0; i < times.length; ++i) {
            vm.warp(times[i]);
            assertRefused(
                attestation.intent,
                authorization,
                abi.encodeWithSelector(IRefusals.AttestationExpired.selector, type(uint48).max, times[i])
            );
        }
    }

    /// @dev No epoch is in force then either, and neither is a new one: nothing can be recorded.
    function test_RevertWhen_RootIsRecordedAtTheLimitOfTheTimestampsType() public {
        SignedRoot memory root = SignedRoot("root", sign("root", 0, OPERATORS), "");
        vm.warp(type(uint48).max);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.EpochExpired.selector, epoch, type(uint48).max));
        taskManager.recordRoot(epoch, root);
        vm.warp(uint256(type(uint48).max) - 1);
        taskManager.recordRoot(epoch, root);
    }

    /// @dev The end of a lifetime or grace period that does not fit its type must not become an early one, nor bring an
    /// epoch back.
    function test_RevertWhen_EpochIsCommittedNearTheLimitOfTheTimestampsType() public {
        uint256 limit = type(uint48).max;
        vm.warp(limit - EPOCH_LIFETIME + 1);
        vm.expectRevert(stdError.arithmeticError);
        this.commit();
        assertEq(_validUntil(epoch), limit);

        // Beyond the limit the time is cut to its type, and every epoch of that time has long expired.
        vm.warp(limit + 2);
        EpochId next = commitEpoch(0, OPERATORS);
        assertEq(_validUntil(next), 1 + EPOCH_LIFETIME);
        SignedRoot memory root = SignedRoot("root", sign("root", 0, OPERATORS), "");
        vm.expectRevert(abi.encodeWithSelector(IRefusals.EpochExpired.selector, next, 1 + EPOCH_LIFETIME));
        taskManager.recordRoot(next, root);
        assertLe(_validUntil(epoch), limit);
    }

    function commit() external {
        commitEpoch(0, OPERATORS);
    }

    function _validUntil(EpochId number) private view returns (uint256 validUntil) {
        (,, validUntil,) = taskManager.epochs(number);
    }
}
