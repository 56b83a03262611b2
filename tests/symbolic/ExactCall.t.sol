// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestedCall} from "../../contracts/interfaces/ITaskManager.sol";
import {Policy} from "../../contracts/interfaces/Protocol.sol";
import {TaskManagerProof} from "./TaskManagerProof.sol";

/// @title What is accepted is what was attested
/// @dev Keccak-256 is to halmos a function that gives different bytes different hashes.
contract ExactCallProof is TaskManagerProof {
    /// @dev On any chain, its own or one that was forked off after the deployment.
    function setUp() public override {
        super.setUp();
        vm.chainId(svm.createUint(64, "chainId"));
    }

    function check_AcceptedCallHashesToTheAttestedTask(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy
    ) public {
        bytes memory authorization = anyAuthorization();
        (bool accepted, bytes memory returned) = spend(client, attestedCall, policy, authorization);
        vm.assume(accepted);
        bytes32 intentHash = intentHashOf(attestedCall);
        bytes32 taskId = keccak256(
            abi.encode(block.chainid, taskManager, client, policy.policyId, intentHash, nonceOf(authorization))
        );
        assert(taskId == taskIdOf(authorization));
        assert(abi.decode(returned, (bytes32)) == taskId);
        assert(attestedCall.caller == attestedCall.from);
        assert(attestedCall.chainId == block.chainid);
    }

    /// @dev Whatever else differs: the signature, the epoch, the expiration, the policy's quorum.
    function check_OneTaskIsOneCallOfOneClient(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy,
        address otherClient,
        AttestedCall memory otherCall,
        Policy memory otherPolicy
    ) public {
        bytes memory authorization = anyAuthorization(3);
        bytes memory other = anyAuthorization(3);
        vm.assume(taskIdOf(authorization) == taskIdOf(other));
        vm.assume(isAccepted(client, attestedCall, policy, authorization));
        vm.assume(isAccepted(otherClient, otherCall, otherPolicy, other));
        assert(client == otherClient);
        assert(policy.policyId == otherPolicy.policyId);
        assert(nonceOf(authorization) == nonceOf(other));
        assert(keccak256(abi.encode(attestedCall)) == keccak256(abi.encode(otherCall)));
    }

    function reach_AcceptedCall(address client, AttestedCall memory attestedCall, Policy memory policy) public {
        vm.assume(isAccepted(client, attestedCall, policy, anyAuthorization()));
        assert(false);
    }

    function isAccepted(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy,
        bytes memory authorization
    ) private view returns (bool accepted) {
        bytes memory data = abi.encodeCall(
            taskManager.check, (client, attestedCall, policy, issuanceFloor, authorization)
        );
        (accepted,) = address(taskManager).staticcall(data);
    }
}
