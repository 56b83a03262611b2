// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {Attestation, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {ExplicitPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {Recorder} from "../utils/Recorder.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";

/// @dev A target that refuses, with and without a reason.
contract Refuser {
    error NotToday(uint256 because);

    function refuse() external payable {
        revert NotToday(7);
    }

    fallback() external payable {
        revert();
    }
}

/// @dev Makes the attested call and, when it is called back in turn, tries the same again.
contract Reentrant {
    ProtectedCounter private immutable _CLIENT;
    Intent private _intent;
    bytes private _authorization;
    bytes public refusal;
    uint256 public timesCalled;

    constructor(ProtectedCounter client) {
        _CLIENT = client;
    }

    function start(Intent memory intent, bytes memory authorization) external {
        (_intent, _authorization) = (intent, authorization);
        _CLIENT.execute(intent, authorization);
    }

    function callBack() external payable {
        ++timesCalled;
        try _CLIENT.execute(_intent, _authorization) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
    }
}

contract ExplicitIntentTest is ExplicitPath {
    function test_ExecutesExactlyTheIntent() public {
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        vm.prank(agent);
        bytes memory result = counter.execute(intent, authorization);

        assertEq(result, "got any call at all");
        assertEq(recorder.calls(), 1);
        assertEq(recorder.sender(), address(counter));
        assertEq(recorder.value(), 1 ether);
        assertEq(recorder.data(), "any call at all");
        assertEq(address(recorder).balance, 1 ether);
    }

    function testFuzz_ExecutesExactlyAnyIntent(uint256 value, bytes memory data) public {
        // Begins like no function of the recorder.
        data = bytes.concat(hex"ff", data);
        value = bound(value, 0, address(counter).balance);
        Intent memory intent = Intent(agent, address(recorder), value, data, block.chainid);
        bytes memory authorization = authorize(attest(intent));
        vm.prank(agent);
        assertEq(counter.execute(intent, authorization), abi.encodePacked("got ", data));
        assertEq(recorder.value(), value);
        assertEq(recorder.data(), data);
    }

    function test_PaysAnAccountWithoutCode() public {
        address payable friend = payable(makeAddr("friend"));
        assertEq(attempt(attest(Intent(agent, friend, 3 ether, "", block.chainid))), "");
        assertEq(friend.balance, 3 ether);
        assertEq(address(counter).balance, 97 ether);
    }

    function test_PaysAContractWithoutData() public {
        assertEq(attempt(attest(Intent(agent, address(recorder), 3 ether, "", block.chainid))), "");
        assertEq(recorder.calls(), 1);
        assertEq(recorder.value(), 3 ether);
    }

    /// @dev The view says that the authorization passes; the call behind it may still fail.
    function test_RevertWhen_TargetReverts() public {
        Refuser refuser = new Refuser();
        bytes memory data = abi.encodeCall(Refuser.refuse, ());
        Attestation memory attestation = attest(Intent(agent, address(refuser), 0, data, block.chainid));
        _assertFails(attestation, abi.encodeWithSelector(Refuser.NotToday.selector, 7));
    }

    function test_RevertWhen_TargetRevertsWithoutReason() public {
        Refuser refuser = new Refuser();
        _assertFails(
            attest(Intent(agent, address(refuser), 0, "data", block.chainid)),
            abi.encodeWithSelector(Errors.FailedCall.selector)
        );
        _assertFails(
            attest(Intent(agent, address(refuser), 1, "", block.chainid)),
            abi.encodeWithSelector(Errors.FailedCall.selector)
        );
    }

    function test_RevertWhen_DataIsSentToAnAccountWithoutCode() public {
        _assertFails(
            attest(Intent(agent, stranger, 1, "data", block.chainid)),
            abi.encodeWithSelector(Address.AddressEmptyCode.selector, stranger)
        );
    }

    function test_RevertWhen_ValueExceedsTheBalance() public {
        uint256 tooMuch = 100 ether + 1;
        bytes memory expected = abi.encodeWithSelector(Errors.InsufficientBalance.selector, 100 ether, tooMuch);
        _assertFails(attest(Intent(agent, address(recorder), tooMuch, "data", block.chainid)), expected);
        _assertFails(attest(Intent(agent, address(recorder), tooMuch, "", block.chainid)), expected);
    }

    function test_RevertWhen_TargetCallsBackWithTheSameAuthorization() public {
        Reentrant reentrant = new Reentrant(counter);
        bytes memory data = abi.encodeCall(Reentrant.callBack, ());
        Intent memory intent = Intent(address(reentrant), address(reentrant), 1 ether, data, block.chainid);
        reentrant.start(intent, authorize(attest(intent)));

        assertEq(reentrant.timesCalled(), 1);
        assertEq(
            reentrant.refusal(),
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), NONCE)
        );
        assertEq(address(reentrant).balance, 1 ether);
    }

    function test_CallsItselfWhereThatIsAttested() public {
        bytes memory data = abi.encodeCall(ProtectedCounter.unprotectedNoOp, ());
        assertEq(attempt(attest(Intent(agent, address(counter), 0, data, block.chainid))), "");
    }

    function test_RevertWhen_SelfCallHasNoAuthorizationOfItsOwn() public {
        // A trailing call's attestation does not let the client make the call itself.
        bytes memory data = abi.encodeCall(ProtectedCounter.increment, (5));
        _assertFails(
            attest(Intent(agent, address(counter), 0, data, block.chainid)),
            abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector)
        );
        assertEq(counter.count(), 0);
    }

    function test_SelfCallWithAnAuthorizationOfItsOwnPasses() public {
        bytes memory data = abi.encodeCall(ProtectedCounter.increment, (5));
        Intent memory inner = Intent(address(counter), address(counter), 0, data, block.chainid);
        bytes memory innerAuthorization = authorize(attestationOf(address(counter), inner, NONCE + 1));
        data = trail(data, innerAuthorization);
        assertEq(attempt(attest(Intent(agent, address(counter), 0, data, block.chainid))), "");
        assertEq(counter.count(), 5);
        assertEq(taskManager.spentNonces(address(counter), 0), 3 << NONCE);
    }

    function test_RevertWhen_SelfCallWouldChangeThePolicy() public {
        bytes memory data = abi.encodeCall(counter.setAssentPolicy, (policy()));
        _assertFails(
            attest(Intent(agent, address(counter), 0, data, block.chainid)),
            abi.encodeWithSignature("Error(string)", "not the owner")
        );
    }

    /// @dev The call fails though it was authorised, and leaves the nonce unspent.
    function _assertFails(Attestation memory attestation, bytes memory expected) private {
        bytes memory authorization = authorize(attestation);
        assertEq(askView(attestation.intent, agent, authorization), "");
        vm.expectRevert(expected);
        vm.prank(agent);
        counter.execute(attestation.intent, authorization);
        assertFalse(taskManager.isSpent(address(counter), NONCE));
    }

    /* THE VALUE */

    /// @dev The client pays the intent's value, or the caller does; nothing else stays in the client.
    function test_CallerSendsTheIntentsValueOrNone() public {
        Intent memory intent = protectedCall();
        uint256 balance = address(counter).balance;
        _executeWith(intent, 0, 0);
        assertEq(address(counter).balance, balance - 1 ether);
        _executeWith(intent, 1 ether, 1);
        assertEq(address(counter).balance, balance - 1 ether);
    }

    function test_RevertWhen_CallerSendsAnotherValueThanTheIntents() public {
        Intent memory intent = protectedCall();
        uint256[4] memory others = [uint256(1), 1 ether - 1, 1 ether + 1, 5 ether];
        bytes memory authorization = authorize(attest(intent));
        for (uint256 i = 0; i < others.length; ++i) {
            vm.prank(agent);
            vm.expectRevert(abi.encodeWithSelector(IPolicyClient.AssentWrongValue.selector, 1 ether, others[i]));
            counter.execute{value: others[i]}(intent, authorization);
        }
        intent.value = 0;
        authorization = authorize(attest(intent));
        vm.prank(agent);
        vm.expectRevert(abi.encodeWithSelector(IPolicyClient.AssentWrongValue.selector, 0, 5 ether));
        counter.execute{value: 5 ether}(intent, authorization);
        assertFalse(taskManager.isSpent(address(counter), NONCE));
    }

    function _executeWith(Intent memory intent, uint256 value, uint256 nonce) private {
        bytes memory authorization = authorize(attestationOf(address(counter), intent, nonce));
        vm.prank(agent);
        counter.execute{value: value}(intent, authorization);
    }
}
