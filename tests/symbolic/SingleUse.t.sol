// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestedCall} from "../../contracts/interfaces/ITaskManager.sol";
import {Policy} from "../../contracts/interfaces/Protocol.sol";
import {TaskManagerProof} from "./TaskManagerProof.sol";

/// @title SingleUse
/// @notice No nonce is spent twice, and no client spends another's.
contract SingleUseProof is TaskManagerProof {
    function check_SpentOrBurnedNonceIsRefused(address client, AttestedCall memory attestedCall, Policy memory policy)
        public
    {
        bytes memory authorization = anyAuthorization();
        vm.assume(spentWord(client, nonceOf(authorization)) & bitOf(nonceOf(authorization)) != 0);
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        assert(!accepted);
    }

    function check_AcceptedUseMarksItsNonceAndNoOther(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy
    ) public {
        bytes memory authorization = anyAuthorization();
        uint256 nonce = nonceOf(authorization);
        uint256 before = spentWord(client, nonce);
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        vm.assume(accepted);
        assert(spentWord(client, nonce) == before | bitOf(nonce));
        assert(before & bitOf(nonce) == 0);
    }

    /// @dev The words of different clients are independent, and so are a client's own.
    function check_AcceptedUseTouchesNoOtherWord(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy,
        address otherClient,
        uint256 otherNonce
    ) public {
        bytes memory authorization = anyAuthorization();
        vm.assume(otherClient != client || otherNonce >> 8 != nonceOf(authorization) >> 8);
        uint256 before = spentWord(otherClient, otherNonce);
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        vm.assume(accepted);
        assert(spentWord(otherClient, otherNonce) == before);
    }

    function check_BurningTouchesOnlyTheCallersWord(
        address client,
        uint256 word,
        uint256 mask,
        address otherClient,
        uint256 otherWord
    ) public {
        vm.assume(otherClient != client || otherWord != word);
        uint256 own = taskManager.spentNonces(client, word);
        uint256 before = taskManager.spentNonces(otherClient, otherWord);
        vm.prank(client);
        taskManager.burnNonces(word, mask);
        assert(taskManager.spentNonces(client, word) == own | mask);
        assert(taskManager.spentNonces(otherClient, otherWord) == before);
    }

    function reach_AcceptedUse(address client, AttestedCall memory attestedCall, Policy memory policy) public {
        (bool accepted,) = spend(client, attestedCall, policy, anyAuthorization());
        vm.assume(accepted);
        assert(false);
    }

    function spentWord(address client, uint256 nonce) private view returns (uint256) {
        return taskManager.spentNonces(client, nonce >> 8);
    }

    function bitOf(uint256 nonce) private pure returns (uint256) {
        return 1 << (nonce & 0xff);
    }
}
