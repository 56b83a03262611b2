// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {Intent, OperatorSetId, Policy} from "../../contracts/interfaces/Protocol.sol";
import {ProtectedCounter} from "../forge/utils/ProtectedCounter.sol";
import {RecordingTaskManager, RecordingTest} from "./RecordingTaskManager.sol";

/// @title A client that protects every call to it, whatever its calldata
contract ProtectedFallback is ProtectedCounter {
    uint256 public executed;

    fallback() external payable onlyAttested {
        ++executed;
    }
}

/// @title A client under any policy, and a TaskManager that keeps what it is asked
abstract contract ClientProof is RecordingTest {
    ProtectedFallback internal client;
    RecordingTaskManager internal manager;
    Policy internal policy;
    uint48 internal issuanceFloor;

    function setUp() public virtual {
        client = new ProtectedFallback();
        manager = new RecordingTaskManager();
        policy = Policy({
            policyId: svm.createBytes32("policyId"),
            operatorSet: OperatorSetId.wrap(uint32(svm.createUint(32, "operatorSet"))),
            quorum: uint16(svm.createUint(16, "quorum")),
            maxLifetime: uint48(svm.createUint(48, "maxLifetime"))
        });
        vm.chainId(svm.createUint(64, "chainId"));
        vm.warp(1_800_000_000);
    }

    function initialize() internal {
        try client.initialize(ITaskManager(address(manager)), policy) {}
        catch {
            vm.assume(false);
        }
        issuanceFloor = uint48(svm.createUint(48, "issuanceFloor"));
        try client.voidAssentAttestations(issuanceFloor) {}
        catch {
            vm.assume(false);
        }
    }

    /// @dev What the TaskManager must have been called with, from the ABI's description and not from the compiler,
    /// which pads the authorization to whole words.
    function spendCalldata(address caller, Intent memory intent, bytes memory authorization)
        internal
        view
        returns (bytes memory)
    {
        bytes memory attestedCall =
            abi.encode(caller, intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId);
        return bytes.concat(
            ITaskManager.spend.selector,
            attestedCall,
            abi.encode(policy),
            abi.encode(issuanceFloor),
            abi.encode(384, authorization.length),
            authorization
        );
    }

    function assertSpent(address caller, Intent memory intent, bytes memory authorization) internal view {
        assert(callsOf(manager) == 1);
        assert(callerOf(manager) == address(client));
        assert(valueOf(manager) == 0);
        assert(calldataHash(manager) == keccak256(spendCalldata(caller, intent, authorization)));
    }
}
