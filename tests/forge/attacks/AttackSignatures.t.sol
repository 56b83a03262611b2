// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Attestation, EpochId, IRefusals} from "../../../contracts/interfaces/Protocol.sol";
import {G1Point} from "../../../contracts/libraries/BLS12381.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";

/// @dev Points that are no signatures, offered in each place where a signature is read; and keys that cancel.
abstract contract AttackSignaturesTest is ClientTestBase {
    /* SMALL SUBGROUPS AND INFINITY */

    function test_RevertWhen_SignatureIsASmallSubgroupPoint() public whereUnmodifiedPasses {
        _assertMalformedEverywhere(_pointOfOrder3());
    }

    /// @dev A final exponentiation takes the small part away: without a check of the subgroup this signature would
    /// verify, and each would have three spellings.
    function test_RevertWhen_SignatureHasASmallSubgroupPart() public whereUnmodifiedPasses {
        bytes memory good = sign(taskManager.digestOf(attest(protectedCall())), 0, OPERATORS);
        bytes memory shifted = OperatorKeys.add(good, _pointOfOrder3());
        _assertMalformedEverywhere(shifted);
        _assertMalformedEverywhere(OperatorKeys.add(shifted, _pointOfOrder3()));
        assertEq(
            OperatorKeys.add(OperatorKeys.add(shifted, _pointOfOrder3()), _pointOfOrder3()), good, "not of order 3"
        );
    }

    function test_RevertWhen_SignatureIsInfinityInAnyPlace() public whereUnmodifiedPasses {
        _assertMalformedEverywhere(new bytes(96));
    }

    /* KEYS THAT SUM TO INFINITY */

    /// @dev Both keys are in a set of which one holder has a majority: the whole sums to infinity, as does every
    /// signature.
    function test_RevertWhen_AllKeysOfASetSumToInfinity() public {
        EpochId epoch = _commitCancellingPair(0);
        Attestation memory attestation = attest(protectedCall());
        bytes32 digest = taskManager.digestOf(attestation);
        _assertRefused(attestation, epoch, new bytes(96), "", IRefusals.MalformedSignature.selector);
        bytes memory one = OperatorKeys.sign(OperatorKeys.secretKey(100), bytes.concat(digest), _tag());
        _assertRefused(attestation, epoch, one, "", IRefusals.InvalidSignature.selector);
        _assertRefused(attestation, epoch, _pointOfOrder3(), "", IRefusals.MalformedSignature.selector);
    }

    /// @dev The others are left out by the bitmap, and those who are left cancel: key after key is taken away to
    /// infinity.
    function test_RevertWhen_KeysOfTheSignersSumToInfinity() public {
        setWeight(0, 1);
        EpochId epoch = _commitCancellingPair(1);
        Attestation memory attestation = attest(protectedCall());
        bytes32 digest = taskManager.digestOf(attestation);
        _assertRefused(attestation, epoch, new bytes(96), hex"01", IRefusals.MalformedSignature.selector);
        bytes memory others = OperatorKeys.sign(OperatorKeys.secretKey(0), bytes.concat(digest), _tag());
        _assertRefused(attestation, epoch, others, hex"01", IRefusals.InvalidSignature.selector);
    }

    /// @dev Documented: both count as signed without their own signatures, which their one holder could have given.
    /// What the others did not sign still does not pass.
    function test_KeysThatCancelGainTheirHolderNothingItCouldNotSign() public {
        EpochId epoch = _commitCancellingPair(OPERATORS);
        Attestation memory attestation = attest(protectedCall());
        bytes32 digest = taskManager.digestOf(attestation);
        // 9 of 9 by the bitmap; 6 and the pair: the first of the others is missing.
        bytes memory withoutFirst = sign(digest, 1, OPERATORS);
        _assertRefused(attestation, epoch, withoutFirst, "", IRefusals.InvalidSignature.selector);
        // 3 others and the pair: 5 of 9 are below two thirds, whatever the pair does.
        bytes memory byThree = sign(digest, 4, OPERATORS);
        assertRefused(
            attestation.intent,
            encode(attestation, epoch, byThree, firstBits(4), new bytes32[](0)),
            abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 500, 601)
        );
        bytes memory byAllOthers = sign(digest, 0, OPERATORS);
        assertPasses(attestation.intent, encode(attestation, epoch, byAllOthers, "", new bytes32[](0)));
    }

    /* SHARED */

    /// @dev Commits operators 0 to `others - 1` and two more whose secrets are s and −s, each registered with its
    /// proof.
    function _commitCancellingPair(uint256 others) private returns (EpochId) {
        uint256 secret = OperatorKeys.secretKey(100);
        _register(100, secret);
        _register(101, OperatorKeys.ORDER - secret);
        address[] memory operators = new address[](others + 2);
        for (uint256 i = 0; i < others; ++i) {
            operators[i] = operatorAddress(i);
        }
        (operators[others], operators[others + 1]) = (operatorAddress(100), operatorAddress(101));
        vm.prank(owner);
        return registry.commitEpoch(OPERATOR_SET, operators);
    }

    function _register(uint256 index, uint256 secret) private {
        bytes memory key = OperatorKeys.publicKey(secret);
        bytes memory proof = OperatorKeys.proofOfPossession(secret, registry, operatorAddress(index), key);
        vm.prank(operatorAddress(index));
        registry.registerOperator(key, proof);
        setWeight(index, WEIGHT);
    }

    /// @dev In an authorization, as a root's signature, and as one of many.
    function _assertMalformedEverywhere(bytes memory signature) private {
        Attestation memory attestation = attest(protectedCall());
        bytes32 digest = taskManager.digestOf(attestation);
        _assertRefused(attestation, FIRST_EPOCH, signature, "", IRefusals.MalformedSignature.selector);

        SignedRoot[] memory roots = new SignedRoot[](2);
        roots[0] = SignedRoot("another root", sign("another root", 0, OPERATORS), "");
        roots[1] = SignedRoot(digest, signature, "");
        vm.expectRevert(IRefusals.MalformedSignature.selector);
        taskManager.recordRoot(FIRST_EPOCH, roots[1]);
        vm.expectRevert(IRefusals.MalformedSignature.selector);
        taskManager.recordRoots(FIRST_EPOCH, roots);
    }

    /// @dev And neither is it recorded.
    function _assertRefused(
        Attestation memory attestation,
        EpochId epoch,
        bytes memory signature,
        bytes memory nonSigners,
        bytes4 selector
    ) private {
        bytes memory authorization = encode(attestation, epoch, signature, nonSigners, new bytes32[](0));
        assertRefused(attestation.intent, authorization, abi.encodeWithSelector(selector));
        SignedRoot memory root = SignedRoot(taskManager.digestOf(attestation), signature, nonSigners);
        vm.expectRevert(selector);
        taskManager.recordRoot(epoch, root);
    }

    /// @dev (0, 2): 2² = 0³ + 4, and 3 divides the cofactor of G1.
    function _pointOfOrder3() private pure returns (bytes memory) {
        return OperatorKeys.encodeG1(G1Point(0, 0, 0, 2));
    }

    function _tag() private pure returns (bytes memory) {
        return OperatorKeys.SIGNATURE_TAG;
    }
}

contract AttackSignaturesOfTrailingCallsTest is AttackSignaturesTest, TrailingPath {}

contract AttackSignaturesOfExplicitIntentsTest is AttackSignaturesTest, ExplicitPath {}
