// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice What one decision was computed from, and its result: roots of the machine's regions (docs/machine.md).
/// @dev EIP-712 type `Evidence(bytes32 image,bytes32 rules,uint64 stepLimit,bytes32 parameters,bytes32 input,
/// bytes32 data,bytes32 result)`.
struct Evidence {
    /// @dev The evaluator's program.
    bytes32 image;
    /// @dev The policy's rules.
    bytes32 rules;
    /// @dev The most steps that the evaluator may take.
    uint64 stepLimit;
    /// @dev The client's parameters.
    bytes32 parameters;
    /// @dev `abi.encode` of a `PolicyInput`.
    bytes32 input;
    /// @dev The observations of the policy's sources.
    bytes32 data;
    /// @dev The decision byte and the reasons; all zero if the evaluator trapped or reached the step limit.
    bytes32 result;
}
