// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IPolicyClient} from "../interfaces/IPolicyClient.sol";
import {AttestedCall, ITaskManager} from "../interfaces/ITaskManager.sol";
import {IRefusals, MAX_EPOCH_LIFETIME, OperatorSetId, Policy} from "../interfaces/Protocol.sol";
import {PolicyTermsLibrary} from "../types/PolicyTerms.sol";
import {DelayedExit} from "./DelayedExit.sol";
import {TrailingAuthorization} from "./TrailingAuthorization.sol";
import {
    IERC7579Execution,
    IERC7579Hook,
    IERC7579Module,
    MODULE_TYPE_HOOK
} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";

/// @title AttestationHook
/// @notice An example: an ERC-7579 hook with which a smart account executes only what operators have authorized. That
/// holds for a user operation's call, an executor module's, and another module's installation. One hook serves any
/// number of accounts, each under its own policy, which is given at installation as `abi.encode(Policy)`.
/// @dev The attested call is the call that the account receives: `from` is its caller (the entry point, an executor
/// module, or the account itself), `to` the account. The authorization and its length, a uint16, follow the calldata.
/// @dev The account revokes attestations, and announces its exit, without an authorization: `burnNonces`,
/// `voidAttestations` and `announceExit` of this contract, by one plain call without value.
/// @dev Warning: A hook sees only executions: neither what an account pays for gas, nor the messages it signs
/// (ERC-1271).
/// @dev Warning: An account with EIP-7702 code is refused: its key also sends plain transactions, which no hook sees.
contract AttestationHook is IERC7579Hook, DelayedExit {
    /// @dev An account's policy and floor, of which an execution reads two slots.
    struct AccountPolicy {
        bytes32 policyId;
        OperatorSetId operatorSet;
        uint16 quorum;
        uint48 maxLifetime;
        /// @dev The first issuance time that the account accepts (Unix time). Kept when the hook is uninstalled.
        uint48 issuanceFloor;
    }

    /// @notice Emitted when an account changes its policy.
    event PolicyChanged(
        address indexed account, bytes32 indexed policyId, OperatorSetId operatorSet, uint16 quorum, uint48 maxLifetime
    );

    /// @notice Emitted when an account's issuance floor rises: attestations issued before it are void.
    event AttestationsVoided(address indexed account, uint48 floor);

    /// @notice Thrown when the account has EIP-7702 code: its key could bypass the hook.
    error DelegatedAccount(address account);
    /// @notice Thrown when the account has installed the hook already.
    error AlreadyInstalled(address account);
    /// @notice Thrown when the upper 160 bits of a nonce are not the account's address: no account can spend another's
    /// nonces.
    error NonceOfAnotherAccount(address account, uint256 nonce);

    /// @notice The TaskManager. This contract is its client.
    ITaskManager public immutable TASK_MANAGER;

    /// @dev The beginning of the code of an account that delegates (EIP-7702).
    bytes3 private constant DELEGATION_PREFIX = 0xef0100;
    /// @dev Where the calldata of one plain call begins in the calldata of `execute`. The selector, the mode, an
    /// offset, a length, the target (20 bytes) and the value are before it.
    uint256 private constant CALL_OFFSET = 4 + 3 * 32 + 20 + 32;

    /// @notice An account's policy and floor. The policy is zero if the account has not installed the hook.
    mapping(address account => AccountPolicy) public policies;

    /// @param taskManager The TaskManager.
    constructor(ITaskManager taskManager) {
        if (address(taskManager).code.length == 0) revert IPolicyClient.AssentInvalidTaskManager(taskManager);
        TASK_MANAGER = taskManager;
    }

    /// @inheritdoc IERC7579Module
    function onInstall(bytes calldata data) external {
        if (bytes3(msg.sender.code) == DELEGATION_PREFIX) revert DelegatedAccount(msg.sender);
        if (policies[msg.sender].policyId != 0) revert AlreadyInstalled(msg.sender);
        _cancelExit();
        _setPolicy(abi.decode(data, (Policy)));
    }

    /// @inheritdoc IERC7579Module
    /// @dev An account can call it only with an authorization, or after an exit.
    function onUninstall(bytes calldata) external {
        uint48 floor = policies[msg.sender].issuanceFloor;
        delete policies[msg.sender];
        policies[msg.sender].issuanceFloor = floor;
    }

    /// @notice Changes the calling account's policy. This call itself needs an authorization under the previous policy.
    function setPolicy(Policy calldata newPolicy) external {
        if (policies[msg.sender].policyId == 0) revert IRefusals.PolicyNotSet();
        _setPolicy(newPolicy);
    }

    /// @notice Revokes attestations of the calling account by spending their nonces. Needs no authorization.
    /// @param word The word of nonces, whose upper 160 bits are the account's address.
    /// @param mask The nonces of the word to spend, a bit each.
    function burnNonces(uint256 word, uint256 mask) external {
        _requireOwnNonce(word << 8);
        TASK_MANAGER.burnNonces(word, mask);
    }

    /// @notice Revokes all attestations of the calling account that were issued before a time. Needs no authorization.
    /// @param newFloor The first issuance time that is accepted (Unix time). Above the current floor, and at most
    /// `MAX_EPOCH_LIFETIME` after `block.timestamp`.
    function voidAttestations(uint48 newFloor) external {
        (uint48 currentFloor, uint256 latest) =
            (policies[msg.sender].issuanceFloor, block.timestamp + MAX_EPOCH_LIFETIME);
        if (newFloor <= currentFloor || newFloor > latest) {
            revert IPolicyClient.AssentInvalidFloor(newFloor, currentFloor, latest);
        }
        policies[msg.sender].issuanceFloor = newFloor;
        emit AttestationsVoided(msg.sender, newFloor);
    }

    /// @inheritdoc IERC7579Hook
    function preCheck(address caller, uint256 value, bytes calldata data) external returns (bytes memory) {
        if (!_hasLeft(msg.sender) && !_isUngated(data)) _spend(caller, value, data);
        return "";
    }

    /// @inheritdoc IERC7579Hook
    function postCheck(bytes calldata) external pure {}

    /// @inheritdoc IERC7579Module
    function isModuleType(uint256 moduleTypeId) external pure returns (bool) {
        return moduleTypeId == MODULE_TYPE_HOOK;
    }

    function _spend(address caller, uint256 value, bytes calldata data) private {
        AccountPolicy memory account = policies[msg.sender];
        if (account.policyId == 0) revert IRefusals.PolicyNotSet();
        (bytes memory attested, bytes memory authorization) = TrailingAuthorization.split(data);
        _requireOwnNonce(TrailingAuthorization.nonceOf(authorization));
        AttestedCall memory attestedCall = AttestedCall({
            caller: caller,
            from: caller,
            to: msg.sender,
            value: value,
            dataHash: keccak256(attested),
            chainId: block.chainid
        });
        Policy memory policy = Policy({
            policyId: account.policyId,
            operatorSet: account.operatorSet,
            quorum: account.quorum,
            maxLifetime: account.maxLifetime
        });
        // Reverts unless the authorization is valid. The TaskManager's event has the task's id.
        TASK_MANAGER.spend(attestedCall, policy, account.issuanceFloor, authorization);
    }

    function _setPolicy(Policy memory policy) private {
        if (!PolicyTermsLibrary.isAcceptable(policy)) {
            revert IPolicyClient.AssentInvalidPolicy(
                policy.policyId, policy.operatorSet, policy.quorum, policy.maxLifetime
            );
        }
        AccountPolicy storage account = policies[msg.sender];
        (account.policyId, account.operatorSet) = (policy.policyId, policy.operatorSet);
        (account.quorum, account.maxLifetime) = (policy.quorum, policy.maxLifetime);
        emit PolicyChanged(msg.sender, policy.policyId, policy.operatorSet, policy.quorum, policy.maxLifetime);
    }

    function _requireOwnNonce(uint256 nonce) private view {
        if (nonce >> 96 != uint160(msg.sender)) revert NonceOfAnotherAccount(msg.sender, nonce);
    }

    /// @dev Returns whether it is one plain call (mode zero), without value, of a function that needs no authorization.
    /// Compared byte by byte with the encoding of such a call.
    function _isUngated(bytes calldata data) private view returns (bool) {
        if (data.length < CALL_OFFSET + 4) return false;
        bytes4 selector = bytes4(data[CALL_OFFSET:]);
        uint256 arguments;
        if (selector == this.burnNonces.selector) arguments = 2;
        else if (selector == this.voidAttestations.selector) arguments = 1;
        else if (selector != this.announceExit.selector) return false;
        uint256 end = CALL_OFFSET + 4 + 32 * arguments;
        if (data.length < end) return false;
        bytes memory execution = abi.encodePacked(address(this), uint256(0), data[CALL_OFFSET:end]);
        return keccak256(data) == keccak256(abi.encodeCall(IERC7579Execution.execute, (0, execution)));
    }
}
