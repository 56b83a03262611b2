// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Treasury} from "../src/Treasury.sol";
import {IRefusals, Intent} from "@assent/contracts/interfaces/Protocol.sol";
import {AssentTestKit} from "@assent/contracts/testing/AssentTestKit.sol";

contract TreasuryTest is AssentTestKit {
    address private agent = makeAddr("agent");
    address payable private bob = payable(makeAddr("bob"));
    Treasury private treasury;

    function setUp() public {
        deployAssent();
        treasury = new Treasury{value: 10 ether}(address(this), taskManager, assentPolicy());
    }

    function test_PaysWhatOperatorsAllow() public {
        callAttested(_payment(1 ether), attest(_payment(1 ether)));
        assertEq(bob.balance, 1 ether);
    }

    function test_RevertWhen_OperatorsDeny() public {
        callRefused(_payment(1 ether), deny(_payment(1 ether)), IRefusals.PolicyDenied.selector);
    }

    function test_RevertWhen_AnotherAmountIsPaid() public {
        _assertRefused(_payment(2 ether), attest(_payment(1 ether)), IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_NobodyHasAuthorizedThePayment() public {
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        vm.prank(agent);
        treasury.pay(bob, 1 ether);
    }

    function test_RevertWhen_NoOperatorHasSigned() public {
        _assertRefused(_payment(1 ether), forged(_payment(1 ether)), IRefusals.InvalidSignature.selector);
    }

    function test_RevertWhen_TooFewOperatorsSigned() public {
        _assertRefused(_payment(1 ether), withNonSigners(_payment(1 ether), 3), IRefusals.QuorumNotReached.selector);
    }

    function test_RevertWhen_TheAttestationHasExpired() public {
        _assertRefused(_payment(1 ether), expired(_payment(1 ether)), IRefusals.AttestationExpired.selector);
    }

    function test_RevertWhen_UsedTwice() public {
        bytes memory authorization = attest(_payment(1 ether));
        callAttested(_payment(1 ether), authorization);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, treasury, 0));
        callAttested(_payment(1 ether), authorization);
    }

    function test_PrankBeforeAttestAppliesToTheCall() public {
        vm.prank(agent);
        callAttested(_payment(1 ether), attest(_payment(1 ether)));
        assertEq(bob.balance, 1 ether);
    }

    function test_RevertWhen_AttestedAfterExpectRevert() public {
        try this.attestAfterExpectRevert() {
            fail();
        } catch (bytes memory revertData) {
            assertEq(revertData, abi.encodeWithSelector(KitCalledAfterExpectRevert.selector));
        }
    }

    function attestAfterExpectRevert() external {
        vm.expectRevert(IRefusals.PolicyDenied.selector);
        attest(_payment(1 ether));
    }

    function _assertRefused(Intent memory intent, bytes memory authorization, bytes4 refusal) private {
        callRefused(intent, authorization, refusal);
        assertEq(bob.balance, 0);
    }

    function _payment(uint256 amount) private view returns (Intent memory) {
        return intentOf(agent, address(treasury), 0, abi.encodeCall(Treasury.pay, (bob, amount)));
    }
}
