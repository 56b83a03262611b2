// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";

/// @title The least that can be protected
contract ProtectedCounter is PolicyClient {
    address private immutable _OWNER = msg.sender;
    uint256 public count;

    function initialize(ITaskManager taskManager, Policy memory policy) external {
        _assentInitialize(taskManager, policy);
    }

    function protectedNoOp() external payable onlyAttested {}

    function unprotectedNoOp() external payable {}

    function increment(uint256 by) external payable onlyAttested {
        count += by;
    }

    function execute(Intent calldata intent, bytes calldata authorization) external payable returns (bytes memory) {
        return _assentExecute(intent, authorization);
    }

    function _assentAuthorizeChange() internal view virtual override {
        require(msg.sender == _OWNER, "not the owner");
    }
}
