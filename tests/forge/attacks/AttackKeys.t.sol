// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {BLS12381, G1Point, G2Point, MODULUS_HIGH, MODULUS_LOW} from "../../../contracts/libraries/BLS12381.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";

/// @dev Keys that an attacker would like to have in the registry.
contract AttackKeysTest is AssentTestBase {
    /// @dev A point of the twist E'(Fp2) of order 13, which divides its cofactor: a point with x = 2, times 13^-2 of
    /// the order of E'(Fp2).
    bytes private constant POINT_OF_ORDER_13 = hex"157573f4c77585787c2c988585c1f6afe39f5b91aacb37509b42ec71fceb51a1576fda15dac1031f8d26785d6b139784"
        hex"0e074268358ced055a27ab8de3bbdeb6d0c2949685103095e491dc537fc8ee474a73ce0b2826fae8eabfb3078a910b64"
        hex"1409bd0f66a342adbd89fd4c49a9a06580309dbfaeac7449cd8a58ba5d71f8cbe0299d203f9ff6a6ad6e05649125132e"
        hex"1020564df685fc6f4568cc6f629ad422e43d4dd78d42c2771f48cd192290803a19fecc8a030e65cf4efb07d4158771c7";

    /// @dev The secrets the attacker knows: its own key's, and that of the sum of the rogue key and the victim's.
    uint256 private constant SECRET = 31_337;

    address private attacker = makeAddr("attacker");
    address private victim = operatorAddress(0);
    bytes private victimsKey;
    bytes private ownKey;
    bytes private rogueKey;

    function setUp() public {
        deployAssent(3);
        victimsKey = registry.publicKeyOf(victim);
        ownKey = OperatorKeys.publicKey(SECRET);
        rogueKey = _sum(ownKey, BLS12381.encode(BLS12381.negate(BLS12381.decodeG2(victimsKey))));
    }

    /// @dev What would be won: the attacker signs for the victim and itself.
    function test_RevertWhen_RogueKeyIsRegisteredWithoutProofOfPossession() public {
        bytes memory message = "never seen by the victim";
        bytes memory forged = OperatorKeys.sign(SECRET, message, OperatorKeys.SIGNATURE_TAG);
        assertTrue(_verifies(message, OperatorKeys.SIGNATURE_TAG, forged, _sum(victimsKey, rogueKey)));

        bytes memory digest = bytes.concat(registry.proofOfPossessionDigest(attacker, rogueKey));
        _assertInvalidProof(rogueKey, OperatorKeys.sign(SECRET, digest, OperatorKeys.POSSESSION_TAG));
    }

    /// @dev Were all proofs signatures of one message, x·H − the victim's proof would be the rogue key's.
    function test_RevertWhen_RogueKeyIsRegisteredWithAStolenProofOfPossession() public {
        bytes memory stolen = proofOfPossession(0, victim, victimsKey);
        bytes memory victimsDigest = bytes.concat(registry.proofOfPossessionDigest(victim, victimsKey));
        bytes memory own = OperatorKeys.sign(SECRET, victimsDigest, OperatorKeys.POSSESSION_TAG);
        bytes memory derived = _difference(own, stolen);
        assertTrue(_verifies(victimsDigest, OperatorKeys.POSSESSION_TAG, derived, rogueKey));

        _assertInvalidProof(rogueKey, derived);
        _assertInvalidProof(rogueKey, stolen);
        _assertInvalidProof(victimsKey, stolen);
        bytes memory attackersDigest = bytes.concat(registry.proofOfPossessionDigest(attacker, rogueKey));
        own = OperatorKeys.sign(SECRET, attackersDigest, OperatorKeys.POSSESSION_TAG);
        _assertInvalidProof(rogueKey, _difference(own, stolen));
    }

    /// @dev The rogue key needs no registration where the attacker holds both addresses; nor is rotation a way in.
    function test_RevertWhen_RogueKeyIsRotatedTo() public {
        bytes memory proof = _proof(SECRET, attacker, ownKey);
        vm.startPrank(attacker);
        registry.registerOperator(ownKey, proof);
        bytes memory rogueProof = _proof(SECRET, attacker, rogueKey);
        vm.expectRevert(IOperatorRegistry.InvalidProofOfPossession.selector);
        registry.rotateKey(rogueKey, rogueProof);
        assertEq(registry.publicKeyOf(attacker), ownKey);
    }

    function test_RevertWhen_DuplicateKeyIsRegisteredByTwoAddressesOfOneHolder() public {
        bytes memory proof = _proof(SECRET, attacker, ownKey);
        vm.prank(attacker);
        registry.registerOperator(ownKey, proof);

        address second = makeAddr("the attacker's second address");
        proof = _proof(SECRET, second, ownKey);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.KeyAlreadyUsed.selector, keccak256(ownKey)));
        vm.prank(second);
        registry.registerOperator(ownKey, proof);
    }

    function test_RevertWhen_DuplicateOperatorIsCommitted() public {
        address[] memory operators = new address[](2);
        (operators[0], operators[1]) = (victim, victim);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.OperatorsNotAscending.selector, victim, victim));
        vm.prank(owner);
        registry.commitEpoch(OPERATOR_SET, operators);
    }

    /// @dev e(infinity, G2) = e(H, infinity) for every message: infinity would have signed everything.
    function test_RevertWhen_KeyIsInfinityAndSoIsItsProof() public {
        _assertRefused(new bytes(192), new bytes(96), abi.encodeWithSelector(BLS12381.PointAtInfinity.selector));
        _assertRefused(ownKey, new bytes(96), abi.encodeWithSelector(BLS12381.PointAtInfinity.selector));
    }

    function test_RevertWhen_KeyIsASmallSubgroupPoint() public {
        bytes memory multiple = POINT_OF_ORDER_13;
        for (uint256 i = 1; i < 13; ++i) {
            assertNotEq(multiple, new bytes(192), "of a smaller order");
            bytes memory proof = _proof(SECRET, attacker, multiple);
            _assertRefused(multiple, proof, abi.encodeWithSelector(BLS12381.PointNotInSubgroup.selector));
            multiple = _sum(multiple, POINT_OF_ORDER_13);
        }
        assertEq(multiple, new bytes(192), "not of order 13");
    }

    /// @dev A second spelling of a key whose secret is known: it differs by a point that a pairing does not see.
    function test_RevertWhen_KeyHasASmallSubgroupPart() public {
        bytes memory shifted = _sum(ownKey, POINT_OF_ORDER_13);
        bytes memory proof = _proof(SECRET, attacker, shifted);
        _assertRefused(shifted, proof, abi.encodeWithSelector(BLS12381.PointNotInSubgroup.selector));
    }

    /// @dev A point of order 3 (2² = 0³ + 4) as the proof, and added to a valid one.
    function test_RevertWhen_ProofOfPossessionIsOrHasASmallSubgroupPoint() public {
        bytes memory small = OperatorKeys.encodeG1(G1Point(0, 0, 0, 2));
        bytes memory expected = abi.encodeWithSelector(BLS12381.PointNotInSubgroup.selector);
        _assertRefused(ownKey, small, expected);
        bytes memory good = _proof(SECRET, attacker, ownKey);
        _assertRefused(ownKey, _difference(good, small), expected);
        vm.prank(attacker);
        registry.registerOperator(ownKey, good);
    }

    function _assertInvalidProof(bytes memory key, bytes memory proof) private {
        _assertRefused(key, proof, abi.encodeWithSelector(IOperatorRegistry.InvalidProofOfPossession.selector));
    }

    function _assertRefused(bytes memory key, bytes memory proof, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(attacker);
        registry.registerOperator(key, proof);
    }

    function _proof(uint256 secret, address operator, bytes memory key) private view returns (bytes memory) {
        return OperatorKeys.proofOfPossession(secret, registry, operator, key);
    }

    function _verifies(bytes memory message, bytes memory tag, bytes memory signature, bytes memory key)
        private
        view
        returns (bool)
    {
        return BLS12381.verify(message, tag, BLS12381.decodeG1(signature), BLS12381.decodeG2(key));
    }

    function _sum(bytes memory a, bytes memory b) private view returns (bytes memory) {
        G2Point memory sum = BLS12381.decodeG2(a);
        BLS12381.addInPlace(sum, BLS12381.decodeG2(b));
        return BLS12381.encode(sum);
    }

    /// @dev a − b.
    function _difference(bytes memory a, bytes memory b) private view returns (bytes memory) {
        G1Point memory negated = BLS12381.decodeG1(b);
        (negated.yHigh, negated.yLow) = _negate(negated.yHigh, negated.yLow);
        return OperatorKeys.add(a, OperatorKeys.encodeG1(negated));
    }

    /// @dev Minus a field element that is not zero.
    function _negate(uint256 high, uint256 low) private pure returns (uint256, uint256) {
        unchecked {
            return (MODULUS_HIGH - high - (low > MODULUS_LOW ? 1 : 0), MODULUS_LOW - low);
        }
    }
}
