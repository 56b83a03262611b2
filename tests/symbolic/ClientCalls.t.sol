// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IRefusals, Intent} from "../../contracts/interfaces/Protocol.sol";
import {ProtectedCounter} from "../forge/utils/ProtectedCounter.sol";
import {ClientProof} from "./ClientProof.sol";
import {RecordingTaskManager} from "./RecordingTaskManager.sol";

/// @title ClientCalls
/// @notice A client asks the TaskManager for exactly the call that it then executes.
contract ClientCallsProof is ClientProof {
    /// @dev Longest arguments: eight words.
    uint256 private constant LONGEST = 256;

    RecordingTaskManager private target;

    function setUp() public override {
        super.setUp();
        target = new RecordingTaskManager();
        initialize();
    }

    /// @dev Ordinary calldata of every length from 4 to 260 bytes.
    function check_TrailingPathAsksForExactlyTheCallItLetsThrough(address caller, uint96 value) public {
        requireAsked(caller, value, anyBelow(LONGEST + 1, "length"), 212);
    }

    /// @dev Authorizations of every length up to 212 bytes; whether they parse is the TaskManager's to say.
    function check_TrailingPathPassesOnExactlyTheAuthorization(address caller, uint96 value) public {
        requireAsked(caller, value, 64, anyBelow(213, "length"));
    }

    /// @dev Intents with calldata of every length up to 260 bytes.
    function check_ExplicitPathAsksForAndMakesExactlyTheIntendedCall(
        address caller,
        address from,
        uint96 value,
        uint256 chainId
    ) public {
        uint256 length = anyBelow(LONGEST + 5, "length");
        Intent memory intent = Intent(from, address(target), value, svm.createBytes(length, "data"), chainId);
        bytes memory authorization = svm.createBytes(115, "authorization");
        vm.deal(address(client), value);
        vm.prank(caller);
        client.execute(intent, authorization);
        assertSpent(caller, intent, authorization);
        assert(callsOf(target) == 1);
        assert(callerOf(target) == address(client));
        assert(valueOf(target) == value);
        assert(calldataHash(target) == keccak256(intent.data));
    }

    /// @dev Calldata of every length up to 300 bytes. What its last two bytes say is anything.
    function check_AuthorizationThatDoesNotFitTheCallIsMalformed(address caller) public {
        uint256 length = anyBelow(301, "length");
        bytes memory data = svm.createBytes(length, "data");
        if (length >= 4) {
            for (uint256 i = 0; i < 4; ++i) {
                data[i] = ProtectedCounter.protectedNoOp.selector[i];
            }
        }
        uint256 claimed = length < 2 ? 0 : uint256(uint8(data[length - 2])) << 8 | uint8(data[length - 1]);
        vm.assume(claimed + 6 > length);
        vm.prank(caller);
        (bool accepted, bytes memory refusal) = address(client).call(data);
        assert(!accepted);
        assert(keccak256(refusal) == keccak256(abi.encodePacked(IRefusals.MalformedAuthorization.selector)));
        assert(callsOf(manager) == 0);
    }

    function reach_CallLetThrough(address caller, uint96 value) public {
        requireAsked(caller, value, 64, 212);
        assert(false);
    }

    function requireAsked(address caller, uint96 value, uint256 length, uint256 authorizationLength) private {
        bytes memory data = bytes.concat(ProtectedCounter.protectedNoOp.selector, svm.createBytes(length, "arguments"));
        bytes memory authorization = svm.createBytes(authorizationLength, "authorization");
        vm.deal(caller, value);
        vm.prank(caller);
        (bool accepted,) =
            address(client).call{value: value}(bytes.concat(data, authorization, bytes2(uint16(authorizationLength))));
        assert(accepted);
        assertSpent(caller, Intent(caller, address(client), value, data, block.chainid), authorization);
    }
}
