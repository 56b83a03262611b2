// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import {BLS12381, G2Point} from "./BLS12381.sol";
import {OperatorTable} from "./OperatorTable.sol";
import {Precompiles} from "./Precompiles.sol";

/// @title Many signatures, checked as one
/// @notice Checks e(Σ rᵢ·signatureᵢ, generator of G2) · Π over keys e(Σ rᵢ·hashedᵢ, negatedKey) = 1 with coefficients rᵢ of
/// 128 bits, each sum going over the signatures of one key. Call `start`; for each key `nextKey` and `next` for each of its
/// signatures; then `check`.
/// @dev Why it is sound: let dᵢ be the discrete logarithm of e(signatureᵢ, G2) · e(hashedᵢ, negatedKey), zero if the
/// signature is good. All points are in groups of one prime order (G1MSM rejects signatures outside, the rest is computed or
/// comes from the registry), so the product is one exactly if Σ rᵢ·dᵢ = 0 modulo that order. With some dᵢ ≠ 0 and all other
/// coefficients given, at most one of the 2^128 values of rᵢ does that. The coefficients are hashes of a seed that must
/// commit to every input, so they are fixed only after all dᵢ are: whoever tries k batches has one accepted wrongly with
/// a probability of at most k · 2^-128. (Bellare, Garay, Rabin: Fast batch verification, 1998, the small exponents test;
/// the Fiat-Shamir heuristic for the coefficients.)
library SignatureBatch {
    /// @dev Where in memory the batch stands, and how much of it there is.
    struct Batch {
        /// @dev Hash of everything that will be added.
        bytes32 seed;
        /// @dev Address of G1MSM's input: each signature (128 bytes) and its coefficient (32 bytes).
        uint256 signatures;
        /// @dev The same for the hashed messages.
        uint256 hashes;
        /// @dev Address of PAIRING's input; the first pair is the signatures'.
        uint256 product;
        /// @dev Signatures so far.
        uint256 length;
        /// @dev Signatures before the present key's.
        uint256 closed;
        /// @dev Pairs that are complete.
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
        batch.product = _allocate(BLS12381.PAIR_LENGTH * (most + 1) + OperatorTable.ROOM_BEHIND_KEY);
    }

    /// @notice Begins a key; what was added since the last one is that one's.
    /// @return negatedKey Address to which the caller must write minus the key (256 bytes), as
    /// `OperatorTable.readSigners` does, with the room that it uses.
    function nextKey(Batch memory batch) internal view returns (uint256 negatedKey) {
        _closeKey(batch);
        return batch.product + BLS12381.PAIR_LENGTH * (batch.pairs + 1) + 128;
    }

    /// @notice Adds a signature of the present key.
    /// @return signature Address to which the caller must write the signature (128 bytes), infinity excluded.
    /// @return hashed Address to which the caller must write the hashed message (128 bytes).
    function next(Batch memory batch) internal pure returns (uint256 signature, uint256 hashed) {
        signature = batch.signatures + TERM * batch.length;
        hashed = batch.hashes + TERM * batch.length;
        // Zero is as improbable as any other value, and no better to aim at.
        uint256 coefficient = uint128(uint256(keccak256(abi.encode(batch.seed, batch.length))));
        assembly ("memory-safe") {
            mstore(add(signature, 128), coefficient)
            mstore(add(hashed, 128), coefficient)
        }
        ++batch.length;
    }

    /// @notice Whether all signatures are good.
    /// @return wellFormed Whether all signatures are canonical, on the curve and in the subgroup.
    /// @return holds Whether the product is one; false when not well formed.
    function check(Batch memory batch) internal view returns (bool wellFormed, bool holds) {
        _closeKey(batch);
        if (batch.length == 0) return (true, true);
        uint256 product = batch.product;
        if (!_sum(batch.signatures, batch.length, product)) return (false, false);
        G2Point memory generator = BLS12381.generatorG2();
        assembly ("memory-safe") {
            mcopy(add(product, 128), generator, 256)
        }
        return BLS12381.checkProduct(product, batch.pairs + 1);
    }

    /// @dev Completes the pair of the present key, if there is one.
    function _closeKey(Batch memory batch) private view {
        uint256 count = batch.length - batch.closed;
        if (count == 0) return;
        ++batch.pairs;
        // Hashed messages are in the subgroup: nothing here can be rejected.
        if (!_sum(batch.hashes + TERM * batch.closed, count, batch.product + BLS12381.PAIR_LENGTH * batch.pairs)) {
            Precompiles.revertWithChainFault(Precompiles.G1MSM);
        }
        batch.closed = batch.length;
    }

    /// @dev Σ coefficient · point, by one call of G1MSM, which rejects points outside the subgroup. It may use the price of as
    /// many single multiplications; it costs less (EIP-2537's discount).
    function _sum(uint256 terms, uint256 count, uint256 sum) private view returns (bool) {
        uint256 price = Precompiles.G1MSM_PRICE * count;
        return Precompiles.callInMemory(Precompiles.G1MSM, price, terms, TERM * count, sum, 128);
    }

    function _allocate(uint256 length) private pure returns (uint256 place) {
        bytes memory room = new bytes(length);
        assembly ("memory-safe") {
            place := add(room, 0x20)
        }
    }
}
