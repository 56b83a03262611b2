// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SymbolicTestBase} from "./SymbolicTestBase.sol";

/// @title Takes every call and keeps what it was called with
/// @dev Stands for the TaskManager where a proof is about what a client tells it, and for the contract that a client
/// calls. It has no functions, since any calldata may come.
contract RecordingTaskManager {
    bytes32 private _calldataHash;
    address private _caller;
    uint256 private _value;
    uint256 private _calls;

    /// @dev `spend` returns a word.
    fallback() external payable {
        (_calldataHash, _caller, _value) = (keccak256(msg.data), msg.sender, msg.value);
        ++_calls;
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, 0x20)
        }
    }
}

/// @title Reads what was kept
abstract contract RecordingTest is SymbolicTestBase {
    function calldataHash(RecordingTaskManager called) internal view returns (bytes32) {
        return vm.load(address(called), 0);
    }

    function callerOf(RecordingTaskManager called) internal view returns (address) {
        return address(uint160(uint256(vm.load(address(called), bytes32(uint256(1))))));
    }

    function valueOf(RecordingTaskManager called) internal view returns (uint256) {
        return uint256(vm.load(address(called), bytes32(uint256(2))));
    }

    function callsOf(RecordingTaskManager called) internal view returns (uint256) {
        return uint256(vm.load(address(called), bytes32(uint256(3))));
    }
}
