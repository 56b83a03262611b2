// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {Attestation, IRefusals, MAX_EPOCH_LIFETIME, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title A client whose owner is slow, and whose guardian can only revoke
contract GuardedCounter is ProtectedCounter {
    address private immutable _TIMELOCK;
    address private immutable _GUARDIAN;

    constructor(address timelock, address guardian) {
        (_TIMELOCK, _GUARDIAN) = (timelock, guardian);
    }

    function _assentAuthorizeChange() internal view override {
        require(msg.sender == _TIMELOCK, "not the timelock");
    }

    function _assentAuthorizeRevocation() internal view override {
        require(msg.sender == _GUARDIAN || msg.sender == _TIMELOCK, "not the guardian");
    }
}

/// @dev A client takes back what operators allowed: at once, all of it, and for good.
abstract contract RevocationTest is ClientTestBase {
    /* ONE WRITE */

    function test_OneWriteVoidsAllThatWasIssuedBefore() public {
        Attestation memory recorded = attest(protectedCall());
        bytes32 root = taskManager.digestOf(recorded);
        taskManager.recordRoot(FIRST_EPOCH, SignedRoot(root, sign(root, 0, OPERATORS), ""));
        bytes[3] memory issued = [
            authorize(recorded),
            encodeRecorded(recorded, FIRST_EPOCH, new bytes32[](0)),
            authorize(attestationOf(address(counter), protectedCall(), 12_345))
        ];
        uint48 floor = uint48(block.timestamp + 1);
        vm.expectEmit(address(counter));
        emit IPolicyClient.AssentAttestationsVoided(floor);
        counter.voidAssentAttestations(floor);
        assertEq(counter.assentIssuanceFloor(), floor);
        assertEq(abi.encode(counter.assentPolicy()), abi.encode(policy()), "the policy changed along");
        assertEq(address(counter.assentTaskManager()), address(taskManager), "the TaskManager changed along");
        skip(1);
        for (uint256 i = 0; i < issued.length; ++i) {
            assertRefused(protectedCall(), issued[i], _voided(floor - 1, floor));
        }
        assertPasses(protectedCall(), authorize(attest(protectedCall())));
    }

    /// @dev Operators that set `issuedAt` ahead of time do not dodge it.
    function test_FloorAheadVoidsWhatIsPostDated() public {
        Attestation memory attestation = attest(protectedCall());
        attestation.issuedAt = uint48(block.timestamp + 1 days);
        attestation.expiration = attestation.issuedAt + MAX_LIFETIME;
        bytes memory authorization = authorize(attestation);
        uint48 floor = attestation.issuedAt + 1;
        counter.voidAssentAttestations(floor);
        vm.warp(attestation.issuedAt);
        assertRefused(attestation.intent, authorization, _voided(floor - 1, floor));
        // Until the floor every call is refused.
        assertRefused(attestation.intent, authorize(attest(protectedCall())), _voided(floor - 1, floor));
        vm.warp(floor);
        assertPasses(attestation.intent, authorize(attest(protectedCall())));
    }

    function test_FloorOnlyRisesAndIsAtMostAnEpochsLifetimeAhead() public {
        uint48 latest = uint48(block.timestamp) + MAX_EPOCH_LIFETIME;
        _assertInvalidFloor(0);
        _assertInvalidFloor(latest + 1);
        _assertInvalidFloor(type(uint48).max);
        counter.voidAssentAttestations(1);
        counter.voidAssentAttestations(latest);
        _assertInvalidFloor(latest);
        _assertInvalidFloor(latest - 1);
        assertEq(counter.assentIssuanceFloor(), latest);
        skip(1);
        counter.voidAssentAttestations(latest + 1);
    }

    function test_ReturningToAnOldPolicyOrTaskManagerRevivesNothing() public {
        bytes memory authorization = authorize(attest(protectedCall()));
        uint48 floor = uint48(block.timestamp + 1);
        counter.voidAssentAttestations(floor);
        skip(1);
        Policy memory another = policy();
        another.policyId = keccak256("another policy");
        counter.setAssentPolicy(another);
        counter.setAssentTaskManager(deployTaskManager());
        counter.setAssentPolicy(policy());
        counter.setAssentTaskManager(taskManager);
        assertEq(counter.assentIssuanceFloor(), floor);
        assertRefused(protectedCall(), authorization, _voided(floor - 1, floor));
        assertPasses(protectedCall(), authorize(attest(protectedCall())));
    }

    function testFuzz_FloorChangesNothingElse(Policy memory next, uint48 floor) public {
        next.quorum = uint16(bound(next.quorum, 5001, 10_000));
        next.maxLifetime = uint48(bound(next.maxLifetime, 1, MAX_EPOCH_LIFETIME));
        if (next.policyId == 0) next.policyId = POLICY_ID;
        next.operatorSet = OPERATOR_SET;
        floor = uint48(bound(floor, 1, block.timestamp + MAX_EPOCH_LIFETIME));
        counter.voidAssentAttestations(floor);
        counter.setAssentPolicy(next);
        assertEq(counter.assentIssuanceFloor(), floor);
        assertEq(abi.encode(counter.assentPolicy()), abi.encode(next));
        assertEq(address(counter.assentTaskManager()), address(taskManager));
    }

    /* WHO REVOKES */

    function test_RevertWhen_StrangerVoidsAttestations() public {
        vm.prank(stranger);
        vm.expectRevert("not the owner");
        counter.voidAssentAttestations(uint48(block.timestamp));
    }

    /// @dev The owner behind a timelock would come too late.
    function test_GuardianRevokesInTimeWhereTheOwnerIsBehindATimelock() public {
        address guardian = makeAddr("guardian");
        address[] memory proposers = new address[](1);
        proposers[0] = owner;
        TimelockController timelock = new TimelockController(2 days, proposers, proposers, address(0));
        counter = new GuardedCounter(address(timelock), guardian);
        counter.initialize(taskManager, policy());
        vm.deal(address(counter), 1 ether);
        bytes memory authorization = authorize(attest(protectedCall()));
        uint256 snapshot = vm.snapshotState();
        assertPasses(protectedCall(), authorization);
        vm.revertToState(snapshot);

        vm.prank(guardian);
        counter.burnAssentNonces(0, 1 << NONCE);
        bytes4 spent = IRefusals.AttestationAlreadySpent.selector;
        assertRefused(protectedCall(), authorization, abi.encodeWithSelector(spent, address(counter), NONCE));
        vm.prank(guardian);
        counter.voidAssentAttestations(uint48(block.timestamp + 1));
        assertRefused(protectedCall(), authorization, _voided(uint48(block.timestamp), uint48(block.timestamp + 1)));
    }

    function test_RevertWhen_GuardianDoesMoreThanRevoke() public {
        address guardian = makeAddr("guardian");
        counter = new GuardedCounter(owner, guardian);
        counter.initialize(taskManager, policy());
        vm.startPrank(guardian);
        vm.expectRevert("not the timelock");
        counter.setAssentPolicy(policy());
        vm.expectRevert("not the timelock");
        counter.setAssentTaskManager(taskManager);
        vm.stopPrank();
        vm.prank(stranger);
        vm.expectRevert("not the guardian");
        counter.burnAssentNonces(0, 1);
    }

    /// @dev A client without a policy, too: nothing issued before counts once it has one.
    function test_AttestationsCanBeVoidedBeforeThereIsAPolicy() public {
        bytes memory authorization = authorize(attest(protectedCall()));
        counter = new ProtectedCounter();
        counter.voidAssentAttestations(uint48(block.timestamp + 1));
        counter.initialize(taskManager, policy());
        assertEq(counter.assentIssuanceFloor(), block.timestamp + 1);
        assertGt(authorization.length, 0);
    }

    function _assertInvalidFloor(uint48 floor) private {
        uint256 latest = block.timestamp + MAX_EPOCH_LIFETIME;
        uint48 current = counter.assentIssuanceFloor();
        vm.expectRevert(abi.encodeWithSelector(IPolicyClient.AssentInvalidFloor.selector, floor, current, latest));
        counter.voidAssentAttestations(floor);
    }

    function _voided(uint48 issuedAt, uint48 floor) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRefusals.AttestationVoided.selector, issuedAt, floor);
    }
}

contract RevocationOfTrailingCallsTest is RevocationTest, TrailingPath {}

contract RevocationOfExplicitIntentsTest is RevocationTest, ExplicitPath {}
