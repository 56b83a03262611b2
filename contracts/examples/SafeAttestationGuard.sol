// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PolicyClient} from "../PolicyClient.sol";
import {AttestedCall, ITaskManager} from "../interfaces/ITaskManager.sol";
import {Policy} from "../interfaces/Protocol.sol";
import {DelayedExit} from "./DelayedExit.sol";
import {TrailingAuthorization} from "./TrailingAuthorization.sol";
import {ITransactionGuard} from "@safe-global/safe-smart-account/contracts/base/GuardManager.sol";
import {IModuleGuard} from "@safe-global/safe-smart-account/contracts/base/ModuleManager.sol";
import {IERC165} from "@safe-global/safe-smart-account/contracts/interfaces/IERC165.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";

/// @title SafeAttestationGuard
/// @notice An example: a Safe whose transactions need its owners' signatures, as ever, and an authorization besides. It is one
/// Safe's guard; the Safe installs it with `setGuard`, and with `setModuleGuard` so that no module goes around it.
/// @dev The attested call is the executor's call of `execTransaction` with empty `signatures`, which binds the operation and
/// the refund as well. The authorization and its length, a uint16, follow the owners' signatures, where a Safe reads nothing.
/// A guard sees transactions, and not the messages that owners sign (ERC-1271).
contract SafeAttestationGuard is ITransactionGuard, IModuleGuard, PolicyClient, DelayedExit {
    /// @notice Only the guard's own Safe. Were it anybody, anybody could spend its authorizations.
    error NotSafe(address caller);
    /// @notice Modules cannot carry an authorization, so none of them may act for the Safe.
    error ModuleRefused(address module);

    /// @notice The Safe that is guarded, and chooses the policy: by transactions, which are attested like all others.
    ISafe public immutable SAFE;

    modifier onlySafe() {
        _requireSafe();
        _;
    }

    /// @param safe The Safe that will install the guard.
    constructor(ISafe safe, ITaskManager taskManager, Policy memory policy) {
        SAFE = safe;
        _assentInitialize(taskManager, policy);
    }

    /// @inheritdoc ITransactionGuard
    /// @dev The Safe has checked the owners' signatures when it asks.
    function checkTransaction(
        address to,
        uint256 value,
        bytes memory data,
        Enum.Operation operation,
        uint256 safeTxGas,
        uint256 baseGas,
        uint256 gasPrice,
        address gasToken,
        address payable refundReceiver,
        bytes memory signatures,
        address executor
    ) external onlySafe {
        if (_hasLeft(msg.sender) || _isAnnouncement(to, data, operation, gasPrice)) {
            return;
        }
        bytes32 dataHash = keccak256(
            abi.encodeCall(
                ISafe.execTransaction,
                (to, value, data, operation, safeTxGas, baseGas, gasPrice, gasToken, refundReceiver, "")
            )
        );
        _spend(executor, dataHash, signatures);
    }

    /// @inheritdoc IModuleGuard
    function checkModuleTransaction(address, uint256, bytes calldata, Enum.Operation, address module)
        external
        view
        returns (bytes32)
    {
        if (!_hasLeft(address(SAFE))) revert ModuleRefused(module);
        return 0;
    }

    /// @inheritdoc ITransactionGuard
    function checkAfterExecution(bytes32, bool) external pure {}

    /// @inheritdoc IModuleGuard
    function checkAfterModuleExecution(bytes32, bool) external pure {}

    /// @inheritdoc IERC165
    /// @dev A Safe asks before it installs a guard. One that another Safe's guard would lock for ever, or that an exit of the
    /// time before would leave unprotected, learns of it here (GS300, GS301).
    function supportsInterface(bytes4 interfaceId) external view returns (bool) {
        if (interfaceId == type(IERC165).interfaceId) return true;
        if (msg.sender != address(SAFE) || exitTimes[msg.sender] != 0) return false;
        return interfaceId == type(ITransactionGuard).interfaceId || interfaceId == type(IModuleGuard).interfaceId;
    }

    function _assentAuthorizeChange() internal view override onlySafe {}

    function _spend(address executor, bytes32 dataHash, bytes memory signatures) private {
        (, bytes memory authorization) = TrailingAuthorization.split(signatures);
        AttestedCall memory attestedCall = AttestedCall({
            caller: executor, from: executor, to: address(SAFE), value: 0, dataHash: dataHash, chainId: block.chainid
        });
        // Reverts unless the authorization is good; which task it was, the TaskManager's event says.
        assentTaskManager().spend(attestedCall, assentPolicy(), authorization);
    }

    function _requireSafe() private view {
        if (msg.sender != address(SAFE)) revert NotSafe(msg.sender);
    }

    /// @dev Not by delegatecall, which would run in the Safe's storage, and without a refund, which pays whom the owners name.
    function _isAnnouncement(address to, bytes memory data, Enum.Operation operation, uint256 gasPrice)
        private
        view
        returns (bool)
    {
        return to == address(this) && operation == Enum.Operation.Call && gasPrice == 0
            && keccak256(data) == keccak256(abi.encodeCall(this.announceExit, ()));
    }
}
