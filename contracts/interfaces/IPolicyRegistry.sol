// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title IPolicyRegistry
/// @notice A list of published policies, so that people can see what a client is bound to.
/// @dev Nothing reads it when a call is authorized.
interface IPolicyRegistry {
    /// @notice Emitted when a policy is published.
    /// @param policyId The policy.
    /// @param rules The hash of its rules.
    /// @param parameters The root of its parameters' region.
    /// @param publisher The account that published it.
    /// @param uri Where the built policy can be fetched.
    event PolicyPublished(
        bytes32 indexed policyId, bytes32 indexed rules, bytes32 parameters, address indexed publisher, string uri
    );

    /// @notice Publishes a policy.
    /// @dev Anyone can publish any policy, also with another URI: verify what you fetch against the policy's id.
    /// @param rules The hash of its rules.
    /// @param parameters The root of its parameters' region.
    /// @param uri Where the built policy can be fetched.
    function publish(bytes32 rules, bytes32 parameters, string calldata uri) external returns (bytes32 policyId);
}
