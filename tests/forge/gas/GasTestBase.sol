// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";

/// @title Execution gas, as a contract pays it that calls
/// @dev Each test measures one call, with every account and slot cold (state is written in `setUp`) and the nonce's
/// word non-zero. The 21,000 of a transaction and its calldata are not in it. The call's own price, a cold account's
/// 2,600, and the measuring, some 300, are included. `vm.snapshotValue` compares with `snapshots/` where
/// FORGE_SNAPSHOT_CHECK is set.
abstract contract GasTestBase is AssentTestBase {
    ProtectedCounter internal counter;

    function deployCounter() internal {
        counter = new ProtectedCounter();
        counter.initialize(taskManager, policy());
        counter.burnAssentNonces(0, 1);
    }

    /// @dev What the operators allow: a call of a function that does nothing.
    function noOp(uint256 nonce) internal view returns (Attestation memory) {
        bytes memory data = abi.encodeCall(ProtectedCounter.protectedNoOp, ());
        return attestationOf(address(counter), Intent(address(this), address(counter), 0, data, block.chainid), nonce);
    }

    function gasOf(address target, bytes memory data) internal returns (uint256 used) {
        uint256 before = gasleft();
        (bool success, bytes memory reason) = target.call(data);
        used = before - gasleft();
        assertTrue(success, vm.toString(reason));
    }

    function name(uint256 count, string memory what) internal pure returns (string memory) {
        return string.concat(vm.toString(count), " ", what);
    }
}
