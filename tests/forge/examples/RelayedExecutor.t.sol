// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ExampleToken} from "../../../contracts/examples/ExampleToken.sol";
import {RelayedExecutor} from "../../../contracts/examples/RelayedExecutor.sol";
import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestKit} from "../../../contracts/testing/AssentTestKit.sol";
import {RelayTarget} from "../utils/RelayTarget.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";

/// @dev Anyone can make exactly the call that `from` signed and operators authorized, once.
contract RelayedExecutorTest is AssentTestKit {
    uint64 private constant MINIMUM_GAS = 300_000;

    address private alice;
    uint256 private aliceKey;
    address private relayer = makeAddr("relayer");
    uint48 private deadline;
    RelayedExecutor private executor;
    RelayTarget private target;

    function setUp() public {
        deployAssent();
        (alice, aliceKey) = makeAddrAndKey("alice");
        deadline = uint48(block.timestamp + 5 minutes);
        executor = new RelayedExecutor(address(this), taskManager, assentPolicy());
        target = new RelayTarget(address(executor));
        vm.deal(relayer, 10 ether);
    }

    function test_RelaysWhatSenderSignedAndOperatorsAllow() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7));
        assertEq(_relay(_intent(7), signature, authorization), abi.encode(8));
        assertEq(target.number(), 7);
    }

    function test_TargetSeesTheSignerAsSenderAndTheAttestedCalldata() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7));
        _relay(_intent(7), signature, authorization);
        assertEq(target.sender(), alice);
        assertEq(target.directCaller(), address(executor));
        assertEq(target.data(), _intent(7).data);
    }

    function test_RelayerSuppliesTheValue() public {
        Intent memory intent = _intent(7);
        intent.value = 3 ether;
        (bytes memory signature, bytes memory authorization) = _consents(intent);
        _relay(intent, signature, authorization);
        assertEq(target.value(), 3 ether);
        assertEq(relayer.balance, 7 ether);
        assertEq(address(executor).balance, 0);
    }

    function test_RevertWhen_RelayerSendsAnotherValue() public {
        Intent memory intent = _intent(7);
        intent.value = 3 ether;
        (bytes memory signature, bytes memory authorization) = _consents(intent);
        for (uint256 value = 2 ether; value <= 4 ether; value += 2 ether) {
            vm.expectRevert(abi.encodeWithSelector(RelayedExecutor.WrongValue.selector, 3 ether, value));
            vm.prank(relayer);
            executor.relay{value: value}(intent, MINIMUM_GAS, deadline, signature, authorization);
        }
    }

    function test_RevertWhen_EtherIsLeftWithTheExecutor() public {
        vm.expectRevert();
        vm.prank(relayer);
        Address.sendValue(payable(address(executor)), 1 ether);
    }

    /* OPERATORS */

    function test_RevertWhen_OperatorsDidNotAllow() public {
        Intent memory intent = _intent(7);
        _assertRefused(intent, deny(intent, address(executor)), IRefusals.PolicyDenied.selector);
        _assertRefused(intent, expired(intent, address(executor)), IRefusals.AttestationExpired.selector);
        _assertRefused(intent, forged(intent, address(executor)), IRefusals.InvalidSignature.selector);
        _assertRefused(intent, withNonSigners(intent, address(executor), 3), IRefusals.QuorumNotReached.selector);
        _assertRefused(intent, "", IRefusals.MalformedAuthorization.selector);
    }

    function test_RevertWhen_CalldataDiffersByOneByte() public {
        _assertRefused(_intent(8), attest(_intent(7), address(executor)), IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_SenderTargetOrValueIsAnother() public {
        bytes memory authorization = attest(_intent(7), address(executor));
        Intent memory intent = _intent(7);
        intent.from = relayer;
        _assertRefused(intent, authorization, IRefusals.WrongTask.selector);
        intent = _intent(7);
        intent.to = address(new RelayTarget(address(executor)));
        _assertRefused(intent, authorization, IRefusals.WrongTask.selector);
        intent = _intent(7);
        intent.value = 1;
        _assertRefused(intent, authorization, IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_IntentIsForAnotherChain() public {
        Intent memory intent = _intent(7);
        intent.chainId = 1;
        bytes memory authorization = attest(intent, address(executor));
        _assertRefused(intent, authorization, IRefusals.WrongChain.selector);
    }

    /* WHO SIGNED */

    function test_RevertWhen_SenderDidNotSign() public {
        bytes memory authorization = attest(_intent(7), address(executor));
        (, uint256 otherKey) = makeAddrAndKey("other");
        _assertNotSigned(_intent(7), _sign(otherKey, _digest(_intent(7), authorization)), authorization);
        _assertNotSigned(_intent(7), "", authorization);
    }

    function test_RevertWhen_SignatureRecoversToTheZeroAddress() public {
        Intent memory intent = _intent(7);
        intent.from = address(0);
        bytes memory authorization = attest(intent, address(executor));
        _assertNotSigned(intent, new bytes(65), authorization);
    }

    function test_RevertWhen_SignatureIsTheMalleatedOne() public {
        bytes memory authorization = attest(_intent(7), address(executor));
        bytes32 digest = _digest(_intent(7), authorization);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, digest);
        (uint8 otherV, bytes32 otherS) = (v == 27 ? 28 : 27, bytes32(SECP256K1_ORDER - uint256(s)));
        assertEq(ecrecover(digest, otherV, r, otherS), alice);
        _assertNotSigned(_intent(7), abi.encodePacked(r, otherS, otherV), authorization);
    }

    function test_RevertWhen_SignatureIsForAnotherExecutor() public {
        RelayedExecutor other = new RelayedExecutor(address(this), taskManager, assentPolicy());
        bytes memory authorization = attest(_intent(7), address(executor));
        bytes memory signature =
            _sign(aliceKey, other.digestOf(_intent(7), bytes32(authorization), MINIMUM_GAS, deadline));
        _assertNotSigned(_intent(7), signature, authorization);
    }

    function test_RevertWhen_SignatureIsForAnotherChain() public {
        bytes memory authorization = attest(_intent(7), address(executor));
        Intent memory intent = _intent(7);
        uint256 chainId = block.chainid;
        vm.chainId(chainId + 1);
        bytes memory signature = _sign(aliceKey, _digest(intent, authorization));
        vm.chainId(chainId);
        _assertNotSigned(intent, signature, authorization);
    }

    function test_RevertWhen_RelayerChangesWhatSenderSigned() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7));
        vm.startPrank(relayer);
        vm.expectRevert(abi.encodeWithSelector(RelayedExecutor.NotSignedBySender.selector, alice));
        executor.relay(_intent(7), MINIMUM_GAS - 1, deadline, signature, authorization);
        vm.expectRevert(abi.encodeWithSelector(RelayedExecutor.NotSignedBySender.selector, alice));
        executor.relay(_intent(7), MINIMUM_GAS, deadline + 1, signature, authorization);
        vm.stopPrank();
    }

    function test_DigestIsTheOneThatWalletsSign() public {
        bytes memory authorization = attest(_intent(7), address(executor));
        assertEq(
            _digest(_intent(7), authorization), vm.eip712HashTypedData(_typedData(_intent(7), bytes32(authorization)))
        );
    }

    /* ONCE, AND IN TIME */

    function test_RevertWhen_RelayedTwice() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7));
        _relay(_intent(7), signature, authorization);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, executor, 0));
        _relay(_intent(7), signature, authorization);
        assertEq(target.calls(), 1);
    }

    function test_RevertWhen_OneSignatureMeetsASecondAuthorization() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7));
        _relay(_intent(7), signature, authorization);
        _assertNotSigned(_intent(7), signature, attest(_intent(7), address(executor)));
        assertEq(target.calls(), 1);
    }

    function test_WhoeverCopiesARelayerMakesTheSameCallAndNoSecond() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7));
        vm.prank(makeAddr("copier"));
        executor.relay(_intent(7), MINIMUM_GAS, deadline, signature, authorization);
        assertEq(target.sender(), alice);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, executor, 0));
        _relay(_intent(7), signature, authorization);
        assertEq(target.calls(), 1);
    }

    function test_RevertWhen_TargetReentersWithTheSameCall() public {
        Intent memory intent = intentOf(alice, address(target), 0, abi.encodeCall(target.reenter, ()));
        (bytes memory signature, bytes memory authorization) = _consents(intent);
        target.setSecondCall(abi.encodeCall(executor.relay, (intent, MINIMUM_GAS, deadline, signature, authorization)));
        vm.expectRevert(abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, executor, 0));
        _relay(intent, signature, authorization);
    }

    function test_RelaysUpToTheDeadlineAndNotAfterIt() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7));
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(RelayedExecutor.DeadlinePassed.selector, deadline, deadline + 1));
        _relay(_intent(7), signature, authorization);
        vm.warp(deadline);
        _relay(_intent(7), signature, authorization);
    }

    function test_RevertOfTheTargetIsPassedOnAndLeavesTheAuthorizationUnspent() public {
        Intent memory intent = intentOf(alice, address(target), 0, abi.encodeCall(target.refuse, (9)));
        (bytes memory signature, bytes memory authorization) = _consents(intent);
        vm.expectRevert(abi.encodeWithSelector(RelayTarget.Refused.selector, 9));
        _relay(intent, signature, authorization);
        assertFalse(taskManager.isSpent(address(executor), 0));
    }

    /* WHAT A RELAYER COULD DO WITH GAS */

    function test_TargetHasTheGasThatSenderSignedOrIsNotCalled() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7));
        bytes memory call =
            abi.encodeCall(executor.relay, (_intent(7), MINIMUM_GAS, deadline, signature, authorization));
        uint256 start = vm.snapshotState();
        (uint256 relayed, uint256 refused) = (0, 0);
        for (uint256 sent = 350_000; sent < 650_000; sent += 9999) {
            (bool success, bytes memory returned) = address(executor).call{gas: sent}(call);
            if (success) {
                // Between the call and the reading the target finds its function.
                assertGe(target.gasAtEntry() + 1000, MINIMUM_GAS);
                ++relayed;
            } else if (bytes4(returned) == RelayedExecutor.TooLittleGas.selector) {
                ++refused;
            }
            vm.revertToState(start);
        }
        assertGt(relayed, 3);
        assertGt(refused, 3);
    }

    function test_RevertWhen_SenderAsksForMoreGasThanThereCanBe() public {
        (bytes memory signature, bytes memory authorization) = _consents(_intent(7), type(uint64).max);
        vm.expectPartialRevert(RelayedExecutor.TooLittleGas.selector);
        executor.relay(_intent(7), type(uint64).max, deadline, signature, authorization);
    }

    /// @dev With so much gas that a part of it is more than what the call itself costs.
    function test_TargetIsCalledAsSoonAsTheSignedGasSuffices() public {
        uint64 minimum = 40_000_000;
        Intent memory intent = _intent(7);
        intent.value = 1 ether;
        (bytes memory signature, bytes memory authorization) = _consents(intent, minimum);
        bytes memory call = abi.encodeCall(executor.relay, (intent, minimum, deadline, signature, authorization));
        uint256 start = vm.snapshotState();
        (uint256 tooLittle, uint256 enough, uint256 gasAtEntry) = (minimum, minimum + 2_000_000, 0);
        while (enough - tooLittle > 1) {
            uint256 sent = (tooLittle + enough) / 2;
            (bool success, bytes memory returned) = address(executor).call{value: 1 ether, gas: sent}(call);
            if (success) {
                (enough, gasAtEntry) = (sent, target.gasAtEntry());
            } else {
                _assertTooLittle(returned, minimum);
                tooLittle = sent;
            }
            vm.revertToState(start);
        }
        // The stipend of a call with value, and what such a call may cost more than it does.
        assertGe(gasAtEntry, minimum);
        assertLe(gasAtEntry, minimum + 5000);
    }

    /* WHAT THE EXECUTOR IS NEVER MADE TO CALL */

    function test_RevertWhen_TargetDoesNotTrustTheExecutor() public {
        ExampleToken token = new ExampleToken(1000);
        token.approve(address(executor), 1000);
        bytes memory theft = abi.encodeCall(token.transferFrom, (address(this), alice, 1000));
        _assertNotTrusted(intentOf(alice, address(token), 0, theft));
        bytes memory burning = abi.encodeCall(taskManager.burnNonces, (0, type(uint256).max));
        _assertNotTrusted(intentOf(alice, address(taskManager), 0, burning));
        _assertNotTrusted(intentOf(alice, address(executor), 0, abi.encodeCall(executor.burnAssentNonces, (0, 1))));
        _assertNotTrusted(intentOf(alice, relayer, 0, abi.encodeCall(target.record, (7))));
        // To say so and revert is to say nothing.
        bytes memory question = abi.encodeCall(target.isTrustedForwarder, (address(executor)));
        vm.mockCallRevert(address(target), question, abi.encode(true));
        _assertNotTrusted(_intent(7));
        RelayTarget others = new RelayTarget(relayer);
        _assertNotTrusted(intentOf(alice, address(others), 0, abi.encodeCall(target.record, (7))));
    }

    /// @dev `from` stands where the target looks for a selector.
    function test_RevertWhen_IntentHasNoSelector() public {
        for (uint256 length = 0; length < 4; ++length) {
            Intent memory intent = intentOf(alice, address(target), 0, new bytes(length));
            (bytes memory signature, bytes memory authorization) = _consents(intent);
            vm.expectRevert(RelayedExecutor.SelectorMissing.selector);
            _relay(intent, signature, authorization);
        }
    }

    function test_RevertWhen_AnybodyButTheOwnerChangesThePolicy() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, alice));
        vm.prank(alice);
        executor.setAssentPolicy(assentPolicy());
        executor.setAssentPolicy(assentPolicy());
    }

    /* PRIVATE */

    function _intent(uint256 number) private view returns (Intent memory) {
        return intentOf(alice, address(target), 0, abi.encodeCall(target.record, (number)));
    }

    /// @dev Alice's signature, and the operators' authorization.
    function _consents(Intent memory intent) private returns (bytes memory signature, bytes memory authorization) {
        return _consents(intent, MINIMUM_GAS);
    }

    function _consents(Intent memory intent, uint64 minimumGas)
        private
        returns (bytes memory signature, bytes memory authorization)
    {
        authorization = attest(intent, address(executor));
        signature = _sign(aliceKey, _digest(intent, authorization, minimumGas));
    }

    function _digest(Intent memory intent, bytes memory authorization) private view returns (bytes32) {
        return _digest(intent, authorization, MINIMUM_GAS);
    }

    /// @dev An authorization begins with its task id.
    function _digest(Intent memory intent, bytes memory authorization, uint64 minimumGas)
        private
        view
        returns (bytes32)
    {
        return executor.digestOf(intent, bytes32(authorization), minimumGas, deadline);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _relay(Intent memory intent, bytes memory signature, bytes memory authorization)
        private
        returns (bytes memory)
    {
        vm.prank(relayer);
        return executor.relay{value: intent.value}(intent, MINIMUM_GAS, deadline, signature, authorization);
    }

    function _assertRefused(Intent memory intent, bytes memory authorization, bytes4 refusal) private {
        bytes memory signature = _sign(aliceKey, _digest(intent, authorization));
        vm.expectPartialRevert(refusal);
        _relay(intent, signature, authorization);
    }

    function _assertNotSigned(Intent memory intent, bytes memory signature, bytes memory authorization) private {
        vm.expectRevert(abi.encodeWithSelector(RelayedExecutor.NotSignedBySender.selector, intent.from));
        _relay(intent, signature, authorization);
    }

    /// @dev What is required is what was signed for, and what a call costs.
    function _assertTooLittle(bytes memory returned, uint256 minimum) private pure {
        assertEq(bytes4(returned), RelayedExecutor.TooLittleGas.selector);
        (uint256 required, uint256 available) = abi.decode(Bytes.slice(returned, 4), (uint256, uint256));
        assertEq(required, minimum + 10_000);
        assertLt(available, required);
    }

    function _assertNotTrusted(Intent memory intent) private {
        (bytes memory signature, bytes memory authorization) = _consents(intent);
        vm.expectRevert(abi.encodeWithSelector(RelayedExecutor.ForwarderNotTrusted.selector, intent.to));
        _relay(intent, signature, authorization);
    }

    /// @dev As `eth_signTypedData_v4` takes it.
    function _typedData(Intent memory intent, bytes32 taskId) private view returns (string memory) {
        string memory types = string.concat(
            '{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},',
            '{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],',
            '"RelayedCall":[{"name":"intent","type":"Intent"},{"name":"taskId","type":"bytes32"},',
            '{"name":"minimumGas","type":"uint64"},{"name":"deadline","type":"uint48"}],',
            '"Intent":[{"name":"from","type":"address"},{"name":"to","type":"address"},',
            '{"name":"value","type":"uint256"},{"name":"data","type":"bytes"},{"name":"chainId","type":"uint256"}]},',
            '"primaryType":"RelayedCall",'
        );
        string memory domain = string.concat(
            '"domain":{"name":"RelayedExecutor","version":"1","chainId":"',
            vm.toString(block.chainid),
            '","verifyingContract":"',
            vm.toString(address(executor)),
            '"},"message":{"intent":'
        );
        string memory call = string.concat(
            string.concat('{"from":"', vm.toString(intent.from), '","to":"', vm.toString(intent.to), '","value":"'),
            string.concat(vm.toString(intent.value), '","data":"', vm.toString(intent.data), '","chainId":"'),
            string.concat(vm.toString(intent.chainId), '"},"taskId":"', vm.toString(taskId), '","minimumGas":"'),
            string.concat(vm.toString(MINIMUM_GAS), '","deadline":"', vm.toString(deadline), '"}}')
        );
        return string.concat(types, domain, call);
    }
}
