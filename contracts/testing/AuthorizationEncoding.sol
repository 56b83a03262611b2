// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, EpochId} from "../interfaces/Protocol.sol";

/// @title AuthorizationEncoding
/// @notice Encodes authorizations for tests, in the format of docs/protocol.md. Checks nothing, so that invalid ones
/// can be encoded too.
library AuthorizationEncoding {
    /// @notice Returns an authorization with its signature.
    /// @param epoch The epoch whose operators signed.
    /// @param signature The aggregate signature of the attestation's digest, or of the tree's root, in 96 bytes.
    /// @param nonSigners The bitmap of the operators that did not sign.
    /// @param proof The Merkle proof; empty if the attestation is its own root.
    function direct(
        Attestation memory attestation,
        EpochId epoch,
        bytes memory signature,
        bytes memory nonSigners,
        bytes32[] memory proof
    ) internal pure returns (bytes memory) {
        return abi.encodePacked(
            _fields(attestation, epoch, 0),
            abi.encodePacked(signature, uint8(nonSigners.length), nonSigners, uint8(proof.length), proof)
        );
    }

    /// @notice Returns an authorization whose root is recorded.
    function recorded(Attestation memory attestation, EpochId epoch, bytes32[] memory proof)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(_fields(attestation, epoch, 1), uint8(proof.length), proof);
    }

    /// @notice Returns the bitmap in which the first `count` operators of the epoch did not sign.
    function firstBits(uint256 count) internal pure returns (bytes memory bitmap) {
        bitmap = new bytes((count + 7) / 8);
        for (uint256 i = 0; i < count; ++i) {
            // forge-lint: disable-next-line(incorrect-shift)
            bitmap[i / 8] |= bytes1(uint8(1 << (i % 8)));
        }
    }

    /// @notice Calldata with an authorization behind it, as a function under `onlyAttested` takes it.
    function trailing(bytes memory data, bytes memory authorization) internal pure returns (bytes memory) {
        return abi.encodePacked(data, authorization, uint16(authorization.length));
    }

    function _fields(Attestation memory attestation, EpochId epoch, uint8 kind) private pure returns (bytes memory) {
        return abi.encodePacked(
            abi.encodePacked(attestation.taskId, attestation.nonce, attestation.issuedAt, attestation.expiration),
            abi.encodePacked(attestation.decision, attestation.evidence, epoch, kind)
        );
    }
}
