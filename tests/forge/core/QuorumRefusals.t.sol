// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, EpochId, IRefusals, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {BLS12381, G1Point, MODULUS_HIGH, MODULUS_LOW} from "../../../contracts/libraries/BLS12381.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";

/// @dev The refusals of checks 8 to 11: epoch, weight, signature.
abstract contract QuorumRefusalsTest is ClientTestBase {
    /* 8. THE EPOCH */

    function test_RevertWhen_EpochWasNeverCommitted() public whereUnmodifiedPasses {
        EpochId[3] memory unknown = [EpochId.wrap(0), EpochId.wrap(2), EpochId.wrap(type(uint32).max)];
        for (uint256 i = 0; i < unknown.length; ++i) {
            _assertEpochRefused(unknown[i], abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, unknown[i]));
        }
    }

    function test_RevertWhen_EpochIsOfAnotherOperatorSet() public whereUnmodifiedPasses {
        Policy memory ofAnotherSet = policy();
        ofAnotherSet.operatorSet = OTHER_SET;
        counter.setAssentPolicy(ofAnotherSet);
        _assertEpochRefused(FIRST_EPOCH, abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, 1));
    }

    function test_RevertWhen_RevokedEpochIsOfAnotherOperatorSet() public {
        Policy memory ofAnotherSet = policy();
        ofAnotherSet.operatorSet = OTHER_SET;
        counter.setAssentPolicy(ofAnotherSet);
        vm.prank(owner);
        registry.revokeEpochs(only(FIRST_EPOCH));
        _assertEpochRefused(FIRST_EPOCH, abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, 1));
    }

    function test_RevertWhen_EpochWasRevoked() public whereUnmodifiedPasses {
        vm.prank(owner);
        registry.revokeEpochs(only(FIRST_EPOCH));
        _assertEpochRefused(FIRST_EPOCH, abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1));
    }

    function test_RevertWhen_GracePeriodIsOver() public whereUnmodifiedPasses {
        commitEpoch(0, OPERATORS);
        uint256 end = block.timestamp + GRACE_PERIOD;
        for (uint256 late = 0; late < 2; ++late) {
            vm.warp(end + late);
            _assertEpochRefused(FIRST_EPOCH, abi.encodeWithSelector(IRefusals.EpochExpired.selector, 1, end));
        }
        vm.warp(end - 1);
        assertEq(attempt(attest(protectedCall())), "");
    }

    function test_EpochOutlivesItsSuccessorByNothingWithoutGrace() public whereUnmodifiedPasses {
        vm.prank(owner);
        registry.setGracePeriod(0);
        commitEpoch(0, OPERATORS);
        _assertEpochRefused(FIRST_EPOCH, abi.encodeWithSelector(IRefusals.EpochExpired.selector, 1, block.timestamp));
    }

    /* 9. THE WEIGHT */

    function test_RevertWhen_TooFewSigned() public whereUnmodifiedPasses {
        // 7 operators of 100 each: 6667 basis points of 700 are 466.69, so 467 are required.
        _assertAbsent(3, abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 400, 467));
    }

    function test_EnoughSignedPasses() public {
        _assertAbsent(2, "");
    }

    function test_RevertWhen_NobodySigned() public whereUnmodifiedPasses {
        // Infinity is the sum of no signatures, and the pairing of it with the empty key holds.
        Attestation memory attestation = attest(protectedCall());
        assertRefused(
            attestation.intent,
            encode(attestation, FIRST_EPOCH, new bytes(96), firstBits(OPERATORS), new bytes32[](0)),
            abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 0, 467)
        );
    }

    /// @dev A total of 10,000, so that weights are basis points. The first operator is absent.
    function test_UnequalWeightsAreCountedExactly() public {
        _assertAbsentWeight(3332, "");
        _assertAbsentWeight(3333, "");
        _assertAbsentWeight(3334, abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 6666, 6667));
    }

    function test_QuorumOfTheWholeNeedsEveryone() public {
        Policy memory unanimous = policy();
        unanimous.quorum = 10_000;
        counter.setAssentPolicy(unanimous);
        _assertAbsentWeight(1, abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 9999, 10_000));
        assertEq(attempt(attest(protectedCall())), "");
    }

    function test_LeastQuorumNeedsOverHalf() public {
        Policy memory lenient = policy();
        lenient.quorum = 5001;
        counter.setAssentPolicy(lenient);
        _assertAbsentWeight(4999, "");
        _assertAbsentWeight(5000, abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 5000, 5001));
    }

    function test_EachOperatorMayBeTheAbsentOne() public {
        for (uint256 absent = 0; absent < OPERATORS; ++absent) {
            uint256 snapshot = vm.snapshotState();
            Attestation memory attestation = attest(protectedCall());
            bytes memory bitmap = abi.encodePacked(uint8(1 << absent));
            bytes memory authorization =
                encode(attestation, FIRST_EPOCH, _signWithout(attestation, absent), bitmap, new bytes32[](0));
            assertPasses(attestation.intent, authorization);
            vm.revertToState(snapshot);
        }
    }

    function test_RevertWhen_BitmapNamesAnOperatorOutsideTheEpoch() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, OPERATORS);
        bytes[3] memory bitmaps = [bytes(hex"80"), hex"0001", new bytes(255)];
        bitmaps[2][254] = 0x80;
        for (uint256 i = 0; i < bitmaps.length; ++i) {
            assertRefused(
                attestation.intent,
                encode(attestation, FIRST_EPOCH, signature, bitmaps[i], new bytes32[](0)),
                abi.encodeWithSelector(IRefusals.NonSignerOutOfRange.selector)
            );
        }
    }

    /// @dev Behind the words that can name its only operator.
    function test_RevertWhen_BitmapNamesAnOperatorOutsideAnEpochOfTheLeastWeight() public {
        setWeight(0, 1);
        EpochId epoch = commitEpoch(0, 1);
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, 1);
        bytes memory bitmap = new bytes(33);
        bitmap[32] = 0x01;
        assertRefused(
            attestation.intent,
            encode(attestation, epoch, signature, bitmap, new bytes32[](0)),
            abi.encodeWithSelector(IRefusals.NonSignerOutOfRange.selector)
        );
        assertPasses(attestation.intent, encode(attestation, epoch, signature, "", new bytes32[](0)));
    }

    /* 10. THE SIGNATURE'S ENCODING */

    function test_RevertWhen_SignatureIsNotCanonical() public whereUnmodifiedPasses {
        bytes memory good = sign(taskManager.digestOf(attest(protectedCall())), 0, OPERATORS);
        G1Point memory point = BLS12381.decodeG1(good);
        _addModulus(point, true, false);
        _assertMalformed(point);
        point = BLS12381.decodeG1(good);
        _addModulus(point, false, true);
        _assertMalformed(point);
        // The modulus itself, another spelling of zero.
        _assertMalformed(G1Point(MODULUS_HIGH, MODULUS_LOW, point.yHigh, point.yLow));
    }

    function test_RevertWhen_SignatureHasFlagBits() public whereUnmodifiedPasses {
        bytes memory signature = sign(taskManager.digestOf(attest(protectedCall())), 0, OPERATORS);
        for (uint256 bit = 5; bit < 8; ++bit) {
            bytes memory flagged = bytes.concat(signature);
            flagged[0] |= bytes1(uint8(1 << bit));
            _assertSignatureRefused(flagged, IRefusals.MalformedSignature.selector);
        }
    }

    function test_RevertWhen_SignatureIsOffTheCurve() public whereUnmodifiedPasses {
        G1Point memory point = BLS12381.decodeG1(sign(taskManager.digestOf(attest(protectedCall())), 0, OPERATORS));
        point.yLow ^= 1;
        _assertMalformed(point);
    }

    function test_RevertWhen_SignatureIsOutsideTheSubgroup() public whereUnmodifiedPasses {
        // On the curve, not of prime order: `bls_g1msm_g1_not_in_correct_subgroup` of tests/vectors/eip2537.
        string memory json = vm.readFile("tests/vectors/eip2537/fail-msm_G1_bls.json");
        assertEq(vm.parseJsonString(json, "[6].Name"), "bls_g1msm_g1_not_in_correct_subgroup");
        bytes memory input = vm.parseBytes(string.concat("0x", vm.parseJsonString(json, "[6].Input")));
        _assertMalformed(abi.decode(input, (G1Point)));
    }

    function test_RevertWhen_SignatureIsInfinity() public whereUnmodifiedPasses {
        _assertMalformed(G1Point(0, 0, 0, 0));
    }

    /* 11. THE SIGNATURE */

    function test_RevertWhen_AnotherMessageWasSigned() public whereUnmodifiedPasses {
        bytes32 digest = taskManager.digestOf(attest(protectedCall()));
        _assertForged(sign(keccak256(abi.encode(digest)), 0, OPERATORS));
        _assertForged(sign(digest ^ bytes32(uint256(1)), 0, OPERATORS));
    }

    function test_RevertWhen_AnOperatorSaidToHaveSignedDidNot() public whereUnmodifiedPasses {
        _assertForged(sign(taskManager.digestOf(attest(protectedCall())), 1, OPERATORS));
    }

    function test_RevertWhen_AnOperatorSignedTwice() public whereUnmodifiedPasses {
        bytes32 digest = taskManager.digestOf(attest(protectedCall()));
        uint256 sum = OperatorKeys.secretKey(0);
        for (uint256 i = 0; i < OPERATORS - 1; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        _assertForged(OperatorKeys.sign(sum, digest));
    }

    function test_RevertWhen_SignatureIsNegated() public whereUnmodifiedPasses {
        bytes32 digest = taskManager.digestOf(attest(protectedCall()));
        uint256 sum = 0;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        bytes memory tag = OperatorKeys.SIGNATURE_TAG;
        _assertForged(OperatorKeys.sign(OperatorKeys.ORDER - sum, bytes.concat(digest), tag));
    }

    function test_RevertWhen_ProofOfPossessionTagWasUsed() public whereUnmodifiedPasses {
        bytes32 digest = taskManager.digestOf(attest(protectedCall()));
        uint256 sum = 0;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        _assertForged(OperatorKeys.sign(sum, bytes.concat(digest), OperatorKeys.POSSESSION_TAG));
    }

    function test_RevertWhen_AnotherEpochsOperatorsSigned() public whereUnmodifiedPasses {
        for (uint256 i = OPERATORS; i < 2 * OPERATORS; ++i) {
            registerOperator(i, WEIGHT);
        }
        commitEpoch(OPERATORS, OPERATORS);
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), OPERATORS, 2 * OPERATORS);
        _assertForged(signature);
        assertPasses(attestation.intent, encode(attestation, EpochId.wrap(2), signature, "", new bytes32[](0)));
    }

    /* SHARED */

    function _assertEpochRefused(EpochId epoch, bytes memory expected) private {
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, OPERATORS);
        assertRefused(attestation.intent, encode(attestation, epoch, signature, "", new bytes32[](0)), expected);
    }

    function _assertAbsent(uint256 absent, bytes memory expected) private {
        Attestation memory attestation = attest(protectedCall());
        assertRefused(attestation.intent, authorize(attestation, OPERATORS, absent), expected);
    }

    function _assertAbsentWeight(uint96 absentWeight, bytes memory expected) private {
        uint256 snapshot = vm.snapshotState();
        setWeight(0, absentWeight);
        for (uint256 i = 1; i < OPERATORS - 1; ++i) {
            setWeight(i, uint96(i));
        }
        setWeight(OPERATORS - 1, 10_000 - absentWeight - 15);
        EpochId epoch = commitEpoch(0, OPERATORS);

        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 1, OPERATORS);
        assertRefused(attestation.intent, encode(attestation, epoch, signature, hex"01", new bytes32[](0)), expected);
        vm.revertToState(snapshot);
    }

    function _signWithout(Attestation memory attestation, uint256 absent) private view returns (bytes memory) {
        uint256 sum = 0;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            if (i != absent) sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        bytes32 digest = taskManager.digestOf(attestation);
        return OperatorKeys.sign(sum, digest);
    }

    function _assertMalformed(G1Point memory signature) private {
        _assertSignatureRefused(OperatorKeys.encodeG1(signature), IRefusals.MalformedSignature.selector);
    }

    function _assertForged(bytes memory signature) private {
        _assertSignatureRefused(signature, IRefusals.InvalidSignature.selector);
    }

    function _assertSignatureRefused(bytes memory signature, bytes4 selector) private {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = encode(attestation, FIRST_EPOCH, signature, "", new bytes32[](0));
        assertRefused(attestation.intent, authorization, abi.encodeWithSelector(selector));
    }

    /// @dev The other spelling of a coordinate: p more, which still fits into 48 bytes.
    function _addModulus(G1Point memory point, bool toX, bool toY) private pure {
        unchecked {
            if (toX) {
                point.xLow += MODULUS_LOW;
                point.xHigh += MODULUS_HIGH + (point.xLow < MODULUS_LOW ? 1 : 0);
            }
            if (toY) {
                point.yLow += MODULUS_LOW;
                point.yHigh += MODULUS_HIGH + (point.yLow < MODULUS_LOW ? 1 : 0);
            }
        }
    }
}

contract QuorumRefusalsOfTrailingCallsTest is QuorumRefusalsTest, TrailingPath {}

contract QuorumRefusalsOfExplicitIntentsTest is QuorumRefusalsTest, ExplicitPath {}
