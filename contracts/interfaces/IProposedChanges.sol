// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title IProposedChanges
/// @notice Gives notice of a contract's changes: its owner proposes one, and can apply it only after a delay.
/// @dev A change is the calldata of the function that applies it. To apply it, the owner sends this calldata.
interface IProposedChanges {
    /// @notice Emitted when a change is proposed. The owner can apply it from `appliesFrom` (Unix time) on.
    event ChangeProposed(bytes32 indexed changeHash, bytes change, uint48 appliesFrom);
    /// @notice Emitted when a proposed change is canceled.
    event ChangeCanceled(bytes32 indexed changeHash);

    /// @notice Thrown when the change was not proposed, or was proposed too long ago.
    error ChangeNotProposed(bytes32 changeHash);
    /// @notice Thrown when the delay of a proposed change is not over.
    error ChangeTooEarly(bytes32 changeHash, uint48 appliesFrom);
    /// @notice Thrown when the owner tries to renounce the ownership: without an owner, nothing can be revoked.
    error OwnershipCannotBeRenounced();

    /// @notice Proposes a change. Only the owner may call it.
    /// @param change The calldata that applies the change.
    function proposeChange(bytes calldata change) external;

    /// @notice Cancels a proposed change. Only the owner may call it.
    /// @param change The calldata that would apply the change.
    function cancelChange(bytes calldata change) external;

    /// @notice Returns when a change can be applied (Unix time); zero if it is not proposed.
    /// @param changeHash The keccak256 of the calldata that applies the change.
    function proposedChanges(bytes32 changeHash) external view returns (uint48 appliesFrom);
}
