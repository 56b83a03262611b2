// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TrailingAuthorization} from "../../../contracts/examples/TrailingAuthorization.sol";
import {IRefusals} from "../../../contracts/interfaces/Protocol.sol";
import {Test} from "forge-std/Test.sol";

/// @dev Where an authorization begins that is appended to other bytes.
contract TrailingAuthorizationTest is Test {
    /// @dev Of the shortest authorization (docs/protocol.md).
    uint256 private constant SHORTEST = 115;

    /// @dev From outside, for its reverts.
    function split(bytes memory trailed) external pure returns (bytes memory head, bytes memory authorization) {
        return TrailingAuthorization.split(trailed);
    }

    function testFuzz_SplitsWhatWasPutTogether(bytes memory head, bytes memory end) public view {
        _assertSplits(head, bytes.concat(new bytes(SHORTEST), end));
    }

    function test_ShortestAuthorizationMayStandAlone() public view {
        _assertSplits("", new bytes(SHORTEST));
    }

    function test_RevertWhen_ThereIsNoRoomForALengthOrAnAuthorization() public {
        for (uint256 length = 0; length < SHORTEST + 2; ++length) {
            _assertMalformed(new bytes(length));
        }
    }

    function test_RevertWhen_LengthIsLessThanTheShortestOrMoreThanThereIs() public {
        _assertMalformed(abi.encodePacked(new bytes(300), uint16(SHORTEST - 1)));
        _assertMalformed(abi.encodePacked(new bytes(300), uint16(301)));
        _assertMalformed(abi.encodePacked(new bytes(300), type(uint16).max));
    }

    function _assertSplits(bytes memory head, bytes memory authorization) private view {
        (bytes memory foundHead, bytes memory found) =
            this.split(abi.encodePacked(head, authorization, uint16(authorization.length)));
        assertEq(foundHead, head);
        assertEq(found, authorization);
    }

    function _assertMalformed(bytes memory trailed) private {
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        this.split(trailed);
    }
}
