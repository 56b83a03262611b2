// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Dice} from "./Dice.sol";
import {SignatureBytes} from "./SignatureBytes.sol";
import {Splice} from "./Splice.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @title Random authorizations, and ways to tamper with one: with its structure in mind, and without
library AuthorizationBytes {
    using Dice for Dice.Cup;
    using LibBytes for bytes;
    using Splice for bytes;

    /* Offsets of fields (docs/protocol.md). */

    uint256 internal constant NONCE = 32;
    uint256 internal constant ISSUED_AT = 64;
    uint256 internal constant EXPIRATION = 70;
    uint256 internal constant DECISION = 76;
    uint256 internal constant EVIDENCE = 77;
    uint256 internal constant EPOCH = 109;
    uint256 internal constant KIND = 113;
    uint256 internal constant SIGNATURE = 114;
    uint256 internal constant BITMAP_LENGTH = 210;
    uint256 internal constant BITMAP = 211;

    /// @dev Well formed.
    function random(Dice.Cup memory dice) internal pure returns (bytes memory) {
        bytes memory attested =
            bytes.concat(dice.randomBytes(DECISION), bytes1(uint8(dice.below(2))), dice.randomBytes(KIND - EVIDENCE));
        uint256 proofLength = dice.oneIn(4) ? 30 + dice.below(3) : dice.below(6);
        bytes memory proof = bytes.concat(bytes1(uint8(proofLength)), dice.randomBytes(32 * proofLength));
        if (dice.oneIn(3)) return bytes.concat(attested, hex"01", proof);
        bytes memory bitmap = dice.randomBytes(dice.oneIn(8) ? 250 + dice.below(6) : dice.below(5));
        if (bitmap.length > 0 && bitmap[bitmap.length - 1] == 0) bitmap[bitmap.length - 1] = 0x80;
        bytes memory signature = dice.randomBytes(96);
        return bytes.concat(attested, hex"00", signature, bytes1(uint8(bitmap.length)), bitmap, proof);
    }

    /// @dev One change, to any part. What does not apply, to shorter bytes for instance, does nothing.
    function mutate(bytes memory authorization, Dice.Cup memory dice) internal pure returns (bytes memory) {
        uint256 part = dice.below(4);
        if (part == 0) return _mutateBytes(authorization, dice);
        if (part == 1) return _mutateAttested(authorization, dice);
        if (part == 2) return _mutateBitmap(authorization, dice);
        return _mutateProof(authorization, dice);
    }

    /// @dev The nonce as the bytes have it; zero when they are too short.
    function nonceOf(bytes memory authorization) internal pure returns (uint256) {
        if (authorization.length < ISSUED_AT) return 0;
        return uint256(bytes32(authorization.slice(NONCE, NONCE + 32)));
    }

    /// @dev The 48 bits at an offset; the bytes must be long enough.
    function secondsAt(bytes memory authorization, uint256 offset) internal pure returns (uint256 time) {
        for (uint256 i = offset; i < offset + 6; ++i) {
            time = (time << 8) | uint8(authorization[i]);
        }
    }

    /// @dev Without its structure in mind.
    function _mutateBytes(bytes memory authorization, Dice.Cup memory dice) private pure returns (bytes memory) {
        uint256 length = authorization.length;
        uint256 way = dice.below(6);
        if (way == 0) return authorization.slice(0, length - dice.below(length < 40 ? length + 1 : 40));
        if (way == 1) return bytes.concat(authorization, dice.randomBytes(1 + dice.below(40)));
        if (way == 2) return dice.randomBytes(dice.below(400));
        if (length > 0) authorization[dice.below(length)] ^= bytes1(uint8(1 << dice.below(8)));
        return authorization;
    }

    function _mutateAttested(bytes memory authorization, Dice.Cup memory dice) private pure returns (bytes memory) {
        uint256 way = dice.below(7);
        if (way == 0) return authorization.overwrite(0, dice.randomBytes(32));
        if (way == 1) return authorization.overwrite(NONCE, dice.randomBytes(32));
        if (way == 2) return authorization.overwrite(EXPIRATION, dice.randomBytes(6));
        if (way == 3) return authorization.overwrite(EVIDENCE, dice.randomBytes(32));
        if (way == 4) return authorization.overwrite(DECISION, abi.encodePacked(uint8(dice.below(4))));
        if (way == 5) return authorization.overwrite(KIND, abi.encodePacked(uint8(dice.below(4))));
        return authorization.overwrite(EPOCH, abi.encodePacked(uint32(dice.oneIn(4) ? dice.roll() : dice.below(6))));
    }

    function _mutateBitmap(bytes memory authorization, Dice.Cup memory dice) private pure returns (bytes memory) {
        if (!_isDirect(authorization)) return authorization;
        uint256 length = uint8(authorization[BITMAP_LENGTH]);
        if (BITMAP + length >= authorization.length) return authorization;
        bytes memory bitmap = authorization.slice(BITMAP, BITMAP + length);
        uint256 way = dice.below(4);
        if (way == 0) return authorization.overwrite(BITMAP_LENGTH, abi.encodePacked(uint8(dice.roll())));
        if (way == 1) bitmap = bytes.concat(bitmap, hex"00"); // A second spelling of the same set.
        if (way == 2) bitmap = "";
        if (way == 3) {
            uint256 operator = dice.below(dice.oneIn(4) ? 2040 : 18);
            if (operator / 8 >= bitmap.length) {
                bitmap = bytes.concat(bitmap, new bytes(operator / 8 + 1 - bitmap.length));
            }
            bitmap[operator / 8] ^= bytes1(uint8(1 << (operator % 8)));
        }
        if (bitmap.length > 255) return authorization;
        return authorization.splice(BITMAP_LENGTH, 1 + length, bytes.concat(bytes1(uint8(bitmap.length)), bitmap));
    }

    /// @dev Of a quorum, or of the place in a tree.
    function _mutateProof(bytes memory authorization, Dice.Cup memory dice) private pure returns (bytes memory) {
        uint256 way = dice.below(8);
        if (way < 4 && _isDirect(authorization)) {
            bytes memory signature = authorization.slice(SIGNATURE, SIGNATURE + 96);
            return authorization.overwrite(SIGNATURE, SignatureBytes.mutate(signature, dice));
        }
        uint256 offset = _proofLengthOffset(authorization);
        if (offset >= authorization.length) return authorization;
        if (way == 4 && _isDirect(authorization)) return authorization.splice(KIND, offset - KIND, hex"01");
        uint8 length = uint8(authorization[offset]);
        unchecked {
            if (way == 5) {
                return authorization.overwrite(offset, abi.encodePacked(length + uint8(dice.below(2) * 2) - 1));
            }
            if (way == 6) authorization = bytes.concat(authorization, new bytes(33 * 32)); // More than any may have.
            if (way == 6) return authorization.overwrite(offset, abi.encodePacked(length + 33));
            return bytes.concat(authorization.overwrite(offset, abi.encodePacked(length + 1)), dice.randomBytes(32));
        }
    }

    function _isDirect(bytes memory authorization) private pure returns (bool) {
        return authorization.length > BITMAP && authorization[KIND] != 0x01;
    }

    function _proofLengthOffset(bytes memory authorization) private pure returns (uint256) {
        return _isDirect(authorization) ? BITMAP + uint8(authorization[BITMAP_LENGTH]) : SIGNATURE;
    }
}
