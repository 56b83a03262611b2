// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ExampleToken} from "../../../contracts/examples/ExampleToken.sol";
import {GatedVault} from "../../../contracts/examples/GatedVault.sol";
import {IRefusals, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestKit} from "../../../contracts/testing/AssentTestKit.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @dev Deposits are free; assets leave only for holders of shares or an allowance, and with an authorization.
contract GatedVaultTest is AssentTestKit {
    address private alice = makeAddr("alice");
    address private bob = makeAddr("bob");
    ExampleToken private token;
    GatedVault private vault;

    function setUp() public {
        deployAssent();
        token = new ExampleToken(2000);
        vault = new GatedVault(token, address(this), taskManager, assentPolicy());
        require(token.transfer(alice, 1000));
        _deposit(alice, 1000);
    }

    function test_SharesAndTheirAssetAreNamedForWallets() public view {
        assertEq(vault.name(), "Gated Vault Share");
        assertEq(vault.symbol(), "GVS");
        assertEq(vault.asset(), address(token));
    }

    function test_DepositsNeedNoAuthorization() public view {
        assertEq(vault.balanceOf(alice), 1000);
        assertEq(vault.totalAssets(), 1000);
    }

    function test_MintsNeedNoAuthorization() public {
        require(token.transfer(bob, 5));
        vm.startPrank(bob);
        token.approve(address(vault), 5);
        assertEq(vault.mint(5, alice), 5);
        vm.stopPrank();
        assertEq(vault.balanceOf(alice), 1005);
    }

    function test_AttestedWithdrawalGoesThrough() public {
        bytes memory shares =
            callAttested(_withdrawal(alice, 400, bob, alice), attest(_withdrawal(alice, 400, bob, alice)));
        assertEq(abi.decode(shares, (uint256)), 400);
        assertEq(token.balanceOf(bob), 400);
        assertEq(vault.balanceOf(alice), 600);
    }

    function test_AttestedRedemptionGoesThrough() public {
        bytes memory assets =
            callAttested(_redemption(alice, 400, bob, alice), attest(_redemption(alice, 400, bob, alice)));
        assertEq(abi.decode(assets, (uint256)), 400);
        assertEq(token.balanceOf(bob), 400);
        assertEq(vault.balanceOf(alice), 600);
    }

    /* WHAT STAYS SHUT */

    function test_RevertWhen_WithdrawnOrRedeemedWithoutAuthorization() public {
        vm.startPrank(alice);
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        vault.withdraw(1, alice, alice);
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        vault.redeem(1, alice, alice);
        vm.stopPrank();
    }

    function test_RevertWhen_Denied() public {
        Intent memory intent = _withdrawal(alice, 400, alice, alice);
        _assertRefused(intent, deny(intent), IRefusals.PolicyDenied.selector);
    }

    function test_RevertWhen_Expired() public {
        Intent memory intent = _redemption(alice, 400, alice, alice);
        _assertRefused(intent, expired(intent), IRefusals.AttestationExpired.selector);
    }

    function test_RevertWhen_TooFewOperatorsSigned() public {
        Intent memory intent = _withdrawal(alice, 400, alice, alice);
        _assertRefused(intent, withNonSigners(intent, 3), IRefusals.QuorumNotReached.selector);
    }

    function test_RevertWhen_CalldataDiffersByOneByte() public {
        bytes memory authorization = attest(_withdrawal(alice, 400, alice, alice));
        _assertRefused(_withdrawal(alice, 401, alice, alice), authorization, IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_ReceiverIsAnother() public {
        bytes memory authorization = attest(_withdrawal(alice, 400, alice, alice));
        _assertRefused(_withdrawal(alice, 400, bob, alice), authorization, IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_WithdrawalIsUsedForARedemption() public {
        bytes memory authorization = attest(_withdrawal(alice, 400, alice, alice));
        _assertRefused(_redemption(alice, 400, alice, alice), authorization, IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_UsedTwice() public {
        Intent memory intent = _withdrawal(alice, 400, alice, alice);
        bytes memory authorization = attest(intent);
        callAttested(intent, authorization);
        _assertRefused(intent, authorization, IRefusals.AttestationAlreadySpent.selector);
        assertEq(vault.balanceOf(alice), 600);
    }

    function test_RevertWhen_AnotherVaultsAuthorizationIsUsed() public {
        GatedVault other = new GatedVault(token, address(this), taskManager, assentPolicy());
        Intent memory intent = _withdrawal(alice, 400, alice, alice);
        bytes memory authorization = attest(intent, address(other));
        _assertRefused(intent, authorization, IRefusals.WrongTask.selector);
    }

    /* ALLOWANCES AND SHARES THAT MOVE */

    function test_SpenderWithAnAllowanceWithdrawsWithItsOwnAuthorization() public {
        vm.prank(alice);
        vault.approve(bob, 400);
        Intent memory intent = _withdrawal(bob, 400, bob, alice);
        callAttested(intent, attest(intent));
        assertEq(token.balanceOf(bob), 400);
        assertEq(vault.allowance(alice, bob), 0);
    }

    function test_RevertWhen_SpenderUsesTheOwnersAuthorization() public {
        vm.prank(alice);
        vault.approve(bob, 400);
        bytes memory authorization = attest(_withdrawal(alice, 400, bob, alice));
        _assertRefused(_withdrawal(bob, 400, bob, alice), authorization, IRefusals.WrongTask.selector);
        assertEq(vault.allowance(alice, bob), 400);
    }

    function test_RevertWhen_OperatorsAllowButTheOwnerDidNot() public {
        Intent memory intent = _withdrawal(bob, 400, bob, alice);
        bytes memory authorization = attest(intent);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, bob, 0, 400));
        callAttested(intent, authorization);
        assertFalse(taskManager.isSpent(address(vault), 0));
    }

    function test_RevertWhen_WhoeverReceivedSharesWithdrawsWithoutItsOwnAuthorization() public {
        bytes memory authorization = attest(_withdrawal(alice, 400, alice, alice));
        vm.prank(alice);
        require(vault.transfer(bob, 400));
        _assertRefused(_withdrawal(bob, 400, bob, bob), authorization, IRefusals.WrongTask.selector);
        callAttested(_withdrawal(bob, 400, bob, bob), attest(_withdrawal(bob, 400, bob, bob)));
        assertEq(token.balanceOf(bob), 400);
    }

    /* THE RATE MOVES BETWEEN ATTESTATION AND CALL */

    function test_WithdrawalPaysTheAttestedAssetsWhateverTheRate() public {
        Intent memory intent = _withdrawal(alice, 400, alice, alice);
        bytes memory authorization = attest(intent);
        _doubleTheRate();
        callAttested(intent, authorization);
        assertEq(token.balanceOf(alice), 400);
        assertApproxEqAbs(vault.balanceOf(alice), 800, 1);
    }

    function test_RedemptionBurnsTheAttestedSharesWhateverTheRate() public {
        Intent memory intent = _redemption(alice, 400, alice, alice);
        bytes memory authorization = attest(intent);
        _doubleTheRate();
        callAttested(intent, authorization);
        assertEq(vault.balanceOf(alice), 600);
        assertApproxEqAbs(token.balanceOf(alice), 800, 1);
    }

    function test_WithdrawalThatExceedsTheSharesLeavesTheAuthorizationUnspent() public {
        Intent memory intent = _withdrawal(alice, 1001, alice, alice);
        bytes memory authorization = attest(intent);
        vm.expectRevert(
            abi.encodeWithSelector(ERC4626.ERC4626ExceededMaxWithdraw.selector, alice, 1001, vault.maxWithdraw(alice))
        );
        callAttested(intent, authorization);
        require(token.transfer(alice, 1));
        _deposit(alice, 1);
        callAttested(intent, authorization);
        assertEq(token.balanceOf(alice), 1001);
    }

    function test_ViewsTellWhatAnAuthorizationCouldLetThrough() public view {
        assertEq(vault.maxWithdraw(alice), 1000);
        assertEq(vault.maxRedeem(alice), 1000);
    }

    function test_CheckAuthorizationForetellsTheWithdrawal() public {
        Intent memory intent = _withdrawal(alice, 400, alice, alice);
        bytes memory authorization = attest(intent);
        vault.checkAssentAuthorization(intent, alice, authorization);
        callAttested(intent, authorization);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, vault, 0));
        vault.checkAssentAuthorization(intent, alice, authorization);
    }

    /* THE OWNER */

    function test_OwnerChangesThePolicyAndNobodyElse() public {
        Policy memory changed = assentPolicy();
        changed.policyId = keccak256("another policy");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, alice));
        vm.prank(alice);
        vault.setAssentPolicy(changed);
        vault.setAssentPolicy(changed);
        assertEq(vault.assentPolicy().policyId, changed.policyId);
    }

    /// @dev As yield would.
    function _doubleTheRate() private {
        require(token.transfer(address(vault), 1000));
    }

    function _deposit(address depositor, uint256 assets) private {
        vm.startPrank(depositor);
        token.approve(address(vault), assets);
        vault.deposit(assets, depositor);
        vm.stopPrank();
    }

    function _assertRefused(Intent memory intent, bytes memory authorization, bytes4 refusal) private {
        uint256 before = vault.totalAssets();
        vm.expectPartialRevert(refusal);
        callAttested(intent, authorization);
        assertEq(vault.totalAssets(), before);
    }

    function _withdrawal(address caller, uint256 assets, address receiver, address shareholder)
        private
        view
        returns (Intent memory)
    {
        return intentOf(caller, address(vault), 0, abi.encodeCall(vault.withdraw, (assets, receiver, shareholder)));
    }

    function _redemption(address caller, uint256 shares, address receiver, address shareholder)
        private
        view
        returns (Intent memory)
    {
        return intentOf(caller, address(vault), 0, abi.encodeCall(vault.redeem, (shares, receiver, shareholder)));
    }
}
