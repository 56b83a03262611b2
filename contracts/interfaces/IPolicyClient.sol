// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "./ITaskManager.sol";
import {Intent, OperatorSetId, Policy} from "./Protocol.sol";

/// @title IPolicyClient
/// @notice A contract that refuses calls that operators have not authorized.
/// @dev Every name contains "assent", so that a contract can inherit it whatever names it has already.
/// @dev Protected calls also revert with the errors of `IRefusals`, which are not members of this interface: decode
/// them with the ABI of `IRefusals`.
interface IPolicyClient {
    /// @notice Emitted when the policy changes, for pending attestations too.
    event AssentPolicyChanged(bytes32 indexed policyId, OperatorSetId operatorSet, uint16 quorum, uint48 maxLifetime);
    /// @notice Emitted when the TaskManager changes. Attestations issued for the previous one are no longer valid.
    event AssentTaskManagerChanged(ITaskManager taskManager);

    /// @notice Thrown when the client is initialized a second time. Its owner can replace both TaskManager and policy.
    error AssentAlreadyInitialized();
    /// @notice Thrown when the TaskManager is not a contract.
    error AssentInvalidTaskManager(ITaskManager taskManager);
    /// @notice Thrown when a policy has no id, no lifetime, or a quorum outside 5001 to 10000 basis points.
    error AssentInvalidPolicy(bytes32 policyId, uint16 quorum, uint48 maxLifetime);

    /// @notice Sets the policy. Only for callers that `_assentAuthorizeChange` accepts.
    function setAssentPolicy(Policy calldata newPolicy) external;

    /// @notice Sets the TaskManager. Only for callers that `_assentAuthorizeChange` accepts.
    function setAssentTaskManager(ITaskManager newTaskManager) external;

    /// @notice Revokes attestations of this client by spending their nonces. Only for callers that
    /// `_assentAuthorizeChange` accepts.
    /// @param word The word of nonces: nonces `word · 256` to `word · 256 + 255`.
    /// @param mask The nonces of the word to spend, a bit each.
    function burnAssentNonces(uint256 word, uint256 mask) external;

    /// @notice Returns the attested task if an authorization would authorize a call now; otherwise reverts as the call
    /// would.
    /// @param intent The call. For a function with `onlyAttested`: `to` is this contract and `data` the calldata
    /// without the authorization.
    /// @param caller The account that would make the call.
    /// @param authorization The authorization's bytes (docs/protocol.md).
    function checkAssentAuthorization(Intent calldata intent, address caller, bytes calldata authorization)
        external
        view
        returns (bytes32 taskId);

    /// @notice Returns what the client demands of attestations; all zero until it is set.
    function assentPolicy() external view returns (Policy memory);

    /// @notice Returns the TaskManager that the client asks; zero until it is set.
    function assentTaskManager() external view returns (ITaskManager);
}
