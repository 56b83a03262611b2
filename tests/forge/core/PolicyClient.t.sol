// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {
    Attestation,
    IRefusals,
    Intent,
    MAX_EPOCH_LIFETIME,
    OperatorSetId,
    Policy
} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";

contract PolicyClientTest is TrailingPath {
    /* BEFORE IT IS INITIALISED */

    function test_RevertWhen_UninitialisedClientIsAskedForAnything() public {
        ProtectedCounter fresh = new ProtectedCounter();
        Intent memory intent = protectedCall();
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        fresh.increment(1);
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        fresh.execute(intent, "");
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        fresh.checkAssentAuthorization(intent, agent, "");
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        fresh.burnAssentNonces(0, 1);

        assertEq(address(fresh.assentTaskManager()), address(0));
        assertEq(abi.encode(fresh.assentPolicy()), abi.encode(Policy(0, OperatorSetId.wrap(0), 0, 0)));
    }

    function test_UninitialisedClientLetsUnprotectedCallsThrough() public {
        new ProtectedCounter().unprotectedNoOp();
    }

    /* INITIALISING */

    function test_InitialisingIsAnnounced() public {
        ProtectedCounter fresh = new ProtectedCounter();
        vm.expectEmit(address(fresh));
        emit IPolicyClient.AssentTaskManagerChanged(taskManager);
        vm.expectEmit(address(fresh));
        emit IPolicyClient.AssentPolicyChanged(POLICY_ID, OPERATOR_SET, QUORUM, MAX_LIFETIME);
        fresh.initialize(taskManager, policy());

        assertEq(address(fresh.assentTaskManager()), address(taskManager));
        assertEq(abi.encode(fresh.assentPolicy()), abi.encode(policy()));
    }

    /// @dev Only zero is no policy.
    function test_AnyPolicyIdButZeroIsAPolicy() public {
        ProtectedCounter fresh = new ProtectedCounter();
        Policy memory least = policy();
        least.policyId = bytes32(uint256(1));
        fresh.initialize(taskManager, least);
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        fresh.increment(1);
    }

    function test_RevertWhen_InitialisedTwice() public {
        vm.expectRevert(IPolicyClient.AssentAlreadyInitialized.selector);
        counter.initialize(taskManager, policy());
    }

    function test_RevertWhen_InitialisedWithoutPolicy() public {
        ProtectedCounter fresh = new ProtectedCounter();
        vm.expectRevert(abi.encodeWithSelector(IPolicyClient.AssentInvalidPolicy.selector, bytes32(0), 0, 0, 0));
        fresh.initialize(taskManager, Policy(0, OperatorSetId.wrap(0), 0, 0));
        assertEq(address(fresh.assentTaskManager()), address(0), "half initialised");
    }

    function test_RevertWhen_InitialisedWithoutTaskManager() public {
        ProtectedCounter fresh = new ProtectedCounter();
        vm.expectRevert(abi.encodeWithSelector(IPolicyClient.AssentInvalidTaskManager.selector, address(0)));
        fresh.initialize(ITaskManager(address(0)), policy());
    }

    /* THE POLICY */

    function test_PolicyChangeIsAnnounced() public {
        Policy memory next = Policy(keccak256("next"), OperatorSetId.wrap(9), 10_000, 1);
        vm.expectEmit(address(counter));
        emit IPolicyClient.AssentPolicyChanged(next.policyId, OperatorSetId.wrap(9), 10_000, 1);
        counter.setAssentPolicy(next);
        assertEq(abi.encode(counter.assentPolicy()), abi.encode(next));
        assertEq(address(counter.assentTaskManager()), address(taskManager), "the TaskManager changed along");
    }

    function testFuzz_PolicyIsKeptWhole(Policy memory next) public {
        next.quorum = uint16(bound(next.quorum, 5001, 10_000));
        if (next.policyId == 0) next.policyId = POLICY_ID;
        next.maxLifetime = uint48(bound(next.maxLifetime, 1, MAX_EPOCH_LIFETIME));
        next.operatorSet = OperatorSetId.wrap(OperatorSetId.unwrap(next.operatorSet) % 2 ** 26);
        counter.setAssentPolicy(next);
        assertEq(abi.encode(counter.assentPolicy()), abi.encode(next));
    }

    function test_RevertWhen_PolicyIsInvalid() public {
        _assertInvalid(Policy(0, OPERATOR_SET, QUORUM, MAX_LIFETIME));
        _assertInvalid(Policy(POLICY_ID, OPERATOR_SET, 0, MAX_LIFETIME));
        _assertInvalid(Policy(POLICY_ID, OPERATOR_SET, 5000, MAX_LIFETIME));
        _assertInvalid(Policy(POLICY_ID, OPERATOR_SET, 10_001, MAX_LIFETIME));
        _assertInvalid(Policy(POLICY_ID, OPERATOR_SET, type(uint16).max, MAX_LIFETIME));
        _assertInvalid(Policy(POLICY_ID, OPERATOR_SET, QUORUM, 0));
        _assertInvalid(Policy(POLICY_ID, OPERATOR_SET, QUORUM, MAX_EPOCH_LIFETIME + 1));
        _assertInvalid(Policy(POLICY_ID, OPERATOR_SET, QUORUM, type(uint48).max));
        _assertInvalid(Policy(POLICY_ID, OperatorSetId.wrap(2 ** 26), QUORUM, MAX_LIFETIME));
        counter.setAssentPolicy(Policy(POLICY_ID, OperatorSetId.wrap(2 ** 26 - 1), 5001, 1));
        counter.setAssentPolicy(Policy(POLICY_ID, OperatorSetId.wrap(0), 10_000, MAX_EPOCH_LIFETIME));
    }

    function test_RevertWhen_StrangerChangesThePolicy() public {
        vm.prank(stranger);
        vm.expectRevert("not the owner");
        counter.setAssentPolicy(policy());
    }

    function test_QuorumChangeHoldsForAttestationsUnderWay() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory byFive = authorize(attestation, OPERATORS, 2);
        Policy memory stricter = policy();
        stricter.quorum = 9000;
        counter.setAssentPolicy(stricter);
        bytes memory refusal = abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 500, 630);
        assertRefused(attestation.intent, byFive, refusal);
    }

    /* THE TASK MANAGER */

    function test_TaskManagerChangeIsAnnounced() public {
        ITaskManager next = deployTaskManager();
        vm.expectEmit(address(counter));
        emit IPolicyClient.AssentTaskManagerChanged(next);
        counter.setAssentTaskManager(next);
        assertEq(address(counter.assentTaskManager()), address(next));
        assertEq(abi.encode(counter.assentPolicy()), abi.encode(policy()), "the policy changed along");
    }

    function test_RevertWhen_TaskManagerIsNoContract() public {
        vm.expectRevert(abi.encodeWithSelector(IPolicyClient.AssentInvalidTaskManager.selector, stranger));
        counter.setAssentTaskManager(ITaskManager(stranger));
        vm.expectRevert(abi.encodeWithSelector(IPolicyClient.AssentInvalidTaskManager.selector, address(0)));
        counter.setAssentTaskManager(ITaskManager(address(0)));
    }

    /// @dev A call of an account without code succeeds and returns nothing; one of another contract may return
    /// anything.
    function test_RevertWhen_TaskManagerIsGoneOrAnswersWithOtherThanATaskId() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = authorize(attestation);
        // Nothing; STOP; 31 and 33 bytes of zeros; a refusal of 32 bytes, as long as an answer.
        bytes[5] memory codes = [bytes(""), hex"00", hex"601f5ff3", hex"60215ff3", hex"60205ffd"];
        for (uint256 i = 0; i < codes.length; ++i) {
            vm.etch(address(taskManager), codes[i]);
            vm.prank(agent);
            (bool success,) = address(counter).call{value: 1 ether}(trail(attestation.intent.data, authorization));
            assertFalse(success, "an unauthorized call succeeded");
            assertEq(counter.count(), 0);
        }
    }

    function test_RevertWhen_StrangerChangesTheTaskManager() public {
        vm.prank(stranger);
        vm.expectRevert("not the owner");
        counter.setAssentTaskManager(taskManager);
    }

    /* BURNING */

    function test_OwnerBurnsNonces() public {
        vm.expectEmit(address(taskManager));
        emit ITaskManager.NoncesBurned(address(counter), 2, 5);
        counter.burnAssentNonces(2, 5);
        assertEq(taskManager.spentNonces(address(counter), 2), 5);
    }

    function test_RevertWhen_StrangerBurnsNonces() public {
        vm.prank(stranger);
        vm.expectRevert("not the owner");
        counter.burnAssentNonces(0, 1);
    }

    /* STORAGE */

    function test_StorageIsWhereErc7201SaysIt() public {
        counter.voidAssentAttestations(uint48(block.timestamp + 1));
        uint256 slot =
            uint256(keccak256(abi.encode(uint256(keccak256("assent.storage.PolicyClient")) - 1))) & ~uint256(0xff);
        uint256 packed = uint256(vm.load(address(counter), bytes32(slot)));
        assertEq(address(uint160(packed)), address(taskManager));
        assertEq((packed >> 160) % 2 ** 34, block.timestamp + 1);
        assertEq(OperatorSetId.wrap(uint32((packed >> 194) % 2 ** 26)), OPERATOR_SET);
        assertEq((packed >> 220) % 2 ** 14, QUORUM);
        assertEq(packed >> 234, MAX_LIFETIME);
        assertEq(vm.load(address(counter), bytes32(slot + 1)), POLICY_ID);
    }

    function test_IntegratorsFirstSlotIsFree() public {
        assertEq(attempt(attest(protectedCall())), "");
        assertEq(uint256(vm.load(address(counter), 0)), counter.count());
    }

    function _assertInvalid(Policy memory invalid) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPolicyClient.AssentInvalidPolicy.selector,
                invalid.policyId,
                invalid.operatorSet,
                invalid.quorum,
                invalid.maxLifetime
            )
        );
        counter.setAssentPolicy(invalid);
    }
}

/// @dev `attempt` itself compares the view with the call; here it is given everything that can go wrong, at random.
abstract contract ViewTest is ClientTestBase {
    function testFuzz_ViewAnswersWhatTheCallAnswers(
        uint256 offset,
        bytes1 change,
        uint8 absent,
        int16 shift,
        uint8 state
    ) public {
        Intent memory intent = protectedCall();
        Attestation memory attestation = attest(intent);
        attestation.decision = state % 7 == 0 ? 0 : 1;
        bytes memory authorization = authorize(attestation, OPERATORS, absent % 4);
        if (offset % 3 == 0) authorization[(offset / 3) % authorization.length] ^= change;
        vm.warp(block.timestamp + 10 minutes - uint256(uint16(shift)) % 700);

        if (state % 5 == 1) counter.burnAssentNonces(0, 1 << NONCE);
        if (state % 5 == 2) commitEpoch(0, OPERATORS - 1);
        vm.startPrank(owner);
        if (state % 5 == 3) registry.revokeEpochs(only(FIRST_EPOCH));
        vm.stopPrank();
        if (state % 5 == 4) intent.value += 1;
        attempt(intent, agent, authorization);
    }
}

contract ViewOfTrailingCallsTest is ViewTest, TrailingPath {}

contract ViewOfExplicitIntentsTest is ViewTest, ExplicitPath {}
