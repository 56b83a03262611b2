// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The precompiled contracts of EIP-2537 that BLS signatures need
/// @dev Addresses and prices from EIP-2537.
///
/// Two things make a bare call unsafe. A precompile that is missing on the chain is an empty account: the call succeeds
/// and returns nothing. And an EIP-2537 precompile that rejects its input consumes all the gas it was given. So each call
/// gets its list price and no more, and the size of what came back is checked.
library Precompiles {
    /// @notice The chain does not have this precompile.
    /// @param precompile Its address.
    error PrecompileMissing(address precompile);
    /// @notice Too little gas is left to tell a rejection by the precompile from lack of gas.
    error InsufficientGas();

    address internal constant G1ADD = address(0x0b);
    address internal constant G1MSM = address(0x0c);
    address internal constant G2ADD = address(0x0d);
    address internal constant G2MSM = address(0x0e);
    address internal constant PAIRING = address(0x0f);
    address internal constant MAP_FP_TO_G1 = address(0x10);

    uint256 internal constant G2ADD_PRICE = 600;
    uint256 internal constant PAIRING_BASE_PRICE = 37_700;
    uint256 internal constant PAIRING_PAIR_PRICE = 32_600;
    /// @dev Of one term; with more of them each costs less, down to 519/1000.
    uint256 internal constant G1MSM_PRICE = 12_000;

    /// @notice Adds two points of E(Fp), 128 bytes each.
    function g1Add(bytes memory input) internal view returns (bool success, bytes memory sum) {
        return _call(G1ADD, 375, 128, input);
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
        return _call(G2MSM, 22_500, 256, input);
    }

    /// @notice Checks whether the product of the pairings of `pairs` pairs (384 bytes each) is one; rejects points outside
    /// the subgroups.
    function pairing(bytes memory input, uint256 pairs) internal view returns (bool success, bytes memory outcome) {
        return _call(PAIRING, PAIRING_BASE_PRICE + PAIRING_PAIR_PRICE * pairs, 32, input);
    }

    /// @notice Maps a field element (64 bytes, canonical) to G1.
    function mapToG1(bytes memory element) internal view returns (bool success, bytes memory point) {
        return _call(MAP_FP_TO_G1, 5500, 128, element);
    }

    /// @dev The same with memory by address: `input` to be read, `output` to be written.
    function callInMemory(
        address precompile,
        uint256 price,
        uint256 input,
        uint256 inputLength,
        uint256 output,
        uint256 outputLength
    ) internal view returns (bool success) {
        uint256 returned;
        // The compiler's own call copies the input before and the output after. Safe: it writes where it is told.
        assembly ("memory-safe") {
            success := staticcall(price, precompile, input, inputLength, output, outputLength)
            returned := returndatasize()
        }
        if (success) {
            if (returned != outputLength) revert PrecompileMissing(precompile);
        } else if (gasleft() <= price / 63) {
            // The EVM silently lowers a call's gas to 63/64 of what there is (EIP-150). Where that was less than the price,
            // what is left now is less than 1/63 of the price; after a rejection it is more. Asked afterwards, the question
            // costs a good call nothing.
            revert InsufficientGas();
        }
    }

    /// @notice Says why a call whose input cannot be rejected has failed.
    function revertWithChainFault(address precompile) internal view {
        bool takesNoGas;
        // Only an account without code takes a call without gas.
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
        uint256 from;
        uint256 to;
        assembly ("memory-safe") {
            from := add(input, 0x20)
            to := add(output, 0x20)
        }
        success = callInMemory(precompile, price, from, input.length, to, outputLength);
    }
}
