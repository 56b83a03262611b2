// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Evidence} from "../../../contracts/policy/Evidence.sol";
import {RESULT_HEIGHT} from "../../../contracts/policy/PolicyEvidence.sol";
import {PolicyRegistry} from "../../../contracts/policy/PolicyRegistry.sol";
import {PolicyEvidenceCaller} from "../utils/PolicyEvidenceCaller.sol";
import {Test} from "forge-std/Test.sol";

/// @dev What a contract pays that opens an evidence, and what publishing costs. The call's own price, a cold account's
/// 2,600, and the measuring, some 300, are included.
contract GasOfPoliciesTest is Test {
    PolicyEvidenceCaller private caller;
    PolicyRegistry private registry;
    Evidence private evidence;
    bytes32[RESULT_HEIGHT] private siblings;
    bytes32 private constant LEAF = bytes32(uint256(0x0101) << 216);

    function setUp() public {
        caller = new PolicyEvidenceCaller();
        registry = new PolicyRegistry();
        bytes32 root = LEAF;
        for (uint256 i = 0; i < RESULT_HEIGHT; ++i) {
            siblings[i] = keccak256(abi.encode(i));
            root = keccak256(abi.encode(root, siblings[i]));
        }
        evidence = Evidence({
            image: keccak256("image"),
            rules: keccak256("rules"),
            stepLimit: 1 << 28,
            parameters: keccak256("parameters"),
            input: keccak256("input"),
            data: keccak256("data"),
            result: root
        });
    }

    function test_OpenEvidence() public {
        bytes memory data = abi.encodeCall(PolicyEvidenceCaller.open, (evidence, LEAF, siblings));
        uint256 used = _gasOf(address(caller), data);
        assertLe(used, 200_000, "the most that opening an evidence may cost");
        vm.snapshotValue("policy", "openEvidence", used);
    }

    function test_Publish() public {
        string memory uri = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
        bytes memory data = abi.encodeCall(PolicyRegistry.publish, (keccak256("rules"), keccak256("parameters"), uri));
        vm.snapshotValue("policy", "publish", _gasOf(address(registry), data));
    }

    function _gasOf(address target, bytes memory data) private returns (uint256 used) {
        uint256 before = gasleft();
        (bool success, bytes memory reason) = target.call(data);
        used = before - gasleft();
        assertTrue(success, vm.toString(reason));
    }
}
