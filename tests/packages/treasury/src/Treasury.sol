// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PolicyClient} from "@assent/contracts/PolicyClient.sol";
import {ITaskManager} from "@assent/contracts/interfaces/ITaskManager.sol";
import {Policy} from "@assent/contracts/interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title A treasury that pays what a quorum of operators has authorised
contract Treasury is PolicyClient, Ownable2Step {
    constructor(address owner, ITaskManager taskManager, Policy memory policy) payable Ownable(owner) {
        _assentInitialize(taskManager, policy);
    }

    function pay(address payable recipient, uint256 amount)
        external
        onlyAttestedExactly(abi.encode(recipient, amount))
    {
        (bool success,) = recipient.call{value: amount}("");
        require(success, "the recipient refused the payment");
    }

    function _assentAuthorizeChange() internal override onlyOwner {}
}
