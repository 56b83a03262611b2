// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {IRefusals, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";

/// @title A client that pays only what its calldata says to the byte
contract ExactPayer is PolicyClient {
    address public payee;
    uint256 public amount;
    string public memo;

    function initialize(ITaskManager taskManager, Policy memory policy) external {
        _assentInitialize(taskManager, policy);
    }

    function pay(address to, uint256 value) external onlyAttestedExactly(abi.encode(to, value)) {
        (payee, amount) = (to, value);
    }

    function payWithMemo(address to, string calldata text, uint256[] calldata parts)
        external
        onlyAttestedExactly(abi.encode(to, text, parts))
    {
        (payee, memo, amount) = (to, text, parts.length);
    }

    function payNothing() external onlyAttestedExactly("") {
        payee = msg.sender;
    }

    /// @dev The same as `pay`, without the protection.
    function payLoosely(address to, uint256 value) external onlyAttested {
        (payee, amount) = (to, value);
    }

    /// @dev Its argument is in memory before the authorization is checked, and more is allocated afterwards.
    function note(string memory text) external onlyAttested {
        string memory copied = string.concat(text, "!");
        (memo, amount) = (text, bytes(copied).length);
    }

    function _assentAuthorizeChange() internal override {}
}

/// @dev Arguments are never read from the authorization, whatever calldata operators attested.
contract ExactArgumentsTest is TrailingPath {
    ExactPayer private payer;
    address private payee = makeAddr("payee");

    function setUp() public override {
        super.setUp();
        payer = new ExactPayer();
        payer.initialize(taskManager, policy());
    }

    function test_MemoryInUseBeforeTheCheckIsKept() public {
        string memory text = "thirty-two bytes, a word in full";
        assertEq(_call(abi.encodeCall(ExactPayer.note, (text)), 0), "");
        assertEq(payer.memo(), text);
        assertEq(payer.amount(), bytes(text).length + 1);
    }

    function test_ExactCalldataPasses() public {
        assertEq(_call(abi.encodeCall(ExactPayer.pay, (payee, 7)), 0), "");
        assertEq(payer.payee(), payee);
        assertEq(payer.amount(), 7);
        uint256[] memory parts = new uint256[](3);
        assertEq(_call(abi.encodeCall(ExactPayer.payWithMemo, (payee, "for the rent", parts)), 1), "");
        assertEq(payer.memo(), "for the rent");
        assertEq(_call(abi.encodeCall(ExactPayer.payNothing, ()), 2), "");
        assertEq(payer.payee(), agent);
    }

    function testFuzz_ExactCalldataPasses(address to, string calldata text, uint256[] calldata parts) public {
        assertEq(_call(abi.encodeCall(ExactPayer.payWithMemo, (to, text, parts)), 0), "");
        assertEq(payer.memo(), text);
    }

    /// @dev Without the protection the amount is the attested task's id.
    function test_RevertWhen_AnArgumentIsReadFromTheAuthorization() public {
        bytes memory loose = abi.encodeWithSelector(ExactPayer.payLoosely.selector, payee);
        assertEq(_call(loose, 0), "");
        assertGt(payer.amount(), type(uint128).max);
        _assertNotExact(abi.encodeWithSelector(ExactPayer.pay.selector, payee), 1);
        _assertNotExact(bytes.concat(abi.encodeWithSelector(ExactPayer.pay.selector, payee), bytes31(0)), 1);
    }

    function test_RevertWhen_AttestedCalldataHasMoreThanTheArguments() public {
        _assertNotExact(bytes.concat(abi.encodeCall(ExactPayer.pay, (payee, 7)), hex"00"), 0);
        _assertNotExact(bytes.concat(abi.encodeCall(ExactPayer.pay, (payee, 7)), bytes32(0)), 0);
        _assertNotExact(bytes.concat(abi.encodeCall(ExactPayer.payNothing, ()), hex"00"), 0);
    }

    /// @dev The text begins in the authorization, or where another encoding put it.
    function test_RevertWhen_AnOffsetPointsElsewhere() public {
        uint256[] memory none = new uint256[](0);
        bytes memory call = abi.encodeCall(ExactPayer.payWithMemo, (payee, "for the rent", none));
        assertEq(_call(call, 0), "");
        // Selector, address, offset of the text.
        bytes memory elsewhere = bytes.concat(call);
        // The nonce is the length: a text of one byte.
        elsewhere[4 + 63] = bytes1(uint8(call.length - 4 + 32));
        _assertNotExact(elsewhere, 1);
        // Both texts are in the calldata, and the second is read.
        bytes memory second = abi.encodePacked(call, uint256(1), bytes32("x"));
        second[4 + 63] = bytes1(uint8(call.length - 4));
        _assertNotExact(second, 1);
    }

    /// @dev All refusals of the protocol come first.
    function test_RevertWhen_NothingIsAttested() public {
        vm.prank(agent);
        (, bytes memory refusal) = address(payer).call(abi.encodeCall(ExactPayer.pay, (payee, 7)));
        assertEq(refusal, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        ExactPayer fresh = new ExactPayer();
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        fresh.pay(payee, 7);
    }

    function _assertNotExact(bytes memory call, uint256 nonce) private {
        bytes memory refusal = _call(call, nonce);
        assertEq(refusal, abi.encodeWithSelector(IPolicyClient.AssentArgumentsNotExact.selector));
        assertFalse(taskManager.isSpent(address(payer), nonce), "a refusal spent the nonce");
    }

    function _call(bytes memory call, uint256 nonce) private returns (bytes memory refusal) {
        Intent memory intent = Intent(agent, address(payer), 0, call, block.chainid);
        bytes memory authorization = authorize(attestationOf(address(payer), intent, nonce));
        vm.prank(agent);
        (bool success, bytes memory returned) = address(payer).call(trail(call, authorization));
        if (success) return "";
        assertGt(returned.length, 0, "no reason");
        return returned;
    }
}
