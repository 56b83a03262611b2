// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ExampleToken} from "../../../contracts/examples/ExampleToken.sol";
import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @dev Nothing leaves the vault but what the agent asked for and the operators allowed, both.
contract TreasuryVaultTest is AssentTestBase {
    uint256 private constant OPERATORS = 7;

    address private agent = makeAddr("agent");
    address private recipient = makeAddr("recipient");
    ExampleToken private token;
    TreasuryVault private vault;

    function setUp() public {
        deployAssent(OPERATORS);
        token = new ExampleToken(1000 ether);
        vault = new TreasuryVault(owner, agent, taskManager, policy());
        require(token.transfer(address(vault), 1000 ether));
        vm.deal(address(vault), 10 ether);
    }

    function test_PaysExactlyWhatIsAttested() public {
        bytes memory call = _paymentOf(250 ether);
        vm.expectEmit(address(vault));
        emit TreasuryVault.Paid(token, recipient, 250 ether);
        assertEq(_callVault(agent, _authorized(agent, call)), "");
        assertEq(token.balanceOf(recipient), 250 ether);
        assertEq(token.balanceOf(address(vault)), 750 ether);
    }

    function testFuzz_PaysExactlyAnyAttestedAmount(uint256 amount) public {
        amount = bound(amount, 0, 1000 ether);
        assertEq(_callVault(agent, _authorized(agent, _paymentOf(amount))), "");
        assertEq(token.balanceOf(recipient), amount);
    }

    function test_RevertWhen_AgentHasNoAuthorization() public {
        bytes memory refusal = _callVault(agent, _paymentOf(1));
        assertEq(refusal, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        assertEq(token.balanceOf(recipient), 0);
    }

    function test_RevertWhen_AgentPaysMoreThanAttested() public {
        bytes memory authorization = _authorizationOf(agent, _paymentOf(250 ether));
        bytes memory refusal = _callVault(agent, trail(_paymentOf(251 ether), authorization));
        assertEq(bytes4(refusal), IRefusals.WrongTask.selector);
        assertEq(token.balanceOf(recipient), 0);
    }

    function test_RevertWhen_PaymentIsMadeTwice() public {
        bytes memory call = _authorized(agent, _paymentOf(250 ether));
        assertEq(_callVault(agent, call), "");
        assertEq(
            _callVault(agent, call),
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(vault), 0)
        );
        assertEq(token.balanceOf(recipient), 250 ether);
    }

    function test_RevertWhen_AnybodyButTheAgentPaysEvenWhenAttested() public {
        address[3] memory others = [owner, address(this), recipient];
        for (uint256 i = 0; i < others.length; ++i) {
            assertEq(
                _callVault(others[i], _authorized(others[i], _paymentOf(1))),
                abi.encodeWithSelector(TreasuryVault.NotAgent.selector, others[i])
            );
            Intent memory intent = Intent(others[i], recipient, 1, "", block.chainid);
            bytes memory authorization = authorize(attestationOf(address(vault), intent, 0), OPERATORS, 0);
            assertEq(
                _callVault(others[i], abi.encodeCall(TreasuryVault.execute, (intent, authorization))),
                abi.encodeWithSelector(TreasuryVault.NotAgent.selector, others[i])
            );
        }
    }

    function test_RevertWhen_OwnerMakesItselfAgentButHasNoAuthorization() public {
        vm.startPrank(owner);
        vault.setAgent(owner);
        vm.stopPrank();
        assertEq(_callVault(owner, _paymentOf(1)), abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
    }

    function test_ExecutesAnAttestedCall() public {
        bytes memory data = abi.encodeCall(IERC20.approve, (recipient, 5));
        Intent memory intent = Intent(agent, address(token), 0, data, block.chainid);
        bytes memory authorization = authorize(attestationOf(address(vault), intent, 0), OPERATORS, 0);
        vm.prank(agent);
        assertEq(vault.execute(intent, authorization), abi.encode(true));
        assertEq(token.allowance(address(vault), recipient), 5);
    }

    function test_PaysEther() public {
        Intent memory intent = Intent(agent, recipient, 4 ether, "", block.chainid);
        bytes memory authorization = authorize(attestationOf(address(vault), intent, 0), OPERATORS, 0);
        vm.prank(agent);
        vault.execute(intent, authorization);
        assertEq(recipient.balance, 4 ether);
        assertEq(address(vault).balance, 6 ether);
    }

    function test_FailedPaymentLeavesTheAuthorizationUnspent() public {
        bytes memory call = _authorized(agent, _paymentOf(1001 ether));
        assertEq(
            _callVault(agent, call),
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientBalance.selector, address(vault), 1000 ether, 1001 ether
            )
        );
        assertFalse(taskManager.isSpent(address(vault), 0));
        deal(address(token), address(vault), 1001 ether);
        assertEq(_callVault(agent, call), "");
    }

    function test_OwnerChoosesTheAgent() public {
        vm.expectEmit(address(vault));
        emit TreasuryVault.AgentChanged(recipient);
        vm.prank(owner);
        vault.setAgent(recipient);
        assertEq(vault.agent(), recipient);
        assertEq(
            _callVault(agent, _authorized(agent, _paymentOf(1))),
            abi.encodeWithSelector(TreasuryVault.NotAgent.selector, agent)
        );
    }

    function test_RevertWhen_AgentChangesTheRules() public {
        bytes memory expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, agent);
        assertEq(_callVault(agent, abi.encodeCall(vault.setAgent, (agent))), expected);
        assertEq(_callVault(agent, abi.encodeCall(vault.setAssentPolicy, (policy()))), expected);
        assertEq(_callVault(agent, abi.encodeCall(vault.setAssentTaskManager, (taskManager))), expected);
        assertEq(_callVault(agent, abi.encodeCall(vault.burnAssentNonces, (0, 1))), expected);
    }

    function test_OwnerRevokesWhatIsUnderWay() public {
        bytes memory call = _authorized(agent, _paymentOf(250 ether));
        vm.prank(owner);
        vault.burnAssentNonces(0, 1);
        assertEq(
            _callVault(agent, call),
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(vault), 0)
        );
    }

    function _paymentOf(uint256 amount) private view returns (bytes memory) {
        return abi.encodeCall(TreasuryVault.pay, (token, recipient, amount));
    }

    function _authorizationOf(address caller, bytes memory call) private view returns (bytes memory) {
        Intent memory intent = Intent(caller, address(vault), 0, call, block.chainid);
        return authorize(attestationOf(address(vault), intent, 0), OPERATORS, 0);
    }

    function _authorized(address caller, bytes memory call) private view returns (bytes memory) {
        return trail(call, _authorizationOf(caller, call));
    }

    /// @dev The revert data, empty if the call succeeded.
    function _callVault(address caller, bytes memory call) private returns (bytes memory refusal) {
        vm.prank(caller);
        (bool success, bytes memory returned) = address(vault).call(call);
        if (!success) refusal = returned;
    }
}
