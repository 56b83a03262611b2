// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, EpochId, Intent, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {AuthorizationEncoding} from "../../../contracts/testing/AuthorizationEncoding.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {FaultyValidator} from "./FaultyValidator.sol";
import {IOwnedRegistry} from "./IOwnedRegistry.sol";
import {Test} from "forge-std/Test.sol";

/// @title A whole Assent with real keys, and operators who sign whatever a test asks
abstract contract AssentTestBase is Test {
    OperatorSetId internal constant OPERATOR_SET = OperatorSetId.wrap(1);
    OperatorSetId internal constant OTHER_SET = OperatorSetId.wrap(2);
    EpochId internal constant FIRST_EPOCH = EpochId.wrap(1);
    uint48 internal constant EPOCH_LIFETIME = 7 days;
    uint48 internal constant GRACE_PERIOD = 1 days;
    uint48 internal constant MAX_LIFETIME = 1 hours;
    uint16 internal constant QUORUM = 6667;
    bytes32 internal constant POLICY_ID = keccak256("policy");
    bytes32 internal constant EVIDENCE = keccak256("evidence");
    uint96 internal constant WEIGHT = 100;

    address internal owner = makeAddr("owner");
    OwnerStakeSource internal ownerStakeSource;
    IOwnedRegistry internal registry;
    ITaskManager internal taskManager;

    /// @dev Deploys the contracts and commits an epoch of `operatorCount` operators of equal weight.
    function deployAssent(uint256 operatorCount) internal {
        vm.warp(1_800_000_000);
        ownerStakeSource = new OwnerStakeSource(owner);
        registry = deployRegistry();
        taskManager = deployTaskManager();
        vm.prank(owner);
        registry.addValidator(taskManager);
        for (uint256 i = 0; i < operatorCount; ++i) {
            registerOperator(i, WEIGHT);
        }
        commitEpoch(0, operatorCount);
    }

    /// @dev How long an epoch is pending, in seconds. Without a delay each commit counts at once.
    function activationDelay() internal pure virtual returns (uint48) {
        return 0;
    }

    /// @dev From its artifact: foundry.toml compiles it with separate settings.
    function deployRegistry() internal returns (IOwnedRegistry) {
        bytes memory arguments = abi.encode(owner, ownerStakeSource, EPOCH_LIFETIME, activationDelay(), GRACE_PERIOD);
        return IOwnedRegistry(deployCode("OperatorRegistry.sol:OperatorRegistry", arguments));
    }

    /// @dev From its artifact, as the registry.
    function deployTaskManager() internal returns (ITaskManager) {
        return ITaskManager(deployCode("TaskManager.sol:TaskManager", abi.encode(registry)));
    }

    function registerOperator(uint256 index, uint96 weight) internal {
        registerKey(index);
        setWeight(index, weight);
    }

    function registerKey(uint256 index) internal {
        (bytes memory key, bytes memory proof) = newKey(index, index);
        vm.prank(operatorAddress(index));
        registry.registerOperator(key, proof);
    }

    function proofOfPossession(uint256 index, address operator, bytes memory key) internal view returns (bytes memory) {
        return OperatorKeys.proofOfPossession(OperatorKeys.secretKey(index), registry, operator, key);
    }

    /// @dev The key of secret `index`, and its proof of possession for operator `operator`.
    function newKey(uint256 index, uint256 operator) internal view returns (bytes memory key, bytes memory proof) {
        key = OperatorKeys.publicKey(OperatorKeys.secretKey(index));
        proof = proofOfPossession(index, operatorAddress(operator), key);
    }

    function setWeight(uint256 index, uint96 weight) internal {
        address[] memory operators = new address[](1);
        uint96[] memory weights = new uint96[](1);
        (operators[0], weights[0]) = (operatorAddress(index), weight);
        vm.prank(owner);
        ownerStakeSource.setWeights(OPERATOR_SET, operators, weights);
    }

    /// @dev Commits operators `first` to `first + count - 1`, in several transactions where one does not hold them.
    function commitEpoch(uint256 first, uint256 count) internal returns (EpochId) {
        for (; count > 100; (first += 100, count -= 100)) {
            vm.prank(owner);
            registry.stageOperators(OPERATOR_SET, operatorAddresses(first, 100));
        }
        vm.prank(owner);
        return registry.commitEpoch(OPERATOR_SET, operatorAddresses(first, count));
    }

    /// @dev A list of one epoch.
    function only(EpochId epoch) internal pure returns (EpochId[] memory epochs) {
        epochs = new EpochId[](1);
        epochs[0] = epoch;
    }

    function operatorAddress(uint256 index) internal pure returns (address) {
        return address(uint160(0x1000000 + index));
    }

    function operatorAddresses(uint256 first, uint256 count) internal pure returns (address[] memory operators) {
        operators = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            operators[i] = operatorAddress(first + i);
        }
    }

    function policy() internal pure returns (Policy memory) {
        return Policy({policyId: POLICY_ID, operatorSet: OPERATOR_SET, quorum: QUORUM, maxLifetime: MAX_LIFETIME});
    }

    /// @dev What the operators allow for ten minutes.
    function attestationOf(address policyClient, Intent memory intent, uint256 nonce)
        internal
        view
        returns (Attestation memory)
    {
        return Attestation({
            taskId: taskManager.taskIdOf(policyClient, POLICY_ID, intent, nonce),
            policyId: POLICY_ID,
            policyClient: policyClient,
            nonce: nonce,
            issuedAt: uint48(block.timestamp),
            expiration: uint48(block.timestamp + 10 minutes),
            decision: 1,
            evidence: EVIDENCE,
            intent: intent
        });
    }

    /// @dev The authorization of a single attestation signed by all operators of the first epoch but the first
    /// `absent`.
    function authorize(Attestation memory attestation, uint256 operatorCount, uint256 absent)
        internal
        view
        returns (bytes memory)
    {
        bytes32 root = taskManager.digestOf(attestation);
        return encode(attestation, FIRST_EPOCH, sign(root, absent, operatorCount), firstBits(absent), new bytes32[](0));
    }

    /// @dev The aggregate signature of operators `first` to `end - 1`.
    function sign(bytes32 root, uint256 first, uint256 end) internal view returns (bytes memory) {
        uint256 sum = 0;
        for (uint256 i = first; i < end; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        return OperatorKeys.sign(sum, root);
    }

    function encode(
        Attestation memory attestation,
        EpochId epoch,
        bytes memory signature,
        bytes memory nonSigners,
        bytes32[] memory proof
    ) internal pure returns (bytes memory) {
        return AuthorizationEncoding.direct(attestation, epoch, signature, nonSigners, proof);
    }

    /// @dev An authorization whose root is recorded.
    function encodeRecorded(Attestation memory attestation, EpochId epoch, bytes32[] memory proof)
        internal
        pure
        returns (bytes memory)
    {
        return AuthorizationEncoding.recorded(attestation, epoch, proof);
    }

    /// @dev A bitmap with the lowest `count` bits set.
    function firstBits(uint256 count) internal pure returns (bytes memory bitmap) {
        return AuthorizationEncoding.firstBits(count);
    }

    /// @dev Calldata with an authorization behind it.
    function trail(bytes memory data, bytes memory authorization) internal pure returns (bytes memory) {
        return AuthorizationEncoding.trailing(data, authorization);
    }

    /// @dev With any gas from 400,000 to `end`, a call updates a validator whose update costs much, or reverts.
    function assertNoGasLeavesBehind(
        FaultyValidator costly,
        address caller,
        address target,
        bytes memory data,
        uint256 end
    ) internal {
        uint256 succeeded = 0;
        for (uint256 gas = 400_000; gas < end; gas += 4999) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(caller);
            (bool success,) = target.call{gas: gas}(data);
            assertEq(costly.updates(), success ? 1 : 0);
            if (success) ++succeeded;
            vm.revertToState(snapshot);
        }
        assertGt(succeeded, 0);
    }

    function assertEq(EpochId left, EpochId right) internal pure {
        assertEq(EpochId.unwrap(left), EpochId.unwrap(right));
    }

    function assertEq(OperatorSetId left, OperatorSetId right) internal pure {
        assertEq(OperatorSetId.unwrap(left), OperatorSetId.unwrap(right));
    }
}
