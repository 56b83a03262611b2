// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IRefusals} from "../../../contracts/interfaces/Protocol.sol";
import {Authorization} from "../../../contracts/libraries/Authorization.sol";
import {AuthorizationReader, Fields} from "../utils/AuthorizationReader.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Test} from "forge-std/Test.sol";

contract AuthorizationTest is Test {
    AuthorizationReader private reader = new AuthorizationReader();

    function testFuzz_EveryFieldIsReadBack(Fields memory fields) public view {
        _makeWellFormed(fields);
        Fields memory read = reader.read(_encode(fields));
        read.proof = fields.proof;
        assertEq(abi.encode(read), abi.encode(fields));
    }

    function testFuzz_ProofIsFoldedFromTheLeafUp(Fields memory fields, bytes32 leaf) public view {
        _makeWellFormed(fields);
        bytes32 node = leaf;
        for (uint256 i = 0; i < fields.proof.length; ++i) {
            node = Hashes.commutativeKeccak256(node, fields.proof[i]);
        }
        assertEq(reader.root(_encode(fields), leaf), node);
    }

    /// @dev Whatever the bytes, they are refused with the one error or are the only spelling of what is read from them.
    function testFuzz_AnyBytesAreMalformedOrRoundTrip(bytes calldata anything) public view {
        _assertMalformedOrRoundTrips(anything);
    }

    /// @dev The same near well-formed bytes, where random ones hardly ever come.
    function testFuzz_AlmostWellFormedBytesAreMalformedOrRoundTrip(
        Fields memory fields,
        uint256 offset,
        bytes1 change,
        uint256 length
    ) public view {
        _makeWellFormed(fields);
        bytes memory encoded = _encode(fields);
        encoded[offset % encoded.length] ^= change;
        // The lengths and the decision are what makes or breaks the form.
        if (offset % 3 == 0) encoded[Authorization.DECISION_OFFSET] ^= change;
        if (offset % 3 == 1) {
            encoded[fields.isRecorded ? Authorization.SIGNATURE_OFFSET : Authorization.BITMAP_LENGTH_OFFSET] ^= change
                & 0x0f;
        }
        if (offset % 3 == 2) encoded[Authorization.KIND_OFFSET] ^= change & 0x03;
        if (length % 4 == 0) encoded = _resize(encoded, length % 1600);
        _assertMalformedOrRoundTrips(encoded);
    }

    function test_LongestFormParses() public view {
        Fields memory fields;
        fields.nonSigners = new bytes(255);
        fields.nonSigners[254] = 0x01;
        fields.proof = new bytes32[](32);
        bytes memory encoded = _encode(fields);
        assertEq(encoded.length, 212 + 255 + 32 * 32);
        assertEq(reader.readAndWrite(encoded), encoded);
    }

    function test_ShortestFormParsesAndNothingShorter() public {
        Fields memory fields;
        _assertShortest(_encode(fields), 212);
    }

    function test_ShortestFormUnderARecordedRootParsesAndNothingShorter() public {
        Fields memory fields;
        fields.isRecorded = true;
        _assertShortest(_encode(fields), 115);
    }

    function test_RevertWhen_KindIsNeitherDirectNorRecorded() public {
        Fields memory fields;
        for (uint256 recorded = 0; recorded < 2; ++recorded) {
            fields.isRecorded = recorded == 1;
            bytes memory encoded = _encode(fields);
            for (uint256 kind = 2; kind < 256; ++kind) {
                encoded[Authorization.KIND_OFFSET] = bytes1(uint8(kind));
                vm.expectRevert(IRefusals.MalformedAuthorization.selector);
                reader.readAndWrite(encoded);
            }
        }
    }

    function test_RevertWhen_OneKindIsGivenForTheOther() public {
        Fields memory fields;
        bytes memory direct = _encode(fields);
        direct[Authorization.KIND_OFFSET] = 0x01;
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        reader.readAndWrite(direct);
        fields.isRecorded = true;
        bytes memory recorded = _encode(fields);
        recorded[Authorization.KIND_OFFSET] = 0x00;
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        reader.readAndWrite(recorded);
    }

    function test_RevertWhen_ProofHasMoreThan32Hashes() public {
        Fields memory fields;
        uint8[4] memory counts = [33, 64, 128, 255];
        for (uint256 i = 0; i < counts.length; ++i) {
            fields.proof = new bytes32[](counts[i]);
            bytes memory encoded = _encode(fields);
            vm.expectRevert(IRefusals.MalformedAuthorization.selector);
            reader.readAndWrite(encoded);
        }
    }

    function test_RevertWhen_LengthByteReachesBeyondTheEnd() public {
        Fields memory fields;
        for (uint256 length = 1; length < 256; ++length) {
            bytes memory encoded = _encode(fields);
            encoded[Authorization.BITMAP_LENGTH_OFFSET] = bytes1(uint8(length));
            vm.expectRevert(IRefusals.MalformedAuthorization.selector);
            reader.readAndWrite(encoded);
            encoded[Authorization.BITMAP_LENGTH_OFFSET] = 0x00;
            encoded[Authorization.BITMAP_OFFSET] = bytes1(uint8(length));
            vm.expectRevert(IRefusals.MalformedAuthorization.selector);
            reader.readAndWrite(encoded);
        }
    }

    function _assertShortest(bytes memory encoded, uint256 shortest) private {
        assertEq(encoded.length, shortest);
        assertEq(reader.readAndWrite(encoded), encoded);
        for (uint256 length = 0; length < shortest; ++length) {
            vm.expectRevert(IRefusals.MalformedAuthorization.selector);
            reader.readAndWrite(_resize(encoded, length));
        }
    }

    function _assertMalformedOrRoundTrips(bytes memory anything) private view {
        try reader.readAndWrite(anything) returns (bytes memory written) {
            assertEq(written, anything);
            assertLe(uint8(anything[Authorization.DECISION_OFFSET]), 1);
        } catch (bytes memory reason) {
            assertEq(reason, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        }
    }

    function _makeWellFormed(Fields memory fields) private pure {
        fields.decision %= 2;
        if (fields.isRecorded) {
            delete fields.signature;
            fields.nonSigners = "";
        }
        if (fields.nonSigners.length > 255) fields.nonSigners = _resize(fields.nonSigners, 255);
        uint256 length = fields.nonSigners.length;
        if (length > 0 && fields.nonSigners[length - 1] == 0) fields.nonSigners[length - 1] = 0x80;
        if (fields.proof.length > 32) fields.proof = new bytes32[](32);
    }

    function _encode(Fields memory fields) private pure returns (bytes memory) {
        bytes memory attested = abi.encodePacked(
            fields.taskId, fields.nonce, fields.issuedAt, fields.expiration, fields.decision, fields.evidence
        );
        bytes memory signed = fields.isRecorded
            ? bytes("")
            : abi.encodePacked(fields.signature, uint8(fields.nonSigners.length), fields.nonSigners);
        bytes memory proof = abi.encodePacked(uint8(fields.proof.length), fields.proof);
        return abi.encodePacked(attested, fields.epoch, fields.isRecorded, signed, proof);
    }

    function _resize(bytes memory source, uint256 length) private pure returns (bytes memory resized) {
        resized = new bytes(length);
        for (uint256 i = 0; i < length && i < source.length; ++i) {
            resized[i] = source[i];
        }
    }
}
