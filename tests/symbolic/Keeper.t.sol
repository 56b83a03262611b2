// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IEpochKeeper, KeeperSettings} from "../../contracts/interfaces/IEpochKeeper.sol";
import {IOperatorRegistry} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {IProposedChanges} from "../../contracts/interfaces/IProposedChanges.sol";
import {EpochId, OperatorSetId} from "../../contracts/interfaces/Protocol.sol";
import {Quorum} from "../../contracts/libraries/Quorum.sol";
import {RecordingRegistry} from "./RecordingRegistry.sol";
import {UnconstrainedChain} from "./UnconstrainedChain.sol";

/// @title KeeperProof
/// @notice What an `EpochKeeper` has its registry do: any caller, in any state, at any time.
/// @dev The keeper's bytecode is the build's own. The registry records what it is told, and checks nothing: that lists
/// ascend is its rule. The stake source names any members.
contract KeeperProof is UnconstrainedChain {
    address private constant TABLE = address(0x7ab1e);
    address private constant OWNER = address(0x0e7);
    uint48 private constant NOTICE = 3 days;
    uint16 private constant HALT_QUORUM = 5000;
    uint16 private constant MIN_OPERATORS = 3;
    uint256 private constant OPERATORS = 4;

    IEpochKeeper private keeper;
    RecordingRegistry private registry;

    function setUp() public {
        etchPrecompiles();
        vm.warp(1_800_000_000);
        vm.etch(TABLE, _table());
        registry = new RecordingRegistry(TABLE, uint48(svm.createUint(48, "validUntil")));
        KeeperSettings memory settings = KeeperSettings({
            operatorRegistry: IOperatorRegistry(address(registry)),
            notice: NOTICE,
            interval: 6 hours,
            haltQuorum: HALT_QUORUM,
            minOperators: MIN_OPERATORS,
            guardian: address(0x60a4d)
        });
        bytes memory arguments = abi.encode(OWNER, settings);
        keeper = IEpochKeeper(deploy("cache/symbolic/out/EpochKeeper.sol/EpochKeeper.json", arguments));
        svm.enableSymbolicStorage(address(keeper));
        warpToAnyTime(40);
    }

    /// @dev The caller's only choice is the set.
    function check_CommitsExactlyTheSourcesMembers(address caller, OperatorSetId operatorSet) public {
        address[] memory members = new address[](anyBelow(4, "length"));
        for (uint256 i = 0; i < members.length; ++i) {
            members[i] = svm.createAddress("member");
        }
        registry.setMembers(members);
        vm.prank(caller);
        (bool success,) = address(keeper).call(abi.encodeCall(IEpochKeeper.commit, (operatorSet)));
        vm.assume(success);
        assert(registry.commits() == 1 && registry.others() == 0);
        assert(registry.lastCall() == keccak256(abi.encodeCall(IOperatorRegistry.commitEpoch, (operatorSet, members))));
    }

    function check_CommitsAtLeastTheLeastNumberOfOperators(address caller, OperatorSetId operatorSet) public {
        uint16 count = uint16(svm.createUint(16, "count"));
        vm.etch(TABLE, bytes.concat(bytes1(0), new bytes(204), bytes2(count), bytes1(0)));
        vm.prank(caller);
        (bool success,) = address(keeper).call(abi.encodeCall(IEpochKeeper.commit, (operatorSet)));
        vm.assume(success);
        assert(count >= MIN_OPERATORS);
    }

    function check_TheGuardianOnlyRevokes(address caller, EpochId epoch) public {
        address guardian = keeper.guardian();
        EpochId[] memory revoked = new EpochId[](1);
        revoked[0] = epoch;
        vm.prank(caller);
        (bool success,) = address(keeper).call(abi.encodeCall(IEpochKeeper.guardianRevoke, (revoked)));
        vm.assume(success);
        assert(caller == guardian);
        assert(registry.commits() == 0 && registry.others() == 1);
        assert(registry.lastCall() == keccak256(abi.encodeCall(IOperatorRegistry.revokeEpochs, (revoked))));
    }

    /// @dev The guardian, too, if it is not the owner.
    function check_OnlyTheOwnerProposesAndApplies(address caller) public {
        (, bytes memory owner) = address(keeper).call(abi.encodeWithSignature("owner()"));
        vm.assume(caller != abi.decode(owner, (address)));
        bytes memory change = svm.createBytes(36, "change");
        bytes[5] memory calls = [
            abi.encodeCall(IEpochKeeper.setGuardian, (svm.createAddress("guardian"))),
            abi.encodeCall(IEpochKeeper.changeRegistry, (change)),
            abi.encodeCall(IEpochKeeper.proposeToRegistry, (change)),
            abi.encodeCall(IEpochKeeper.cancelAtRegistry, (change)),
            abi.encodeCall(IProposedChanges.proposeChange, (change))
        ];
        bytes memory call = calls[anyBelow(5, "function")];
        vm.prank(caller);
        (bool success,) = address(keeper).call(call);
        assert(!success);
    }

    function check_TheOwnerCommitsStagesAndRevokesNothing() public {
        bytes memory change = svm.createBytes(68, "change");
        bytes memory call = abi.encodeCall(IEpochKeeper.changeRegistry, (change));
        uint48 appliesFrom = IProposedChanges(address(keeper)).proposedChanges(keccak256(call));
        vm.prank(svm.createAddress("caller"));
        (bool success,) = address(keeper).call(call);
        vm.assume(success);
        // Proposed before, and not used twice.
        assert(appliesFrom != 0 && block.timestamp >= appliesFrom);
        assert(IProposedChanges(address(keeper)).proposedChanges(keccak256(call)) == 0);
        bytes4 selector = bytes4(change);
        assert(
            selector != IOperatorRegistry.commitEpoch.selector && selector != IOperatorRegistry.stageOperators.selector
                && selector != IOperatorRegistry.revokeEpochs.selector
                && selector != IOperatorRegistry.revokeOperatorSet.selector
        );
    }

    function check_AProposalWaitsForItsNotice() public {
        bytes memory change = svm.createBytes(36, "change");
        vm.prank(svm.createAddress("caller"));
        (bool success,) = address(keeper).call(abi.encodeCall(IProposedChanges.proposeChange, (change)));
        vm.assume(success);
        uint48 appliesFrom = IProposedChanges(address(keeper)).proposedChanges(keccak256(change));
        assert(appliesFrom == block.timestamp + NOTICE);
    }

    function check_RevokedOnlyWithTheHaltQuorumsSignature(EpochId epoch) public {
        // No byte or one, each on a separate path: with any of the operators, and with one that is not in the epoch.
        uint256 bitmap = anyBelow(33, "non-signers");
        bytes memory nonSigners = bitmap == 32 ? bytes("") : bytes.concat(bytes1(uint8(bitmap)));
        bytes memory signature = svm.createBytes(96, "signature");
        vm.prank(svm.createAddress("caller"));
        (bool success,) = address(keeper).call(abi.encodeCall(IEpochKeeper.revoke, (epoch, nonSigners, signature)));
        vm.assume(success);
        assert(_signedWeight(nonSigners) >= Quorum.portionOf(1000, HALT_QUORUM));
        assert(pairingHolds());
        EpochId[] memory revoked = new EpochId[](1);
        revoked[0] = epoch;
        assert(registry.commits() == 0 && registry.others() == 1);
        assert(registry.lastCall() == keccak256(abi.encodeCall(IOperatorRegistry.revokeEpochs, (revoked))));
    }

    function reach_ACommit(OperatorSetId operatorSet) public {
        (bool success,) = address(keeper).call(abi.encodeCall(IEpochKeeper.commit, (operatorSet)));
        assert(!success);
    }

    function reach_ARegistryChange() public {
        bytes memory change = svm.createBytes(68, "change");
        vm.prank(svm.createAddress("caller"));
        (bool success,) = address(keeper).call(abi.encodeCall(IEpochKeeper.changeRegistry, (change)));
        assert(!success);
    }

    /* PARTS */

    /// @dev Bit i of the byte is operator i, whose weight is 100 · (i + 1).
    function _signedWeight(bytes memory nonSigners) private pure returns (uint256 signed) {
        signed = 1000;
        if (nonSigners.length == 0) return signed;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            if (uint8(nonSigners[0]) >> i & 1 == 1) signed -= 100 * (i + 1);
        }
    }

    function _table() private pure returns (bytes memory code) {
        code = bytes.concat(bytes1(0), new bytes(192), bytes12(uint96(1000)), bytes2(uint16(OPERATORS)), bytes1(0));
        for (uint256 i = 0; i < OPERATORS; ++i) {
            code = bytes.concat(code, new bytes(192), bytes12(uint96(100 * (i + 1))), bytes20(0));
        }
    }
}
