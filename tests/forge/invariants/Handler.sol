// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {Signed} from "./Attesting.sol";
import {World} from "./World.sol";
import {CommonBase} from "forge-std/Base.sol";
import {StdAssertions} from "forge-std/StdAssertions.sol";

/// @dev An action and how it may end: in a refusal, or in success (none).
struct End {
    string action;
    bytes4 refusal;
}

/// @title An actor of the invariant tests
/// @dev Each action takes a seed, brings about what it needs, and must come to an end. It asserts the result of
/// each call, so an action cannot fail unnoticed nor come to nothing.
abstract contract Handler is CommonBase, StdAssertions {
    World internal immutable world;

    bytes4[] private _actions;
    End[] private _ends;

    constructor(World world_) {
        world = world_;
    }

    /// @dev An action that ends without having reached anything fails.
    modifier reachesAnEnd() {
        world.keepEpochsInForce();
        uint256 before = world.endCount();
        _;
        assertGt(world.endCount(), before, "an action came to nothing");
    }

    /// @notice Returns the actor's actions, each with one argument, a seed.
    function actions() external view returns (bytes4[] memory) {
        return _actions;
    }

    /// @notice Returns every end that this actor's actions aim at.
    /// @dev What is used after other actions can also end otherwise.
    function ends() external view returns (End[] memory) {
        return _ends;
    }

    /* DECLARATION */

    function _addAction(bytes4 selector) internal {
        _actions.push(selector);
    }

    function _addSuccess(string memory action) internal {
        _ends.push(End(action, 0));
    }

    function _addRefusal(string memory action, bytes4 refusal) internal {
        _ends.push(End(action, refusal));
    }

    /* ATTEMPTS */

    /// @dev An attestation that must be accepted.
    function mustPass(string memory action, address client, Signed memory signed) internal {
        assertEq(world.refusalOf(client, signed), "", "prepared badly: this is not good");
        perform(action, client, signed);
    }

    /// @dev An attestation that ends as the protocol says, whatever that is.
    function perform(string memory action, address client, Signed memory signed) internal {
        bytes memory refusal = world.perform(client, signed);
        if (refusal.length == 0) world.keepUsed(signed);
        world.reach(action, bytes4(refusal));
    }

    /// @dev An attempt that must fail with this very error.
    function mustFail(
        string memory action,
        address client,
        address caller,
        Intent memory intent,
        bytes memory authorization,
        bytes memory expected
    ) internal {
        assertEq(world.offer(client, caller, intent, authorization), expected, action);
        world.reach(action, bytes4(expected));
    }

    function mustFail(string memory action, address client, Signed memory signed, bytes memory expected) internal {
        mustFail(action, client, world.agent(), signed.attestation.intent, world.authorizationOf(signed), expected);
    }

    /// @dev What was not signed in this form fails at the signature at the latest.
    function mustFailForged(string memory action, address client, Signed memory forged) internal {
        bytes memory expected = world.refusalBeforeSignature(client, forged);
        if (expected.length == 0) expected = abi.encodeWithSelector(IRefusals.InvalidSignature.selector);
        mustFail(action, client, forged, expected);
    }

    /// @dev Any call of any contract that must fail with this very error.
    function mustFailCall(
        string memory action,
        address caller,
        address target,
        bytes memory data,
        bytes memory expected
    ) internal {
        (bool success, bytes memory returned) = world.transact(caller, target, data);
        assertFalse(success, action);
        assertEq(returned, expected, action);
        world.reach(action, bytes4(expected));
    }

    /* WHAT AN ATTACKER HAS */

    function copyOf(Signed memory signed) internal pure returns (Signed memory) {
        return abi.decode(abi.encode(signed), (Signed));
    }

    function signedByTheAttacker(bytes32 root) internal view returns (bytes memory) {
        return OperatorKeys.sign(uint256(keccak256("attacker")), root);
    }

    /* CHOICES */

    function pick(uint256 seed, string memory choice, uint256 count) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, choice))) % count;
    }

    /// @dev A number of a vault, its address, and a separate seed for every action so far.
    function start(uint256 seed) internal view returns (uint256 vault, address client, uint256 ownSeed) {
        ownSeed = uint256(keccak256(abi.encode(seed, world.endCount())));
        vault = ownSeed % 2;
        client = address(world.vaults(vault));
    }
}
