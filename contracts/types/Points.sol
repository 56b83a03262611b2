// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

// The field modulus, split like a field element. RFC 9380, section 8.8.1.
uint256 constant MODULUS_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
uint256 constant MODULUS_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

/// @notice A point of E(Fp) in affine coordinates, as EIP-2537 lays it out; all zero is infinity.
/// @dev A field element of 381 bits is split at bit 256: `High` holds the top 125 bits.
struct G1Point {
    uint256 xHigh;
    uint256 xLow;
    uint256 yHigh;
    uint256 yLow;
}

/// @notice A point of E'(Fp2) in affine coordinates, as EIP-2537 lays it out (c0 before c1); all zero is infinity.
struct G2Point {
    uint256 x0High;
    uint256 x0Low;
    uint256 x1High;
    uint256 x1Low;
    uint256 y0High;
    uint256 y0Low;
    uint256 y1High;
    uint256 y1Low;
}
