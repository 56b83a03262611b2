// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Intent} from "../interfaces/Protocol.sol";

/// @notice What a policy decides about. The input region holds `abi.encode` of it.
struct PolicyInput {
    /// @dev The call.
    Intent intent;
    /// @dev The contract that asks for the decision.
    address policyClient;
    /// @dev The client's nonce that the call will spend.
    uint256 nonce;
    /// @dev Number of the reference block.
    uint256 blockNumber;
    /// @dev Hash of the reference block.
    bytes32 blockHash;
    /// @dev Time of the reference block (Unix time).
    uint256 blockTimestamp;
}
