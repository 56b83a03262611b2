// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IRefusals} from "../../../contracts/interfaces/Protocol.sol";
import {AuthorizationReader, Fields} from "../../forge/utils/AuthorizationReader.sol";
import {IVerifierOracle} from "../oracle/IVerifierOracle.sol";
import {AuthorizationBytes} from "./AuthorizationBytes.sol";
import {Dice} from "./Dice.sol";
import {VerifierOracle} from "./VerifierOracle.sol";

/// @dev Both sides read the same fields from the same bytes, and write the same bytes again; or both refuse them.
contract ParsingDifferentialTest is VerifierOracle {
    using Dice for Dice.Cup;

    AuthorizationReader private reader = new AuthorizationReader();

    function testFuzz_AnyBytesParseAlike(bytes memory anything) public {
        _assertParseAlike(anything);
    }

    /// @dev Where random bytes hardly ever come: well formed, and one to three changes away from it.
    function testFuzz_AlmostWellFormedBytesParseAlike(uint256 seed, uint8 changes) public {
        Dice.Cup memory dice = Dice.Cup(seed);
        bytes memory authorization = AuthorizationBytes.random(dice);
        for (uint256 i = 0; i < changes % 4; ++i) {
            authorization = AuthorizationBytes.mutate(authorization, dice);
        }
        _assertParseAlike(authorization);
    }

    /// @dev Each value of the three bytes that say how to read the others.
    function testFuzz_WellFormedButForOneDecidingByteParsesAlike(uint256 seed, uint8 value) public {
        Dice.Cup memory dice = Dice.Cup(seed);
        bytes memory authorization = AuthorizationBytes.random(dice);
        uint256[3] memory offsets =
            [AuthorizationBytes.DECISION, AuthorizationBytes.KIND, AuthorizationBytes.BITMAP_LENGTH];
        uint256 offset = offsets[dice.below(3)];
        if (offset < authorization.length) authorization[offset] = bytes1(value % (dice.below(2) == 0 ? 4 : 255));
        _assertParseAlike(authorization);
    }

    function _assertParseAlike(bytes memory authorization) private {
        (bool isWellFormed, IVerifierOracle.Fields memory fields, bytes memory encoded) = askParse(authorization);
        try reader.readAndWrite(authorization) returns (bytes memory written) {
            assertTrue(isWellFormed, "the contracts parse what the verifier refuses");
            assertEq(written, encoded, "written again");
            assertEq(encoded, authorization, "another spelling");
            _assertSameFields(reader.read(authorization), fields);
        } catch (bytes memory reason) {
            assertFalse(isWellFormed, "the verifier parses what the contracts refuse");
            assertEq(reason, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        }
    }

    /// @dev But for the Merkle proof, which the contracts fold where it stands and never read out.
    function _assertSameFields(Fields memory read, IVerifierOracle.Fields memory fields) private pure {
        bytes memory signature = read.isRecorded ? bytes("") : abi.encodePacked(read.signature);
        assertEq(
            abi.encode(read.taskId, read.nonce, read.expiration, read.decision, read.evidence, read.epoch),
            abi.encode(fields.taskId, fields.nonce, fields.expiration, fields.decision, fields.evidence, fields.epoch)
        );
        assertEq(read.isRecorded, fields.isRecorded, "kind");
        assertEq(signature, fields.signature, "signature");
        assertEq(read.nonSigners, fields.nonSigners, "bitmap");
    }
}
