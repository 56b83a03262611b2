// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IStakeSource} from "../../../contracts/interfaces/IStakeSource.sol";
import {BLS12381, G2Point} from "../../../contracts/libraries/BLS12381.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Vm} from "forge-std/Vm.sol";

/// @dev Keys, and who may enter one.
contract OperatorRegistryTest is AssentTestBase {
    address private newcomer = operatorAddress(7);
    bytes private key;
    bytes private proof;

    function setUp() public {
        deployAssent(3);
        key = OperatorKeys.publicKey(OperatorKeys.secretKey(7));
        proof = proofOfPossession(7, newcomer, key);
    }

    /* ENTERING, CHANGING AND LEAVING */

    function test_OperatorRegisters() public {
        assertEq(registry.publicKeyOf(newcomer), "");
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OperatorRegistered(newcomer, key);
        _register(newcomer, key, proof);
        assertEq(registry.publicKeyOf(newcomer), key);
        assertTrue(registry.isKeyUsed(keccak256(key)));
    }

    function test_OperatorRotatesItsKey() public {
        _register(newcomer, key, proof);
        bytes memory next = OperatorKeys.publicKey(OperatorKeys.secretKey(8));
        bytes memory nextProof = proofOfPossession(8, newcomer, next);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.KeyRotated(newcomer, next);
        vm.prank(newcomer);
        registry.rotateKey(next, nextProof);
        assertEq(registry.publicKeyOf(newcomer), next);
    }

    function test_OperatorLeavesAndReturnsWithAnotherKey() public {
        _register(newcomer, key, proof);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OperatorDeregistered(newcomer);
        vm.prank(newcomer);
        registry.deregisterOperator();
        assertEq(registry.publicKeyOf(newcomer), "");

        _assertRefused(key, proof, abi.encodeWithSelector(IOperatorRegistry.KeyAlreadyUsed.selector, keccak256(key)));
        bytes memory next = OperatorKeys.publicKey(OperatorKeys.secretKey(8));
        _register(newcomer, next, proofOfPossession(8, newcomer, next));
        assertEq(registry.publicKeyOf(newcomer), next);
    }

    function test_RevertWhen_OperatorRegistersTwice() public {
        _register(newcomer, key, proof);
        bytes memory next = OperatorKeys.publicKey(OperatorKeys.secretKey(8));
        _assertRefused(
            next,
            proofOfPossession(8, newcomer, next),
            abi.encodeWithSelector(IOperatorRegistry.OperatorAlreadyRegistered.selector, newcomer)
        );
    }

    function test_RevertWhen_StrangerRotatesOrLeaves() public {
        bytes memory expected = abi.encodeWithSelector(IOperatorRegistry.OperatorNotRegistered.selector, newcomer);
        vm.startPrank(newcomer);
        vm.expectRevert(expected);
        registry.rotateKey(key, proof);
        vm.expectRevert(expected);
        registry.deregisterOperator();
    }

    function test_RevertWhen_RotatingToTheOwnOldKey() public {
        _register(newcomer, key, proof);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.KeyAlreadyUsed.selector, keccak256(key)));
        vm.prank(newcomer);
        registry.rotateKey(key, proof);
    }

    function test_RevertWhen_KeyIsAnotherOperators() public {
        // Even its holder cannot register it under a second address.
        bytes memory taken = registry.publicKeyOf(operatorAddress(0));
        _assertRefused(
            taken,
            proofOfPossession(0, newcomer, taken),
            abi.encodeWithSelector(IOperatorRegistry.KeyAlreadyUsed.selector, keccak256(taken))
        );
    }

    /* PROOF OF POSSESSION */

    function test_PossessionDigestIsEip712() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Assent"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        bytes32 typeHash = keccak256("ProofOfPossession(address operator,bytes publicKey)");
        bytes32 structHash = keccak256(abi.encode(typeHash, newcomer, keccak256(key)));
        assertEq(
            registry.proofOfPossessionDigest(newcomer, key), keccak256(abi.encodePacked(hex"1901", domain, structHash))
        );
    }

    function test_RevertWhen_AnotherReplaysTheProof() public {
        address thief = makeAddr("thief");
        vm.expectRevert(IOperatorRegistry.InvalidProofOfPossession.selector);
        vm.prank(thief);
        registry.registerOperator(key, proof);
        _register(newcomer, key, proof);
    }

    function test_RevertWhen_ProofIsReplayedOnAnotherChain() public {
        vm.chainId(block.chainid + 1);
        _assertInvalidProof(key, proof);
    }

    function test_RevertWhen_ProofIsReplayedToAnotherRegistry() public {
        registry = deployRegistry();
        _assertInvalidProof(key, proof);
        _register(newcomer, key, proofOfPossession(7, newcomer, key));
    }

    function test_RevertWhen_ProofIsOfAnotherKey() public {
        _assertInvalidProof(key, proofOfPossession(8, newcomer, key));
    }

    function test_RevertWhen_ProofIsSignedUnderTheTagOfAttestations() public {
        bytes memory digest = bytes.concat(registry.proofOfPossessionDigest(newcomer, key));
        _assertInvalidProof(key, OperatorKeys.sign(OperatorKeys.secretKey(7), digest, OperatorKeys.SIGNATURE_TAG));
    }

    /// @dev The attacker picks x and registers x·G − victim, so that the two keys sum to x·G, which it can sign for.
    function test_RevertWhen_KeyIsMadeFromAnothers() public {
        G2Point memory own = BLS12381.decodeG2(key);
        G2Point memory victim = BLS12381.decodeG2(registry.publicKeyOf(operatorAddress(0)));
        BLS12381.addInPlace(own, BLS12381.negate(victim));
        bytes memory rogue = BLS12381.encode(own);
        _assertInvalidProof(rogue, proofOfPossession(7, newcomer, rogue));
        // Nor does the victim's own registration help: it signed another digest.
        _assertInvalidProof(rogue, proofOfPossession(0, operatorAddress(0), registry.publicKeyOf(operatorAddress(0))));
    }

    /* ENCODING */

    function test_RevertWhen_KeyIsMalformed() public {
        bytes memory spoiled = bytes.concat(key);
        spoiled[191] ^= 0x01;
        _assertRefused(spoiled, proof, abi.encodeWithSelector(BLS12381.PointNotOnCurve.selector));
        spoiled = bytes.concat(key);
        spoiled[0] |= 0x80;
        _assertRefused(spoiled, proof, abi.encodeWithSelector(BLS12381.FieldElementNotCanonical.selector));
        _assertRefused(new bytes(192), proof, abi.encodeWithSelector(BLS12381.PointAtInfinity.selector));
        _assertRefused("", proof, abi.encodeWithSelector(BLS12381.EmptyInput.selector));
        _assertRefused(new bytes(191), proof, _wrongLength(192, 191));
        _assertRefused(new bytes(193), proof, _wrongLength(192, 193));
        _assertRefused(_outsideSubgroup(), proof, abi.encodeWithSelector(BLS12381.PointNotInSubgroup.selector));
    }

    function test_RevertWhen_ProofIsMalformed() public {
        bytes memory spoiled = bytes.concat(proof);
        spoiled[95] ^= 0x01;
        _assertRefused(key, spoiled, abi.encodeWithSelector(BLS12381.PointNotOnCurve.selector));
        spoiled = bytes.concat(proof);
        spoiled[48] |= 0x80;
        _assertRefused(key, spoiled, abi.encodeWithSelector(BLS12381.FieldElementNotCanonical.selector));
        _assertRefused(key, new bytes(96), abi.encodeWithSelector(BLS12381.PointAtInfinity.selector));
        _assertRefused(key, "", abi.encodeWithSelector(BLS12381.EmptyInput.selector));
        _assertRefused(key, new bytes(95), _wrongLength(96, 95));
        _assertRefused(key, new bytes(192), _wrongLength(96, 192));
    }

    function test_RevertWhen_RotatingWithoutPossession() public {
        _register(newcomer, key, proof);
        bytes memory next = OperatorKeys.publicKey(OperatorKeys.secretKey(8));
        bytes memory wrong = proofOfPossession(7, newcomer, next);
        vm.expectRevert(IOperatorRegistry.InvalidProofOfPossession.selector);
        vm.prank(newcomer);
        registry.rotateKey(next, wrong);
        assertEq(registry.publicKeyOf(newcomer), key);
    }

    /* THE OWNER */

    function test_OwnershipMovesInTwoSteps() public {
        address next = makeAddr("next owner");
        vm.prank(owner);
        registry.transferOwnership(next);
        assertEq(registry.owner(), owner);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, newcomer));
        vm.prank(newcomer);
        registry.acceptOwnership();
        vm.prank(next);
        registry.acceptOwnership();
        assertEq(registry.owner(), next);
    }

    function test_RevertWhen_StrangerDoesWhatOnlyTheOwnerMay() public {
        bytes[13] memory calls = [
            abi.encodeCall(registry.stageOperators, (OPERATOR_SET, operatorAddresses(0, 100))),
            abi.encodeCall(registry.discardStagedOperators, (OPERATOR_SET)),
            abi.encodeCall(registry.commitEpoch, (OPERATOR_SET, operatorAddresses(0, 1))),
            abi.encodeCall(registry.revokeEpochs, (only(FIRST_EPOCH))),
            abi.encodeCall(registry.revokeOperatorSet, (OPERATOR_SET)),
            abi.encodeCall(registry.proposeChange, ("")),
            abi.encodeCall(registry.cancelChange, ("")),
            abi.encodeCall(registry.addValidator, (taskManager)),
            abi.encodeCall(registry.removeValidator, (taskManager)),
            abi.encodeCall(registry.setEpochLifetime, (6 days)),
            abi.encodeCall(registry.setActivationDelay, (0)),
            abi.encodeCall(registry.setGracePeriod, (0)),
            abi.encodeCall(registry.setStakeSource, (ownerStakeSource))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory reason) = address(registry).call(calls[i]);
            assertFalse(success);
            assertEq(reason, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        }
    }

    function test_FirstSettingsAreAnnounced() public {
        vm.recordLogs();
        deployRegistry();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32[5] memory events = [
            Ownable.OwnershipTransferred.selector,
            IOperatorRegistry.EpochLifetimeChanged.selector,
            IOperatorRegistry.ActivationDelayChanged.selector,
            IOperatorRegistry.GracePeriodChanged.selector,
            IOperatorRegistry.StakeSourceChanged.selector
        ];
        assertEq(logs.length, events.length);
        for (uint256 i = 0; i < events.length; ++i) {
            assertEq(logs[i].topics[0], events[i]);
        }
        assertEq(logs[1].data, abi.encode(EPOCH_LIFETIME));
        assertEq(logs[2].data, abi.encode(activationDelay()));
        assertEq(logs[3].data, abi.encode(GRACE_PERIOD));
    }

    function test_SettingsAreAnnounced() public {
        IStakeSource other = new OwnerStakeSource(owner);
        vm.startPrank(owner);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.GracePeriodChanged(6 days);
        registry.setGracePeriod(6 days);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.EpochLifetimeChanged(30 days);
        registry.setEpochLifetime(30 days);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.StakeSourceChanged(other);
        registry.setStakeSource(other);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.ActivationDelayChanged(3 days);
        registry.setActivationDelay(3 days);
        assertEq(registry.gracePeriod(), 6 days);
        assertEq(registry.epochLifetime(), 30 days);
        assertEq(registry.activationDelay(), 3 days);
        assertEq(address(registry.stakeSource()), address(other));
    }

    function _register(address operator, bytes memory publicKey, bytes memory proof_) private {
        vm.prank(operator);
        registry.registerOperator(publicKey, proof_);
    }

    function _assertInvalidProof(bytes memory publicKey, bytes memory proof_) private {
        _assertRefused(publicKey, proof_, abi.encodeWithSelector(IOperatorRegistry.InvalidProofOfPossession.selector));
    }

    function _assertRefused(bytes memory publicKey, bytes memory proof_, bytes memory expected) private {
        bytes memory before = registry.publicKeyOf(newcomer);
        vm.expectRevert(expected);
        _register(newcomer, publicKey, proof_);
        assertEq(registry.publicKeyOf(newcomer), before);
    }

    function _wrongLength(uint256 expected, uint256 actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(BLS12381.WrongPointLength.selector, expected, actual);
    }

    /// @dev A point of the curve that is not of prime order, from tests/vectors/eip2537.
    function _outsideSubgroup() private view returns (bytes memory) {
        string memory json = vm.readFile("tests/vectors/eip2537/fail-pairing_check_bls.json");
        assertEq(vm.parseJsonString(json, "[18].Name"), "bls_pairing_e(0,G2_not_in_correct_subgroup)");
        bytes memory input = vm.parseBytes(string.concat("0x", vm.parseJsonString(json, "[18].Input")));
        (,,,, G2Point memory point) = abi.decode(input, (uint256, uint256, uint256, uint256, G2Point));
        return BLS12381.encode(point);
    }
}
