// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochApproval, IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {IProposedChanges} from "../../../contracts/interfaces/IProposedChanges.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {GasTestBase} from "./GasTestBase.sol";

/// @dev What is done once, or seldom.
contract GasOfAdministrationTest is GasTestBase {
    uint256 private constant OPERATORS = 1000;
    uint256 private constant NEW_OPERATOR = 5000;
    EpochId private constant NEXT_EPOCH = EpochId.wrap(2);

    bytes private registration;
    bytes private rotation;

    /// @dev As deployed by default.
    function activationDelay() internal pure override returns (uint48) {
        return 1 days;
    }

    function setUp() public {
        deployAssent(10);
        deployCounter();
        for (uint256 i = 10; i < OPERATORS; ++i) {
            registerOperator(i, WEIGHT);
        }
        (bytes memory key, bytes memory proof) = _key(NEW_OPERATOR, NEW_OPERATOR);
        registration = abi.encodeCall(IOperatorRegistry.registerOperator, (key, proof));
        (key, proof) = _key(NEW_OPERATOR + 1, 0);
        rotation = abi.encodeCall(IOperatorRegistry.rotateKey, (key, proof));
    }

    /* DEPLOYMENT: creation of the contract, with its code's 200 gas a byte */

    function test_DeployOwnerStakeSource() public {
        uint256 before = gasleft();
        new OwnerStakeSource(owner);
        _snapshot("deploy OwnerStakeSource", before - gasleft());
    }

    function test_DeployOperatorRegistry() public {
        bytes memory arguments = abi.encode(owner, ownerStakeSource, EPOCH_LIFETIME, activationDelay(), GRACE_PERIOD);
        _measureDeployment("OperatorRegistry", arguments);
    }

    function test_DeployTaskManager() public {
        _measureDeployment("TaskManager", abi.encode(registry));
    }

    /* OPERATORS */

    function test_RegisterOperator() public {
        vm.prank(operatorAddress(NEW_OPERATOR));
        _measure("register an operator", address(registry), registration);
    }

    function test_RotateKey() public {
        vm.prank(operatorAddress(0));
        _measure("rotate a key", address(registry), rotation);
    }

    function test_DisableKey() public {
        vm.prank(operatorAddress(0));
        _measure("disable a key", address(registry), abi.encodeCall(IOperatorRegistry.disableKey, ()));
    }

    function test_DeregisterOperator() public {
        vm.prank(operatorAddress(0));
        _measure("deregister an operator", address(registry), abi.encodeCall(IOperatorRegistry.deregisterOperator, ()));
    }

    function test_SetWeight() public {
        bytes memory data =
            abi.encodeCall(OwnerStakeSource.setWeights, (OPERATOR_SET, operatorAddresses(0, 1), new uint96[](1)));
        vm.prank(owner);
        _measure("set a weight", address(ownerStakeSource), data);
    }

    /* EPOCHS */

    function test_CommitEpochOf10() public {
        _snapshot("commit an epoch of 10 operators", _commit(0, 10));
    }

    function test_CommitEpochOf100() public {
        uint256 used = _commit(0, 100);
        // A transaction may use 16,777,216 (EIP-7825).
        assertLt(used, 16_777_216);
        _snapshot("commit an epoch of 100 operators", used);
    }

    /// @dev Ten transactions, measured in one: the registry's and the stake table's accounts are cold but once.
    function test_CommitEpochOf1000() public {
        uint256 sum = 0;
        uint256 first = 0;
        for (; first < 900; first += 100) {
            uint256 used = _stage(first);
            if (first == 0) _snapshot("stage 100 operators", used);
            sum += used;
        }
        _snapshot("commit an epoch of 1000 operators, 10 transactions", sum + _commit(first, 100));
    }

    function test_ActivateEpoch() public {
        _commit(0, 10);
        skip(activationDelay());
        _measure("activate an epoch", address(registry), abi.encodeCall(IOperatorRegistry.activateEpoch, (NEXT_EPOCH)));
    }

    /// @dev Three of ten have not signed: as many as may be absent.
    function test_ApproveEpoch() public {
        _commit(0, 10);
        bytes32 setHash = registry.setHashOf(NEXT_EPOCH);
        uint48 deadline = uint48(block.timestamp) + 1 hours;
        bytes32 digest = registry.epochApprovalDigest(OPERATOR_SET, FIRST_EPOCH, setHash, deadline);
        uint256 sum = 0;
        for (uint256 i = 3; i < 10; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        bytes memory signature = OperatorKeys.sign(sum, bytes.concat(digest), OperatorKeys.EPOCH_APPROVAL_TAG);
        EpochApproval memory approval = EpochApproval(deadline, signature, firstBits(3));
        bytes memory data = abi.encodeCall(IOperatorRegistry.approveEpoch, (NEXT_EPOCH, approval));
        _measure("approve an epoch of 10 operators", address(registry), data);
    }

    function test_RevokeEpoch() public {
        bytes memory data = abi.encodeCall(IOperatorRegistry.revokeEpochs, (only(FIRST_EPOCH)));
        vm.prank(owner);
        _measure("revoke an epoch", address(registry), data);
    }

    /// @dev The set's current epoch, and a pending one.
    function test_RevokeOperatorSet() public {
        _commit(0, 10);
        bytes memory data = abi.encodeCall(IOperatorRegistry.revokeOperatorSet, (OPERATOR_SET));
        vm.prank(owner);
        _measure("revoke an operator set", address(registry), data);
    }

    function test_AddValidator() public {
        bytes memory data = abi.encodeCall(IOperatorRegistry.addValidator, (deployTaskManager()));
        bytes memory proposal = abi.encodeCall(IProposedChanges.proposeChange, (data));
        vm.prank(owner);
        _measure("propose a change", address(registry), proposal);
        skip(activationDelay());
        vm.prank(owner);
        _measure("add a validator", address(registry), data);
    }

    function test_PublishEpoch() public {
        _measure(
            "publish an epoch once more",
            address(registry),
            abi.encodeCall(IOperatorRegistry.publishEpoch, (FIRST_EPOCH))
        );
    }

    /* CLIENTS */

    function test_InitializeClient() public {
        ProtectedCounter client = new ProtectedCounter();
        bytes memory data = abi.encodeCall(ProtectedCounter.initialize, (taskManager, policy()));
        _measure("give a client its policy", address(client), data);
    }

    function test_SetPolicy() public {
        _measure("change a policy", address(counter), abi.encodeCall(IPolicyClient.setAssentPolicy, (policy())));
    }

    function test_SetTaskManager() public {
        bytes memory data = abi.encodeCall(IPolicyClient.setAssentTaskManager, (deployTaskManager()));
        _measure("change the TaskManager", address(counter), data);
    }

    function test_BurnNonces() public {
        bytes memory data = abi.encodeCall(IPolicyClient.burnAssentNonces, (0, type(uint256).max));
        _measure("revoke 255 nonces of a word in use", address(counter), data);
    }

    /// @dev From its artifact, which has its own compiler settings (foundry.toml).
    function _measureDeployment(string memory name, bytes memory arguments) private {
        bytes memory initCode = abi.encodePacked(vm.getCode(string.concat(name, ".sol:", name)), arguments);
        uint256 before = gasleft();
        address deployed;
        assembly {
            deployed := create(0, add(initCode, 0x20), mload(initCode))
        }
        _snapshot(string.concat("deploy ", name), before - gasleft());
        assertNotEq(deployed.code.length, 0);
    }

    function _measure(string memory what, address target, bytes memory data) private {
        _snapshot(what, gasOf(target, data));
    }

    function _snapshot(string memory what, uint256 used) private {
        vm.snapshotValue("administration", what, used);
    }

    function _commit(uint256 first, uint256 count) private returns (uint256) {
        bytes memory data =
            abi.encodeCall(IOperatorRegistry.commitEpoch, (OPERATOR_SET, operatorAddresses(first, count)));
        vm.prank(owner);
        return gasOf(address(registry), data);
    }

    function _stage(uint256 first) private returns (uint256) {
        bytes memory data =
            abi.encodeCall(IOperatorRegistry.stageOperators, (OPERATOR_SET, operatorAddresses(first, 100)));
        vm.prank(owner);
        return gasOf(address(registry), data);
    }

    function _key(uint256 secret, uint256 operator) private view returns (bytes memory key, bytes memory proof) {
        key = OperatorKeys.publicKey(OperatorKeys.secretKey(secret));
        proof = proofOfPossession(secret, operatorAddress(operator), key);
    }
}
