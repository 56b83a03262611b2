// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPolicyRegistry} from "../../../contracts/interfaces/IPolicyRegistry.sol";
import {PolicyEvidence} from "../../../contracts/policy/PolicyEvidence.sol";
import {PolicyRegistry} from "../../../contracts/policy/PolicyRegistry.sol";
import {Test} from "forge-std/Test.sol";

contract PolicyRegistryTest is Test {
    PolicyRegistry private registry = new PolicyRegistry();

    function test_PublishEmitsThePolicyItsPartsAndTheUri(
        bytes32 rules,
        bytes32 parameters,
        address publisher,
        string calldata uri
    ) public {
        bytes32 policyId = PolicyEvidence.policyId(rules, parameters);
        vm.expectEmit();
        emit IPolicyRegistry.PolicyPublished(policyId, rules, parameters, publisher, uri);
        vm.prank(publisher);
        assertEq(registry.publish(rules, parameters, uri), policyId);
    }

    function test_OtherParametersOfTheSameRulesAreAnotherPolicy() public {
        bytes32 rules = keccak256("rules");
        assertNotEq(registry.publish(rules, keccak256("a"), ""), registry.publish(rules, keccak256("b"), ""));
    }
}
