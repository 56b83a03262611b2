// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestedCall, ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {EpochId, Policy} from "../../contracts/interfaces/Protocol.sol";
import {UnconstrainedChain} from "./UnconstrainedChain.sol";

/// @title The TaskManager that is deployed, in any state, at any time
/// @dev Its bytecode is the build's own. Only the precompiles of EIP-2537 are replaced: whether the signature holds is
/// left open, as is everything they compute.
abstract contract TaskManagerProof is UnconstrainedChain {
    address internal constant REGISTRY = address(0x2e915742);
    address internal constant TABLE = address(0x7ab1e);
    /// @dev Operators of the epoch that the authorization names.
    uint256 internal constant OPERATORS = 8;

    bytes32 private constant INTENT_TYPEHASH =
        keccak256("Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(bytes32 taskId,bytes32 policyId,address policyClient,uint256 nonce,uint48 issuedAt,"
        "uint48 expiration,uint8 decision,bytes32 evidence,Intent intent)"
        "Intent(address from,address to,uint256 value,bytes data,uint256 chainId)"
    );
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    ITaskManager internal taskManager;
    uint48 internal issuanceFloor;

    function setUp() public virtual {
        etchPrecompiles();
        vm.etch(TABLE, operatorTable());
        vm.warp(1_800_000_000);
        bytes memory arguments = abi.encode(REGISTRY);
        taskManager = ITaskManager(deploy("cache/symbolic/out/TaskManager.sol/TaskManager.json", arguments));
        svm.enableSymbolicStorage(address(taskManager));
        warpToAnyTime(64);
        issuanceFloor = uint48(svm.createUint(48, "issuanceFloor"));
    }

    /// @dev Any keys and weights.
    function operatorTable() private returns (bytes memory) {
        return bytes.concat(
            bytes1(0),
            svm.createBytes(192 + 12, "aggregate and total weight"),
            bytes2(uint16(OPERATORS)),
            bytes1(0),
            svm.createBytes(224 * OPERATORS, "operators")
        );
    }

    /// @dev Well formed but for the decision. `form` 0 is signed by all and the only leaf, 1 has absent operators, 2 is
    /// in a tree. `form` 3 is recorded as the only leaf, 4 recorded in a tree. The bytes that give lengths are numbers,
    /// all others anything.
    function anyAuthorization(uint256 form) internal returns (bytes memory) {
        bytes memory fields = svm.createBytes(113, "fields");
        if (form == 3) return bytes.concat(fields, hex"0100");
        if (form == 4) return bytes.concat(fields, hex"0101", svm.createBytes(32, "proof"));
        bytes memory signature = svm.createBytes(96, "signature");
        if (form == 0) return bytes.concat(fields, hex"00", signature, hex"0000");
        if (form == 1) return bytes.concat(fields, hex"00", signature, hex"018100");
        return bytes.concat(fields, hex"00", signature, hex"0001", svm.createBytes(32, "proof"));
    }

    /// @dev Signed by all or recorded, as the only leaf. The epoch that it names has the table: what an epoch
    /// without one comes to is a separate proof (`check_EpochWithoutTableIsRefused`).
    function anyAuthorization() internal returns (bytes memory authorization) {
        authorization = anyAuthorization(svm.createBool("recorded") ? 3 : 0);
        (address table,,,) = taskManager.epochs(EpochId.wrap(epochOf(authorization)));
        vm.assume(table == TABLE);
    }

    function spend(address client, AttestedCall memory attestedCall, Policy memory policy, bytes memory authorization)
        internal
        returns (bool accepted, bytes memory returned)
    {
        bytes memory data = abi.encodeCall(ITaskManager.spend, (attestedCall, policy, issuanceFloor, authorization));
        vm.prank(client);
        (accepted, returned) = address(taskManager).call(data);
    }

    function intentHashOf(AttestedCall memory attestedCall) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                INTENT_TYPEHASH,
                attestedCall.from,
                attestedCall.to,
                attestedCall.value,
                attestedCall.dataHash,
                attestedCall.chainId
            )
        );
    }

    /// @dev The digest that docs/protocol.md has operators sign.
    function digestOf(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy,
        bytes memory authorization
    ) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("Assent"), keccak256("1"), block.chainid, address(taskManager))
        );
        bytes memory attestation = abi.encode(
            ATTESTATION_TYPEHASH,
            taskIdOf(authorization),
            policy.policyId,
            client,
            nonceOf(authorization),
            issuedAtOf(authorization),
            expirationOf(authorization),
            uint8(authorization[76]),
            wordAt(authorization, 77),
            intentHashOf(attestedCall)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(attestation)));
    }

    function taskIdOf(bytes memory authorization) internal pure returns (bytes32) {
        return wordAt(authorization, 0);
    }

    function nonceOf(bytes memory authorization) internal pure returns (uint256) {
        return uint256(wordAt(authorization, 32));
    }

    function issuedAtOf(bytes memory authorization) internal pure returns (uint48) {
        return uint48(bytes6(wordAt(authorization, 64)));
    }

    function expirationOf(bytes memory authorization) internal pure returns (uint48) {
        return uint48(bytes6(wordAt(authorization, 70)));
    }

    function epochOf(bytes memory authorization) internal pure returns (uint32) {
        return uint32(bytes4(wordAt(authorization, 109 - 28) << 224));
    }

    function wordAt(bytes memory authorization, uint256 offset) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(authorization, 0x20), offset))
        }
    }
}
