// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Attestation} from "../../../contracts/interfaces/Protocol.sol";
import {Precompiles} from "../../../contracts/libraries/Precompiles.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @dev The gas that precompiles are given, which the optimised code has as constants.
contract GasCapsTest is TrailingPath {
    /// @dev A cap below the price is what a price above the cap is. Each cap of the contract, in its code.
    function test_PriceAboveACapIsNeverTakenForABadSignature() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory data = trail(attestation.intent.data, authorize(attestation));
        SignedRoot[] memory roots = new SignedRoot[](2);
        roots[0] = SignedRoot("root", sign("root", 0, OPERATORS), "");
        roots[1] = SignedRoot("another", sign("another", 1, OPERATORS), hex"01");
        bytes memory insufficient = abi.encodeWithSelector(Precompiles.InsufficientGas.selector);
        bytes memory code = address(taskManager).code;

        // PAIRING of two: 411,600 becomes 102,000.
        vm.etch(address(taskManager), _replace(code, hex"620647d0", hex"62018e70"));
        vm.prank(agent);
        (, bytes memory returned) = address(counter).call{value: 1 ether}(data);
        assertEq(returned, insufficient);
        vm.expectRevert(insufficient);
        taskManager.recordRoot(FIRST_EPOCH, roots[0]);

        // PAIRING of any number: 37,700 and 32,600 a pair become 100 each.
        bytes memory cheaper = _replace(code, hex"617f58", hex"610064");
        vm.etch(address(taskManager), _replace(cheaper, hex"619344", hex"610064"));
        vm.expectRevert(insufficient);
        taskManager.recordRoots(FIRST_EPOCH, roots);

        // G1MSM: 48,000 a point becomes 100.
        vm.etch(address(taskManager), _replace(code, hex"61bb80", hex"610064"));
        vm.expectRevert(insufficient);
        taskManager.recordRoots(FIRST_EPOCH, roots);

        vm.etch(address(taskManager), code);
        taskManager.recordRoots(FIRST_EPOCH, roots);
        vm.prank(agent);
        (bool success,) = address(counter).call{value: 1 ether}(data);
        assertTrue(success);
    }

    /// @dev The code with every occurrence of an instruction replaced.
    function _replace(bytes memory code, bytes memory instruction, bytes memory by)
        private
        pure
        returns (bytes memory replaced)
    {
        replaced = LibBytes.replace(code, instruction, by);
        assertEq(replaced.length, code.length);
        assertNotEq(keccak256(replaced), keccak256(code), "the code has no such cap");
    }
}
