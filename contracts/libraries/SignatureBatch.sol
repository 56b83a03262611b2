// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import {Pointer} from "../types/Pointer.sol";
import {BLS12381, G2Point} from "./BLS12381.sol";
import {OperatorTable} from "./OperatorTable.sol";
import {G1MSM_PRICE, PAIR_LENGTH, Precompiles} from "./Precompiles.sol";

/// @title SignatureBatch
/// @notice Verifies many signatures with one product of pairings: e(Σ rᵢ·signatureᵢ, generator of G2) · Π over keys e(Σ
/// rᵢ·hashedᵢ, negatedKey) = 1. The coefficients rᵢ have 128 bits, and each sum goes over the signatures of one key.
/// Call `start`; for each key `nextKey` and `next` for each of its signatures; then `check`.
/// @dev Soundness: let dᵢ be the discrete logarithm of e(signatureᵢ, G2) · e(hashedᵢ, negatedKey), zero if the
/// signature is valid. All points are in groups of one prime order: G1MSM rejects signatures outside, and the rest is
/// computed or comes from the registry. So the product is one exactly if Σ rᵢ·dᵢ = 0 modulo that order. With some dᵢ ≠
/// 0 and all other coefficients given, at most one of the 2^128 values of rᵢ does that. The coefficients are hashes of
/// a seed that must commit to every input, so they are fixed only after all dᵢ are. An attacker who tries k batches has
/// an invalid one accepted with a probability of at most k · 2^-128. (Bellare, Garay, Rabin: Fast batch verification,
/// 1998, the small exponents test; the Fiat-Shamir heuristic for the coefficients.)
library SignatureBatch {
    /// @dev Pointers to the batch, and its lengths.
    struct Batch {
        /// @dev Hash of everything that will be added.
        bytes32 seed;
        /// @dev Pointer to G1MSM's input: each signature (128 bytes) and its coefficient (32 bytes).
        Pointer signatures;
        /// @dev The same for the hashed messages.
        Pointer hashes;
        /// @dev Pointer to PAIRING's input; the first pair is the signatures'.
        Pointer product;
        /// @dev Number of signatures.
        uint256 length;
        /// @dev Number of signatures whose key is complete.
        uint256 completed;
        /// @dev Number of complete pairs.
        uint256 pairs;
    }

    /// @dev Bytes of a point of G1 and a coefficient.
    uint256 private constant TERM = 160;

    /// @notice Begins a batch.
    /// @param most Most signatures that will be added.
    /// @param seed A hash that commits to every signature, message and key that will be added.
    function start(uint256 most, bytes32 seed) internal pure returns (Batch memory batch) {
        batch.seed = seed;
        batch.signatures = _allocate(TERM * most);
        batch.hashes = _allocate(TERM * most);
        batch.product = _allocate(PAIR_LENGTH * (most + 1) + OperatorTable.ROOM_AFTER_KEY);
    }

    /// @notice Begins a key, and completes the previous one with the signatures added since.
    /// @return negatedKey Pointer to which the caller must write minus the key (256 bytes), as
    /// `OperatorTable.signedWeight` does, with the bytes after it that it uses.
    function nextKey(Batch memory batch) internal view returns (Pointer negatedKey) {
        _completeKey(batch);
        return batch.product.plus(PAIR_LENGTH * (batch.pairs + 1) + 128);
    }

    /// @notice Adds a signature of the current key.
    /// @return signature Pointer to which the caller must write the signature (128 bytes), infinity excluded.
    /// @return hashed Pointer to which the caller must write the hashed message (128 bytes).
    function next(Batch memory batch) internal pure returns (Pointer signature, Pointer hashed) {
        signature = batch.signatures.plus(TERM * batch.length);
        hashed = batch.hashes.plus(TERM * batch.length);
        // Zero is as improbable as any other value, and helps an attacker no more.
        uint256 coefficient = uint128(uint256(keccak256(abi.encode(batch.seed, batch.length))));
        // In assembly: Solidity has no pointers. Memory-safe: writes only to what `start` allocated.
        assembly ("memory-safe") {
            mstore(add(signature, 0x80), coefficient)
            mstore(add(hashed, 0x80), coefficient)
        }
        ++batch.length;
    }

    /// @notice Returns whether all signatures are valid.
    /// @return wellFormed Whether all signatures are canonical, on the curve and in the subgroup.
    /// @return holds Whether the product is one; false when not well formed.
    function check(Batch memory batch) internal view returns (bool wellFormed, bool holds) {
        _completeKey(batch);
        if (batch.length == 0) return (true, true);
        Pointer product = batch.product;
        if (!_sum(batch.signatures, batch.length, product)) return (false, false);
        G2Point memory generator = BLS12381.generatorG2();
        // In assembly: Solidity has no pointers. Memory-safe: writes only to what `start` allocated.
        assembly ("memory-safe") {
            mcopy(add(product, 0x80), generator, 0x100)
        }
        return BLS12381.checkProduct(product, batch.pairs + 1);
    }

    /// @dev Completes the pair of the current key, if there is one.
    function _completeKey(Batch memory batch) private view {
        uint256 count = batch.length - batch.completed;
        if (count == 0) return;
        ++batch.pairs;
        // Hashed messages are in the subgroup, so this cannot be rejected.
        Pointer terms = batch.hashes.plus(TERM * batch.completed);
        if (!_sum(terms, count, batch.product.plus(PAIR_LENGTH * batch.pairs))) {
            Precompiles.revertWithChainFault(Precompiles.G1MSM);
        }
        batch.completed = batch.length;
    }

    /// @dev Writes Σ coefficient · point, with one call of G1MSM, which rejects points outside the subgroup. The price
    /// is that of as many single multiplications; it costs less (EIP-2537's discount).
    function _sum(Pointer terms, uint256 count, Pointer sum) private view returns (bool) {
        uint256 price;
        unchecked {
            // No number of points that memory can hold overflows it.
            price = G1MSM_PRICE * count;
        }
        return Precompiles.callInMemory(Precompiles.G1MSM, price, terms, TERM * count, sum, 128);
    }

    function _allocate(uint256 length) private pure returns (Pointer pointer) {
        bytes memory allocated = new bytes(length);
        // In assembly: Solidity has no pointers. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            pointer := add(allocated, 0x20)
        }
    }
}
