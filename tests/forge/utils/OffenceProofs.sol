// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedObservation} from "../../../contracts/challenge/ConflictingObservations.sol";
import {SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {SigningDomain, TaskStatements} from "../../../contracts/challenge/TaskStatements.sol";
import {IFault, IOffences} from "../../../contracts/interfaces/IOffences.sol";
import {Attestation, EpochId, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {AssentTestBase} from "./AssentTestBase.sol";

/// @title OffenceProofs
/// @notice What operators sign that they must not, and its proofs. Operators 0 to `count - 1` are an epoch's.
abstract contract OffenceProofs is AssentTestBase {
    bytes internal constant OBSERVATION_TAG = "ASSENT_OBSERVATION_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    function domain() internal view returns (SigningDomain memory) {
        return SigningDomain(block.chainid, address(taskManager));
    }

    /// @dev Records an offence. Returns 0 if it was recorded before; nothing else stops it.
    function recordNew(IOffences offences, IFault fault, bytes memory proof) internal returns (bytes32) {
        try offences.recordOffence(fault, proof) returns (bytes32 record) {
            return record;
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IOffences.AlreadyRecorded.selector);
            return 0;
        }
    }

    /// @dev Of a call that does nothing, by its nonce.
    function decisionOn(uint256 nonce, uint8 decision) internal view returns (Attestation memory attestation) {
        attestation = attestationOf(address(this), Intent(address(1), address(this), 0, "", block.chainid), nonce);
        attestation.decision = decision;
    }

    /// @dev Two decisions on one task, which all operators of an epoch but the first `absent` signed.
    function equivocationOn(uint256 nonce, EpochId epoch, uint256 absent, uint256 count)
        internal
        view
        returns (bytes memory)
    {
        SignedAttestation memory first = signedBy(epoch, decisionOn(nonce, 1), absent, count);
        return abi.encode(domain(), first, signedBy(epoch, decisionOn(nonce, 0), absent, count));
    }

    /// @dev By all operators of an epoch but the first `absent`.
    function signedBy(EpochId epoch, Attestation memory attestation, uint256 absent, uint256 count)
        internal
        view
        returns (SignedAttestation memory)
    {
        bytes memory signature = sign(TaskStatements.digestOf(domain(), attestation), absent, count);
        return SignedAttestation(epoch, attestation, new bytes32[](0), firstBits(absent), signature);
    }

    /// @dev By operators `first` to `end - 1` of an epoch's `count`.
    function signedByThose(EpochId epoch, Attestation memory attestation, uint256 first, uint256 end, uint256 count)
        internal
        view
        returns (SignedAttestation memory)
    {
        bytes memory signature = sign(TaskStatements.digestOf(domain(), attestation), first, end);
        return SignedAttestation(epoch, attestation, new bytes32[](0), allBut(first, end, count), signature);
    }

    /// @dev A bitmap of operators 0 to `count - 1` without `first` to `end - 1`.
    function allBut(uint256 first, uint256 end, uint256 count) internal pure returns (bytes memory bitmap) {
        bitmap = new bytes((count + 7) / 8);
        for (uint256 i = 0; i < count; ++i) {
            if (i < first || i >= end) bitmap[i / 8] |= bytes1(uint8(1 << (i % 8)));
        }
    }

    function observation(
        EpochId epoch,
        bytes32 taskId,
        bytes32 source,
        bytes32 referenceBlock,
        bytes32 output,
        uint256 absent,
        uint256 count
    ) internal view returns (SignedObservation memory) {
        bytes32 digest = TaskStatements.observationDigest(domain(), taskId, source, referenceBlock, output);
        uint256 sum = 0;
        for (uint256 i = absent; i < count; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        bytes memory signature = OperatorKeys.sign(sum, bytes.concat(digest), OBSERVATION_TAG);
        return SignedObservation(epoch, referenceBlock, output, "", firstBits(absent), signature);
    }

    function indicesFrom(uint256 first, uint256 end) internal pure returns (uint256[] memory indices) {
        indices = new uint256[](end - first);
        for (uint256 i = 0; i < indices.length; ++i) {
            indices[i] = first + i;
        }
    }
}
