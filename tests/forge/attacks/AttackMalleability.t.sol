// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {AttestedCall, ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, EpochId, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {MODULUS_HIGH, MODULUS_LOW} from "../../../contracts/libraries/BLS12381.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";

/// @dev A second spelling of an authorization that was spent.
abstract contract AttackMalleabilityTest is ClientTestBase {
    /// @dev The same signers, epoch, kind and proof: nothing but the one byte string parses, spent or not.
    function test_RevertWhen_SpentAuthorizationIsSpelledNonCanonically() public {
        Attestation memory attestation = attest(protectedCall());
        bytes32 digest = taskManager.digestOf(attestation);
        bytes memory bySome = sign(digest, 1, OPERATORS);
        bytes memory byAll = sign(digest, 0, OPERATORS);
        bytes[] memory spellings = new bytes[](8);
        spellings[0] = _encode(attestation, _addModulus(byAll, 0), "");
        spellings[1] = _encode(attestation, _addModulus(byAll, 48), "");
        spellings[2] = _encode(attestation, byAll, hex"00");
        spellings[3] = _encode(attestation, bySome, hex"0100");
        spellings[4] = _encode(attestation, _compressed(byAll), "");
        spellings[5] = bytes.concat(_encode(attestation, byAll, ""), hex"00");
        spellings[6] = bytes.concat(_encode(attestation, byAll, ""), new bytes(32));
        spellings[7] = _encode(attestation, byAll, new bytes(255));

        for (uint256 i = 0; i < spellings.length; ++i) {
            assertNotEq(attempt(attestation.intent, agent, spellings[i]), "", "a second spelling passed");
        }
        assertPasses(attestation.intent, _encode(attestation, byAll, ""));
        for (uint256 i = 0; i < spellings.length; ++i) {
            assertNotEq(attempt(attestation.intent, agent, spellings[i]), "", "spent twice");
        }
    }

    /// @dev Other signers, another epoch with the same keys, another tree, and a recorded root each give an attestation
    /// other valid bytes. Whichever is used first, the others find it spent.
    function test_EveryGoodSpellingOfASpentAuthorizationGainsNothing() public {
        Attestation memory attestation = attest(protectedCall());
        bytes[] memory spellings = _goodSpellings(attestation);
        for (uint256 first = 0; first < spellings.length; ++first) {
            uint256 snapshot = vm.snapshotState();
            assertPasses(attestation.intent, spellings[first]);
            for (uint256 i = 0; i < spellings.length; ++i) {
                assertRefused(
                    attestation.intent,
                    spellings[i],
                    abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), NONCE)
                );
            }
            vm.revertToState(snapshot);
        }
    }

    /// @dev The one point of a signature that can be had from it without a key.
    function test_RevertWhen_SpentSignatureIsNegated() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, OPERATORS);
        bytes memory negated = _negate(signature);
        assertRefused(
            attestation.intent,
            _encode(attestation, negated, ""),
            abi.encodeWithSelector(IRefusals.InvalidSignature.selector)
        );
        assertPasses(attestation.intent, _encode(attestation, signature, ""));
        assertRefused(
            attestation.intent,
            _encode(attestation, negated, ""),
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), NONCE)
        );
    }

    /// @dev The hash is taken over the words as they come: dirty bits must not make a second intent out of an attested
    /// one.
    function test_RevertWhen_AnyWordCarriesDirtyUpperBits() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory good = abi.encodeCall(
            ITaskManager.check,
            (address(counter), _callOf(attestation.intent), policy(), 0, _encode(attestation, _signed(attestation), ""))
        );
        (bool success,) = address(taskManager).call(good);
        assertTrue(success);
        // The client, the caller, from, to, operator set, quorum, longest lifetime and issuance floor.
        uint8[8] memory words = [0, 1, 2, 3, 8, 9, 10, 11];
        for (uint256 i = 0; i < words.length; ++i) {
            bytes memory dirty = bytes.concat(good);
            dirty[4 + 32 * uint256(words[i])] = 0x01;
            (success,) = address(taskManager).call(dirty);
            assertFalse(success, "dirty bits passed");
        }
    }

    function _goodSpellings(Attestation memory attestation) private returns (bytes[] memory spellings) {
        bytes32 digest = taskManager.digestOf(attestation);
        EpochId next = commitEpoch(0, OPERATORS);
        taskManager.recordRoot(FIRST_EPOCH, SignedRoot(digest, sign(digest, 0, OPERATORS), ""));
        taskManager.recordRoot(next, SignedRoot(digest, sign(digest, 1, OPERATORS), hex"01"));
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (digest, "another attestation's");
        bytes32[] memory proof = MerkleTree.proofOf(leaves, 0);
        bytes memory signatureOfTree = sign(MerkleTree.rootOf(leaves), 0, OPERATORS);
        taskManager.recordRoot(FIRST_EPOCH, SignedRoot(MerkleTree.rootOf(leaves), signatureOfTree, ""));

        spellings = new bytes[](8);
        for (uint256 absent = 0; absent < 3; ++absent) {
            spellings[absent] = authorize(attestation, OPERATORS, absent);
        }
        spellings[3] = encode(attestation, next, sign(digest, 0, OPERATORS), "", new bytes32[](0));
        spellings[4] = encode(attestation, FIRST_EPOCH, signatureOfTree, "", proof);
        spellings[5] = encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0));
        spellings[6] = encodeRecorded(attestation, next, new bytes32[](0));
        spellings[7] = encodeRecorded(attestation, FIRST_EPOCH, proof);
    }

    function _signed(Attestation memory attestation) internal view returns (bytes memory) {
        return sign(taskManager.digestOf(attestation), 0, OPERATORS);
    }

    function _encode(Attestation memory attestation, bytes memory signature, bytes memory nonSigners)
        internal
        pure
        returns (bytes memory)
    {
        return encode(attestation, FIRST_EPOCH, signature, nonSigners, new bytes32[](0));
    }

    function _callOf(Intent memory intent) private view returns (AttestedCall memory) {
        return AttestedCall(agent, intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId);
    }

    /// @dev The coordinate at `offset` spelled as itself plus the modulus, which fits into its 48 bytes.
    function _addModulus(bytes memory signature, uint256 offset) private pure returns (bytes memory) {
        (uint128 high, uint256 low) = _coordinate(signature, offset);
        unchecked {
            low += MODULUS_LOW;
            high += uint128(MODULUS_HIGH + (low < MODULUS_LOW ? 1 : 0));
        }
        return _withCoordinate(signature, offset, high, low);
    }

    function _negate(bytes memory signature) private pure returns (bytes memory) {
        (uint128 high, uint256 low) = _coordinate(signature, 48);
        unchecked {
            high = uint128(MODULUS_HIGH) - high - (low > MODULUS_LOW ? 1 : 0);
            low = MODULUS_LOW - low;
        }
        return _withCoordinate(signature, 48, high, low);
    }

    /// @dev As the IETF draft compresses it: x with a flag, and nothing for y.
    function _compressed(bytes memory signature) private pure returns (bytes memory compressed) {
        compressed = _withCoordinate(signature, 48, 0, 0);
        compressed[0] |= 0x80;
    }

    function _coordinate(bytes memory signature, uint256 offset) private pure returns (uint128 high, uint256 low) {
        for (uint256 i = 0; i < 48; ++i) {
            if (i < 16) high = (high << 8) | uint8(signature[offset + i]);
            else low = (low << 8) | uint8(signature[offset + i]);
        }
    }

    function _withCoordinate(bytes memory signature, uint256 offset, uint128 high, uint256 low)
        private
        pure
        returns (bytes memory changed)
    {
        changed = bytes.concat(signature);
        bytes memory coordinate = abi.encodePacked(high, low);
        for (uint256 i = 0; i < 48; ++i) {
            changed[offset + i] = coordinate[i];
        }
    }
}

contract AttackMalleabilityOfTrailingCallsTest is AttackMalleabilityTest, TrailingPath {}

contract AttackMalleabilityOfExplicitIntentsTest is AttackMalleabilityTest, ExplicitPath {
    /// @dev Solidity takes an argument's bytes from wherever its offset says: the call has other spellings, the task
    /// has not.
    function test_RevertWhen_SpentIntentIsEncodedAnew() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = _encode(attestation, _signed(attestation), "");
        bytes memory canonical = abi.encodeCall(ProtectedCounter.execute, (attestation.intent, authorization));
        bytes[3] memory spellings =
            [bytes.concat(canonical, hex"ff"), _withAGap(attestation.intent, authorization), canonical];
        for (uint256 first = 0; first < spellings.length; ++first) {
            uint256 snapshot = vm.snapshotState();
            assertEq(_call(spellings[first]), "");
            assertEq(recorder.calls(), 1);
            for (uint256 i = 0; i < spellings.length; ++i) {
                assertEq(
                    _call(spellings[i]),
                    abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), NONCE)
                );
            }
            assertEq(recorder.calls(), 1);
            vm.revertToState(snapshot);
        }
    }

    function _call(bytes memory data) private returns (bytes memory refusal) {
        vm.prank(agent);
        (bool success, bytes memory returned) = address(counter).call(data);
        if (!success) refusal = returned;
    }

    /// @dev Both arguments begin a word later than they need to.
    function _withAGap(Intent memory intent, bytes memory authorization) private pure returns (bytes memory) {
        bytes memory encodedIntent = abi.encode(intent);
        bytes memory encodedAuthorization = abi.encode(authorization);
        // What `abi.encode` puts before a lone argument, its offset of 32, fills the gap.
        return abi.encodePacked(
            ProtectedCounter.execute.selector,
            uint256(64 + 32),
            uint256(64 + encodedIntent.length + 32),
            encodedIntent,
            encodedAuthorization
        );
    }
}
