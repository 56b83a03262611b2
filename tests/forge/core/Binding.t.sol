// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, IRefusals, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {Authorization} from "../../../contracts/libraries/Authorization.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";

/// @dev Takes any calldata, so that not even the selector is given.
contract ProtectedFallback is ProtectedCounter {
    fallback() external payable onlyAttested {}
}

/// @dev An authorization is for one call at one place under one policy, and has one spelling.
abstract contract BindingTest is ClientTestBase {
    Intent internal attested;
    bytes internal authorization;

    function setUp() public virtual override {
        super.setUp();
        attested = protectedCall();
        authorization = authorize(attest(attested));
    }

    function test_RevertWhen_CalldataDiffersByOneByte() public whereUnmodifiedPasses {
        for (uint256 i = 0; i < attested.data.length; ++i) {
            Intent memory intent = attested;
            intent.data[i] ^= 0x01;
            // Another selector reaches no protected function, so only the view is asked.
            if (i < 4) _assertWrongTask(intent, askView(intent, agent, authorization));
            else _assertWrongTask(intent, attempt(intent, agent, authorization));
        }
    }

    function test_RevertWhen_CalldataIsOneByteLongerOrShorter() public whereUnmodifiedPasses {
        Intent memory intent = attested;
        intent.data = bytes.concat(intent.data, hex"00");
        _assertWrongTask(intent, attempt(intent, agent, authorization));

        intent.data = _cut(attested.data, attested.data.length - 1);
        _assertWrongTask(intent, attempt(intent, agent, authorization));
    }

    function test_RevertWhen_ValueDiffers() public whereUnmodifiedPasses {
        uint256[3] memory values = [uint256(0), 1 ether - 1, 1 ether + 1];
        for (uint256 i = 0; i < values.length; ++i) {
            Intent memory intent = attested;
            intent.value = values[i];
            _assertWrongTask(intent, attempt(intent, agent, authorization));
        }
    }

    function test_RevertWhen_AnotherMakesTheCall() public whereUnmodifiedPasses {
        vm.deal(stranger, 1 ether);
        Intent memory intent = attested;
        intent.from = stranger;
        _assertWrongTask(intent, attempt(intent, stranger, authorization));
    }

    function test_RevertWhen_AttestedToAnotherClient() public whereUnmodifiedPasses {
        counter = new ProtectedCounter();
        counter.initialize(taskManager, policy());
        vm.deal(address(counter), 1 ether);
        Intent memory intent = protectedCall();
        _assertWrongTask(intent, attempt(intent, agent, authorization));
    }

    function test_RevertWhen_PolicyDiffers() public whereUnmodifiedPasses {
        Policy memory other = policy();
        other.policyId = keccak256("another policy");
        counter.setAssentPolicy(other);
        assertRefused(
            attested,
            authorization,
            abi.encodeWithSelector(
                IRefusals.WrongTask.selector,
                taskManager.taskIdOf(address(counter), other.policyId, attested, NONCE),
                bytes32(authorization)
            )
        );
    }

    function test_RevertWhen_NonceDiffers() public whereUnmodifiedPasses {
        bytes memory other = authorization;
        other[63] ^= 0x01;
        assertRefused(
            attested,
            other,
            abi.encodeWithSelector(
                IRefusals.WrongTask.selector,
                taskManager.taskIdOf(address(counter), POLICY_ID, attested, NONCE ^ 1),
                bytes32(authorization)
            )
        );
    }

    function test_RevertWhen_ChainDiffers() public whereUnmodifiedPasses {
        vm.chainId(block.chainid + 1);
        // The same call as it would be made on the other chain.
        Intent memory intent = attested;
        intent.chainId = block.chainid;
        _assertWrongTask(intent, attempt(intent, agent, authorization));
    }

    function test_RevertWhen_TaskManagerDiffers() public whereUnmodifiedPasses {
        taskManager = deployTaskManager();
        counter.setAssentTaskManager(taskManager);
        _assertWrongTask(attested, attempt(attested, agent, authorization));
    }

    function test_RevertWhen_AnySignedFieldIsChangedWithAMatchingTask() public whereUnmodifiedPasses {
        // The task id is recomputed by the forger; only the signature prevents it.
        bytes4 invalid = IRefusals.InvalidSignature.selector;
        bytes memory forged = authorization;
        forged[Authorization.DECISION_OFFSET - 1] ^= 0x01; // The expiration.
        assertRefused(attested, forged, abi.encodeWithSelector(invalid));
        forged[Authorization.DECISION_OFFSET - 1] ^= 0x01;
        forged[Authorization.EXPIRATION_OFFSET - 1] ^= 0x01; // `issuedAt`, which is now one second ealier or later.
        assertNotEq(attempt(attested, agent, forged), "");
        forged[Authorization.EXPIRATION_OFFSET - 1] ^= 0x01;
        forged[Authorization.EVIDENCE_OFFSET] ^= 0x01; // The evidence.
        assertRefused(attested, forged, abi.encodeWithSelector(invalid));
        forged[Authorization.EVIDENCE_OFFSET] ^= 0x01;
        forged[Authorization.DECISION_OFFSET] = 0x00; // The decision.
        assertRefused(attested, forged, abi.encodeWithSelector(invalid));

        Intent memory intent = attested;
        intent.value = 2 ether;
        Attestation memory attestation = attest(intent);
        bytes memory signature = sign(taskManager.digestOf(attest(attested)), 0, OPERATORS);
        assertRefused(
            intent, encode(attestation, FIRST_EPOCH, signature, "", new bytes32[](0)), abi.encodeWithSelector(invalid)
        );
    }

    function test_RevertWhen_DenialIsTurnedIntoPermission() public whereUnmodifiedPasses {
        Attestation memory attestation = attest(attested);
        attestation.decision = 0;
        bytes memory forged = authorize(attestation);
        forged[Authorization.DECISION_OFFSET] = 0x01;
        assertRefused(attested, forged, abi.encodeWithSelector(IRefusals.InvalidSignature.selector));
    }

    function test_EveryTruncationIsRefused() public whereUnmodifiedPasses {
        for (uint256 length = 0; length < authorization.length; ++length) {
            assertRefused(
                attested, _cut(authorization, length), abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector)
            );
        }
    }

    function testFuzz_EveryExtensionIsRefused(bytes calldata more) public {
        vm.assume(more.length > 0);
        assertRefused(
            attested,
            bytes.concat(authorization, more),
            abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector)
        );
    }

    function testFuzz_EveryFlippedBitOfTheAuthorizationIsRefused(uint256 bit) public {
        bit = bound(bit, 0, 8 * authorization.length - 1);
        bytes memory flipped = authorization;
        flipped[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        assertGt(attempt(attested, agent, flipped).length, 0);
    }

    function testFuzz_EveryFlippedBitOfTheArgumentsIsRefused(uint256 bit) public {
        bit = bound(bit, 32, 8 * attested.data.length - 1);
        Intent memory intent = attested;
        intent.data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        _assertWrongTask(intent, attempt(intent, agent, authorization));
    }

    function testFuzz_NoOtherBytesAreAnAuthorization(bytes memory bytes_) public {
        vm.assume(keccak256(bytes_) != keccak256(authorization));
        assertGt(attempt(attested, agent, bytes_).length, 0);
    }

    /// @dev A well-formed authorization for the right task, of random content else.
    function testFuzz_NoOtherFieldsAreAnAuthorization(
        uint48 lifetime,
        bytes32 evidence,
        uint8 absent,
        bytes32[] memory proof,
        bytes32[3] memory signature
    ) public {
        Attestation memory attestation = attest(attested);
        attestation.expiration = uint48(block.timestamp + bound(lifetime, 1, MAX_LIFETIME));
        attestation.evidence = evidence;
        vm.assume(proof.length <= 32);
        bytes memory forged = encode(
            attestation,
            FIRST_EPOCH,
            absent % 2 == 0 ? abi.encodePacked(signature) : _signatureOf(authorization),
            firstBits(absent % 3),
            proof
        );
        vm.assume(keccak256(forged) != keccak256(authorization));
        assertGt(attempt(attested, agent, forged).length, 0);
    }

    function _assertWrongTask(Intent memory intent, bytes memory refusal) internal view {
        bytes32 task = taskManager.taskIdOf(address(counter), POLICY_ID, intent, NONCE);
        assertEq(refusal, abi.encodeWithSelector(IRefusals.WrongTask.selector, task, bytes32(authorization)));
    }

    function _signatureOf(bytes memory whole) private pure returns (bytes memory signature) {
        signature = new bytes(96);
        for (uint256 i = 0; i < 96; ++i) {
            signature[i] = whole[Authorization.SIGNATURE_OFFSET + i];
        }
    }

    function _cut(bytes memory whole, uint256 length) internal pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = whole[i];
        }
    }
}

contract BindingOfExplicitIntentsTest is BindingTest, ExplicitPath {
    function setUp() public override(BindingTest, ClientTestBase) {
        super.setUp();
    }

    function test_RevertWhen_TargetDiffers() public whereUnmodifiedPasses {
        Intent memory intent = attested;
        intent.to = stranger;
        _assertWrongTask(intent, attempt(intent, agent, authorization));
    }
}

contract BindingOfTrailingCallsTest is BindingTest, TrailingPath {
    function setUp() public override(BindingTest, ClientTestBase) {
        super.setUp();
    }

    function test_RevertWhen_AnotherFunctionIsCalledWithTheAuthorization() public whereUnmodifiedPasses {
        Intent memory intent = attested;
        intent.data = abi.encodeCall(ProtectedCounter.protectedNoOp, ());
        _assertWrongTask(intent, attempt(intent, agent, authorization));
    }

    function test_RevertWhen_CalldataIsTooShortForAnAuthorization() public whereUnmodifiedPasses {
        bytes memory selector = abi.encodeCall(ProtectedCounter.protectedNoOp, ());
        _assertMalformed(selector);
        _assertMalformed(bytes.concat(selector, hex"00"));
        // With an empty authorization it is long enough, and the empty authorization does not parse.
        _assertMalformed(bytes.concat(selector, hex"0000"));
    }

    function test_RevertWhen_LengthExceedsTheCalldata() public whereUnmodifiedPasses {
        bytes memory whole = bytes.concat(attested.data, authorization);
        uint256 room = whole.length - 4;
        _assertMalformed(abi.encodePacked(whole, uint16(room + 1)));
        _assertMalformed(abi.encodePacked(whole, type(uint16).max));
        _assertMalformed(bytes.concat(ProtectedCounter.protectedNoOp.selector, hex"ffff"));
    }

    /// @dev Else the authorization's own first bytes would choose the function.
    function test_RevertWhen_CalldataBeforeTheAuthorizationIsShorterThanASelector() public {
        ProtectedFallback client = new ProtectedFallback();
        client.initialize(taskManager, policy());
        for (uint256 length = 0; length < 5; ++length) {
            Intent memory intent = Intent(agent, address(client), 0, new bytes(length), block.chainid);
            bytes memory own = authorize(attestationOf(address(client), intent, length));
            vm.prank(agent);
            (bool success, bytes memory refusal) = address(client).call(trail(intent.data, own));
            assertEq(success, length == 4);
            if (!success) assertEq(refusal, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        }
    }

    function test_RevertWhen_LengthNamesFewerOrMoreBytes() public whereUnmodifiedPasses {
        bytes memory whole = bytes.concat(attested.data, authorization);
        _assertMalformed(abi.encodePacked(whole, uint16(authorization.length - 1)));
        _assertMalformed(abi.encodePacked(whole, uint16(authorization.length + 1)));
        _assertMalformed(abi.encodePacked(whole, uint16(0)));
        // All but the selector taken for the authorization.
        _assertMalformed(abi.encodePacked(whole, uint16(whole.length - 4)));
    }

    function test_RevertWhen_AuthorizationIsMissing() public whereUnmodifiedPasses {
        _assertMalformed(attested.data);
    }

    function testFuzz_NoTailIsAnAuthorization(bytes calldata tail) public {
        vm.prank(agent);
        (bool success,) = address(counter).call{value: 1 ether}(bytes.concat(attested.data, tail));
        assertFalse(success);
    }

    function _assertMalformed(bytes memory whole) private {
        vm.prank(agent);
        (bool success, bytes memory refusal) = address(counter).call{value: 1 ether}(whole);
        assertFalse(success);
        assertEq(refusal, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
    }
}
