// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IVerifierOracle} from "../oracle/IVerifierOracle.sol";
import {Test} from "forge-std/Test.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @title Questions to the Rust verifier
/// @dev Starts the program `assent-oracle` (tests/differential/oracle) for each. When it has no answer, the test fails.
abstract contract VerifierOracle is Test {
    using LibBytes for bytes;

    /// @dev In bytes, two characters each: Linux takes no argument of more than 131,071 characters, but takes several.
    uint256 private constant LONGEST_ARGUMENT = 60_000;

    function askHashToCurve(bytes memory message, bytes memory tag) internal returns (bytes memory point) {
        return abi.decode(_ask(abi.encodeCall(IVerifierOracle.hashToCurve, (message, tag))), (bytes));
    }

    function askHashes(address taskManager, bytes memory attestation, bytes32[] memory proof)
        internal
        returns (bytes32 intentHash, bytes32 taskId, bytes32 digest, bytes32 root)
    {
        bytes memory query = abi.encodeCall(IVerifierOracle.hashes, (block.chainid, taskManager, attestation, proof));
        return abi.decode(_ask(query), (bytes32, bytes32, bytes32, bytes32));
    }

    function askProofOfPossessionDigest(address registry, address operator, bytes memory publicKey)
        internal
        returns (bytes32)
    {
        bytes memory query = abi.encodeCall(
            IVerifierOracle.proofOfPossessionDigest, (block.chainid, registry, operator, publicKey)
        );
        return abi.decode(_ask(query), (bytes32));
    }

    function askObservationDigest(address taskManager, bytes32[4] memory words) internal returns (bytes32) {
        bytes memory query = abi.encodeCall(
            IVerifierOracle.observationDigest, (block.chainid, taskManager, words[0], words[1], words[2], words[3])
        );
        return abi.decode(_ask(query), (bytes32));
    }

    function askConnectionDigest(address taskManager, bytes32 challenge, address operator, string memory gateway)
        internal
        returns (bytes32)
    {
        bytes memory query = abi.encodeCall(
            IVerifierOracle.connectionDigest, (block.chainid, taskManager, challenge, operator, gateway)
        );
        return abi.decode(_ask(query), (bytes32));
    }

    function askParse(bytes memory authorization)
        internal
        returns (bool isWellFormed, IVerifierOracle.Fields memory fields, bytes memory encoded)
    {
        bytes memory answer = _ask(abi.encodeCall(IVerifierOracle.parse, (authorization)));
        return abi.decode(answer, (bool, IVerifierOracle.Fields, bytes));
    }

    function askVerify(IVerifierOracle.OperatorTables[] memory tables, IVerifierOracle.Case[] memory cases)
        internal
        returns (IVerifierOracle.Verdict[] memory)
    {
        bytes memory answer = _ask(abi.encodeCall(IVerifierOracle.verify, (tables, cases)));
        return abi.decode(answer, (IVerifierOracle.Verdict[]));
    }

    function _ask(bytes memory query) private returns (bytes memory) {
        uint256 count = query.length / LONGEST_ARGUMENT + 1;
        string[] memory command = new string[](1 + count);
        command[0] = vm.envOr("ASSENT_ORACLE", string("target/debug/assent-oracle"));
        for (uint256 i = 0; i < count; ++i) {
            uint256 offset = i * LONGEST_ARGUMENT;
            command[1 + i] = vm.toString(query.slice(offset, offset + LONGEST_ARGUMENT));
        }
        return vm.ffi(command);
    }
}
