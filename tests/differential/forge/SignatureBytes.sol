// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Dice} from "./Dice.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @title Ways to tamper with an encoded point of G1
library SignatureBytes {
    using Dice for Dice.Cup;
    using LibBytes for bytes;

    /// @dev The field's modulus. RFC 9380, section 8.8.1.
    bytes internal constant MODULUS =
        hex"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";

    function mutate(bytes memory signature, Dice.Cup memory dice) internal pure returns (bytes memory) {
        uint256 way = dice.below(8);
        (bytes memory x, bytes memory y) = (signature.slice(0, 48), signature.slice(48, 96));
        if (way == 0) return new bytes(96); // Infinity.
        if (way == 1) return bytes.concat(y, x);
        if (way == 2) return bytes.concat(_add(x, MODULUS), y); // A second spelling, where it fits into 48 bytes.
        if (way == 3) return bytes.concat(x, _add(y, MODULUS));
        if (way == 4) return bytes.concat(x, _subtract(MODULUS, y)); // The negated point.
        if (way == 5) return bytes.concat(new bytes(95), hex"02"); // On the curve y² = x³ + 4, outside the subgroup.
        if (way == 6) return bytes.concat(x, new bytes(48));
        signature[dice.below(96)] ^= bytes1(uint8(1 << dice.below(8))); // Off the curve.
        return signature;
    }

    /// @dev Modulo 2^384.
    function _add(bytes memory a, bytes memory b) private pure returns (bytes memory sum) {
        sum = new bytes(48);
        uint256 carry = 0;
        for (uint256 i = 48; i > 0; --i) {
            carry += uint256(uint8(a[i - 1])) + uint8(b[i - 1]);
            sum[i - 1] = bytes1(uint8(carry));
            carry >>= 8;
        }
    }

    /// @dev Modulo 2^384.
    function _subtract(bytes memory a, bytes memory b) private pure returns (bytes memory difference) {
        difference = new bytes(48);
        uint256 borrow = 0;
        for (uint256 i = 48; i > 0; --i) {
            uint256 digit = 256 + uint256(uint8(a[i - 1])) - uint8(b[i - 1]) - borrow;
            difference[i - 1] = bytes1(uint8(digit));
            borrow = digit < 256 ? 1 : 0;
        }
    }
}
