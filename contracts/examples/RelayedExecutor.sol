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
/// @notice An example: an ERC-2771 forwarder. `from` signs a call, operators attest it, and anybody sends it and pays
/// the gas and the value. The target sees this contract as `msg.sender` and `from` behind its calldata, as
/// `ERC2771Context` reads it.
/// @dev It holds nothing: what a call is worth comes with it. Whoever copies a relayer's transaction can only make the
/// same call, once; pay relayers for nothing that a copier could not earn as well. `from` cannot take a signature back,
/// so deadlines should be short.
contract RelayedExecutor is PolicyClient, EIP712, Ownable2Step {
    bytes32 private constant INTENT_TYPEHASH =
        keccak256("Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");
    bytes32 private constant RELAYED_CALL_TYPEHASH = keccak256(
        "RelayedCall(Intent intent,bytes32 taskId,uint64 minimumGas,uint48 deadline)Intent(address from,address to,uint256 value,bytes data,uint256 chainId)"
    );
    /// @dev More than the EVM takes for a call with value (9,000, EIP-2929's 100, and what leads there).
    uint256 private constant CALL_COST = 10_000;

    /// @notice The signature is no longer good.
    error DeadlinePassed(uint48 deadline, uint256 timestamp);
    /// @notice The relayer must send the intent's value, no more and no less.
    error WrongValue(uint256 expected, uint256 actual);
    /// @notice The intent's data is shorter than a selector, so that the target would take `from` for one.
    error SelectorMissing();
    /// @notice The target does not say that it trusts this forwarder.
    error ForwarderNotTrusted(address target);
    /// @notice The signature is not one by `from` of this call, on this chain, for this contract.
    error NotSignedBySender(address from);
    /// @notice The relayer sent too little gas for what `from` signed.
    error TooLittleGas(uint256 required, uint256 available);

    /// @param owner Who chooses the policy. It can make no call in anybody's name.
    constructor(address owner, ITaskManager taskManager, Policy memory policy)
        EIP712("RelayedExecutor", "1")
        Ownable(owner)
    {
        _assentInitialize(taskManager, policy);
    }

    /// @notice Makes the call in the name of the intent's `from`. Anybody may.
    /// @param minimumGas With how much gas the target must be called: a relayer could else have a part of the call
    /// fail.
    /// @param deadline The last second at which `from` wants the call (Unix time). The attestation expires apart from
    /// it.
    /// @param signature What `from` signed: ECDSA, or ERC-1271 if it has code. See `digestOf`.
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
        // Else anybody could have this contract call a token, or the TaskManager, as itself.
        if (!_isTrustedBy(intent.to)) revert ForwarderNotTrusted(intent.to);
        bytes32 taskId = _spend(intent, authorization);
        bytes32 digest = digestOf(intent, taskId, minimumGas, deadline);
        if (!SignatureChecker.isValidSignatureNowCalldata(intent.from, digest, signature)) {
            revert NotSignedBySender(intent.from);
        }
        return _call(intent, minimumGas);
    }

    /// @notice What `from` signs. The task id holds policy and nonce, so that one signature is one call.
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

    /// @dev `from` is the caller, since it signed: whoever calls this must check that, or revert.
    function _spend(Intent calldata intent, bytes calldata authorization) private returns (bytes32 taskId) {
        AttestedCall memory attestedCall = AttestedCall({
            caller: intent.from,
            from: intent.from,
            to: intent.to,
            value: intent.value,
            dataHash: keccak256(intent.data),
            chainId: intent.chainId
        });
        return assentTaskManager().spend(attestedCall, assentPolicy(), authorization);
    }

    function _call(Intent calldata intent, uint64 minimumGas) private returns (bytes memory) {
        bytes memory data = abi.encodePacked(intent.data, intent.from);
        // EIP-150: a call takes at most 63 of 64 parts of the gas that is left.
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
