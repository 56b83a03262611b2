// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Decisions drawn from one seed, so that a counterexample is a number
library Dice {
    struct Cup {
        uint256 state;
    }

    function roll(Cup memory cup) internal pure returns (uint256) {
        cup.state = uint256(keccak256(abi.encode(cup.state)));
        return cup.state;
    }

    /// @dev 0 to `end - 1`.
    function below(Cup memory cup, uint256 end) internal pure returns (uint256) {
        return roll(cup) % end;
    }

    function oneIn(Cup memory cup, uint256 count) internal pure returns (bool) {
        return below(cup, count) == 0;
    }

    function randomBytes(Cup memory cup, uint256 length) internal pure returns (bytes memory random) {
        random = new bytes(length);
        uint256 word;
        for (uint256 i = 0; i < length; ++i) {
            if (i % 32 == 0) word = roll(cup);
            random[i] = bytes1(uint8(word >> (8 * (i % 32))));
        }
    }
}
