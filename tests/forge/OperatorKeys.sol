// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G1Point, G2Point} from "../../contracts/libraries/BLS12381.sol";
import {HashToCurve} from "../../contracts/libraries/HashToCurve.sol";
import {Precompiles} from "../../contracts/libraries/Precompiles.sol";

/// @title Operators' keys inside the EVM
/// @dev With the secret key known, signing is one scalar multiplication of the hashed message, which is what the MSM
/// precompiles do. No second program is needed.
library OperatorKeys {
    /// @dev The order of G1 and G2. RFC 9380, section 8.8.
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    bytes internal constant SIGNATURE_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
    bytes internal constant POSSESSION_TAG = "BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    function secretKey(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", index))) % ORDER;
    }

    function publicKey(uint256 secret) internal view returns (bytes memory) {
        (bool success, bytes memory point) = Precompiles.g2Multiply(abi.encode(BLS12381.generatorG2(), secret));
        require(success, "G2MSM refused the generator");
        return BLS12381.encode(abi.decode(point, (G2Point)));
    }

    function sign(uint256 secret, bytes memory message, bytes memory tag) internal view returns (bytes memory) {
        (bool success, bytes memory point) =
            Precompiles.g1Multiply(abi.encode(HashToCurve.hashToG1(message, tag), secret));
        require(success, "G1MSM refused a hashed message");
        return encodeG1(abi.decode(point, (G1Point)));
    }

    function encodeG1(G1Point memory point) internal pure returns (bytes memory) {
        return abi.encodePacked(uint128(point.xHigh), point.xLow, uint128(point.yHigh), point.yLow);
    }
}
