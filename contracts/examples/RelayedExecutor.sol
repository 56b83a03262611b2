// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PolicyClient} from "../PolicyClient.sol";
import {AttestedCall, ITaskManager} from "../interfaces/ITaskManager.sol";
import {Intent, Policy} from "../interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title RelayedExecutor
/// @notice An example: an ERC-2771 forwarder. `from` signs a call, operators attest it, and any relayer sends it and
/// pays the gas and the value. The target sees this contract as `msg.sender`, and `from` appended to its calldata, as
/// `ERC2771Context` reads it.
/// @dev The contract holds nothing: the value of a call comes with it.
/// @dev Warning: Anyone can copy a relayer's transaction, but only make the same call, once. Do not pay relayers for
/// what a copier could earn as well.
/// @dev Warning: `from` cannot revoke a signature, so deadlines should be short.
contract RelayedExecutor is PolicyClient, EIP712, Ownable2Step {
    bytes32 private constant INTENT_TYPEHASH =
        keccak256("Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");
    bytes32 private constant RELAYED_CALL_TYPEHASH = keccak256(
        "RelayedCall(Intent intent,bytes32 taskId,uint64 minimumGas,uint48 deadline)"
        "Intent(address from,address to,uint256 value,bytes data,uint256 chainId)"
    );
    /// @dev More than the gas of a call with value (9,000, EIP-2929's 100, and the instructions before it).
    uint256 private constant CALL_COST = 10_000;

    /// @notice Thrown when the deadline of the signature has passed.
    error DeadlinePassed(uint48 deadline, uint256 timestamp);
    /// @notice Thrown when the relayer does not send exactly the intent's value.
    error WrongValue(uint256 expected, uint256 actual);
    /// @notice Thrown when the intent's data is shorter than a selector: the target would read `from` as one.
    error SelectorMissing();
    /// @notice Thrown when the target does not trust this forwarder.
    error ForwarderNotTrusted(address target);
    /// @notice Thrown when `from` did not sign this call, on this chain, for this contract.
    error NotSignedBySender(address from);
    /// @notice Thrown when the relayer sent less gas than `from` demands.
    error TooLittleGas(uint256 required, uint256 available);

    /// @param owner The account that chooses the policy. It cannot make calls for others.
    constructor(address owner, ITaskManager taskManager, Policy memory policy)
        EIP712("RelayedExecutor", "1")
        Ownable(owner)
    {
        _assentInitialize(taskManager, policy);
    }

    /// @notice Makes the call for the intent's `from`. Permissionless.
    /// @param minimumGas The least gas for the call of the target: otherwise a relayer could make a part of the call
    /// fail.
    /// @param deadline The last second at which `from` wants the call (Unix time). The attestation has its own
    /// expiration.
    /// @param signature The signature by `from` of `digestOf`: ECDSA, or ERC-1271 if it has code.
    /// @return What the target returned. Its revert is passed on, and leaves the authorization unspent.
    function relay(
        Intent calldata intent,
        uint64 minimumGas,
        uint48 deadline,
        bytes calldata signature,
        bytes calldata authorization
    ) external payable returns (bytes memory) {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, block.timestamp);
        if (msg.value != intent.value) revert WrongValue(intent.value, msg.value);
        if (intent.data.length < 4) revert SelectorMissing();
        // Otherwise anyone could make this contract call a token, or the TaskManager, as itself.
        if (!_isTrustedBy(intent.to)) revert ForwarderNotTrusted(intent.to);
        bytes32 taskId = _spend(intent, authorization);
        bytes32 digest = digestOf(intent, taskId, minimumGas, deadline);
        if (!SignatureChecker.isValidSignatureNowCalldata(intent.from, digest, signature)) {
            revert NotSignedBySender(intent.from);
        }
        return _call(intent, minimumGas);
    }

    /// @notice Returns what `from` signs. The task id contains policy and nonce, so one signature is for one call.
    /// @param taskId `assentTaskManager().taskIdOf(address(this), assentPolicy().policyId, intent, nonce)`.
    function digestOf(Intent calldata intent, bytes32 taskId, uint64 minimumGas, uint48 deadline)
        public
        view
        returns (bytes32)
    {
        bytes32 intentHash = keccak256(
            abi.encode(INTENT_TYPEHASH, intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId)
        );
        return _hashTypedDataV4(keccak256(abi.encode(RELAYED_CALL_TYPEHASH, intentHash, taskId, minimumGas, deadline)));
    }

    function _assentAuthorizeChange() internal override onlyOwner {}

    /// @dev Takes `from` as the caller.
    /// @dev Warning: The calling function must verify the signature of `from`, or revert.
    function _spend(Intent calldata intent, bytes calldata authorization) private returns (bytes32 taskId) {
        AttestedCall memory attestedCall = AttestedCall({
            caller: intent.from,
            from: intent.from,
            to: intent.to,
            value: intent.value,
            dataHash: keccak256(intent.data),
            chainId: intent.chainId
        });
        return assentTaskManager().spend(attestedCall, assentPolicy(), assentIssuanceFloor(), authorization);
    }

    function _call(Intent calldata intent, uint64 minimumGas) private returns (bytes memory) {
        bytes memory data = abi.encodePacked(intent.data, intent.from);
        // EIP-150: a call gets at most 63/64 of the gas left.
        uint256 available = gasleft() - gasleft() / 64;
        if (available < minimumGas + CALL_COST) revert TooLittleGas(minimumGas + CALL_COST, available);
        return Address.functionCallWithValue(intent.to, data, intent.value);
    }

    function _isTrustedBy(address target) private view returns (bool) {
        (bool success, bytes memory answer) =
            target.staticcall(abi.encodeCall(ERC2771Context.isTrustedForwarder, (address(this))));
        return success && keccak256(answer) == keccak256(abi.encode(true));
    }
}
