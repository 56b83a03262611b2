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
/// @notice An example: the guard of a Safe whose transactions need an authorization besides its owners' signatures. The
/// Safe installs it with `setGuard`, and with `setModuleGuard` so that no module bypasses it.
/// @dev The attested call is the executor's call of `execTransaction` with empty `signatures`, which binds the
/// operation and the refund as well. The authorization and its length, a uint16, follow the owners' signatures, where a
/// Safe reads nothing.
/// @dev The Safe's owners revoke attestations, and announce its exit, without an authorization.
/// @dev Warning: A guard sees only transactions, not the messages that owners sign (ERC-1271).
contract SafeAttestationGuard is ITransactionGuard, IModuleGuard, PolicyClient, DelayedExit {
    /// @notice Thrown when the caller is not the guard's Safe: any other caller could spend its authorizations.
    error NotSafe(address caller);
    /// @notice Thrown when a module acts for the Safe: modules cannot carry an authorization.
    error ModuleRefused(address module);

    /// @notice The guarded Safe. It chooses the policy, by transactions that need an authorization like all others.
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
    /// @dev The Safe calls this after it has checked the owners' signatures.
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
        if (_hasLeft(msg.sender) || _isUngated(to, data, operation, gasPrice)) return;
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
    /// @dev A Safe calls this before it installs a guard. It fails (GS300, GS301) for a Safe that another Safe's guard
    /// would lock forever, or that an earlier exit would leave unprotected.
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
        // Reverts unless the authorization is valid. The TaskManager's event has the task's id.
        assentTaskManager().spend(attestedCall, assentPolicy(), assentIssuanceFloor(), authorization);
    }

    function _requireSafe() private view {
        if (msg.sender != address(SAFE)) revert NotSafe(msg.sender);
    }

    /// @dev Returns whether the Safe calls a function of the guard that needs no authorization: it announces the Safe's
    /// exit or revokes attestations. Excludes a delegatecall, which would run in the Safe's storage, and a refund,
    /// which pays an account of the owners' choice.
    function _isUngated(address to, bytes memory data, Enum.Operation operation, uint256 gasPrice)
        private
        view
        returns (bool)
    {
        // The first four bytes are the selector.
        // forge-lint: disable-next-line(unsafe-typecast)
        bytes4 selector = bytes4(data);
        bool isUngated = (selector == this.announceExit.selector && data.length == 4)
            || (selector == this.burnAssentNonces.selector && data.length == 4 + 64)
            || (selector == this.voidAssentAttestations.selector && data.length == 4 + 32);
        return isUngated && to == address(this) && operation == Enum.Operation.Call && gasPrice == 0;
    }
}
