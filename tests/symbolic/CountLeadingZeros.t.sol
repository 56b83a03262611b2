// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import {SymbolicTestBase} from "./SymbolicTestBase.sol";

/// @title What script/prove.py teaches halmos of CLZ is what EIP-7939 says
contract CountLeadingZerosProof is SymbolicTestBase {
    function check_CountLeadingZerosIsExact(uint256 word) public pure {
        uint256 zeros;
        assembly ("memory-safe") {
            zeros := clz(word)
        }
        assert(word == 0 ? zeros == 256 : zeros < 256 && word >> (255 - zeros) == 1);
    }
}
