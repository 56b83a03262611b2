// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAdmission} from "../../../contracts/interfaces/IAdmission.sol";
import {IMemberStake, MemberTerms} from "../../../contracts/interfaces/IMemberStake.sol";
import {ISymbioticFactory} from "../../../contracts/interfaces/ISymbiotic.sol";
import {
    CollateralWeight,
    ISymbioticStake,
    SymbioticSettings,
    VaultFault
} from "../../../contracts/interfaces/ISymbioticStake.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {OperatorAllowlist} from "../../../contracts/stake/OperatorAllowlist.sol";
import {SymbioticStake} from "../../../contracts/stake/SymbioticStake.sol";
import {StakeToken} from "./EigenLayerTestBase.sol";
import {IDelegatorCore, IVaultCore, OperatorNetworkInit, VaultInit} from "./ISymbioticCore.sol";
import {SymbioticTestBase} from "./SymbioticTestBase.sol";

/// @dev What Symbiotic's real contracts can slash is what counts.
contract SymbioticWeightsTest is SymbioticTestBase {
    uint256 private constant MEMBERS = 3;

    function setUp() public {
        deployStake();
        addMembers(0, MEMBERS);
    }

    function test_AMembersWeightIsTheStakeOfItsVault() public view {
        for (uint256 i = 0; i < MEMBERS; ++i) {
            assertEq(weightOf(i), STAKE);
        }
        assertEq(stake.membersOf(OPERATOR_SET), operatorAddresses(0, MEMBERS));
    }

    function test_AnyoneCommitsAllMembers() public {
        EpochId epoch = keeper.commit(OPERATOR_SET);
        (address table,,, uint48 expiresAt) = registry.epochs(epoch);
        (, uint256 totalWeight, uint256 count,) = OperatorTable.readHead(table);
        assertEq(count, MEMBERS);
        assertEq(totalWeight, MEMBERS * STAKE);
        assertEq(stake.slashableFor(), EPOCH_LIFETIME);
        assertEq(expiresAt, block.timestamp + EPOCH_LIFETIME);
        assertEq(keeper.committedAt(epoch), block.timestamp);
    }

    /// @dev What happens in the second of the commit, before it or after it, does not change the weight.
    function test_StakeWeighsFromTheNextSecondOn() public {
        stakeIn(vaultOfOperator[0], 0, STAKE);
        assertEq(weightOf(0), STAKE);
        skip(1);
        assertEq(weightOf(0), 2 * STAKE);
        withdraw(0, STAKE / 2);
        assertEq(weightOf(0), 2 * STAKE);
        skip(1);
        assertEq(weightOf(0), 3 * STAKE / 2);
    }

    function test_TheNetworksLimitBoundsTheWeight() public {
        setLimit(vaultOfOperator[0], OPERATOR_SET, 200e18);
        skip(1);
        assertEq(weightOf(0), 200e18);
        setLimit(vaultOfOperator[0], OPERATOR_SET, 0);
        skip(1);
        assertEq(weightOf(0), 0);
    }

    function test_AnOperatorThatOptsOutWeighsNothing() public {
        vm.prank(operatorAddress(0));
        networkOptIns.optOut(network);
        skip(1);
        assertEq(weightOf(0), 0);
        vm.prank(operatorAddress(1));
        vaultOptIns.optOut(vaultOfOperator[1]);
        skip(1);
        assertEq(weightOf(1), 0);
        assertEq(weightOf(2), STAKE);
    }

    function test_StakeOutOfItsBoundsIsBounded() public {
        withdraw(0, STAKE - MIN_WEIGHT);
        stakeIn(vaultOfOperator[1], 1, MAX_WEIGHT);
        skip(1);
        assertEq(weightOf(0), MIN_WEIGHT);
        assertEq(weightOf(1), MAX_WEIGHT);
        withdraw(0, 1);
        skip(1);
        assertEq(weightOf(0), 0);
    }

    function test_AMultiplierIsTheWeightOfAWholeUnit() public {
        CollateralWeight[] memory list = weighed();
        list[0].multiplier = 0.5e18;
        stake = new SymbioticStake(settings(), list);
        join(0);
        assertEq(weightOf(0), STAKE / 2);
        assertEq(stake.multiplierOf(address(collateral)), 0.5e18);
    }

    function test_AnAmountThatOverflowsStopsNoCommit() public {
        CollateralWeight[] memory list = weighed();
        list[0].multiplier = type(uint96).max;
        stake = new SymbioticStake(settings(), list);
        join(0);
        address delegator = IVaultCore(vaultOfOperator[0]).delegator();
        vm.mockCall(
            delegator, abi.encodePacked(IDelegatorCore(delegator).stakeAt.selector), abi.encode(type(uint256).max)
        );
        assertEq(weightOf(0), MAX_WEIGHT);
    }

    function test_WhoIsNoMemberWeighsNothing() public {
        assertEq(weightOf(MEMBERS), 0);
        leaveSet(0);
        assertEq(weightOf(0), 0);
        assertEq(stake.membersOf(OPERATOR_SET), operatorAddresses(1, MEMBERS - 1));
        join(0);
        assertEq(weightOf(0), STAKE);
        assertEq(stake.weightsOf(OTHER_SET, operatorAddresses(0, 1))[0], 0);
    }

    /// @dev Where shares are not limited, no key is read: the registry takes no operator without one.
    function test_WithoutALimitOfSharesNoWeightDependsOnAKey() public {
        vm.prank(operatorAddress(0));
        registry.disableKey();
        assertEq(weightOf(0), STAKE);
    }

    function test_MembersAreCompleteAndAscend() public {
        addMembers(MEMBERS, 4);
        leaveSet(1);
        // The set moves the last member to the index of the one that left.
        address[] memory members = stake.membersOf(OPERATOR_SET);
        assertEq(members.length, MEMBERS + 3);
        assertEq(members[0], operatorAddress(0));
        for (uint256 i = 1; i < members.length; ++i) {
            assertEq(members[i], operatorAddress(i + 1));
        }
    }

    function test_TheSubnetworkIsTheOperatorSet() public view {
        assertEq(uint256(stake.subnetworkOf(OPERATOR_SET)), uint256(uint160(network)) << 96 | 1);
    }
}

/// @dev Who joins a set, with which vault.
contract SymbioticMembersTest is SymbioticTestBase {
    function setUp() public {
        deployStake();
        registerKey(0);
        enroll(0);
    }

    function test_AnOperatorJoinsWithStakeAndKey() public {
        address vault = _fitVault();
        vm.expectEmit(address(stake));
        emit ISymbioticStake.VaultAdded(OPERATOR_SET, operatorAddress(0), vault);
        vm.expectEmit(address(stake));
        emit IMemberStake.OperatorJoined(OPERATOR_SET, operatorAddress(0), uint96(STAKE));
        join(0);
        assertEq(stake.vaultOf(OPERATOR_SET, operatorAddress(0)), vault);
        bytes4 refusal = ISymbioticStake.AlreadyMember.selector;
        _assertRefused(abi.encodeWithSelector(refusal, OPERATOR_SET, operatorAddress(0)));
        vm.expectEmit(address(stake));
        emit IMemberStake.OperatorLeft(OPERATOR_SET, operatorAddress(0));
        leaveSet(0);
        vm.expectRevert(abi.encodeWithSelector(ISymbioticStake.NotMember.selector, OPERATOR_SET, operatorAddress(0)));
        leaveSet(0);
        // What it signed can be punished.
        assertEq(stake.vaultOf(OPERATOR_SET, operatorAddress(0)), vault);
        // Its vault is not announced again.
        vm.recordLogs();
        join(0);
        assertEq(vm.getRecordedLogs().length, 1);
    }

    function test_RevertWhen_AnOperatorWithoutKeyJoins() public {
        _fitVault();
        vm.prank(operatorAddress(0));
        registry.disableKey();
        _assertRefused(abi.encodeWithSelector(IMemberStake.KeyMissing.selector, operatorAddress(0)));
    }

    function test_RevertWhen_AnOperatorJoinsWithLessThanTheMinimum() public {
        address vault = createVault(vaultInit(), 0);
        stakeIn(vault, 0, MIN_WEIGHT - 1);
        skip(1);
        _assertRefused(abi.encodeWithSelector(IMemberStake.TooLittleStake.selector, MIN_WEIGHT - 1, MIN_WEIGHT));
        stakeIn(vault, 0, 1);
        skip(1);
        join(0);
    }

    function test_RevertWhen_AVaultIsUnfit() public {
        _assertUnfit(address(collateral), VaultFault.NotVault);

        VaultInit memory init = vaultInit();
        _assertUnfit(createVault(init, NETWORK_RESTAKE, sharedDelegator(), true, INSTANT), VaultFault.SharedStake);
        _assertUnfit(createVault(init, FULL_RESTAKE, sharedDelegator(), true, INSTANT), VaultFault.SharedStake);
        bytes memory specific = operatorsDelegator(0);
        _assertUnfit(createVault(init, OPERATOR_SPECIFIC, specific, true, INSTANT), VaultFault.SharedStake);

        bytes memory own = abi.encode(OperatorNetworkInit(noHook(), network, operatorAddress(0)));
        _assertUnfit(createVault(init, OPERATOR_NETWORK_SPECIFIC, own, true, VETO), VaultFault.NotSlashable);
        _assertUnfit(createVault(init, OPERATOR_NETWORK_SPECIFIC, own, false, INSTANT), VaultFault.NotSlashable);

        init.burner = operatorAddress(0);
        _assertUnfit(createVault(init, 0), VaultFault.OtherBurner);
        init = vaultInit();
        init.collateral = address(new StakeToken());
        _assertUnfit(createVault(init, 0), VaultFault.OtherCollateral);
        init = vaultInit();
        init.epochDuration = VAULT_DURATION - 1;
        _assertUnfit(createVault(init, 0), VaultFault.ShortDuration);
        _fitVault();
        join(0);
    }

    /// @dev One that its owner created without the configurator, and has not completed.
    function test_RevertWhen_AVaultHasNoDelegator() public {
        address vault = _fitVault();
        vm.mockCall(vault, abi.encodeCall(IVaultCore(vault).delegator, ()), abi.encode(address(0)));
        _assertUnfit(vault, VaultFault.SharedStake);
    }

    function test_AVaultMayHaveALongerDuration() public {
        VaultInit memory init = vaultInit();
        init.epochDuration = VAULT_DURATION + 1;
        stakeIn(createVault(init, 0), 0, STAKE);
        skip(1);
        join(0);
        assertEq(weightOf(0), STAKE);
    }

    function test_RevertWhen_TheVaultIsAnotherOperatorsOrNetworks() public {
        registerKey(1);
        enroll(1);
        _assertUnfit(createVault(vaultInit(), 1), VaultFault.OtherOperator);
        address vault = _fitVault();
        SymbioticSettings memory changed = settings();
        changed.network = makeAddr("another network");
        stake = new SymbioticStake(changed, weighed());
        _assertUnfit(vault, VaultFault.OtherNetwork);
    }

    /// @dev Two sets would count one stake twice, and two vaults could not be told apart later.
    function test_RevertWhen_AVaultBacksAnotherSetOrAnOperatorHasAnotherVault() public {
        address first = _fitVault();
        join(0);
        setLimit(first, OTHER_SET);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(ISymbioticStake.UnfitVault.selector, first, VaultFault.AlreadyBacked));
        vm.prank(operatorAddress(0));
        stake.joinSet(OTHER_SET, first);
        leaveSet(0);
        _assertUnfit(_fitVault(), VaultFault.AlreadyBacked);
    }

    function test_RevertWhen_TheSetIsFull() public {
        SymbioticSettings memory changed = settings();
        changed.members.maxMembers = 1;
        stake = new SymbioticStake(changed, weighed());
        _fitVault();
        join(0);
        registerKey(1);
        enroll(1);
        stakeIn(createVault(vaultInit(), 1), 1, STAKE);
        skip(1);
        bytes memory refusal = abi.encodeWithSelector(IMemberStake.OperatorSetFull.selector, 1);
        vm.prank(operatorAddress(1));
        vm.expectRevert(refusal);
        stake.joinSet(OPERATOR_SET, vaultOfOperator[1]);

        _assertCannotEject(0);
        withdraw(0, STAKE);
        skip(1);
        stake.eject(OPERATOR_SET, operatorAddress(0));
        join(1);
        vm.prank(operatorAddress(1));
        registry.disableKey();
        stake.eject(OPERATOR_SET, operatorAddress(1));
    }

    function test_OnlyAnAdmittedOperatorJoinsAndRemains() public {
        OperatorAllowlist allowlist = new OperatorAllowlist(owner);
        SymbioticSettings memory changed = settings();
        changed.members.admission = IAdmission(allowlist);
        stake = new SymbioticStake(changed, weighed());
        _fitVault();
        _assertRefused(abi.encodeWithSelector(IMemberStake.NotAdmitted.selector, OPERATOR_SET, operatorAddress(0)));
        vm.prank(owner);
        allowlist.admit(OPERATOR_SET, operatorAddress(0), "eu-central", "hosting.example");
        join(0);
        _assertCannotEject(0);
        vm.prank(owner);
        allowlist.exclude(OPERATOR_SET, operatorAddress(0));
        stake.eject(OPERATOR_SET, operatorAddress(0));
        assertEq(stake.membersOf(OPERATOR_SET).length, 0);
        vm.expectRevert(abi.encodeWithSelector(ISymbioticStake.NotMember.selector, OPERATOR_SET, operatorAddress(0)));
        stake.eject(OPERATOR_SET, operatorAddress(0));
    }

    function test_RevertWhen_SettingsAreInvalid() public {
        SymbioticSettings memory changed = settings();
        changed.vaultFactory = ISymbioticFactory(address(1));
        _assertRefused(changed, abi.encodeWithSelector(IMemberStake.NotContract.selector, 1));
        changed = settings();
        changed.network = address(0);
        _assertRefused(changed, abi.encodeWithSelector(ISymbioticStake.ZeroAccount.selector));
        changed = settings();
        changed.burner = address(0);
        _assertRefused(changed, abi.encodeWithSelector(ISymbioticStake.ZeroAccount.selector));
        changed = settings();
        changed.members.challengeWindow = VAULT_DURATION - 1;
        bytes memory refusal = abi.encodeWithSelector(
            IMemberStake.ChallengeWindowTooLong.selector, VAULT_DURATION - 1, VAULT_DURATION - 1
        );
        _assertRefused(changed, refusal);
        changed.members.challengeWindow = VAULT_DURATION;
        bytes4 tooLong = IMemberStake.ChallengeWindowTooLong.selector;
        _assertRefused(changed, abi.encodeWithSelector(tooLong, VAULT_DURATION, VAULT_DURATION - 1));
        changed.members.challengeWindow = VAULT_DURATION - 2;
        assertEq(new SymbioticStake(changed, weighed()).slashableFor(), 1);
        changed = settings();
        changed.vaultDuration = 0;
        changed.members.challengeWindow = 0;
        _assertRefused(changed, abi.encodeWithSelector(IMemberStake.ChallengeWindowTooLong.selector, 0, 0));
    }

    function test_RevertWhen_CollateralsAreInvalid() public {
        CollateralWeight[] memory list = new CollateralWeight[](0);
        _assertRefused(list);
        list = weighed();
        list[0].multiplier = 0;
        _assertRefused(list);
        list = new CollateralWeight[](2);
        (list[0], list[1]) = (CollateralWeight(address(2), 1), CollateralWeight(address(2), 1));
        _assertRefused(list);
        (list[0], list[1]) = (CollateralWeight(address(2), 1), CollateralWeight(address(1), 1));
        _assertRefused(list);
        (list[0], list[1]) = (list[1], list[0]);
        new SymbioticStake(settings(), list);
    }

    function _fitVault() private returns (address vault) {
        vault = createVault(vaultInit(), 0);
        stakeIn(vault, 0, STAKE);
        skip(1);
    }

    function _assertUnfit(address vault, VaultFault reason) private {
        vaultOfOperator[0] = vault;
        _assertRefused(abi.encodeWithSelector(ISymbioticStake.UnfitVault.selector, vault, reason));
    }

    function _assertCannotEject(uint256 index) private {
        bytes4 refusal = IMemberStake.CannotEject.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, OPERATOR_SET, operatorAddress(index)));
        stake.eject(OPERATOR_SET, operatorAddress(index));
    }

    function _assertRefused(bytes memory refusal) private {
        vm.prank(operatorAddress(0));
        vm.expectRevert(refusal);
        stake.joinSet(OPERATOR_SET, vaultOfOperator[0]);
    }

    function _assertRefused(SymbioticSettings memory faulty, bytes memory refusal) private {
        vm.expectRevert(refusal);
        new SymbioticStake(faulty, weighed());
    }

    function _assertRefused(CollateralWeight[] memory faulty) private {
        SymbioticSettings memory valid = settings();
        vm.expectRevert(ISymbioticStake.InvalidCollaterals.selector);
        new SymbioticStake(valid, faulty);
    }
}
