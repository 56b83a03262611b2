// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {Pointer} from "../../../contracts/types/Pointer.sol";
import {VerifierOracle} from "./VerifierOracle.sol";

contract HashToCurveDifferentialTest is VerifierOracle {
    function testFuzz_AnyMessageUnderAnyTagHashesToTheSamePoint(bytes memory message, bytes memory tag) public {
        // The contracts refuse an empty tag (RFC 9380, section 3.1); the verifier uses only its own tags.
        if (tag.length == 0) tag = "tag";
        _assertSamePoint(message, tag);
    }

    /// @dev Longer than a block of SHA-256, and on both sides of 255 bytes, above which a tag is hashed first.
    function testFuzz_LongMessagesUnderLongTagsHashToTheSamePoint(
        bytes32 seed,
        uint256 messageLength,
        uint256 tagLength
    ) public {
        tagLength = bound(tagLength, 0, 9) < 5 ? bound(tagLength, 250, 260) : bound(tagLength, 1, 600);
        _assertSamePoint(_expand(seed, bound(messageLength, 0, 2000)), _expand(~seed, tagLength));
    }

    /// @dev What the validator does with a root.
    function testFuzz_RootsHashToTheSamePoint(bytes32 root) public {
        bytes memory point = new bytes(128);
        Pointer pointer;
        assembly ("memory-safe") {
            pointer := add(point, 0x20)
        }
        HashToCurve.hashWordToG1(root, OperatorKeys.SIGNATURE_TAG, pointer);
        bytes memory expected = askHashToCurve(bytes.concat(root), OperatorKeys.SIGNATURE_TAG);
        assertEq(bytes.concat(new bytes(16), _slice(expected, 0), new bytes(16), _slice(expected, 48)), point);
    }

    function _assertSamePoint(bytes memory message, bytes memory tag) private {
        bytes memory onChain = OperatorKeys.encodeG1(HashToCurve.hashToG1(message, tag));
        assertEq(askHashToCurve(message, tag), onChain);
    }

    function _expand(bytes32 seed, uint256 length) private pure returns (bytes memory expanded) {
        expanded = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            if (i % 32 == 0) seed = keccak256(abi.encode(seed));
            expanded[i] = seed[i % 32];
        }
    }

    /// @dev A coordinate.
    function _slice(bytes memory point, uint256 offset) private pure returns (bytes memory coordinate) {
        coordinate = new bytes(48);
        for (uint256 i = 0; i < 48; ++i) {
            coordinate[i] = point[offset + i];
        }
    }
}
