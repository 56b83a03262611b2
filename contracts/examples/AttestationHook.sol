// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IPolicyClient} from "../interfaces/IPolicyClient.sol";
import {AttestedCall, ITaskManager} from "../interfaces/ITaskManager.sol";
import {IRefusals, OperatorSetId, Policy} from "../interfaces/Protocol.sol";
import {Quorum} from "../libraries/Quorum.sol";
import {DelayedExit} from "./DelayedExit.sol";
import {TrailingAuthorization} from "./TrailingAuthorization.sol";
import {
    IERC7579Execution,
    IERC7579Hook,
    IERC7579Module,
    MODULE_TYPE_HOOK
} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";

/// @title AttestationHook
/// @notice An example: an ERC-7579 hook with which a smart account executes only what operators have authorized,
/// whether a user operation's call, an executor module's, or another module's installation. One hook serves any number
/// of accounts, each under its own policy, which is given at installation as `abi.encode(Policy)`.
/// @dev The attested call is the call that the account receives: `from` is its caller (the entry point, an executor
/// module, or the account itself), `to` the account. The authorization and its length, a uint16, follow the calldata.
/// @dev Warning: A hook sees only executions: neither what an account pays for gas, nor the messages it signs
/// (ERC-1271).
contract AttestationHook is IERC7579Hook, DelayedExit {
    /// @notice Emitted when an account changes its policy.
    event PolicyChanged(
        address indexed account, bytes32 indexed policyId, OperatorSetId operatorSet, uint16 quorum, uint48 maxLifetime
    );

    /// @notice Thrown when the account has installed the hook already.
    error AlreadyInstalled(address account);
    /// @notice Thrown when the upper 160 bits of a nonce are not the account's address: no account can spend another's
    /// nonces.
    error NonceOfAnotherAccount(address account, uint256 nonce);

    /// @notice The TaskManager. This contract is its client.
    ITaskManager public immutable TASK_MANAGER;

    /// @notice An account's policy; all zero if it has not installed the hook.
    mapping(address account => Policy) public policies;

    /// @param taskManager The TaskManager.
    constructor(ITaskManager taskManager) {
        if (address(taskManager).code.length == 0) revert IPolicyClient.AssentInvalidTaskManager(taskManager);
        TASK_MANAGER = taskManager;
    }

    /// @inheritdoc IERC7579Module
    function onInstall(bytes calldata data) external {
        if (policies[msg.sender].policyId != 0) revert AlreadyInstalled(msg.sender);
        _cancelExit();
        _setPolicy(abi.decode(data, (Policy)));
    }

    /// @inheritdoc IERC7579Module
    /// @dev An account can call it only with an authorization, or after an exit.
    function onUninstall(bytes calldata) external {
        delete policies[msg.sender];
    }

    /// @notice Changes the calling account's policy. This call itself needs an authorization under the previous policy.
    function setPolicy(Policy calldata newPolicy) external {
        if (policies[msg.sender].policyId == 0) revert IRefusals.PolicyNotSet();
        _setPolicy(newPolicy);
    }

    /// @inheritdoc IERC7579Hook
    function preCheck(address caller, uint256 value, bytes calldata data) external returns (bytes memory) {
        if (!_hasLeft(msg.sender) && !_isAnnouncement(data)) _spend(caller, value, data);
        return "";
    }

    /// @inheritdoc IERC7579Hook
    function postCheck(bytes calldata) external pure {}

    /// @inheritdoc IERC7579Module
    function isModuleType(uint256 moduleTypeId) external pure returns (bool) {
        return moduleTypeId == MODULE_TYPE_HOOK;
    }

    function _spend(address caller, uint256 value, bytes calldata data) private {
        Policy memory policy = policies[msg.sender];
        if (policy.policyId == 0) revert IRefusals.PolicyNotSet();
        (bytes memory attested, bytes memory authorization) = TrailingAuthorization.split(data);
        uint256 nonce = TrailingAuthorization.nonceOf(authorization);
        if (nonce >> 96 != uint160(msg.sender)) revert NonceOfAnotherAccount(msg.sender, nonce);
        AttestedCall memory attestedCall = AttestedCall({
            caller: caller,
            from: caller,
            to: msg.sender,
            value: value,
            dataHash: keccak256(attested),
            chainId: block.chainid
        });
        // Reverts unless the authorization is valid. The TaskManager's event has the task's id.
        TASK_MANAGER.spend(attestedCall, policy, authorization);
    }

    function _setPolicy(Policy memory policy) private {
        if (policy.policyId == 0 || !Quorum.isAcceptable(policy.quorum) || policy.maxLifetime == 0) {
            revert IPolicyClient.AssentInvalidPolicy(policy.policyId, policy.quorum, policy.maxLifetime);
        }
        policies[msg.sender] = policy;
        emit PolicyChanged(msg.sender, policy.policyId, policy.operatorSet, policy.quorum, policy.maxLifetime);
    }

    /// @dev Returns whether it is one plain call (mode zero) of `announceExit`, compared byte by byte.
    function _isAnnouncement(bytes calldata data) private view returns (bool) {
        bytes memory execution = abi.encodePacked(address(this), uint256(0), abi.encodeCall(this.announceExit, ()));
        return keccak256(data) == keccak256(abi.encodeCall(IERC7579Execution.execute, (0, execution)));
    }
}
