// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OperatorRegistry} from "../../../contracts/OperatorRegistry.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {GasTestBase} from "./GasTestBase.sol";

/// @dev What is done once, or seldom.
contract GasOfAdministrationTest is GasTestBase {
    uint256 private constant OPERATORS = 1000;
    uint256 private constant NEW_OPERATOR = 5000;

    bytes private registration;
    bytes private rotation;

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
        uint256 before = gasleft();
        new OperatorRegistry(owner, ownerStakeSource, GRACE_PERIOD);
        _snapshot("deploy OperatorRegistry", before - gasleft());
    }

    function test_DeployTaskManager() public {
        bytes memory initCode = abi.encodePacked(vm.getCode("TaskManager.sol:TaskManager"), abi.encode(registry));
        uint256 before = gasleft();
        address deployed;
        assembly {
            deployed := create(0, add(initCode, 0x20), mload(initCode))
        }
        _snapshot("deploy TaskManager", before - gasleft());
        assertNotEq(deployed.code.length, 0);
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
        _snapshot("commit an epoch of 100 operators", _commit(0, 100));
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

    function test_RevokeEpoch() public {
        vm.prank(owner);
        _measure("revoke an epoch", address(registry), abi.encodeCall(IOperatorRegistry.revokeEpoch, (FIRST_EPOCH)));
    }

    function test_AddValidator() public {
        bytes memory data = abi.encodeCall(IOperatorRegistry.addValidator, (deployTaskManager()));
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
