// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {IRefusals, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {Account as SmartAccount} from "@openzeppelin/contracts/account/Account.sol";
import {ERC7821} from "@openzeppelin/contracts/account/extensions/draft-ERC7821.sol";
import {Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";

/// @dev OpenZeppelin's ERC-4337 account with its batch executor.
contract AgentAccount is SmartAccount, ERC7821, SignerECDSA {
    constructor(address signer) SignerECDSA(signer) {}

    function _erc7821AuthorizedExecutor(address caller, bytes32 mode, bytes calldata executionData)
        internal
        view
        override
        returns (bool)
    {
        return caller == address(entryPoint()) || super._erc7821AuthorizedExecutor(caller, mode, executionData);
    }
}

/// @dev The same, itself a client: whatever it executes must be attested.
contract ProtectedAccount is AgentAccount, PolicyClient {
    constructor(address signer, ITaskManager taskManager, Policy memory policy) AgentAccount(signer) {
        _assentInitialize(taskManager, policy);
    }

    function execute(bytes32 mode, bytes calldata executionData) public payable override onlyAttested {
        super.execute(mode, executionData);
    }

    function _assentAuthorizeChange() internal view override onlyEntryPointOrSelf {}
}

/// @dev A user operation's calldata lies open in a mempool before it is executed. The entry point then calls the
/// account with exactly these bytes, which is what the tests do in its name.
contract AttackAccountsTest is TrailingPath {
    /// @dev ERC-7821: a single batch, without optional data.
    bytes32 private constant BATCH_MODE = bytes32(uint256(1) << 248);

    AgentAccount private account;
    address private entryPoint;

    function setUp() public override {
        super.setUp();
        account = new AgentAccount(agent);
        entryPoint = address(account.entryPoint());
        vm.deal(address(account), 10 ether);
    }

    function test_RevertWhen_AuthorizationInAUserOperationIsTakenByAnother() public {
        bytes memory trailed = _trailed();
        AgentAccount another = new AgentAccount(agent);
        vm.deal(address(another), 10 ether);
        // Who sees the operation: a bundler; the account's own signer; another account; the entry point itself.
        address[3] memory thieves = [stranger, agent, entryPoint];
        for (uint256 i = 0; i < thieves.length; ++i) {
            vm.deal(thieves[i], 1 ether);
            vm.prank(thieves[i]);
            (, bytes memory reason) = address(counter).call{value: 1 ether}(trailed);
            assertEq(bytes4(reason), IRefusals.WrongTask.selector);
        }
        assertEq(bytes4(_handle(another, _batch(trailed, 1))), IRefusals.WrongTask.selector);
        assertEq(_handle(account, _batch(trailed, 1)), "");
        assertEq(counter.count(), 5);
    }

    function test_RevertWhen_UserOperationIsRepeated() public {
        bytes memory operation = _batch(_trailed(), 1);
        assertEq(_handle(account, operation), "");
        assertEq(_handle(account, operation), _spent(address(counter)));
        assertEq(counter.count(), 5);
    }

    function test_RevertWhen_OneAuthorizationServesTwoCallsOfAUserOperation() public {
        bytes memory trailed = _trailed();
        assertEq(_handle(account, _batch(trailed, 2)), _spent(address(counter)));
        assertEq(counter.count(), 0);
        assertFalse(taskManager.isSpent(address(counter), NONCE), "a refused batch spent the nonce");
        assertEq(_handle(account, _batch(trailed, 1)), "");
    }

    /// @dev The authorization follows the user operation's calldata, which the entry point passes on unchanged.
    function test_RevertWhen_ProtectedAccountExecutesOtherThanWhatIsAttested() public {
        account = new ProtectedAccount(agent, taskManager, policy());
        bytes memory attested = _execution(address(recorder), "attested", 1);
        Intent memory intent = Intent(entryPoint, address(account), 0, attested, block.chainid);
        bytes memory authorization = authorize(attestationOf(address(account), intent, NONCE));

        bytes memory malformed = abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector);
        assertEq(_handle(account, attested), malformed);
        bytes memory refusal = _handle(account, trail(_execution(address(recorder), "other", 1), authorization));
        assertEq(bytes4(refusal), IRefusals.WrongTask.selector);
        refusal = _handle(account, trail(_execution(address(recorder), "attested", 2), authorization));
        assertEq(bytes4(refusal), IRefusals.WrongTask.selector);
        assertEq(recorder.calls(), 0);
        assertEq(_handle(account, trail(attested, authorization)), "");
        assertEq(recorder.data(), "attested");
        assertEq(_handle(account, trail(attested, authorization)), _spent(address(account)));
    }

    /// @dev The account may call itself, which its executor lets it do. That needs a separate authorization.
    function test_RevertWhen_ProtectedAccountCallsItselfUnderTheSameAuthorization() public {
        account = new ProtectedAccount(agent, taskManager, policy());
        bytes memory attested = _execution(address(account), _execution(address(recorder), "inner", 1), 1);
        Intent memory intent = Intent(entryPoint, address(account), 0, attested, block.chainid);
        bytes memory authorization = authorize(attestationOf(address(account), intent, NONCE));
        bytes memory malformed = abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector);
        assertEq(_handle(account, trail(attested, authorization)), malformed);
        assertEq(recorder.calls(), 0);
    }

    function _handle(AgentAccount sender, bytes memory callData) private returns (bytes memory refusal) {
        vm.prank(entryPoint);
        (bool success, bytes memory returned) = address(sender).call(callData);
        if (!success) refusal = returned;
    }

    /// @dev The counter's protected call, attested to the account.
    function _trailed() private view returns (bytes memory) {
        Intent memory intent = protectedCall();
        intent.from = address(account);
        return trail(intent.data, authorize(attest(intent)));
    }

    function _batch(bytes memory trailed, uint256 times) private view returns (bytes memory) {
        return _executions(address(counter), 1 ether, trailed, times);
    }

    function _execution(address target, bytes memory data, uint256 times) private pure returns (bytes memory) {
        return _executions(target, 0, data, times);
    }

    function _executions(address target, uint256 value, bytes memory data, uint256 times)
        private
        pure
        returns (bytes memory)
    {
        Execution[] memory executions = new Execution[](times);
        for (uint256 i = 0; i < times; ++i) {
            executions[i] = Execution(target, value, data);
        }
        return abi.encodeCall(ERC7821.execute, (BATCH_MODE, abi.encode(executions)));
    }

    function _spent(address client) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, client, NONCE);
    }
}
