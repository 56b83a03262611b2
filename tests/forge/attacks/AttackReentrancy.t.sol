// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {Attestation, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {ComposedCounter} from "../utils/ComposedCounter.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";

/// @dev A token that calls its recipient, as ERC-777 does, after the balances have changed.
contract HookedToken is ERC20 {
    constructor(address holder) ERC20("Hooked Token", "HOOK") {
        _mint(holder, 1000);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to.code.length != 0) Reentrant(payable(to)).tokensReceived();
    }
}

/// @dev Makes a call, and another when it is called back in the course of the first.
contract Reentrant {
    address private _target;
    bytes private _again;
    uint256 public timesCalledBack;
    bool public reentered;
    bytes public answer;

    function start(address target, uint256 value, bytes memory data, bytes memory again) external payable {
        (_target, _again) = (target, again);
        (bool success, bytes memory reason) = target.call{value: value}(data);
        require(success, string(reason));
    }

    function tokensReceived() external {
        _reenter();
    }

    receive() external payable {
        _reenter();
    }

    function callBack() external payable {
        _reenter();
    }

    function _reenter() private {
        if (_target == address(0) || ++timesCalledBack > 1) return;
        (reentered, answer) = _target.call(_again);
    }
}

/// @dev Runs with the storage of who delegates to it, and calls a client's code there.
contract ReentrantModule {
    address private immutable _CODE;

    constructor(address code) {
        _CODE = code;
    }

    function run(bytes calldata call, uint256 times) external {
        for (uint256 i = 0; i < times; ++i) {
            Address.functionDelegateCall(_CODE, call);
        }
    }
}

contract AttackReentrancyTest is TrailingPath {
    Reentrant private attacker;
    ComposedCounter private composed;

    function setUp() public override {
        super.setUp();
        attacker = new Reentrant();
        composed = new ComposedCounter(stranger);
        composed.initialize(taskManager, policy());
        vm.deal(address(composed), 10 ether);
    }

    /* TOKENS */

    function test_RevertWhen_Erc777LikeTokenReentersWithTheSameAuthorization() public {
        (TreasuryVault vault, HookedToken token) = _vault();
        bytes memory payment = _payment(vault, token, 0);
        attacker.start(address(vault), 0, payment, payment);
        _assertFoundSpent(address(vault), 0);
        assertEq(token.balanceOf(address(attacker)), 100);
    }

    /// @dev Reentrancy itself is the contract's own business: two attestations are two payments.
    function test_Erc777LikeTokenReentersWithAnAuthorizationOfItsOwn() public {
        (TreasuryVault vault, HookedToken token) = _vault();
        attacker.start(address(vault), 0, _payment(vault, token, 0), _payment(vault, token, 1));
        assertTrue(attacker.reentered());
        assertEq(token.balanceOf(address(attacker)), 200);
        assertEq(taskManager.spentNonces(address(vault), 0), 3);
    }

    /* THE CALL'S TARGET */

    function test_RevertWhen_TargetReentersWhenItIsPaid() public {
        Intent memory intent = Intent(address(attacker), address(attacker), 1 ether, "", block.chainid);
        bytes memory call = _execution(intent);
        attacker.start(address(composed), 0, call, call);
        _assertFoundSpent(address(composed), NONCE);
        assertEq(address(attacker).balance, 1 ether);
    }

    /// @dev What others ask during the call is answered as it is after it.
    function test_ViewsReenteredFromTheTargetFindTheAuthorizationSpent() public {
        Intent memory intent = _callBack();
        bytes memory authorization = authorize(attestationOf(address(composed), intent, NONCE));
        bytes memory question =
            abi.encodeCall(composed.checkAssentAuthorization, (intent, address(attacker), authorization));
        attacker.start(address(composed), 0, abi.encodeCall(composed.execute, (intent, authorization)), question);
        _assertFoundSpent(address(composed), NONCE);
    }

    /* MULTICALL */

    function test_RevertWhen_TargetReentersThroughMulticall() public {
        bytes memory call = _execution(_callBack());
        attacker.start(address(composed), 0, call, _multicall(call));
        _assertFoundSpent(address(composed), NONCE);
    }

    function test_RevertWhen_MulticallIsReenteredFromItsOwnCall() public {
        bytes memory call = _multicall(_execution(_callBack()));
        attacker.start(address(composed), 0, call, call);
        _assertFoundSpent(address(composed), NONCE);
    }

    /* DELEGATECALL */

    /// @dev The same sender, value, calldata and storage: nothing but the spent nonce tells the second call from the
    /// first.
    function test_RevertWhen_ModuleReentersThroughDelegatecall() public {
        address module = address(new ReentrantModule(address(composed)));
        bytes memory inner = _trailed(abi.encodeCall(ProtectedCounter.increment, (5)), 1);
        bytes memory spent = abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(composed), 1);
        assertEq(_runModule(module, inner, 2), spent);
        assertEq(composed.count(), 0);
        assertEq(taskManager.spentNonces(address(composed), 0), 0);
        assertEq(_runModule(module, inner, 1), "");
        assertEq(composed.count(), 6);
    }

    /// @dev The client's code in another's storage is another client, even if that storage says all the same.
    function test_RevertWhen_AttackerDelegatecallsTheClientsCode() public {
        ReentrantModule thief = new ReentrantModule(address(composed));
        bytes memory call = abi.encodeCall(ProtectedCounter.increment, (5));
        bytes memory trailed = _trailed(call, NONCE);
        vm.prank(agent);
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        thief.run(trailed, 1);

        thief.run(abi.encodeCall(ProtectedCounter.initialize, (taskManager, policy())), 1);
        Intent memory stolen = Intent(agent, address(thief), 0, call, block.chainid);
        bytes32 expected = taskManager.taskIdOf(address(thief), POLICY_ID, stolen, NONCE);
        Attestation memory attested = _attestation(call, NONCE);
        vm.prank(agent);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.WrongTask.selector, expected, attested.taskId));
        thief.run(trailed, 1);
        assertFalse(taskManager.isSpent(address(composed), NONCE));
    }

    /* SHARED */

    function _assertFoundSpent(address client, uint256 nonce) private view {
        assertGe(attacker.timesCalledBack(), 1, "was not called back");
        assertFalse(attacker.reentered());
        assertEq(attacker.answer(), abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, client, nonce));
    }

    /// @dev Under an authorization for the module's call. Returns the revert data.
    function _runModule(address module, bytes memory inner, uint256 times) private returns (bytes memory refusal) {
        bytes memory run = abi.encodeCall(ReentrantModule.run, (inner, times));
        bytes memory call = _trailed(abi.encodeCall(ComposedCounter.runModule, (module, run)), 2);
        vm.prank(agent);
        (bool success, bytes memory returned) = address(composed).call(call);
        if (!success) refusal = returned;
    }

    function _vault() private returns (TreasuryVault vault, HookedToken token) {
        vault = new TreasuryVault(owner, address(attacker), taskManager, policy());
        token = new HookedToken(address(vault));
    }

    function _payment(TreasuryVault vault, HookedToken token, uint256 nonce) private view returns (bytes memory) {
        bytes memory call = abi.encodeCall(TreasuryVault.pay, (token, address(attacker), 100));
        Intent memory intent = Intent(address(attacker), address(vault), 0, call, block.chainid);
        return trail(call, authorize(attestationOf(address(vault), intent, nonce)));
    }

    /// @dev The attacker has the client call the attacker.
    function _callBack() private view returns (Intent memory) {
        return Intent(address(attacker), address(attacker), 0, abi.encodeCall(Reentrant.callBack, ()), block.chainid);
    }

    function _execution(Intent memory intent) private view returns (bytes memory) {
        bytes memory authorization = authorize(attestationOf(address(composed), intent, NONCE));
        return abi.encodeCall(ProtectedCounter.execute, (intent, authorization));
    }

    function _attestation(bytes memory call, uint256 nonce) private view returns (Attestation memory) {
        return attestationOf(address(composed), Intent(agent, address(composed), 0, call, block.chainid), nonce);
    }

    function _trailed(bytes memory call, uint256 nonce) private view returns (bytes memory) {
        return trail(call, authorize(_attestation(call, nonce)));
    }

    function _multicall(bytes memory call) private pure returns (bytes memory) {
        bytes[] memory calls = new bytes[](1);
        calls[0] = call;
        return abi.encodeCall(Multicall.multicall, (calls));
    }
}
