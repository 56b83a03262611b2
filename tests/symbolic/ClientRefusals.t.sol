// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {IRefusals, Intent, OperatorSetId, Policy} from "../../contracts/interfaces/Protocol.sol";
import {ProtectedCounter} from "../forge/utils/ProtectedCounter.sol";
import {ClientProof} from "./ClientProof.sol";

/// @title ClientRefusals
/// @notice A client without a valid configuration refuses every call.
contract ClientRefusalsProof is ClientProof {
    /// @dev In any state without a TaskManager or without a policy id.
    function check_ClientWithoutPolicyRefusesEveryCall(address caller) public {
        svm.enableSymbolicStorage(address(client));
        vm.assume(address(client.assentTaskManager()) == address(0) || client.assentPolicy().policyId == 0);
        assertPolicyNotSet(caller, anyProtectedCall());
    }

    function check_NewClientRefusesEveryCall(address caller) public {
        assertPolicyNotSet(caller, anyProtectedCall());
    }

    function check_ClientIsInitializedOnce(address caller, ITaskManager otherManager, Policy memory otherPolicy)
        public
    {
        initialize();
        vm.prank(caller);
        (bool accepted,) =
            address(client).call(abi.encodeCall(ProtectedCounter.initialize, (otherManager, otherPolicy)));
        assert(!accepted);
    }

    function check_InitialisedWithNothingButAPolicyThatProtects(uint256 choice) public {
        ITaskManager given = ITaskManager(choice == 0 ? address(manager) : address(0xc0de1e55));
        (bool accepted,) = address(client).call(abi.encodeCall(ProtectedCounter.initialize, (given, policy)));
        bool protects = policy.policyId != 0 && policy.quorum >= 5001 && policy.quorum <= 10_000;
        protects = protects && policy.maxLifetime != 0 && policy.maxLifetime <= 30 days;
        protects = protects && OperatorSetId.unwrap(policy.operatorSet) < 2 ** 26;
        assert(accepted == (choice == 0 && protects));
        if (accepted) {
            assert(client.assentTaskManager() == given);
            assert(keccak256(abi.encode(client.assentPolicy())) == keccak256(abi.encode(policy)));
        }
    }

    /// @dev Of answers of 0, 1, 31, 32, 33 and 64 bytes, and of an account without code, which gives none.
    function check_OnlyOneWordLetsACallThrough(address caller) public {
        initialize();
        uint256 length = uint8(bytes(hex"00011f202140ff")[anyBelow(7, "answer")]);
        // PUSH1 length PUSH1 0 RETURN, or no code.
        vm.etch(address(manager), length == 255 ? bytes("") : abi.encodePacked(hex"60", uint8(length), hex"6000f3"));
        bytes memory protectedCall = anyProtectedCall();
        vm.prank(caller);
        (bool accepted,) = address(client).call(protectedCall);
        assert(!accepted || length == 32);
    }

    function check_RefusalByTheTaskManagerIsPassedOn(address caller) public {
        initialize();
        // It reverts with the first 36 bytes of its calldata: CALLDATACOPY(0, 0, 36), REVERT(0, 36).
        vm.etch(address(manager), hex"6024600060003760246000fd");
        bytes memory protectedCall = anyProtectedCall();
        vm.prank(caller);
        (bool accepted, bytes memory refusal) = address(client).call(protectedCall);
        assert(!accepted);
        assert(refusal.length == 36 && selectorOf(refusal) == ITaskManager.spend.selector);
    }

    function reach_InitialisedClient() public {
        initialize();
        assert(false);
    }

    /// @dev On either path, the trailing one also through the fallback, with arguments and an authorization of which
    /// nothing is known.
    function anyProtectedCall() private returns (bytes memory) {
        uint256 path = anyBelow(3, "path");
        bytes memory authorization = svm.createBytes(212, "authorization");
        if (path == 0) {
            bytes memory arguments = svm.createBytes(64, "arguments");
            return bytes.concat(
                ProtectedCounter.protectedNoOp.selector, arguments, authorization, bytes2(uint16(authorization.length))
            );
        }
        Intent memory intent = Intent(
            svm.createAddress("from"), address(manager), 0, svm.createBytes(68, "data"), svm.createUint256("chain")
        );
        if (path == 1) return abi.encodeCall(ProtectedCounter.execute, (intent, authorization));
        return bytes.concat(hex"ffffffff", svm.createBytes(32, "arguments"), authorization, hex"00d4");
    }

    function assertPolicyNotSet(address caller, bytes memory protectedCall) private {
        vm.prank(caller);
        (bool accepted, bytes memory refusal) = address(client).call(protectedCall);
        assert(!accepted);
        assert(keccak256(refusal) == keccak256(abi.encodePacked(IRefusals.PolicyNotSet.selector)));
        assert(callsOf(manager) == 0);
    }
}
