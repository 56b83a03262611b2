// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Pointer} from "../types/Pointer.sol";

// Addresses. Numbers, because assembly reads no constants of a library.
uint256 constant SHA256_ADDRESS = 0x02;
uint256 constant MODEXP_ADDRESS = 0x05;
uint256 constant G1ADD_ADDRESS = 0x0b;
uint256 constant G1MSM_ADDRESS = 0x0c;
uint256 constant G2ADD_ADDRESS = 0x0d;
uint256 constant G2MSM_ADDRESS = 0x0e;
uint256 constant PAIRING_ADDRESS = 0x0f;
uint256 constant MAP_FP_TO_G1_ADDRESS = 0x10;

// Prices in gas: MODEXP's least from EIP-7883, the others from EIP-2537.
uint256 constant MODEXP_LEAST_PRICE = 500;
uint256 constant G1ADD_PRICE = 375;
// For one term. With more terms each costs less, down to 519/1000.
uint256 constant G1MSM_PRICE = 12_000;
uint256 constant G2ADD_PRICE = 600;
uint256 constant G2MSM_PRICE = 22_500;
uint256 constant PAIRING_BASE_PRICE = 37_700;
uint256 constant PAIRING_PAIR_PRICE = 32_600;
uint256 constant MAP_FP_TO_G1_PRICE = 5500;

// Selectors of this library's errors.
uint256 constant PRECOMPILE_MISSING_SELECTOR = 0x942b0bea; // PrecompileMissing(address)
uint256 constant INSUFFICIENT_GAS_SELECTOR = 0x1c26714c; // InsufficientGas()

/// @title Precompiles
/// @notice Calls the precompiled contracts of EIP-2537 that BLS signatures need.
/// @dev Warning: A bare call of them is unsafe, for two reasons. A precompile that is missing on the chain is an empty
/// account: the call succeeds and returns nothing. And an EIP-2537 precompile that rejects its input consumes all the
/// gas it was given. So each call gets exactly its list price, and the size of the returned data is checked.
library Precompiles {
    /// @notice Thrown when the chain does not have this precompile.
    /// @param precompile Its address.
    error PrecompileMissing(address precompile);
    /// @notice Thrown when the gas left does not tell a rejection by the precompile from lack of gas.
    error InsufficientGas();

    // The numbers are addresses.
    // forge-lint: disable-start(unsafe-typecast)
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
    /// @dev Part of this library's API; the contracts call PAIRING through `callInMemory`.
    function pairing(bytes memory input, uint256 pairs) internal view returns (bool success, bytes memory result) {
        return _call(PAIRING, PAIRING_BASE_PRICE + PAIRING_PAIR_PRICE * pairs, 32, input);
    }

    /// @notice Maps a field element (64 bytes, canonical) to G1.
    /// @dev Part of this library's API; the contracts call MAP_FP_TO_G1 in `HashToCurve`.
    function mapToG1(bytes memory element) internal view returns (bool success, bytes memory point) {
        return _call(MAP_FP_TO_G1, MAP_FP_TO_G1_PRICE, 128, element);
    }

    /// @dev Calls a precompile with `inputLength` bytes at `input`, and writes `outputLength` bytes at `output`.
    function callInMemory(
        address precompile,
        uint256 price,
        Pointer input,
        uint256 inputLength,
        Pointer output,
        uint256 outputLength
    ) internal view returns (bool success) {
        uint256 returned;
        // In assembly: saves the compiler's copies of input and output. Memory-safe if `output` points to allocated
        // memory or scratch space.
        assembly ("memory-safe") {
            success := staticcall(price, precompile, input, inputLength, output, outputLength)
            returned := returndatasize()
        }
        if (success) {
            if (returned != outputLength) revert PrecompileMissing(precompile);
        } else if (gasleft() <= price / 63) {
            // The EVM silently lowers a call's gas to 63/64 of the gas left (EIP-150). If that was less than the price,
            // the gas left now is less than 1/63 of the price; after a rejection it is more. Checked afterwards, this
            // costs an accepted call nothing.
            revert InsufficientGas();
        }
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
