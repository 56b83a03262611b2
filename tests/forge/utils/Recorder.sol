// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title A contract that takes any call and remembers the last
contract Recorder {
    uint256 public calls;
    address public sender;
    uint256 public value;
    bytes public data;

    fallback(bytes calldata input) external payable returns (bytes memory) {
        (sender, value, data) = (msg.sender, msg.value, input);
        ++calls;
        return abi.encodePacked("got ", input);
    }

    receive() external payable {
        (sender, value, data) = (msg.sender, msg.value, "");
        ++calls;
    }
}
