// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G1Point, G2Point} from "../../../contracts/libraries/BLS12381.sol";
import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {Precompiles} from "../../../contracts/libraries/Precompiles.sol";
import {Pointer} from "../../../contracts/types/Pointer.sol";

/// @title The libraries' functions, to be called from outside: for their reverts, and for calls with little gas
contract BLS12381Caller {
    function verify(bytes memory message, bytes memory tag, bytes memory signature, bytes memory publicKey)
        external
        view
        returns (bool)
    {
        return BLS12381.verify(message, tag, BLS12381.decodeG1(signature), BLS12381.decodeG2(publicKey));
    }

    /// @dev With `bytesInUse` of memory taken beforehand, which makes every further allocation dear.
    function verifyWithMemoryInUse(
        uint256 bytesInUse,
        bytes memory message,
        bytes memory tag,
        bytes memory signature,
        bytes memory publicKey
    ) external view returns (bool) {
        new bytes(bytesInUse);
        return BLS12381.verify(message, tag, BLS12381.decodeG1(signature), BLS12381.decodeG2(publicKey));
    }

    function hashToG1(bytes memory message, bytes memory tag) external view returns (G1Point memory) {
        return HashToCurve.hashToG1(message, tag);
    }

    function hashWordToG1(bytes32 message, bytes memory tag) external view returns (G1Point memory point) {
        Pointer destination;
        assembly ("memory-safe") {
            destination := point
        }
        HashToCurve.hashWordToG1(message, tag, destination);
    }

    function reduce(uint256 high, uint256 low) external pure returns (uint256, uint256) {
        return HashToCurve.reduce(high, low);
    }

    function add(G2Point memory a, G2Point memory b) external view returns (G2Point memory) {
        BLS12381.addInPlace(a, b);
        return a;
    }

    function requireInSubgroupOfG1(G1Point memory point) external view {
        BLS12381.requireInSubgroup(point);
    }

    function requireInSubgroupOfG2(G2Point memory point) external view {
        BLS12381.requireInSubgroup(point);
    }

    function g1Add(bytes memory input) external view returns (bool, bytes memory) {
        return Precompiles.g1Add(input);
    }

    function g1Multiply(bytes memory input) external view returns (bool, bytes memory) {
        return Precompiles.g1Multiply(input);
    }

    function g2Add(bytes memory input) external view returns (bool, bytes memory) {
        return Precompiles.g2Add(input);
    }

    function g2Multiply(bytes memory input) external view returns (bool, bytes memory) {
        return Precompiles.g2Multiply(input);
    }

    function pairing(bytes memory input) external view returns (bool, bytes memory) {
        return Precompiles.pairing(input, (input.length + 383) / 384);
    }

    function mapToG1(bytes memory input) external view returns (bool, bytes memory) {
        return Precompiles.mapToG1(input);
    }
}
