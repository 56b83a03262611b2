// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Pointer} from "../types/Pointer.sol";

// Addresses. Numbers, because assembly reads no constants of a library.
uint256 constant SHA256_ADDRESS = 0x02;
uint256 constant G1ADD_ADDRESS = 0x0b;
uint256 constant G1MSM_ADDRESS = 0x0c;
uint256 constant G2ADD_ADDRESS = 0x0d;
uint256 constant G2MSM_ADDRESS = 0x0e;
uint256 constant PAIRING_ADDRESS = 0x0f;
uint256 constant MAP_FP_TO_G1_ADDRESS = 0x10;

// Prices in gas (EIP-2537).
uint256 constant G1ADD_PRICE = 375;
// For one term. With more terms each costs less, down to 519/1000.
uint256 constant G1MSM_PRICE = 12_000;
uint256 constant G2ADD_PRICE = 600;
uint256 constant G2MSM_PRICE = 22_500;
uint256 constant PAIRING_BASE_PRICE = 37_700;
uint256 constant PAIRING_PAIR_PRICE = 32_600;
uint256 constant MAP_FP_TO_G1_PRICE = 5500;

/// @dev Bytes of a pair in PAIRING's input.
uint256 constant PAIR_LENGTH = 384;

/// @dev A call whose input may be rejected gets at most this multiple of its price.
uint256 constant CAP_MULTIPLE = 4;

/// @title Precompiles
/// @notice Calls the precompiled contracts of EIP-2537 that BLS signatures need.
/// @dev Warning: A bare call of them is unsafe, for two reasons. A precompile that is missing on the chain is an empty
/// account: the call succeeds and returns nothing. And an EIP-2537 precompile that rejects its input consumes all the
/// gas it was given. So the size of the returned data is checked, and a call whose input may be rejected gets at most
/// `CAP_MULTIPLE` times its price.
/// @dev A call that fails was rejected, or had too little gas: prices may rise above the cap. A second call tells which
/// it was, with points at infinity, which are never rejected and cost the same.
library Precompiles {
    /// @notice Thrown when the chain does not have this precompile.
    /// @param precompile Its address.
    error PrecompileMissing(address precompile);
    /// @notice Thrown when a precompile has too little gas, or too little was left to show that it rejected its input.
    error InsufficientGas();

    // The numbers are addresses.
    // forge-lint: disable-start(unsafe-typecast)
    address internal constant SHA256 = address(uint160(SHA256_ADDRESS));
    address internal constant G1ADD = address(uint160(G1ADD_ADDRESS));
    address internal constant G1MSM = address(uint160(G1MSM_ADDRESS));
    address internal constant G2ADD = address(uint160(G2ADD_ADDRESS));
    address internal constant G2MSM = address(uint160(G2MSM_ADDRESS));
    address internal constant PAIRING = address(uint160(PAIRING_ADDRESS));
    address internal constant MAP_FP_TO_G1 = address(uint160(MAP_FP_TO_G1_ADDRESS));

    // forge-lint: disable-end(unsafe-typecast)

    /// @notice Adds two points of E(Fp), 128 bytes each.
    function g1Add(bytes memory input) internal view returns (bool success, bytes memory sum) {
        return _call(G1ADD, G1ADD_PRICE, 128, input);
    }

    /// @notice Multiplies one point of G1 (128 bytes) by a scalar (32 bytes); rejects points outside the subgroup.
    function g1Multiply(bytes memory input) internal view returns (bool success, bytes memory product) {
        return _call(G1MSM, G1MSM_PRICE, 128, input);
    }

    /// @notice Adds two points of E'(Fp2), 256 bytes each.
    function g2Add(bytes memory input) internal view returns (bool success, bytes memory sum) {
        return _call(G2ADD, G2ADD_PRICE, 256, input);
    }

    /// @notice Multiplies one point of G2 (256 bytes) by a scalar (32 bytes); rejects points outside the subgroup.
    function g2Multiply(bytes memory input) internal view returns (bool success, bytes memory product) {
        return _call(G2MSM, G2MSM_PRICE, 256, input);
    }

    /// @notice Returns whether the product of the pairings of `pairs` pairs (384 bytes each) is one; rejects points
    /// outside the subgroups.
    /// @dev Part of this library's API; the contracts call `pairingInMemory`.
    function pairing(bytes memory input, uint256 pairs) internal view returns (bool success, bytes memory result) {
        return _call(PAIRING, PAIRING_BASE_PRICE + PAIRING_PAIR_PRICE * pairs, 32, input);
    }

    /// @notice Maps a field element (64 bytes, canonical) to G1.
    /// @dev Part of this library's API; the contracts call MAP_FP_TO_G1 in `HashToCurve`.
    function mapToG1(bytes memory element) internal view returns (bool success, bytes memory point) {
        return _call(MAP_FP_TO_G1, MAP_FP_TO_G1_PRICE, 128, element);
    }

    /// @notice Calls a precompile with `inputLength` bytes at `input`, and writes `outputLength` bytes at `output`.
    /// @param price The price in gas, of which the call gets at most `CAP_MULTIPLE` times as much.
    /// @param output Pointer to memory that is allocated.
    /// @return accepted Whether the precompile accepted the input.
    function callInMemory(
        address precompile,
        uint256 price,
        Pointer input,
        uint256 inputLength,
        Pointer output,
        uint256 outputLength
    ) internal view returns (bool accepted) {
        uint256 cap;
        unchecked {
            // No price of points that memory can hold overflows it.
            cap = CAP_MULTIPLE * price;
        }
        bool isComplete;
        // In assembly: saves the compiler's copies of input and output. Memory-safe: writes only to `output`.
        assembly ("memory-safe") {
            accepted := staticcall(cap, precompile, input, inputLength, output, outputLength)
            isComplete := eq(returndatasize(), outputLength)
        }
        if (!accepted) _requireRejected(precompile, cap, inputLength);
        else if (!isComplete) revert PrecompileMissing(precompile);
    }

    /// @notice Returns whether PAIRING accepts the `pairs` pairs at `input`, and whether their product is one.
    function pairingInMemory(Pointer input, uint256 pairs) internal view returns (bool accepted, bool isOne) {
        uint256 length;
        uint256 cap;
        unchecked {
            // No number of pairs that memory can hold overflows it.
            length = PAIR_LENGTH * pairs;
            cap = CAP_MULTIPLE * (PAIRING_BASE_PRICE + PAIRING_PAIR_PRICE * pairs);
        }
        bool isComplete;
        // In assembly: saves the compiler's copies of input and output. Memory-safe: writes only to scratch space,
        // which only this block reads.
        assembly ("memory-safe") {
            accepted := staticcall(cap, PAIRING_ADDRESS, input, length, 0, 0x20)
            isComplete := eq(returndatasize(), 0x20)
            isOne := and(accepted, eq(mload(0), 1))
        }
        if (!accepted) _requireRejected(PAIRING, cap, length);
        else if (!isComplete) revert PrecompileMissing(PAIRING);
    }

    /// @notice Reverts with the reason why a call failed whose input cannot be rejected.
    function revertWithChainFault(address precompile) internal view {
        bool takesNoGas;
        // Only an account without code accepts a call without gas. In assembly: no gas can be given otherwise.
        // Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            takesNoGas := staticcall(0, precompile, 0, 0, 0, 0)
        }
        if (takesNoGas) revert PrecompileMissing(precompile);
        revert InsufficientGas();
    }

    /// @dev Reverts unless a call that failed was rejected: with no more gas than it had, the same number of points at
    /// infinity is accepted.
    function _requireRejected(address precompile, uint256 cap, uint256 inputLength) private view {
        uint256 available = gasleft();
        // A call gets at most 63/64 of the gas left (EIP-150). If that was less than the cap, less than 1/63 of the cap
        // is left.
        if (available <= cap / 63) revert InsufficientGas();
        bool hasGas;
        // In assembly: saves the allocation. Memory-safe: writes only after the free memory pointer, and nothing there
        // is needed afterwards.
        assembly ("memory-safe") {
            let zeros := mload(0x40)
            calldatacopy(zeros, calldatasize(), inputLength)
            // Keeps what it takes to revert.
            let limit := sub(gas(), div(available, 4))
            if gt(limit, cap) { limit := cap }
            hasGas := staticcall(limit, precompile, zeros, inputLength, zeros, 0)
        }
        if (!hasGas) revert InsufficientGas();
    }

    function _call(address precompile, uint256 price, uint256 outputLength, bytes memory input)
        private
        view
        returns (bool success, bytes memory output)
    {
        output = new bytes(outputLength);
        Pointer from;
        Pointer to;
        // In assembly: Solidity has no address of memory. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            from := add(input, 0x20)
            to := add(output, 0x20)
        }
        success = callInMemory(precompile, price, from, input.length, to, outputLength);
    }
}
