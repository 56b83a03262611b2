// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {AttestationValidator} from "./AttestationValidator.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {AttestedCall, ITaskManager} from "./interfaces/ITaskManager.sol";
import {Attestation, Intent, Policy} from "./interfaces/Protocol.sol";
import {Authorization} from "./libraries/Authorization.sol";
import {EIP712} from "solady/utils/EIP712.sol";

/// @title TaskManager
/// @notice The one contract that clients ask. It has no owner and cannot be upgraded.
contract TaskManager is ITaskManager, AttestationValidator, EIP712 {
    using Authorization for bytes;

    bytes32 private constant INTENT_TYPEHASH =
        keccak256("Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(bytes32 taskId,bytes32 policyId,address policyClient,uint256 nonce,uint48 expiration,uint8 decision,bytes32 evidence,Intent intent)Intent(address from,address to,uint256 value,bytes data,uint256 chainId)"
    );

    /// @inheritdoc ITaskManager
    mapping(address policyClient => mapping(uint256 word => uint256 mask)) public spentNonces;

    /// @param operatorRegistry The registry whose epochs may sign.
    constructor(IOperatorRegistry operatorRegistry) AttestationValidator(operatorRegistry) {}

    /* SPENDING */

    /// @inheritdoc ITaskManager
    function spend(Policy calldata policy, AttestedCall calldata attestedCall, bytes calldata authorization)
        external
        returns (bytes32 taskId)
    {
        taskId = _requireAuthorized(msg.sender, policy, attestedCall, authorization);
        uint256 nonce = authorization.nonce();
        spentNonces[msg.sender][nonce >> 8] |= _bit(nonce);
        emit AttestationSpent(msg.sender, taskId, nonce);
    }

    /// @inheritdoc ITaskManager
    function burnNonces(uint256 word, uint256 mask) external {
        spentNonces[msg.sender][word] |= mask;
        emit NoncesBurned(msg.sender, word, mask);
    }

    /* VIEWS */

    /// @inheritdoc ITaskManager
    function check(
        address policyClient,
        Policy calldata policy,
        AttestedCall calldata attestedCall,
        bytes calldata authorization
    ) external view returns (bytes32 taskId) {
        return _requireAuthorized(policyClient, policy, attestedCall, authorization);
    }

    /// @inheritdoc ITaskManager
    function isSpent(address policyClient, uint256 nonce) public view returns (bool) {
        return spentNonces[policyClient][nonce >> 8] & _bit(nonce) != 0;
    }

    /// @inheritdoc ITaskManager
    function taskIdOf(address policyClient, bytes32 policyId, Intent calldata intent, uint256 nonce)
        external
        view
        returns (bytes32)
    {
        return _taskId(policyClient, policyId, _hashIntent(intent), nonce);
    }

    /// @inheritdoc ITaskManager
    function digestOf(Attestation calldata attestation) external view returns (bytes32) {
        return _digest(
            attestation.taskId,
            attestation.policyId,
            attestation.policyClient,
            attestation.nonce,
            attestation.expiration,
            attestation.decision,
            attestation.evidence,
            _hashIntent(attestation.intent)
        );
    }

    /* CHECKS */

    /// @dev Checks 2 to 12, in the order of the protocol. Nothing here may change state: `check` and `spend` share it.
    function _requireAuthorized(
        address policyClient,
        Policy calldata policy,
        AttestedCall calldata attestedCall,
        bytes calldata authorization
    ) private view returns (bytes32 taskId) {
        authorization.requireWellFormed();
        if (attestedCall.chainId != block.chainid) revert WrongChain(block.chainid, attestedCall.chainId);
        if (attestedCall.caller != attestedCall.from) revert WrongSender(attestedCall.from, attestedCall.caller);

        bytes32 intentHash = _hashCall(attestedCall);
        taskId = _taskId(policyClient, policy.policyId, intentHash, authorization.nonce());
        if (taskId != authorization.taskId()) revert WrongTask(taskId, authorization.taskId());

        _requireTimely(authorization.expiration(), policy.maxLifetime);
        if (isSpent(policyClient, authorization.nonce())) {
            revert AttestationAlreadySpent(policyClient, authorization.nonce());
        }

        bytes32 digest = _digest(
            taskId,
            policy.policyId,
            policyClient,
            authorization.nonce(),
            authorization.expiration(),
            authorization.decision(),
            authorization.evidence(),
            intentHash
        );
        _requireQuorum(policy.operatorSet, policy.quorum, digest, authorization);
        if (authorization.decision() != Authorization.ALLOW) revert PolicyDenied(taskId);
    }

    /// @dev Checks 5 and 6. The expiration is signed, so a decision's lifetime is not set at the moment of its use.
    function _requireTimely(uint48 expiration, uint48 maxLifetime) private view {
        if (block.timestamp >= expiration) revert AttestationExpired(expiration, block.timestamp);
        uint256 latest = block.timestamp + maxLifetime;
        if (expiration > latest) revert LifetimeTooLong(expiration, latest);
    }

    /* HASHES */

    function _taskId(address policyClient, bytes32 policyId, bytes32 intentHash, uint256 nonce)
        private
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), policyClient, policyId, intentHash, nonce));
    }

    function _digest(
        bytes32 taskId,
        bytes32 policyId,
        address policyClient,
        uint256 nonce,
        uint48 expiration,
        uint8 decision,
        bytes32 evidence,
        bytes32 intentHash
    ) private view returns (bytes32) {
        return _hashTypedData(
            keccak256(
                abi.encode(
                    ATTESTATION_TYPEHASH,
                    taskId,
                    policyId,
                    policyClient,
                    nonce,
                    expiration,
                    decision,
                    evidence,
                    intentHash
                )
            )
        );
    }

    function _hashIntent(Intent calldata intent) private pure returns (bytes32) {
        return _intentHash(intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId);
    }

    function _hashCall(AttestedCall calldata attestedCall) private pure returns (bytes32) {
        return _intentHash(
            attestedCall.from, attestedCall.to, attestedCall.value, attestedCall.dataHash, attestedCall.chainId
        );
    }

    function _intentHash(address from, address to, uint256 value, bytes32 dataHash, uint256 chainId)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(INTENT_TYPEHASH, from, to, value, dataHash, chainId));
    }

    /// @dev The bit of a nonce within its word.
    function _bit(uint256 nonce) private pure returns (uint256) {
        // The order is meant: a one is moved to the nonce's place.
        // forge-lint: disable-next-line(incorrect-shift)
        return 1 << (nonce & 0xff);
    }

    /// @dev EIP-712 domain: the chain's id and this contract's address are added by the base.
    function _domainNameAndVersion() internal pure override returns (string memory name, string memory version) {
        return ("Assent", "1");
    }
}
