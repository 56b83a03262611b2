// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IRefusals} from "../../contracts/interfaces/Protocol.sol";
import {AuthorizationReader} from "./AuthorizationReader.sol";
import {SymbolicTestBase} from "./SymbolicTestBase.sol";

/// @title Every byte string either parses in one way or is refused as malformed
contract ParserProof is SymbolicTestBase {
    AuthorizationReader private reader;

    function setUp() public {
        reader = new AuthorizationReader();
    }

    /// @dev Of up to 246 bytes, all of them anything. Recorded ones have up to four hashes, direct ones a bitmap of up
    /// to 34 bytes or a hash.
    function check_BytesParseExactlyAsTheFormatHasThem() public {
        uint256 length = anyBelow(247, "length");
        bytes memory authorization = svm.createBytes(length, "authorization");
        (bool parses, bytes memory refusal) =
            address(reader).staticcall(abi.encodeCall(reader.requireWellFormed, (authorization)));
        assert(parses == isOfTheFormat(authorization));
        assert(parses || keccak256(refusal) == keccak256(abi.encodePacked(IRefusals.MalformedAuthorization.selector)));
    }

    /// @dev With any bitmap of any length, and a proof of up to two hashes.
    function check_DirectFieldsEncodeToTheBytesTheyWereReadFrom() public {
        uint256 bitmapLength = anyBelow(256, "bitmapLength");
        uint256 proofLength = bitmapLength % 3;
        requireSameBytes(
            bytes.concat(
                svm.createBytes(113, "fields"),
                hex"00",
                svm.createBytes(96, "signature"),
                bytes1(uint8(bitmapLength)),
                svm.createBytes(bitmapLength, "nonSigners"),
                bytes1(uint8(proofLength)),
                svm.createBytes(32 * proofLength, "proof")
            ),
            proofLength
        );
    }

    /// @dev With a proof of any length.
    function check_RecordedFieldsEncodeToTheBytesTheyWereReadFrom() public {
        uint256 proofLength = anyBelow(33, "proofLength");
        requireSameBytes(
            bytes.concat(
                svm.createBytes(113, "fields"),
                hex"01",
                bytes1(uint8(proofLength)),
                svm.createBytes(32 * proofLength, "proof")
            ),
            proofLength
        );
    }

    /// @dev A node is the hash of its two children, the smaller first.
    function check_ProofIsFoldedFromTheLeafUp(bytes32 leaf, bytes32 first, bytes32 second) public view {
        bytes memory fields = new bytes(113);
        bytes32 root = reader.root(bytes.concat(fields, hex"0102", first, second), leaf);
        assert(root == nodeOf(nodeOf(leaf, first), second));
    }

    function requireSameBytes(bytes memory authorization, uint256 proofLength) private view {
        vm.assume(isOfTheFormat(authorization));
        bytes memory again = reader.encodeAgain(authorization, proofLength);
        assert(keccak256(again) == keccak256(authorization));
    }

    /// @dev The table in docs/protocol.md, read by its own words. Without branches: each would be two paths to prove.
    function isOfTheFormat(bytes memory authorization) private pure returns (bool) {
        uint256 length = authorization.length;
        if (length < 115) return false;
        uint256 kind = byteAt(authorization, 113);
        uint256 recordedProof = byteAt(authorization, 114);
        bool form = both(both(kind == 1, recordedProof <= 32), length == 115 + 32 * recordedProof);
        for (uint256 proofLength = 0; proofLength <= 32 && 212 + 32 * proofLength <= length; ++proofLength) {
            uint256 bitmapLength = length - 212 - 32 * proofLength;
            bool lengths = both(
                byteAt(authorization, 210) == bitmapLength, byteAt(authorization, 211 + bitmapLength) == proofLength
            );
            // Of an empty bitmap this is the byte that says so.
            bool lastByte = either(bitmapLength == 0, byteAt(authorization, 210 + bitmapLength) != 0);
            form = either(form, both(both(kind == 0, lengths), lastByte));
        }
        return both(form, byteAt(authorization, 76) <= 1);
    }

    function byteAt(bytes memory source, uint256 offset) private pure returns (uint256) {
        return uint8(source[offset]);
    }

    function both(bool first, bool second) private pure returns (bool result) {
        assembly ("memory-safe") {
            result := and(first, second)
        }
    }

    function either(bool first, bool second) private pure returns (bool result) {
        assembly ("memory-safe") {
            result := or(first, second)
        }
    }

    function nodeOf(bytes32 first, bytes32 second) private pure returns (bytes32) {
        return first < second ? keccak256(abi.encode(first, second)) : keccak256(abi.encode(second, first));
    }
}
