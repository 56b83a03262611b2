// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ProtectedCounter} from "./ProtectedCounter.sol";
import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Context} from "@openzeppelin/contracts/utils/Context.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";

/// @title A client as integrators compose it: with OpenZeppelin's multicall and ERC-2771 context, and with modules
contract ComposedCounter is ProtectedCounter, Multicall, ERC2771Context {
    /// @notice Whom the context names in the last protected call.
    address public lastSender;

    constructor(address forwarder) ERC2771Context(forwarder) {}

    function noteSender() external payable onlyAttested {
        ++count;
        lastSender = _msgSender();
    }

    function runModule(address module, bytes calldata data) external payable onlyAttested {
        ++count;
        Address.functionDelegateCall(module, data);
    }

    function _msgSender() internal view override(Context, ERC2771Context) returns (address) {
        return ERC2771Context._msgSender();
    }

    function _msgData() internal view override(Context, ERC2771Context) returns (bytes calldata) {
        return ERC2771Context._msgData();
    }

    function _contextSuffixLength() internal view override(Context, ERC2771Context) returns (uint256) {
        return ERC2771Context._contextSuffixLength();
    }
}
