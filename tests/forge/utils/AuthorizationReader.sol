// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {Authorization} from "../../../contracts/libraries/Authorization.sol";

/// @dev The fields as a test writes them.
struct Fields {
    bytes32 taskId;
    uint256 nonce;
    uint48 issuedAt;
    uint48 expiration;
    uint8 decision;
    bytes32 evidence;
    EpochId epoch;
    bool isRecorded;
    bytes32[3] signature;
    bytes nonSigners;
    bytes32[] proof;
}

/// @dev Parses from calldata, and writes again what it read.
contract AuthorizationReader {
    using Authorization for bytes;

    function readAndWrite(bytes calldata authorization) external pure returns (bytes memory) {
        authorization.requireWellFormed();
        bytes memory head = abi.encodePacked(
            abi.encodePacked(
                authorization.taskId(), authorization.nonce(), authorization.issuedAt(), authorization.expiration()
            ),
            abi.encodePacked(authorization.decision(), authorization.evidence(), authorization.epoch())
        );
        if (authorization.isRecorded()) {
            bytes calldata hashes = authorization[Authorization.LEAST_LENGTH:];
            return abi.encodePacked(head, uint8(1), uint8(hashes.length / 32), hashes);
        }
        bytes calldata nonSigners = authorization.nonSigners();
        bytes calldata proof = authorization[Authorization.LEAST_DIRECT_LENGTH + nonSigners.length:];
        bytes memory signed = abi.encodePacked(authorization.signature(), uint8(nonSigners.length), nonSigners);
        return abi.encodePacked(head, uint8(0), signed, uint8(proof.length / 32), proof);
    }

    function read(bytes calldata authorization) external pure returns (Fields memory fields) {
        authorization.requireWellFormed();
        fields.taskId = authorization.taskId();
        fields.nonce = authorization.nonce();
        fields.issuedAt = authorization.issuedAt();
        fields.expiration = authorization.expiration();
        fields.decision = authorization.decision();
        fields.evidence = authorization.evidence();
        fields.epoch = authorization.epoch();
        fields.isRecorded = authorization.isRecorded();
        if (fields.isRecorded) return fields;
        bytes calldata signature = authorization.signature();
        fields.signature = abi.decode(signature, (bytes32[3]));
        fields.nonSigners = authorization.nonSigners();
    }

    function root(bytes calldata authorization, bytes32 leaf) external pure returns (bytes32) {
        authorization.requireWellFormed();
        return authorization.root(leaf);
    }
}
