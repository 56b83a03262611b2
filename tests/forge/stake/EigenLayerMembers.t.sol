// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAdmission} from "../../../contracts/interfaces/IAdmission.sol";
import {IAllocationManager} from "../../../contracts/interfaces/IEigenLayer.sol";
import {EigenLayerSettings, IEigenLayerStake, StrategyWeight} from "../../../contracts/interfaces/IEigenLayerStake.sol";
import {IMemberStake, MemberTerms} from "../../../contracts/interfaces/IMemberStake.sol";
import {IOperatorAllowlist} from "../../../contracts/interfaces/IOperatorAllowlist.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {EigenLayerStake} from "../../../contracts/stake/EigenLayerStake.sol";
import {OperatorAllowlist} from "../../../contracts/stake/OperatorAllowlist.sol";

import {IAllocationManagerCore, RegisterParams} from "./IEigenLayerCore.sol";
import {StakeTestBase} from "./StakeTestBase.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @dev Who joins a set that is open to all, and how a member leaves.
contract EigenLayerMembersTest is StakeTestBase {
    function setUp() public {
        deployStake(1);
    }

    /* JOINING */

    function test_AnOperatorJoinsWithStakeAndKey() public {
        stakeAndAllocate(OPERATOR_SET, 0, 1, STAKE);
        registerKey(0);
        // Of this operator only, as `weightOf` does.
        bytes memory question = abi.encodeCall(
            allocationManager.getMinimumSlashableStake,
            (setOf(OPERATOR_SET), operatorAddresses(0, 1), strategies, uint32(block.number) + LOOKAHEAD)
        );
        vm.expectCall(address(allocationManager), question, 2);
        vm.expectEmit(address(stake));
        emit IMemberStake.OperatorJoined(OPERATOR_SET, operatorAddress(0), uint96(STAKE));
        join(OPERATOR_SET, 0);
        assertEq(stake.membersOf(OPERATOR_SET), operatorAddresses(0, 1));
        assertEq(weightOf(0), STAKE);
    }

    function test_RevertWhen_AnOperatorWithoutKeyJoins() public {
        stakeAndAllocate(OPERATOR_SET, 0, 1, STAKE);
        _assertRefused(0, abi.encodeWithSelector(IMemberStake.KeyMissing.selector, operatorAddress(0)));
        registerKey(0);
        vm.prank(operatorAddress(0));
        registry.disableKey();
        _assertRefused(0, abi.encodeWithSelector(IMemberStake.KeyMissing.selector, operatorAddress(0)));
    }

    function test_RevertWhen_AnOperatorJoinsWithLessThanTheMinimum() public {
        stakeAndAllocate(OPERATOR_SET, 0, 1, MIN_WEIGHT - 1);
        stakeAndAllocate(OPERATOR_SET, 1, 1, MIN_WEIGHT);
        registerKey(0);
        registerKey(1);
        _assertRefused(0, abi.encodeWithSelector(IMemberStake.TooLittleStake.selector, MIN_WEIGHT - 1, MIN_WEIGHT));
        join(OPERATOR_SET, 1);
    }

    /// @dev It could leave with its stake before an epoch's challenge window is over.
    function test_RevertWhen_TheStakeIsBeingWithdrawn() public {
        stakeAndAllocate(OPERATOR_SET, 0, 1, STAKE);
        registerKey(0);
        join(OPERATOR_SET, 0);
        allocate(OPERATOR_SET, 0, 0);
        leaveSet(OPERATOR_SET, 0);
        advance(DEALLOCATION_DELAY - LOOKAHEAD + 1);
        // EigenLayer refuses to add it again while it can be slashed; here its hook is called as if it did not.
        vm.expectRevert(abi.encodeWithSelector(IMemberStake.TooLittleStake.selector, 0, MIN_WEIGHT));
        vm.prank(address(allocationManager));
        stake.registerOperator(operatorAddress(0), avs, only(OPERATOR_SET), "");
    }

    function test_RevertWhen_TheSetHasAHundredMembers() public {
        addMembers(0, 100);
        assertEq(allocationManager.getMemberCount(setOf(OPERATOR_SET)), stake.MAX_MEMBERS());
        stakeAndAllocate(OPERATOR_SET, 100, 1, STAKE);
        registerKey(100);
        _assertRefused(100, abi.encodeWithSelector(IMemberStake.OperatorSetFull.selector, 100));
        leaveSet(OPERATOR_SET, 0);
        join(OPERATOR_SET, 100);
    }

    function test_RevertWhen_TheCallerIsNotTheAllocationManager() public {
        bytes memory refusal = abi.encodeWithSelector(IEigenLayerStake.NotAllocationManager.selector, address(this));
        vm.expectRevert(refusal);
        stake.registerOperator(operatorAddress(0), avs, only(OPERATOR_SET), "");
        vm.expectRevert(refusal);
        stake.deregisterOperator(operatorAddress(0), avs, only(OPERATOR_SET));
    }

    function test_RevertWhen_AnotherAvsNamesThisRegistrar() public {
        assertTrue(stake.supportsAVS(avs));
        address other = makeAddr("another avs");
        assertFalse(stake.supportsAVS(other));
        vm.startPrank(other);
        allocationManager.updateAVSMetadataURI(other, "other");
        vm.expectRevert(IAllocationManagerCore.InvalidAVSRegistrar.selector);
        allocationManager.setAVSRegistrar(other, address(stake));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IEigenLayerStake.WrongAvs.selector, other));
        vm.prank(address(allocationManager));
        stake.registerOperator(operatorAddress(0), other, only(OPERATOR_SET), "");
    }

    /* LEAVING */

    /// @dev Whatever it names: a registrar that reverts would trap operators.
    function testFuzz_DeregistrationNeverReverts(address operator, address anyAvs, uint32[] memory ids) public {
        vm.prank(address(allocationManager));
        stake.deregisterOperator(operator, anyAvs, ids);
    }

    function test_AMemberLeavesWithoutKeyAndStake() public {
        addMembers(0, 1);
        slash(OPERATOR_SET, 0, 1e18);
        undelegate(0);
        vm.prank(operatorAddress(0));
        registry.deregisterOperator();
        vm.expectEmit(address(stake));
        emit IMemberStake.OperatorLeft(OPERATOR_SET, operatorAddress(0));
        leaveSet(OPERATOR_SET, 0);
        assertEq(stake.membersOf(OPERATOR_SET).length, 0);
    }

    /// @dev While what it left with can be slashed, EigenLayer lets no one join again.
    function test_AMemberThatLeftJoinsAgainAfterEigenLayersDelay() public {
        addMembers(0, 1);
        leaveSet(OPERATOR_SET, 0);
        RegisterParams memory params = joining(OPERATOR_SET);
        advance(DEALLOCATION_DELAY);
        vm.expectRevert(IAllocationManagerCore.AlreadyMemberOfSet.selector);
        vm.prank(operatorAddress(0));
        allocationManager.registerForOperatorSets(operatorAddress(0), params);
        assertEq(stake.membersOf(OPERATOR_SET).length, 0);

        advance(1);
        join(OPERATOR_SET, 0);
        assertEq(stake.membersOf(OPERATOR_SET), operatorAddresses(0, 1));
        assertEq(weightOf(0), STAKE);
        slash(OPERATOR_SET, 0, 1e18);
        assertEq(slashedShares(), STAKE);
    }

    /* EJECTION */

    function test_RevertWhen_AMemberWithoutWeightIsEjectedFromASetThatIsNotFull() public {
        addMembers(0, 1);
        slash(OPERATOR_SET, 0, 1e18);
        _assertCannotEject(0);
    }

    function test_AnyoneEjectsMembersWithoutWeightOrKeyFromAFullSet() public {
        addMembers(0, 100);
        _assertCannotEject(0);
        uint256 snapshot = vm.snapshotState();
        slash(OPERATOR_SET, 0, 1e18);
        vm.expectEmit(address(stake));
        emit IMemberStake.OperatorLeft(OPERATOR_SET, operatorAddress(0));
        stake.eject(OPERATOR_SET, operatorAddress(0));
        assertEq(stake.membersOf(OPERATOR_SET), operatorAddresses(1, 99));

        vm.revertToState(snapshot);
        vm.prank(operatorAddress(1));
        registry.disableKey();
        stake.eject(OPERATOR_SET, operatorAddress(1));
        assertEq(weightOf(1), 0);
    }

    function _assertCannotEject(uint256 index) private {
        bytes4 refusal = IMemberStake.CannotEject.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, OPERATOR_SET, operatorAddress(index)));
        stake.eject(OPERATOR_SET, operatorAddress(index));
    }

    function _assertRefused(uint256 index, bytes memory refusal) private {
        RegisterParams memory params = joining(OPERATOR_SET);
        vm.expectRevert(refusal);
        vm.prank(operatorAddress(index));
        allocationManager.registerForOperatorSets(operatorAddress(index), params);
    }
}

/// @dev A set that only admitted operators join.
contract EigenLayerAdmissionTest is StakeTestBase {
    function setUp() public {
        deployStake(1);
        stakeAndAllocate(OPERATOR_SET, 0, 1, STAKE);
        registerKey(0);
    }

    function memberTerms() internal override returns (MemberTerms memory adjusted) {
        allowlist = new OperatorAllowlist(owner);
        adjusted = super.memberTerms();
        adjusted.admission = allowlist;
    }

    function test_OnlyAnAdmittedOperatorJoins() public {
        RegisterParams memory params = joining(OPERATOR_SET);
        bytes4 refusal = IMemberStake.NotAdmitted.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, OPERATOR_SET, operatorAddress(0)));
        vm.prank(operatorAddress(0));
        allocationManager.registerForOperatorSets(operatorAddress(0), params);
        _admit();
        join(OPERATOR_SET, 0);
    }

    function test_AMemberThatIsNoLongerAdmittedIsEjectedByAnyone() public {
        _admit();
        join(OPERATOR_SET, 0);
        bytes4 refusal = IMemberStake.CannotEject.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, OPERATOR_SET, operatorAddress(0)));
        stake.eject(OPERATOR_SET, operatorAddress(0));
        vm.prank(owner);
        allowlist.exclude(OPERATOR_SET, operatorAddress(0));
        assertEq(weightOf(0), STAKE);
        stake.eject(OPERATOR_SET, operatorAddress(0));
        assertEq(weightOf(0), 0);
    }

    function test_AMemberLeavesThoughItIsNoLongerAdmitted() public {
        _admit();
        join(OPERATOR_SET, 0);
        vm.prank(owner);
        allowlist.exclude(OPERATOR_SET, operatorAddress(0));
        leaveSet(OPERATOR_SET, 0);
    }

    function test_RevertWhen_EigenLayerDoesNotLetThisContractEject() public {
        stake = new EigenLayerStake(settings(), weighed());
        vm.expectRevert(IAllocationManagerCore.InvalidCaller.selector);
        stake.eject(OPERATOR_SET, operatorAddress(0));
    }

    function _admit() private {
        vm.prank(owner);
        allowlist.admit(OPERATOR_SET, operatorAddress(0), "eu-central", "its own machines");
    }
}

/// @dev A set of at most four members, of which none has more than 40% of the weight.
contract EigenLayerSharesTest is StakeTestBase {
    function setUp() public {
        deployStake(1);
        addMembers(0, 3);
        stakeAndAllocate(OPERATOR_SET, 3, 1, 8 * STAKE);
        registerKey(3);
    }

    function memberTerms() internal override returns (MemberTerms memory adjusted) {
        adjusted = super.memberTerms();
        (adjusted.maxMembers, adjusted.maxShare) = (4, 4000);
    }

    function test_NoOperatorOfAnEpochHasMoreThanItsShare() public {
        join(OPERATOR_SET, 3);
        (address table,,,) = registry.epochs(commitMembers());
        (, uint256 totalWeight, uint256 count,) = OperatorTable.readHead(table);
        assertEq(count, 4);
        assertEq(totalWeight, 5 * STAKE);
        assertEq(OperatorTable.readEntry(table, 0, 0).weight, STAKE);
        assertEq(OperatorTable.readEntry(table, 0, 3).weight, 2 * STAKE);
    }

    /// @dev The registry skips it, so that its weight is no part of the whole.
    function test_AMemberWithoutKeyIsNoPartOfTheWhole() public {
        join(OPERATOR_SET, 3);
        vm.prank(operatorAddress(0));
        registry.disableKey();
        (address table,,,) = registry.epochs(commitMembers());
        (, uint256 totalWeight, uint256 count,) = OperatorTable.readHead(table);
        assertEq(count, 3);
        assertEq(totalWeight, 2 * STAKE + 4 * STAKE / 3);
        assertEq(OperatorTable.readEntry(table, 0, 2).weight, 4 * STAKE / 3);
    }

    function test_RevertWhen_TheSetHasItsMostMembers() public {
        join(OPERATOR_SET, 3);
        stakeAndAllocate(OPERATOR_SET, 4, 1, STAKE);
        registerKey(4);
        RegisterParams memory params = joining(OPERATOR_SET);
        vm.expectRevert(abi.encodeWithSelector(IMemberStake.OperatorSetFull.selector, 4));
        vm.prank(operatorAddress(4));
        allocationManager.registerForOperatorSets(operatorAddress(4), params);
    }
}

/// @dev Settings that would make weights mean nothing are refused when the contract is deployed.
contract EigenLayerSettingsTest is StakeTestBase {
    function setUp() public {
        deployStake(2);
        new EigenLayerStake(settings(), weighed());
    }

    function test_RevertWhen_AContractHasNoCode() public {
        EigenLayerSettings memory faulty = settings();
        faulty.allocationManager = IAllocationManager(address(1));
        _assertRefused(faulty, abi.encodeWithSelector(IMemberStake.NotContract.selector, address(1)));
        faulty = settings();
        faulty.members.operatorRegistry = IOperatorRegistry(address(2));
        _assertRefused(faulty, abi.encodeWithSelector(IMemberStake.NotContract.selector, address(2)));
        faulty = settings();
        faulty.members.admission = IAdmission(address(3));
        _assertRefused(faulty, abi.encodeWithSelector(IMemberStake.NotContract.selector, address(3)));
    }

    function test_RevertWhen_BoundsOfWeightsAreInvalid() public {
        _assertBoundsRefused(0, 1);
        _assertBoundsRefused(2, 1);
        uint96 highest = type(uint96).max / 100;
        _assertBoundsRefused(1, highest + 1);
        EigenLayerSettings memory valid = settings();
        (valid.members.minWeight, valid.members.maxWeight) = (highest, highest);
        new EigenLayerStake(valid, weighed());
    }

    function test_RevertWhen_MembersOrSharesAreOutOfTheirBounds() public {
        uint16[2][4] memory faulty = [[uint16(0), 1], [uint16(101), 1], [uint16(1), 0], [uint16(1), 10_001]];
        for (uint256 i = 0; i < faulty.length; ++i) {
            EigenLayerSettings memory changed = settings();
            (changed.members.maxMembers, changed.members.maxShare) = (faulty[i][0], faulty[i][1]);
            _assertRefused(
                changed, abi.encodeWithSelector(IMemberStake.InvalidMemberBounds.selector, faulty[i][0], faulty[i][1])
            );
        }
        EigenLayerSettings memory valid = settings();
        (valid.members.maxMembers, valid.members.maxShare) = (1, 1);
        new EigenLayerStake(valid, weighed());
    }

    function test_RevertWhen_TheLookaheadIsAsLongAsEigenLayersDelay() public {
        EigenLayerSettings memory changed = settings();
        changed.lookahead = DEALLOCATION_DELAY - 1;
        new EigenLayerStake(changed, weighed());
        changed.lookahead = DEALLOCATION_DELAY;
        _assertRefused(
            changed,
            abi.encodeWithSelector(IEigenLayerStake.LookaheadTooLong.selector, DEALLOCATION_DELAY, DEALLOCATION_DELAY)
        );
        changed.lookahead = DEALLOCATION_DELAY + 1;
        bytes4 refusal = IEigenLayerStake.LookaheadTooLong.selector;
        _assertRefused(changed, abi.encodeWithSelector(refusal, DEALLOCATION_DELAY + 1, DEALLOCATION_DELAY));
    }

    function test_RevertWhen_TheChallengeWindowLeavesNoTimeForAnEpoch() public {
        EigenLayerSettings memory changed = settings();
        uint48 whole = LOOKAHEAD * BLOCK_TIME;
        changed.members.challengeWindow = whole - 1;
        assertEq(new EigenLayerStake(changed, weighed()).slashableFor(), 1);
        changed.members.challengeWindow = whole;
        bytes4 refusal = IMemberStake.ChallengeWindowTooLong.selector;
        _assertRefused(changed, abi.encodeWithSelector(refusal, whole, whole));
        changed.members.challengeWindow = whole + 1;
        _assertRefused(changed, abi.encodeWithSelector(refusal, whole + 1, whole));
    }

    function test_RevertWhen_StrategiesAreInvalid() public {
        bytes memory refusal = abi.encodeWithSelector(IEigenLayerStake.InvalidStrategies.selector);
        _assertRefused(new StrategyWeight[](0), refusal);
        StrategyWeight[] memory many = new StrategyWeight[](6);
        for (uint256 i = 0; i < 6; ++i) {
            many[i] = StrategyWeight(address(uint160(i + 1)), 1);
        }
        _assertRefused(many, refusal);
        StrategyWeight[] memory most = new StrategyWeight[](5);
        for (uint256 i = 0; i < 5; ++i) {
            most[i] = many[i];
        }
        new EigenLayerStake(settings(), most);
        StrategyWeight[] memory list = weighed();
        list[1].multiplier = 0;
        _assertRefused(list, refusal);
        list = weighed();
        list[1] = list[0];
        _assertRefused(list, refusal);
        list = weighed();
        (list[0], list[1]) = (list[1], list[0]);
        _assertRefused(list, refusal);
    }

    function _assertBoundsRefused(uint96 least, uint96 most) private {
        EigenLayerSettings memory faulty = settings();
        (faulty.members.minWeight, faulty.members.maxWeight) = (least, most);
        _assertRefused(faulty, abi.encodeWithSelector(IMemberStake.InvalidWeightBounds.selector, least, most));
    }

    function _assertRefused(EigenLayerSettings memory faulty, bytes memory refusal) private {
        vm.expectRevert(refusal);
        new EigenLayerStake(faulty, weighed());
    }

    function _assertRefused(StrategyWeight[] memory faulty, bytes memory refusal) private {
        EigenLayerSettings memory valid = settings();
        vm.expectRevert(refusal);
        new EigenLayerStake(valid, faulty);
    }
}

/// @dev The list of admitted operators.
contract OperatorAllowlistTest is StakeTestBase {
    function setUp() public {
        allowlist = new OperatorAllowlist(owner);
    }

    function test_AnAdmittedOperatorIsShownWithItsDeclaration() public {
        vm.expectEmit(address(allowlist));
        emit IOperatorAllowlist.OperatorAdmitted(OPERATOR_SET, operatorAddress(0), "eu-central", "hosting.example");
        vm.prank(owner);
        allowlist.admit(OPERATOR_SET, operatorAddress(0), "eu-central", "hosting.example");
        assertTrue(allowlist.isAdmitted(OPERATOR_SET, operatorAddress(0)));
        assertFalse(allowlist.isAdmitted(OTHER_SET, operatorAddress(0)));
        (string memory region, string memory provider) = allowlist.declarationOf(OPERATOR_SET, operatorAddress(0));
        assertEq(region, "eu-central");
        assertEq(provider, "hosting.example");

        vm.expectEmit(address(allowlist));
        emit IOperatorAllowlist.OperatorExcluded(OPERATOR_SET, operatorAddress(0));
        vm.prank(owner);
        allowlist.exclude(OPERATOR_SET, operatorAddress(0));
        assertFalse(allowlist.isAdmitted(OPERATOR_SET, operatorAddress(0)));
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorAllowlist.OperatorNotAdmitted.selector, OPERATOR_SET, operatorAddress(0))
        );
        vm.prank(owner);
        allowlist.exclude(OPERATOR_SET, operatorAddress(0));
    }

    function test_RevertWhen_ADeclarationIsMissing() public {
        vm.startPrank(owner);
        vm.expectRevert(IOperatorAllowlist.DeclarationMissing.selector);
        allowlist.admit(OPERATOR_SET, operatorAddress(0), "", "hosting.example");
        vm.expectRevert(IOperatorAllowlist.DeclarationMissing.selector);
        allowlist.admit(OPERATOR_SET, operatorAddress(0), "eu-central", "");
    }

    function test_RevertWhen_TheCallerIsNotTheAllowlistsOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        allowlist.admit(OPERATOR_SET, operatorAddress(0), "eu-central", "hosting.example");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        allowlist.exclude(OPERATOR_SET, operatorAddress(0));
    }
}
