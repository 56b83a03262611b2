// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, IRefusals, Intent, MAX_EPOCH_LIFETIME, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";

/// @dev Each refusal by itself: the same call passes with the one fault taken away.
abstract contract RefusalsTest is ClientTestBase {
    function test_GoodAuthorizationPasses() public {
        assertEq(attempt(attest(protectedCall())), "");
        assertTrue(taskManager.isSpent(address(counter), NONCE));
    }

    /* 1. POLICY */

    function test_RevertWhen_ClientHasNoTaskManagerAndPolicy() public whereUnmodifiedPasses {
        counter = new ProtectedCounter();
        vm.deal(address(counter), 1 ether);
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        assertRefused(intent, authorization, _error(IRefusals.PolicyNotSet.selector));

        counter.initialize(taskManager, policy());
        assertPasses(intent, authorization);
    }

    function test_RevertWhen_ClientHasTaskManagerButNoPolicy() public whereUnmodifiedPasses {
        counter = new ProtectedCounter();
        vm.deal(address(counter), 1 ether);
        counter.setAssentTaskManager(taskManager);
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        assertRefused(intent, authorization, _error(IRefusals.PolicyNotSet.selector));

        counter.setAssentPolicy(policy());
        assertPasses(intent, authorization);
    }

    function test_RevertWhen_ClientHasPolicyButNoTaskManager() public whereUnmodifiedPasses {
        counter = new ProtectedCounter();
        vm.deal(address(counter), 1 ether);
        counter.setAssentPolicy(policy());
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        assertRefused(intent, authorization, _error(IRefusals.PolicyNotSet.selector));

        counter.setAssentTaskManager(taskManager);
        assertPasses(intent, authorization);
    }

    /* 2. PARSING */

    function test_RevertWhen_AuthorizationIsEmpty() public whereUnmodifiedPasses {
        assertRefused(protectedCall(), "", _malformed());
    }

    function test_RevertWhen_AuthorizationIsTooLongOrTooShort() public whereUnmodifiedPasses {
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        assertRefused(intent, bytes.concat(authorization, hex"00"), _malformed());
        assertRefused(intent, bytes.concat(authorization, bytes32(0)), _malformed());
        assertRefused(intent, _cut(authorization, authorization.length - 1), _malformed());
    }

    function test_RevertWhen_DecisionIsAboveOne() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        attestation.decision = 2;
        assertEq(attempt(attestation), _malformed());
        attestation.decision = 255;
        assertEq(attempt(attestation), _malformed());
    }

    function test_RevertWhen_BitmapEndsInZero() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, OPERATORS);
        bytes32[] memory noProof = new bytes32[](0);
        assertRefused(attestation.intent, encode(attestation, FIRST_EPOCH, signature, hex"00", noProof), _malformed());

        signature = sign(taskManager.digestOf(attestation), 1, OPERATORS);
        bytes memory withZeroByte = encode(attestation, FIRST_EPOCH, signature, hex"0100", noProof);
        assertRefused(attestation.intent, withZeroByte, _malformed());
        assertPasses(attestation.intent, encode(attestation, FIRST_EPOCH, signature, hex"01", noProof));
    }

    /* 4. THE TASK */

    function test_RevertWhen_TaskDiffers() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        bytes32 expected = attestation.taskId;
        attestation.taskId = bytes32(uint256(expected) ^ 1);
        assertEq(
            attempt(attestation), abi.encodeWithSelector(IRefusals.WrongTask.selector, expected, attestation.taskId)
        );
    }

    /* 5 AND 6. TIME */

    function test_RevertWhen_Expired() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = authorize(attestation);
        for (uint256 late = 0; late < 2; ++late) {
            vm.warp(attestation.expiration + late);
            assertRefused(
                attestation.intent,
                authorization,
                abi.encodeWithSelector(
                    IRefusals.AttestationExpired.selector, attestation.expiration, attestation.expiration + late
                )
            );
        }
        vm.warp(attestation.expiration - 1);
        assertPasses(attestation.intent, authorization);
    }

    function test_RevertWhen_ExpirationIsZero() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        attestation.expiration = 0;
        assertEq(
            attempt(attestation), abi.encodeWithSelector(IRefusals.AttestationExpired.selector, 0, block.timestamp)
        );
    }

    function test_RevertWhen_LifetimeIsTooLong() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        uint48 latest = attestation.issuedAt + MAX_LIFETIME;
        attestation.expiration = latest + 1;
        bytes memory authorization = authorize(attestation);
        bytes memory tooLong = abi.encodeWithSelector(IRefusals.LifetimeTooLong.selector, latest + 1, latest);
        assertRefused(attestation.intent, authorization, tooLong);
        attestation.expiration = latest;
        assertPasses(attestation.intent, authorize(attestation));
    }

    /// @dev An old decision does not become valid, however near its end is.
    function test_RevertWhen_LifetimeIsTooLongUntilItsLastSecond() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        attestation.expiration = attestation.issuedAt + 3650 days;
        bytes memory authorization = authorize(attestation);
        uint48 latest = attestation.issuedAt + MAX_LIFETIME;
        bytes memory tooLong =
            abi.encodeWithSelector(IRefusals.LifetimeTooLong.selector, attestation.expiration, latest);
        uint48[4] memory times = [attestation.issuedAt, latest, latest + 1, attestation.expiration - 1];
        for (uint256 i = 0; i < times.length; ++i) {
            vm.warp(times[i]);
            assertRefused(attestation.intent, authorization, tooLong);
        }
    }

    function test_RevertWhen_ExpirationIsTheGreatest() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        attestation.expiration = type(uint48).max;
        uint256 latest = block.timestamp + MAX_LIFETIME;
        assertEq(
            attempt(attestation), abi.encodeWithSelector(IRefusals.LifetimeTooLong.selector, type(uint48).max, latest)
        );
    }

    function test_LongestPossibleLifetimeIsTheLongestOfAnEpoch() public {
        Policy memory longest = policy();
        longest.maxLifetime = MAX_EPOCH_LIFETIME;
        counter.setAssentPolicy(longest);
        Attestation memory attestation = attest(protectedCall());
        attestation.expiration = attestation.issuedAt + MAX_EPOCH_LIFETIME;
        assertEq(attempt(attestation), "");
    }

    function test_RevertWhen_IssuedLater() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        attestation.issuedAt = uint48(block.timestamp + 1);
        bytes memory authorization = authorize(attestation);
        bytes memory notYet =
            abi.encodeWithSelector(IRefusals.AttestationNotYetValid.selector, block.timestamp + 1, block.timestamp);
        assertRefused(attestation.intent, authorization, notYet);
        vm.warp(attestation.issuedAt);
        assertPasses(attestation.intent, authorization);
    }

    function test_RevertWhen_IssuedAtTheGreatestTime() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        (attestation.issuedAt, attestation.expiration) = (type(uint48).max, type(uint48).max);
        bytes memory notYet =
            abi.encodeWithSelector(IRefusals.AttestationNotYetValid.selector, type(uint48).max, block.timestamp);
        assertEq(attempt(attestation), notYet);
    }

    function test_RevertWhen_IssuedBeforeTheFloor() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = authorize(attestation);
        uint48 floor = attestation.issuedAt + 1;
        counter.voidAssentAttestations(floor);
        bytes memory voided = abi.encodeWithSelector(IRefusals.AttestationVoided.selector, attestation.issuedAt, floor);
        assertRefused(attestation.intent, authorization, voided);
        skip(1);
        assertRefused(attestation.intent, authorization, voided);
        attestation.issuedAt = floor;
        assertPasses(attestation.intent, authorize(attestation));
    }

    /* 7. SINGLE USE */

    function test_RevertWhen_SpentBefore() public {
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        assertPasses(intent, authorization);
        assertRefused(intent, authorization, _spent(NONCE));
    }

    function test_RevertWhen_AnotherAttestationHasTheNonce() public {
        Intent memory intent = protectedCall();
        assertPasses(intent, authorize(attest(intent)));
        intent.value = 2 ether;
        assertRefused(intent, authorize(attest(intent)), _spent(NONCE));
    }

    function test_RevertWhen_NonceWasBurned() public whereUnmodifiedPasses {
        counter.burnAssentNonces(0, 1 << NONCE);
        Intent memory intent = protectedCall();
        assertRefused(intent, authorize(attest(intent)), _spent(NONCE));
    }

    function test_RevertWhen_SpentBeforeAtTheEdgesOfWords() public {
        uint256[6] memory nonces = [0, 255, 256, 511, type(uint256).max - 255, type(uint256).max];
        Intent memory intent = protectedCall();
        for (uint256 i = 0; i < nonces.length; ++i) {
            bytes memory authorization = authorize(attestationOf(address(counter), intent, nonces[i]));
            assertPasses(intent, authorization);
            assertRefused(intent, authorization, _spent(nonces[i]));
        }
    }

    /* 12. THE DECISION */

    function test_RevertWhen_OperatorsDenied() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(protectedCall());
        attestation.decision = 0;
        assertEq(attempt(attestation), abi.encodeWithSelector(IRefusals.PolicyDenied.selector, attestation.taskId));
        assertFalse(taskManager.isSpent(address(counter), NONCE), "a refusal spent the nonce");
    }

    function _spent(uint256 nonce) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), nonce);
    }

    function _malformed() internal pure returns (bytes memory) {
        return _error(IRefusals.MalformedAuthorization.selector);
    }

    function _error(bytes4 selector) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector);
    }

    function _cut(bytes memory whole, uint256 length) internal pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = whole[i];
        }
    }
}

contract RefusalsOfTrailingCallsTest is RefusalsTest, TrailingPath {}

contract RefusalsOfExplicitIntentsTest is RefusalsTest, ExplicitPath {
    /* 3. CHAIN AND CALLER */

    function test_RevertWhen_IntentIsForAnotherChain() public whereUnmodifiedPasses {
        Intent memory intent = protectedCall();
        intent.chainId = block.chainid + 1;
        assertRefused(
            intent,
            authorize(attest(intent)),
            abi.encodeWithSelector(IRefusals.WrongChain.selector, block.chainid, block.chainid + 1)
        );
    }

    function test_RevertWhen_CallerIsNotTheIntents() public whereUnmodifiedPasses {
        Intent memory intent = protectedCall();
        assertEq(
            attempt(intent, stranger, authorize(attest(intent))),
            abi.encodeWithSelector(IRefusals.WrongSender.selector, stranger, agent)
        );
    }
}
