// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ISymbolicValues} from "./SymbolicTestBase.sol";

/// @title A precompile of EIP-2537 of which nothing is known but the size of its output
/// @dev Is at the precompile's address instead of it. What the contracts give to these cannot be rejected.
contract UnconstrainedPrecompile {
    ISymbolicValues private constant SVM = ISymbolicValues(address(uint160(uint256(keccak256("svm cheat code")))));

    uint256 private immutable _OUTPUT_LENGTH;

    constructor(uint256 outputLength) {
        _OUTPUT_LENGTH = outputLength;
    }

    fallback() external {
        bytes memory output = SVM.createBytes(_OUTPUT_LENGTH, "output");
        assembly ("memory-safe") {
            return(add(output, 0x20), mload(output))
        }
    }
}

/// @title PAIRING with the outcome that a proof chose
contract UnconstrainedPairing {
    /// @dev Slot 0.
    uint256 private _rejects;
    /// @dev Slot 1. The precompile's is 0 or 1.
    uint256 private _outcome;

    fallback() external {
        require(_rejects == 0);
        assembly ("memory-safe") {
            mstore(0, sload(1))
            return(0, 0x20)
        }
    }
}
