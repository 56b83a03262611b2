// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ExampleToken} from "../../../contracts/examples/ExampleToken.sol";
import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, IRefusals, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {PolicyEvidence} from "../../../contracts/policy/PolicyEvidence.sol";
import {AssentTestKit} from "../../../contracts/testing/AssentTestKit.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {VmSafe} from "forge-std/Vm.sol";

/// @dev What `AssentTestKit` promises to the tests that inherit it.
contract TestKitTest is AssentTestKit {
    address private agent = makeAddr("agent");
    address private bob = makeAddr("bob");
    TreasuryVault private vault;
    ExampleToken private token;

    function setUp() public {
        deployAssent();
        vault = new TreasuryVault(address(this), agent, taskManager, assentPolicy());
        token = new ExampleToken(1000);
        require(token.transfer(address(vault), 1000));
    }

    function test_PolicyIdsAreThoseOfTheRustCrate() public view {
        string memory json = vm.readFile("tests/forge/policy/evidence.json");
        uint256 count = vm.parseJsonUint(json, ".count");
        assertGt(count, 10);
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".openings[", vm.toString(i), "]");
            bytes32 rules = PolicyEvidence.rulesHash(
                vm.parseJsonBytes32(json, string.concat(at, ".image")),
                vm.parseJsonBytes32(json, string.concat(at, ".rules")),
                uint64(vm.parseJsonUint(json, string.concat(at, ".stepLimit")))
            );
            bytes32 parameters = vm.parseJsonBytes32(json, string.concat(at, ".parameters"));
            assertEq(policyIdOf(rules, parameters), vm.parseJsonBytes32(json, string.concat(at, ".policyId")), at);
        }
    }

    function test_AttestedCallGoesThrough() public {
        callAttested(_payment(5), attest(_payment(5)));
        assertEq(token.balanceOf(bob), 5);
    }

    function test_OneAfterAnotherGoesThrough() public {
        for (uint256 i = 0; i < 3; ++i) {
            callAttested(_payment(5), attest(_payment(5)));
        }
        assertEq(token.balanceOf(bob), 15);
    }

    function test_RevertWhen_UsedTwice() public {
        bytes memory authorization = attest(_payment(5));
        callAttested(_payment(5), authorization);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, vault, 0));
        callAttested(_payment(5), authorization);
    }

    function test_RevertWhen_AnotherCallIsMade() public {
        _assertRefused(_payment(6), attest(_payment(5)), IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_Denied() public {
        _assertRefused(_payment(5), deny(_payment(5)), IRefusals.PolicyDenied.selector);
    }

    function test_RevertWhen_Expired() public {
        _assertRefused(_payment(5), expired(_payment(5)), IRefusals.AttestationExpired.selector);
    }

    function test_RevertWhen_Forged() public {
        _assertRefused(_payment(5), forged(_payment(5)), IRefusals.InvalidSignature.selector);
    }

    function test_NonSignersDoNotMatterDownToTheQuorum() public {
        callAttested(_payment(5), withNonSigners(_payment(5), 2));
        _assertRefused(_payment(5), withNonSigners(_payment(5), 3), IRefusals.QuorumNotReached.selector);
    }

    function test_EachOfABatchGoesThrough() public {
        (Intent[] memory intents,) = _payments();
        bytes[] memory authorizations = batch(intents);
        for (uint256 i = 0; i < intents.length; ++i) {
            callAttested(intents[i], authorizations[i]);
        }
        assertEq(token.balanceOf(bob), 1 + 2 + 3 + 4 + 5);
    }

    function test_EachOfARecordedBatchGoesThrough() public {
        (Intent[] memory intents, address[] memory clients) = _payments();
        bytes[] memory authorizations = recordedBatch(intents, clients);
        for (uint256 i = 0; i < intents.length; ++i) {
            callAttested(intents[i], authorizations[i]);
        }
        assertEq(token.balanceOf(bob), 1 + 2 + 3 + 4 + 5);
    }

    function test_IntentOfAnotherTargetIsForTheClientThatExecutesIt() public {
        Intent memory intent = intentOf(address(agent), address(token), 0, abi.encodeCall(token.transfer, (bob, 7)));
        bytes memory authorization = attest(intent, address(vault));
        vm.prank(agent);
        vault.execute(intent, authorization);
        assertEq(token.balanceOf(bob), 7);
    }

    function test_EveryKindOfRefusalIsForTheClientThatExecutes() public {
        Intent memory intent = intentOf(address(agent), address(token), 0, abi.encodeCall(token.transfer, (bob, 7)));
        _assertExecutionRefused(intent, deny(intent, address(vault)), IRefusals.PolicyDenied.selector);
        _assertExecutionRefused(intent, expired(intent, address(vault)), IRefusals.AttestationExpired.selector);
        _assertExecutionRefused(intent, forged(intent, address(vault)), IRefusals.InvalidSignature.selector);
        _assertExecutionRefused(intent, withNonSigners(intent, address(vault), 3), IRefusals.QuorumNotReached.selector);
    }

    function test_OneFieldCanBeChangedBeforeOperatorsSign() public {
        Attestation memory attestation = attestationOf(_payment(5), address(vault));
        attestation.expiration = uint48(block.timestamp + 1 hours + 1);
        _assertRefused(_payment(5), authorize(attestation), IRefusals.LifetimeTooLong.selector);
    }

    function test_IssuanceCanBeChangedBeforeOperatorsSign() public {
        Attestation memory attestation = attestationOf(_payment(5), address(vault));
        attestation.issuedAt = uint48(block.timestamp + 1);
        _assertRefused(_payment(5), authorize(attestation), IRefusals.AttestationNotYetValid.selector);
        attestation.issuedAt = uint48(block.timestamp) - 1 hours;
        _assertRefused(_payment(5), authorize(attestation), IRefusals.LifetimeTooLong.selector);
        attestation.issuedAt = uint48(block.timestamp);
        callAttested(_payment(5), authorize(attestation));
    }

    function test_ClientVoidsWhatWasIssued() public {
        bytes memory authorization = attest(_payment(5));
        vault.voidAssentAttestations(uint48(block.timestamp + 1));
        _assertRefused(_payment(5), authorization, IRefusals.AttestationVoided.selector);
        skip(1);
        callAttested(_payment(5), attest(_payment(5)));
    }

    function test_EpochsOverlapAndCanBeRevoked() public {
        bytes memory early = attest(_payment(5));
        commitEpoch();
        callAttested(_payment(5), early);
        callAttested(_payment(5), attest(_payment(5)));
        bytes memory late = attest(_payment(5));
        revokeEpoch();
        _assertRefused(_payment(5), late, IRefusals.EpochRevoked.selector);
    }

    function test_OperatorsCanBeAsManyAsATestWants() public {
        deployAssent(1);
        vault.setAssentTaskManager(taskManager);
        callAttested(_payment(5), attest(_payment(5)));
        deployAssent(40);
        vault.setAssentTaskManager(taskManager);
        callAttested(_payment(5), withNonSigners(_payment(5), 13));
        assertEq(token.balanceOf(bob), 10);
    }

    function test_KitKeepsToTheLifetimeThatTheClientAccepts() public {
        vault.setAssentPolicy(_shortLived());
        callAttested(_payment(5), attest(_payment(5)));
    }

    /* REFUSED CALLS */

    function test_CallRefusedRequiresThisRefusal() public {
        bytes memory authorization = attest(_payment(5));
        callAttested(_payment(5), authorization);
        bytes memory revertData = callRefused(_payment(5), authorization, IRefusals.AttestationAlreadySpent.selector);
        assertEq(revertData, abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, vault, 0));
        assertEq(token.balanceOf(bob), 5);
    }

    function test_RevertWhen_RefusedCallSucceeds() public {
        bytes memory authorization = attest(_payment(5));
        vm.expectRevert(abi.encodeWithSelector(NotRefused.selector, IRefusals.PolicyDenied.selector));
        this.callRefusedExternally(_payment(5), authorization, IRefusals.PolicyDenied.selector);
    }

    function test_RevertWhen_CallIsRefusedWithAnotherError() public {
        bytes memory authorization = attest(_payment(6));
        vm.expectPartialRevert(IRefusals.WrongTask.selector);
        this.callRefusedExternally(_payment(5), authorization, IRefusals.PolicyDenied.selector);
    }

    /* PRANKS AND EXPECTED REVERTS */

    function test_PrankBeforeAttestAppliesToTheCall() public {
        Intent memory intent = intentOf(agent, address(token), 0, abi.encodeCall(token.transfer, (bob, 7)));
        vm.prank(agent);
        vault.execute(intent, attest(intent, address(vault)));
        assertEq(token.balanceOf(bob), 7);
    }

    function test_PrankBeforeDenyAppliesToTheCall() public {
        Intent memory intent = intentOf(agent, address(token), 0, abi.encodeCall(token.transfer, (bob, 7)));
        vm.prank(agent, agent);
        try vault.execute(intent, deny(intent, address(vault))) {
            fail();
        } catch (bytes memory revertData) {
            assertEq(bytes4(revertData), IRefusals.PolicyDenied.selector);
        }
    }

    function test_RecurrentPrankLastsThroughTheKitsCalls() public {
        vm.startPrank(agent);
        callAttested(_payment(5), attest(_payment(5)));
        callRefused(_payment(5), deny(_payment(5)), IRefusals.PolicyDenied.selector);
        commitEpoch();
        revokeEpoch();
        callRefused(_payment(5), attest(_payment(5)), IRefusals.EpochRevoked.selector);
        (VmSafe.CallerMode mode, address caller,) = vm.readCallers();
        assertEq(uint256(mode), uint256(VmSafe.CallerMode.RecurrentPrank));
        assertEq(caller, agent);
    }

    function test_PrankedCallerIsTheCallsCaller() public {
        bytes memory authorization = attest(_payment(5));
        vm.prank(bob);
        callRefused(_payment(5), authorization, TreasuryVault.NotAgent.selector);
        vm.prank(agent);
        callAttested(_payment(5), authorization);
    }

    function test_PrankOfAnOuterCallIsNeitherStoppedNorRestored() public {
        vm.prank(agent);
        callAttested(_payment(5), this.attestExternally(_payment(5), address(vault)));
        (VmSafe.CallerMode mode,,) = vm.readCallers();
        assertEq(uint256(mode), uint256(VmSafe.CallerMode.None));
        vm.startPrank(bob);
        bytes memory authorization = this.attestExternally(_payment(5), address(vault));
        vm.stopPrank();
        callAttested(_payment(5), authorization);
    }

    function test_ExpectRevertBeforeCallAttestedWorks() public {
        bytes memory authorization = deny(_payment(5));
        vm.expectPartialRevert(IRefusals.PolicyDenied.selector);
        callAttested(_payment(5), authorization);
    }

    /// @dev Forge would otherwise report that the kit's own call did not revert, or accept its revert.
    function test_RevertWhen_KitIsCalledAfterExpectRevert() public {
        for (uint256 expectation = 0; expectation < 3; ++expectation) {
            for (uint256 action = 0; action < 5; ++action) {
                try this.callKitAfterExpectRevert(expectation, action) {
                    fail();
                } catch (bytes memory revertData) {
                    assertEq(revertData, abi.encodeWithSelector(KitCalledAfterExpectRevert.selector));
                }
            }
        }
    }

    function callKitAfterExpectRevert(uint256 expectation, uint256 action) external {
        Attestation memory attestation = attestationOf(_payment(5), address(vault));
        bytes memory authorization = authorize(attestation);
        if (expectation == 0) vm.expectRevert();
        else if (expectation == 1) vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        else vm.expectPartialRevert(IRefusals.PolicyDenied.selector);
        if (action == 0) attest(_payment(5));
        else if (action == 1) deny(_payment(5));
        else if (action == 2) authorize(attestation);
        else if (action == 3) commitEpoch();
        else callRefused(_payment(6), authorization, IRefusals.WrongTask.selector);
    }

    function callRefusedExternally(Intent memory intent, bytes memory authorization, bytes4 refusal) external {
        callRefused(intent, authorization, refusal);
    }

    /* WHAT CAN BE GOT WRONG */

    function test_RevertWhen_TheTargetIsTakenForTheClient() public {
        Intent memory intent = intentOf(agent, address(token), 0, "");
        vm.expectRevert(abi.encodeWithSelector(NotPolicyClient.selector, token));
        this.attestExternally(intent, address(token));
        vm.expectRevert(abi.encodeWithSelector(NotPolicyClient.selector, bob));
        this.attestExternally(intent, bob);
    }

    function test_RevertWhen_TheClientWasNotInitialised() public {
        ProtectedCounter counter = new ProtectedCounter();
        vm.expectRevert(abi.encodeWithSelector(OtherTaskManager.selector, counter, address(0)));
        this.attestExternally(_payment(5), address(counter));
    }

    function test_RevertWhen_AssentIsNotDeployed() public {
        taskManager = ITaskManager(address(0));
        vm.expectRevert(AssentNotDeployed.selector);
        this.attestExternally(_payment(5), address(vault));
    }

    function test_RevertWhen_NobodyIsLeftToSign() public {
        Intent memory intent = _payment(5);
        vm.expectRevert(abi.encodeWithSelector(NoSuchOperators.selector, 7, 7));
        this.withNonSignersExternally(intent, 7);
    }

    /// @dev In a separate call, so that a revert can be expected.
    function attestExternally(Intent memory intent, address client) external returns (bytes memory) {
        return attest(intent, client);
    }

    function withNonSignersExternally(Intent memory intent, uint256 nonSigners) external returns (bytes memory) {
        return withNonSigners(intent, nonSigners);
    }

    function _assertRefused(Intent memory intent, bytes memory authorization, bytes4 refusal) private {
        uint256 before = token.balanceOf(bob);
        callRefused(intent, authorization, refusal);
        assertEq(token.balanceOf(bob), before);
    }

    function _assertExecutionRefused(Intent memory intent, bytes memory authorization, bytes4 refusal) private {
        vm.expectPartialRevert(refusal);
        vm.prank(agent);
        vault.execute(intent, authorization);
    }

    function _payment(uint256 amount) private view returns (Intent memory) {
        return intentOf(agent, address(vault), 0, abi.encodeCall(TreasuryVault.pay, (token, bob, amount)));
    }

    function _payments() private view returns (Intent[] memory intents, address[] memory clients) {
        intents = new Intent[](5);
        clients = new address[](5);
        for (uint256 i = 0; i < 5; ++i) {
            (intents[i], clients[i]) = (_payment(i + 1), address(vault));
        }
    }

    function _shortLived() private pure returns (Policy memory short) {
        short = assentPolicy();
        short.maxLifetime = 1 minutes;
    }
}

/// forge-config: default.evm_version = "cancun"
contract TestKitBeforePragueTest is AssentTestKit {
    function test_RevertWhen_EvmIsOlderThanPrague() public {
        vm.expectRevert(PrecompilesMissing.selector);
        this.deploy();
    }

    function deploy() external {
        deployAssent();
    }
}

/// forge-config: default.evm_version = "prague"
contract TestKitBeforeOsakaTest is AssentTestKit {
    function test_RevertWhen_EvmIsOlderThanOsaka() public {
        vm.expectRevert(InstructionMissing.selector);
        this.deploy();
    }

    function deploy() external {
        deployAssent();
    }
}
