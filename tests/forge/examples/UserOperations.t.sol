// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ExampleToken} from "../../../contracts/examples/ExampleToken.sol";
import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AuthorizationEncoding} from "../../../contracts/testing/AuthorizationEncoding.sol";
import {EntryPointTestBase, ModularAccount} from "./EntryPointTestBase.sol";
import {IEntryPointExtra} from "@openzeppelin/contracts/account/utils/ERC4337Utils.sol";
import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

/// @dev The treasury's agent is an ERC-4337 account. A user operation has it call the treasury, with the authorization
/// behind the inner calldata. Operators attest only the inner call, not the operation, its fees or its bundler.
contract UserOperationsTest is EntryPointTestBase {
    address private recipient = makeAddr("recipient");
    ExampleToken private token;
    TreasuryVault private vault;
    ModularAccount private account;

    function setUp() public {
        deployAssent();
        deployEntryPoint();
        account = deployAccount();
        vault = new TreasuryVault(address(this), address(account), taskManager, assentPolicy());
        token = new ExampleToken(1000);
        require(token.transfer(address(vault), 1000));
    }

    function test_BundlerBringsAnAttestedCall() public {
        uint256 funds = address(account).balance;
        assertEq(handle(account, _payment(5)), "");
        assertEq(token.balanceOf(recipient), 5);
        assertEq(account.getNonce(), 1);
        assertGt(bundler.balance, 0);
        assertEq(address(account).balance + ENTRY_POINT.balanceOf(address(account)) + bundler.balance, funds);
    }

    /// @dev The vault sees the account, not its signer or payer.
    function test_RevertWhen_IntentIsOfAnotherThanTheAccount() public {
        address[3] memory others = [signer, bundler, address(ENTRY_POINT)];
        for (uint256 i = 0; i < others.length; ++i) {
            Intent memory intent = _intent(5);
            intent.from = others[i];
            _assertRefused(handle(account, _execution(_intent(5), attest(intent))), IRefusals.WrongTask.selector);
        }
    }

    function test_RefusedCallCostsTheAccountItsFeeAndItsNonceAndNothingElse() public {
        bytes memory callData = _execution(_intent(6), attest(_intent(5)));
        _assertRefused(handle(account, callData), IRefusals.WrongTask.selector);
        assertEq(account.getNonce(), 1);
        assertGt(bundler.balance, 0);
        assertFalse(taskManager.isSpent(address(vault), 0));
    }

    function test_RefusedCallDoesNotStopTheBundlesOthers() public {
        ModularAccount another = deployAccount();
        PackedUserOperation[] memory operations = new PackedUserOperation[](2);
        operations[0] = operationOf(another, _payment(5));
        operations[1] = operationOf(account, _payment(7));
        bytes[] memory refusals = handle(operations);
        // An account that is not the agent has taken the agent's authorization.
        assertEq(bytes4(refusals[0]), TreasuryVault.NotAgent.selector);
        assertEq(refusals[1], "");
        assertEq(token.balanceOf(recipient), 7);
    }

    function test_RevertWhen_OperationIsSentAgain() public {
        PackedUserOperation[] memory operations = new PackedUserOperation[](1);
        operations[0] = operationOf(account, _payment(5));
        assertEq(handle(operations)[0], "");
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA25 invalid account nonce"));
        vm.prank(bundler, bundler);
        ENTRY_POINT.handleOps(operations, payable(bundler));
    }

    function test_RevertWhen_AnotherOperationCarriesTheSameAuthorization() public {
        bytes memory callData = _payment(5);
        assertEq(handle(account, callData), "");
        assertEq(
            handle(account, callData), abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, vault, 0)
        );
        assertEq(token.balanceOf(recipient), 5);
    }

    /// @dev What is reverted is not spent, though the operation is: the next one can carry the authorization.
    function test_NextOperationCarriesTheAuthorizationOfAFailedOne() public {
        bytes memory callData = _payment(1001);
        _assertRefused(handle(account, callData), IERC20Errors.ERC20InsufficientBalance.selector);
        deal(address(token), address(vault), 1001);
        assertEq(handle(account, callData), "");
        assertEq(token.balanceOf(recipient), 1001);
    }

    function test_RevertWhen_AuthorizationExpiresBetweenBundlerAndBlock() public {
        PackedUserOperation[] memory operations = new PackedUserOperation[](1);
        operations[0] = operationOf(account, _payment(5));
        skip(ATTESTATION_LIFETIME);
        _assertRefused(handle(operations)[0], IRefusals.AttestationExpired.selector);
    }

    /// @dev ERC-7562 forbids validation the block's time and storage of others than the account, and bundlers drop an
    /// operation that uses them. Assent needs both, and is asked only in the execution.
    function test_ValidationAsksNothingOfAssent() public {
        PackedUserOperation memory operation = operationOf(account, _payment(5));
        bytes32 hash = IEntryPointExtra(address(ENTRY_POINT)).getUserOpHash(operation);
        vm.record();
        vm.prank(address(ENTRY_POINT));
        assertEq(account.validateUserOp(operation, hash, 0), 0);
        (bytes32[] memory reads,) = vm.accesses(address(account));
        assertGt(reads.length, 0, "nothing was recorded");
        (reads,) = vm.accesses(address(taskManager));
        assertEq(reads.length, 0);
        (reads,) = vm.accesses(address(vault));
        assertEq(reads.length, 0);
    }

    function _payment(uint256 amount) private returns (bytes memory) {
        return _execution(_intent(amount), attest(_intent(amount)));
    }

    /// @dev As the vault will see the call.
    function _intent(uint256 amount) private view returns (Intent memory) {
        bytes memory data = abi.encodeCall(TreasuryVault.pay, (token, recipient, amount));
        return intentOf(address(account), address(vault), 0, data);
    }

    /// @dev What the user operation carries.
    function _execution(Intent memory intent, bytes memory authorization) private pure returns (bytes memory) {
        return executionOf(intent.to, intent.value, AuthorizationEncoding.trailing(intent.data, authorization));
    }

    function _assertRefused(bytes memory refusal, bytes4 selector) private view {
        assertEq(bytes4(refusal), selector);
        assertEq(token.balanceOf(recipient), 0);
    }
}
