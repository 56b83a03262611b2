// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Authorization} from "../../contracts/libraries/Authorization.sol";

/// @title The library's parser and readers, called from without
contract AuthorizationReader {
    using Authorization for bytes;

    function requireWellFormed(bytes calldata authorization) external pure {
        authorization.requireWellFormed();
    }

    /// @notice The bytes that the fields, as they are read, are encoded to by the table in docs/protocol.md.
    /// @param proofLength Hashes of the Merkle proof, which no reader gives: `root` folds them.
    function encodeAgain(bytes calldata authorization, uint256 proofLength) external pure returns (bytes memory) {
        authorization.requireWellFormed();
        bytes memory fields = abi.encodePacked(
            authorization.taskId(),
            authorization.nonce(),
            authorization.issuedAt(),
            authorization.expiration(),
            authorization.decision(),
            authorization.evidence(),
            authorization.epoch()
        );
        bytes calldata proof = authorization[authorization.length - 32 * proofLength:];
        if (authorization.isRecorded()) return abi.encodePacked(fields, uint8(1), uint8(proofLength), proof);
        bytes calldata nonSigners = authorization.nonSigners();
        return abi.encodePacked(
            fields, uint8(0), authorization.signature(), uint8(nonSigners.length), nonSigners, uint8(proofLength), proof
        );
    }

    function root(bytes calldata authorization, bytes32 leaf) external pure returns (bytes32) {
        return authorization.root(leaf);
    }
}
