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
    /// @notice Emitted when the issuance floor rises: attestations issued before it are void, under any policy.
    event AssentAttestationsVoided(uint48 floor);

    /// @notice Thrown when the client is initialized a second time. Its owner can replace both TaskManager and policy.
    error AssentAlreadyInitialized();
    /// @notice Thrown when the TaskManager is not a contract.
    error AssentInvalidTaskManager(ITaskManager taskManager);
    /// @notice Thrown when a policy has no id, or an operator set of 2^26 or more. Thrown also for a quorum outside
    /// 5001 to 10000 basis points, or a lifetime of zero or above `MAX_EPOCH_LIFETIME`.
    error AssentInvalidPolicy(bytes32 policyId, OperatorSetId operatorSet, uint16 quorum, uint48 maxLifetime);
    /// @notice Thrown when the ordinary calldata is not the selector and the function's arguments as Solidity encodes
    /// them. Arguments may then have been read from the authorization.
    error AssentArgumentsNotExact();
    /// @notice Thrown when the caller of an intent sends value, and not the intent's.
    error AssentWrongValue(uint256 expected, uint256 actual);
    /// @notice Thrown when a new issuance floor does not rise, or is above the latest allowed.
    error AssentInvalidFloor(uint48 newFloor, uint48 currentFloor, uint256 latest);

    /// @notice Sets the policy. Only for callers that `_assentAuthorizeChange` accepts.
    function setAssentPolicy(Policy calldata newPolicy) external;

    /// @notice Sets the TaskManager. Only for callers that `_assentAuthorizeChange` accepts.
    function setAssentTaskManager(ITaskManager newTaskManager) external;

    /// @notice Revokes attestations of this client by spending their nonces. Only for callers that
    /// `_assentAuthorizeRevocation` accepts.
    /// @param word The word of nonces: nonces `word · 256` to `word · 256 + 255`.
    /// @param mask The nonces of the word to spend, a bit each.
    function burnAssentNonces(uint256 word, uint256 mask) external;

    /// @notice Revokes all attestations of this client that were issued before a time. Only for callers that
    /// `_assentAuthorizeRevocation` accepts.
    /// @dev The floor never falls, whatever the policy and TaskManager become. A floor after `block.timestamp` refuses
    /// every call until then, and those whose `issuedAt` operators set too late.
    /// @param newFloor The first issuance time that is accepted (Unix time). Above the current floor, and at most
    /// `MAX_EPOCH_LIFETIME` after `block.timestamp`.
    function voidAssentAttestations(uint48 newFloor) external;

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

    /// @notice Returns the first issuance time that the client accepts (Unix time); zero until attestations are voided.
    function assentIssuanceFloor() external view returns (uint48);

    /// @notice Returns the TaskManager that the client asks; zero until it is set.
    function assentTaskManager() external view returns (ITaskManager);
}
