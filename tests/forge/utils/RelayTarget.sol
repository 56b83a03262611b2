// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @dev Trusts a forwarder, and writes down what it sees.
contract RelayTarget is ERC2771Context {
    error Refused(uint256 number);

    address public sender;
    address public directCaller;
    bytes public data;
    uint256 public value;
    uint256 public number;
    uint256 public gasAtEntry;
    uint256 public calls;
    bytes private _secondCall;

    constructor(address forwarder) ERC2771Context(forwarder) {}

    function record(uint256 newNumber) external payable returns (uint256) {
        gasAtEntry = gasleft();
        (sender, directCaller, data, value) = (_msgSender(), msg.sender, _msgData(), msg.value);
        number = newNumber;
        ++calls;
        return newNumber + 1;
    }

    function refuse(uint256 refused) external pure {
        revert Refused(refused);
    }

    function setSecondCall(bytes calldata secondCall) external {
        _secondCall = secondCall;
    }

    /// @dev Calls its caller, with what was set before.
    function reenter() external {
        ++calls;
        Address.functionCall(msg.sender, _secondCall);
    }
}
