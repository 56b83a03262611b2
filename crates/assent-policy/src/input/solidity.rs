//! The structs of `contracts/policy/PolicyInput.sol`, whose import the macro cannot follow. A test in Solidity compares
//! the encodings. The evaluator's tests include this file.

#![allow(missing_docs)]

alloy_sol_types::sol! {
    struct Intent {
        address from;
        address to;
        uint256 value;
        bytes data;
        uint256 chainId;
    }

    struct PolicyInput {
        Intent intent;
        address policyClient;
        uint256 nonce;
        uint256 blockNumber;
        bytes32 blockHash;
        uint256 blockTimestamp;
    }
}
