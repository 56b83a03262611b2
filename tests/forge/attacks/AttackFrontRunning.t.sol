// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {
    Attestation,
    EpochId,
    IRefusals,
    Intent,
    MAX_EPOCH_LIFETIME,
    Policy
} from "../../../contracts/interfaces/Protocol.sol";
import {CounterAfter, CounterBefore} from "../upgrade/Proxies.t.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

/// @dev The next version of the counter: the same calldata now means a hundred times as much.
contract CounterWithAnotherMeaning is CounterBefore, PolicyClient {
    function increment(uint256 by) external payable override onlyAttested {
        count += 100 * by;
    }

    function _assentAuthorizeChange() internal view override onlyOwner {}
}

/// @dev An attacker sees a pending transaction, and is included first.
contract AttackFrontRunningTest is TrailingPath {
    CounterAfter private implementation;
    CounterAfter private proxy;

    function setUp() public override {
        super.setUp();
        implementation = new CounterAfter();
        proxy = CounterAfter(_deployBefore());
    }

    /* INITIALISATION */

    /// @dev Upgrade and initialisation in one transaction: before it there is nothing to initialise, and after it no
    /// need.
    function test_RevertWhen_InitialisationInTheUpgradeIsFrontRun() public {
        Policy memory attackers = _attackersPolicy();
        vm.prank(stranger);
        (bool success,) = address(proxy).call(abi.encodeCall(CounterAfter.initializePolicy, (taskManager, attackers)));
        assertFalse(success, "the old code was initialised");

        _upgrade(address(implementation), abi.encodeCall(CounterAfter.initializePolicy, (taskManager, policy())));
        vm.prank(stranger);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        proxy.initializePolicy(taskManager, attackers);
        assertEq(abi.encode(proxy.assentPolicy()), abi.encode(policy()));
    }

    function test_RevertWhen_ImplementationsOwnInitialisationIsFrontRun() public {
        vm.startPrank(stranger);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initializePolicy(taskManager, _attackersPolicy());
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initializeAll(stranger, taskManager, _attackersPolicy());
    }

    /// @dev Documented: anyone can call an open initializer in a separate transaction. The owner notices, because its
    /// own initialization is refused, and fixes it: only the owner can change the policy.
    function test_InitialisationAfterTheUpgradeIsFrontRunAndTheOwnerSeesIt() public {
        _upgrade(address(implementation), "");
        vm.prank(stranger);
        proxy.initializePolicy(taskManager, _attackersPolicy());
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        vm.prank(owner);
        proxy.initializePolicy(taskManager, policy());

        vm.expectRevert();
        vm.prank(stranger);
        proxy.setAssentPolicy(_attackersPolicy());
        vm.startPrank(owner);
        proxy.setAssentTaskManager(taskManager);
        proxy.setAssentPolicy(policy());
        assertEq(abi.encode(proxy.assentPolicy()), abi.encode(policy()));
    }

    /// @dev Without an initialiser's own guard, the client still takes its first policy only.
    function test_RevertWhen_SecondInitialisationFollowsTheFirst() public {
        vm.prank(stranger);
        vm.expectRevert(IPolicyClient.AssentAlreadyInitialized.selector);
        counter.initialize(taskManager, _attackersPolicy());
    }

    /* UPGRADES */

    /// @dev Pending before the client was upgraded to be one: there is nothing under which it could have been
    /// attested.
    function test_RevertWhen_UpgradeIsFollowedByACallFromBeforeIt() public {
        vm.prank(stranger);
        proxy.increment(1);
        _upgrade(address(implementation), abi.encodeCall(CounterAfter.initializePolicy, (taskManager, policy())));
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        vm.prank(stranger);
        proxy.increment(1);
    }

    /// @dev Documented: an attestation binds the client's address and calldata, not the code that will run. Its
    /// holder can use it before or after an upgrade.
    function test_AttestationFromBeforeAnUpgradeIsGoodAfterIt() public {
        bytes memory trailed = _attestedBeforeTheUpgrade();
        _upgrade(address(new CounterWithAnotherMeaning()), "");
        vm.prank(agent);
        (bool success,) = address(proxy).call(trailed);
        assertTrue(success);
        assertEq(proxy.count(), 500);
    }

    function test_RevertWhen_UpgradeThatChangesThePolicyIsFollowedByAnAttestationFromBeforeIt() public {
        bytes memory trailed = _attestedBeforeTheUpgrade();
        Policy memory next = policy();
        next.policyId = keccak256("policy of the next version");
        address nextImplementation = address(new CounterWithAnotherMeaning());
        // `upgradeToAndCall` delegates in its caller's name, so that the owner stays the owner.
        _upgrade(nextImplementation, abi.encodeCall(IPolicyClient.setAssentPolicy, (next)));
        vm.prank(agent);
        (, bytes memory reason) = address(proxy).call(trailed);
        assertEq(bytes4(reason), IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_UpgradeThatBurnsNoncesIsFollowedByAnAttestationFromBeforeIt() public {
        bytes memory trailed = _attestedBeforeTheUpgrade();
        address next = address(new CounterWithAnotherMeaning());
        _upgrade(next, abi.encodeCall(IPolicyClient.burnAssentNonces, (NONCE >> 8, type(uint256).max)));
        vm.prank(agent);
        (, bytes memory reason) = address(proxy).call(trailed);
        assertEq(bytes4(reason), IRefusals.AttestationAlreadySpent.selector);
    }

    /* RECORDING OF ROOTS */

    /// @dev A copy of the transaction is included first: the second changes nothing and does not fail.
    function test_RecordingThatIsFrontRunStandsInNobodysWay() public {
        Attestation memory attestation = attest(protectedCall());
        SignedRoot[] memory roots = new SignedRoot[](2);
        roots[0] = _signedRoot(taskManager.digestOf(attestation), 0);
        roots[1] = _signedRoot("another root", 0);
        vm.prank(stranger);
        taskManager.recordRoot(FIRST_EPOCH, roots[0]);
        taskManager.recordRoot(FIRST_EPOCH, roots[0]);
        taskManager.recordRoots(FIRST_EPOCH, roots);
        assertPasses(attestation.intent, encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0)));
    }

    /// @dev The attacker has an earlier signature, of too few for the client, and records it before and after.
    function test_RecordingThatIsFrontRunWithALesserQuorumIsAsGoodAsBefore() public {
        Attestation memory attestation = attest(protectedCall());
        bytes32 root = taskManager.digestOf(attestation);
        bytes memory recorded = encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0));
        taskManager.recordRoot(FIRST_EPOCH, _signedRoot(root, 3));
        assertRefused(
            attestation.intent, recorded, abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 400, 467)
        );
        taskManager.recordRoot(FIRST_EPOCH, _signedRoot(root, 0));
        taskManager.recordRoot(FIRST_EPOCH, _signedRoot(root, 3));
        (uint96 signed,,) = taskManager.recordedRoots(FIRST_EPOCH, root);
        assertEq(signed, OPERATORS * WEIGHT);
        assertPasses(attestation.intent, recorded);
    }

    /// @dev Another account's transaction, changed to record another root, or the same one under another epoch.
    function test_RevertWhen_RecordingIsFrontRunWithAnotherRootOrEpoch() public {
        EpochId ofOthers = _commitOtherOperators();
        SignedRoot memory signedRoot = _signedRoot("root", 0);
        vm.startPrank(stranger);
        vm.expectRevert(IRefusals.InvalidSignature.selector);
        taskManager.recordRoot(ofOthers, signedRoot);
        signedRoot.root = "the attacker's root";
        vm.expectRevert(IRefusals.InvalidSignature.selector);
        taskManager.recordRoot(FIRST_EPOCH, signedRoot);
        signedRoot.root = "root";
        signedRoot.nonSigners = hex"01";
        vm.expectRevert(IRefusals.InvalidSignature.selector);
        taskManager.recordRoot(FIRST_EPOCH, signedRoot);
    }

    /// @dev The agent's direct use is front-run by a recording of its root: both ways stay open, and one nonce is
    /// spent.
    function test_DirectUseThatIsFrontRunByARecordingPasses() public {
        Attestation memory attestation = attest(protectedCall());
        vm.prank(stranger);
        taskManager.recordRoot(FIRST_EPOCH, _signedRoot(taskManager.digestOf(attestation), 0));
        assertPasses(attestation.intent, authorize(attestation));
    }

    /* SHARED */

    function _attestedBeforeTheUpgrade() private returns (bytes memory) {
        _upgrade(address(implementation), abi.encodeCall(CounterAfter.initializePolicy, (taskManager, policy())));
        bytes memory call = abi.encodeCall(CounterAfter.increment, (5));
        Intent memory intent = Intent(agent, address(proxy), 0, call, block.chainid);
        return trail(call, authorize(attestationOf(address(proxy), intent, NONCE)));
    }

    function _upgrade(address next, bytes memory call) private {
        vm.prank(owner);
        UUPSUpgradeable(address(proxy)).upgradeToAndCall(next, call);
    }

    function _deployBefore() private returns (address) {
        bytes memory initialization = abi.encodeCall(CounterBefore.initialize, (owner));
        return address(new ERC1967Proxy(address(new CounterBefore()), initialization));
    }

    function _commitOtherOperators() private returns (EpochId) {
        for (uint256 i = OPERATORS; i < 2 * OPERATORS; ++i) {
            registerOperator(i, WEIGHT);
        }
        return commitEpoch(OPERATORS, OPERATORS);
    }

    function _attackersPolicy() private pure returns (Policy memory) {
        return Policy(keccak256("the attacker's policy"), OPERATOR_SET, 5001, MAX_EPOCH_LIFETIME);
    }

    function _signedRoot(bytes32 root, uint256 absent) private view returns (SignedRoot memory) {
        return SignedRoot(root, sign(root, absent, OPERATORS), firstBits(absent));
    }
}
