// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "./ITaskManager.sol";
import {IRefusals, Intent, OperatorSetId, Policy} from "./Protocol.sol";

/// @title A contract that refuses calls that operators have not authorised
interface IPolicyClient is IRefusals {
    /// @notice What the client demands of attestations has changed, for attestations under way too.
    event PolicyChanged(bytes32 indexed policyId, OperatorSetId operatorSet, uint16 quorum, uint48 maxLifetime);
    /// @notice The client asks another TaskManager. Attestations for the one before are of no use any more.
    event TaskManagerChanged(ITaskManager taskManager);

    /// @notice The client has its TaskManager already; only the owner can replace it.
    error PolicyClientAlreadyInitialized();
    /// @notice The TaskManager is not a contract.
    error InvalidTaskManager(ITaskManager taskManager);
    /// @notice A policy needs an id, a quorum of 5001 to 10000 basis points and a lifetime above zero.
    error InvalidPolicy(bytes32 policyId, uint16 quorum, uint48 maxLifetime);

    /// @notice Sets what the client demands of attestations. Only for whom `_authorizePolicyChange` lets through.
    function setPolicy(Policy calldata newPolicy) external;

    /// @notice Sets the TaskManager that the client asks. Only for whom `_authorizePolicyChange` lets through.
    function setTaskManager(ITaskManager newTaskManager) external;

    /// @notice Revokes attestations of this client by spending their nonces. Only for whom `_authorizePolicyChange` lets
    /// through.
    /// @param word The word of nonces: nonces `word · 256` to `word · 256 + 255`.
    /// @param mask The nonces of the word to spend, a bit each.
    function burnNonces(uint256 word, uint256 mask) external;

    /// @notice Says whether an authorization would let a call through now: returns the attested task, or reverts as the
    /// call would.
    /// @param intent The call. For a function under `onlyAttested`: `to` is this contract and `data` the calldata without
    /// the authorization.
    /// @param caller Who would make the call.
    /// @param authorization The authorization's bytes (docs/protocol.md).
    function checkAuthorization(Intent calldata intent, address caller, bytes calldata authorization)
        external
        view
        returns (bytes32 taskId);

    /// @notice What the client demands of attestations; all zero until it is set.
    function policy() external view returns (Policy memory);

    /// @notice The TaskManager that the client asks; zero until it is set.
    function taskManager() external view returns (ITaskManager);
}
