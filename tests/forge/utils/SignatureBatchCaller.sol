// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G1Point, G2Point} from "../../../contracts/libraries/BLS12381.sol";
import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {SignatureBatch} from "../../../contracts/libraries/SignatureBatch.sol";
import {Pointer} from "../../../contracts/types/Pointer.sol";

/// @title The library's check of many signatures, with any seed
contract SignatureBatchCaller {
    using SignatureBatch for SignatureBatch.Batch;

    /// @param negatedKey Minus the key under which all messages should be signed.
    function holds(
        bytes32 seed,
        bytes[] memory messages,
        bytes memory tag,
        bytes[] memory signatures,
        G2Point memory negatedKey
    ) external view returns (bool result) {
        SignatureBatch.Batch memory batch = SignatureBatch.start(messages.length, seed);
        _copy(batch.nextKey(), abi.encode(negatedKey));
        for (uint256 i = 0; i < messages.length; ++i) {
            (Pointer signature, Pointer hashed) = batch.next();
            _copy(signature, abi.encode(BLS12381.decodeG1(signatures[i])));
            _copy(hashed, abi.encode(HashToCurve.hashToG1(messages[i], tag)));
        }
        (, result) = batch.check();
    }

    /// @notice Whether a batch of nothing holds.
    function emptyHolds(bytes32 seed) external view returns (bool wellFormed, bool result) {
        return SignatureBatch.start(0, seed).check();
    }

    /// @notice Checks one signature of a hashed message, each in any 128 bytes.
    function check(bytes memory signature, bytes memory hashed) external view returns (bool wellFormed, bool result) {
        SignatureBatch.Batch memory batch = SignatureBatch.start(1, 0);
        _copy(batch.nextKey(), abi.encode(BLS12381.generatorG2()));
        (Pointer signaturePointer, Pointer hashedPointer) = batch.next();
        _copy(signaturePointer, signature);
        _copy(hashedPointer, hashed);
        return batch.check();
    }

    function _copy(Pointer pointer, bytes memory point) private pure {
        assembly ("memory-safe") {
            mcopy(pointer, add(point, 32), mload(point))
        }
    }
}
