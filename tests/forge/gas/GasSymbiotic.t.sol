// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Equivocation} from "../../../contracts/challenge/Equivocation.sol";
import {ReporterReward} from "../../../contracts/challenge/ReporterReward.sol";
import {IEpochKeeper} from "../../../contracts/interfaces/IEpochKeeper.sol";
import {FaultTerms, IOffences} from "../../../contracts/interfaces/IOffences.sol";
import {IReporterReward} from "../../../contracts/interfaces/IReporterReward.sol";
import {ISymbioticSlasher} from "../../../contracts/interfaces/ISymbioticSlasher.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {SymbioticSlasher} from "../../../contracts/stake/SymbioticSlasher.sol";
import {SymbioticTestBase} from "../stake/SymbioticTestBase.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";
import {GasTestBase} from "./GasTestBase.sol";

/// @dev Commits by anyone whose members and weights are read from Symbiotic's contracts, and slashes of a member.
contract GasOfSymbioticTest is SymbioticTestBase, OffenceProofs, GasTestBase {
    /// @dev What a transaction may use (EIP-7825).
    uint256 private constant MOST_GAS = 16_777_216;
    uint256 private constant MOST_MEMBERS = 100;
    uint256 private constant IN_BATCH = 50;

    /// @dev As deployed by default.
    function activationDelay() internal pure override(AssentTestBase) returns (uint48) {
        return 1 days;
    }

    function setUp() public {
        deployStake();
        addMembers(0, MOST_MEMBERS);
        // So that the set has an earlier epoch, which is in force.
        keeper.commit(OPERATOR_SET);
        skip(keeper.nextCommit(OPERATOR_SET) - block.timestamp);
    }

    function test_CommitEpochOfMembers() public {
        _leaveFrom(1);
        _measure("commit1, Symbiotic", address(keeper), abi.encodeCall(IEpochKeeper.commit, (OPERATOR_SET)));
    }

    function test_CommitEpochOf10Members() public {
        _leaveFrom(10);
        _measure("commit10, Symbiotic", address(keeper), abi.encodeCall(IEpochKeeper.commit, (OPERATOR_SET)));
    }

    function test_CommitEpochOf100Members() public {
        _measure("commit100, Symbiotic", address(keeper), abi.encodeCall(IEpochKeeper.commit, (OPERATOR_SET)));
    }

    function test_SlashMembers() public {
        Equivocation equivocation = new Equivocation(registry);
        FaultTerms[] memory terms = new FaultTerms[](1);
        terms[0] = FaultTerms(equivocation, 0.5e18);
        SymbioticSlasher offences = new SymbioticSlasher(stake, keeper, 4 days, 1 days, terms);
        appoint(address(offences));
        EpochId first = EpochId.wrap(1);
        bytes memory proof = equivocationOn(0, first, 0, MOST_MEMBERS);
        bytes32 record = offences.recordOffence(equivocation, proof);
        bytes memory punish = abi.encodeCall(IOffences.punish, (record, indicesFrom(0, IN_BATCH)));
        _measure("queue 50 slashes, Symbiotic", address(offences), punish);
        skip(1 days);
        bytes memory execute = abi.encodeCall(ISymbioticSlasher.execute, (OPERATOR_SET, operatorAddress(0), 1));
        _measure("slash, Symbiotic", address(offences), execute);
        ReporterReward reward = new ReporterReward(offences, keeper, address(collateral), 5e18);
        collateral.mint(address(reward), 5e18);
        bytes32 id = offences.offenceOf(record).id;
        bytes memory claim = abi.encodeCall(IReporterReward.claim, (id, operatorAddresses(0, 1)));
        _measure("reward, Symbiotic", address(reward), claim);
    }

    function _leaveFrom(uint256 first) private {
        for (uint256 i = first; i < MOST_MEMBERS; ++i) {
            leaveSet(i);
        }
    }

    function _measure(string memory what, address target, bytes memory data) private {
        uint256 used = gasOf(target, data);
        assertLt(used, MOST_GAS);
        vm.snapshotValue("stake", what, used);
    }
}
