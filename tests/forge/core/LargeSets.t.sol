// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {Attestation, EpochId, IRefusals, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {Vm} from "forge-std/Vm.sol";

/// @dev Operator sets of several tables. Operator i weighs i + 1, so that a weight read from a wrong place shows.
contract LargeSetsTest is TrailingPath {
    uint256 private constant MOST = 250;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < OPERATORS; ++i) {
            setWeight(i, uint96(i + 1));
        }
        for (uint256 i = OPERATORS; i < MOST; ++i) {
            registerOperator(i, uint96(i + 1));
        }
    }

    function test_SetsOfEverySizeAroundATablesEdgeVerify() public {
        uint16[8] memory sizes = [uint16(1), 99, 100, 101, 199, 200, 201, 250];
        for (uint256 i = 0; i < sizes.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            EpochId epoch = commitEpoch(0, sizes[i]);
            _assertVerifies(epoch, sizes[i], new uint256[](0));
            vm.revertToState(snapshot);
        }
    }

    function test_NonSignersOfEachTableAreTakenAway() public {
        EpochId epoch = commitEpoch(0, MOST);
        uint256[] memory absent = new uint256[](1);
        uint8[8] memory places = [0, 7, 99, 100, 199, 200, 201, 249];
        for (uint256 i = 0; i < places.length; ++i) {
            absent[0] = places[i];
            _assertVerifies(epoch, MOST, absent);
        }
        absent = new uint256[](places.length);
        for (uint256 i = 0; i < places.length; ++i) {
            absent[i] = places[i];
        }
        _assertVerifies(epoch, MOST, absent);
    }

    function test_RevertWhen_BitmapNamesTheOperatorAfterTheLast() public {
        EpochId epoch = commitEpoch(0, 201);
        Attestation memory attestation = attest(protectedCall());
        bytes memory bitmap = new bytes(26);
        bitmap[25] = 0x02; // Operator 201.
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, 201);
        assertRefused(
            attestation.intent,
            encode(attestation, epoch, signature, bitmap, new bytes32[](0)),
            abi.encodeWithSelector(IRefusals.NonSignerOutOfRange.selector)
        );
    }

    function test_StagingIsAnnouncedAndUsedUpByTheCommit() public {
        vm.recordLogs();
        _stage(0);
        address[] memory staged = registry.stagedTables(OPERATOR_SET);
        assertEq(staged.length, 1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1);
        assertEq(logs[0].topics[0], IOperatorRegistry.OperatorsStaged.selector);
        assertEq(logs[0].topics[1], bytes32(uint256(OperatorSetId.unwrap(OPERATOR_SET))));
        assertEq(logs[0].data, abi.encode(staged[0], operatorAddress(99)));
        commitEpoch(100, 1);
        assertEq(registry.stagedTables(OPERATOR_SET).length, 0);
        // The next epoch begins anew.
        EpochId epoch = commitEpoch(0, 3);
        _assertVerifies(epoch, 3, new uint256[](0));
    }

    function test_StagedOperatorsCanBeDiscarded() public {
        _stage(0);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.StagedOperatorsDiscarded(OPERATOR_SET);
        vm.prank(owner);
        registry.discardStagedOperators(OPERATOR_SET);
        assertEq(registry.stagedTables(OPERATOR_SET).length, 0);
        EpochId epoch = commitEpoch(0, 3);
        _assertVerifies(epoch, 3, new uint256[](0));
    }

    function test_StagingOfOneSetTouchesNoOther() public {
        _stage(0);
        assertEq(registry.stagedTables(OTHER_SET).length, 0);
        vm.prank(owner);
        registry.discardStagedOperators(OTHER_SET);
        assertEq(registry.stagedTables(OPERATOR_SET).length, 1);
    }

    function test_RevertWhen_OperatorsDoNotFollowThoseStaged() public {
        _stage(0);
        bytes memory expected = abi.encodeWithSelector(
            IOperatorRegistry.OperatorsNotAscending.selector, operatorAddress(99), operatorAddress(99)
        );
        vm.startPrank(owner);
        vm.expectRevert(expected);
        registry.commitEpoch(OPERATOR_SET, operatorAddresses(99, 2));
        vm.expectRevert(expected);
        registry.stageOperators(OPERATOR_SET, operatorAddresses(99, 100));
    }

    function test_RevertWhen_StagingLessThanAFullTable() public {
        uint8[3] memory counts = [0, 99, 201];
        vm.startPrank(owner);
        for (uint256 i = 0; i < counts.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.WrongOperatorCount.selector, counts[i], 100, 200));
            registry.stageOperators(OPERATOR_SET, operatorAddresses(0, counts[i]));
        }
        vm.stopPrank();
        vm.prank(operatorAddress(50));
        registry.deregisterOperator();
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.WrongOperatorCount.selector, 99, 100, 100));
        vm.prank(owner);
        registry.stageOperators(OPERATOR_SET, operatorAddresses(0, 100));
    }

    /// @dev One that leaves ahead of the owner's transaction does not undo it: the next takes its place.
    function test_StagingSkipsOperatorsAndIgnoresThoseAfterAFullTable() public {
        vm.prank(operatorAddress(50));
        registry.deregisterOperator();
        vm.recordLogs();
        vm.prank(owner);
        registry.stageOperators(OPERATOR_SET, operatorAddresses(0, 110));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[0].topics[0], IOperatorRegistry.OperatorSkipped.selector);
        assertEq(logs[0].topics[2], bytes32(uint256(uint160(operatorAddress(50)))));
        assertEq(logs[1].data, abi.encode(registry.stagedTables(OPERATOR_SET)[0], operatorAddress(100)));

        EpochId epoch = commitEpoch(101, 50);
        (address head,,,) = registry.epochs(epoch);
        (,, uint256 operatorCount, uint256 earlierTables) = OperatorTable.readHead(head);
        assertEq(operatorCount, 150);
        assertEq(OperatorTable.readEntry(head, earlierTables, 50).operator, operatorAddress(51));
        assertEq(OperatorTable.readEntry(head, earlierTables, 99).operator, operatorAddress(100));
        assertEq(OperatorTable.readEntry(head, earlierTables, 149).operator, operatorAddress(150));
    }

    /// @dev Its weights were read then: later, the operators may have nothing at stake.
    function test_LifetimeBeginsWithTheFirstStagedTable() public {
        uint256 first = block.timestamp;
        _stage(0);
        skip(2 days);
        _stage(100);
        skip(2 days);
        EpochId epoch = commitEpoch(200, 1);
        (,, uint48 validUntil, uint48 expiresAt) = registry.epochs(epoch);
        assertEq(registry.committedAt(epoch), first);
        assertEq(expiresAt, first + EPOCH_LIFETIME);
        assertEq(validUntil, first + EPOCH_LIFETIME);

        // A table staged too long ago is discarded, and staged again.
        _stage(0);
        skip(EPOCH_LIFETIME - GRACE_PERIOD);
        bytes4 tooLong = IOperatorRegistry.DelaysTooLong.selector;
        vm.expectRevert(abi.encodeWithSelector(tooLong, 0, GRACE_PERIOD, GRACE_PERIOD));
        vm.prank(owner);
        registry.commitEpoch(OPERATOR_SET, operatorAddresses(100, 1));
        // Also when the epoch would have ended by now.
        skip(GRACE_PERIOD + 1);
        vm.expectRevert(abi.encodeWithSelector(tooLong, 0, GRACE_PERIOD, 0));
        vm.prank(owner);
        registry.commitEpoch(OPERATOR_SET, operatorAddresses(100, 1));
        vm.prank(owner);
        registry.discardStagedOperators(OPERATOR_SET);
        _stage(0);
        epoch = commitEpoch(100, 1);
        (,,, expiresAt) = registry.epochs(epoch);
        assertEq(expiresAt, block.timestamp + EPOCH_LIFETIME);
    }

    function test_SetHashIsOfTheHashesOfTheTables() public {
        EpochId epoch = commitEpoch(0, 201);
        bytes32[3] memory hashes;
        for (uint256 table = 0; table < 3; ++table) {
            bytes memory entries;
            for (uint256 i = 100 * table; i < 201 && i < 100 * (table + 1); ++i) {
                bytes memory key = registry.publicKeyOf(operatorAddress(i));
                entries = bytes.concat(entries, abi.encodePacked(key, uint96(i + 1), operatorAddress(i)));
            }
            hashes[table] = keccak256(entries);
        }
        assertEq(registry.setHashOf(epoch), keccak256(abi.encodePacked(hashes)));
    }

    /// @dev 2,000 operators, the most there can be. To save the time of as many proofs of possession, operators 250 and
    /// up are written into storage with the first one's key.
    function test_LargestSetVerifiesAndNoLargerCanBe() public {
        _registerInStorage(MOST, 2101 - MOST);
        for (uint256 table = 0; table < 19; ++table) {
            _stage(100 * table);
        }
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.TooManyTables.selector, 19));
        vm.prank(owner);
        registry.stageOperators(OPERATOR_SET, operatorAddresses(1900, 100));
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.WrongOperatorCount.selector, 101, 1, 100));
        vm.prank(owner);
        registry.commitEpoch(OPERATOR_SET, operatorAddresses(1900, 101));
        EpochId epoch = commitEpoch(1900, 100);

        uint256[] memory absent = new uint256[](4);
        (absent[0], absent[1], absent[2], absent[3]) = (0, 1899, 1900, 1999);
        _assertVerifies(epoch, 2000, absent);
    }

    /// @dev Passes with all but `absent` signing, and counts exactly their weight. A Merkle proof follows the bitmap,
    /// none of whose bytes may name an operator.
    function _assertVerifies(EpochId epoch, uint256 size, uint256[] memory absent) private {
        uint256 snapshot = vm.snapshotState();
        Attestation memory attestation = attest(protectedCall());
        (uint256 secret, uint256 absentWeight, bytes memory bitmap) = _without(size, absent);
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (taskManager.digestOf(attestation), keccak256("another"));
        bytes memory signature = OperatorKeys.sign(secret, MerkleTree.rootOf(leaves));
        bytes memory authorization = encode(attestation, epoch, signature, bitmap, MerkleTree.proofOf(leaves, 0));
        if (absent.length > 0) {
            Policy memory unanimous = policy();
            unanimous.quorum = 10_000;
            counter.setAssentPolicy(unanimous);
            uint256 total = size * (size + 1) / 2;
            assertRefused(
                attestation.intent,
                authorization,
                abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, total - absentWeight, total)
            );
            counter.setAssentPolicy(policy());
        }
        assertPasses(attestation.intent, authorization);
        vm.revertToState(snapshot);
    }

    function _without(uint256 size, uint256[] memory absent)
        private
        pure
        returns (uint256 secret, uint256 weight, bytes memory bitmap)
    {
        for (uint256 i = 0; i < size; ++i) {
            secret = addmod(secret, _secretOf(i), OperatorKeys.ORDER);
        }
        if (absent.length > 0) bitmap = new bytes(absent[absent.length - 1] / 8 + 1);
        for (uint256 i = 0; i < absent.length; ++i) {
            secret = addmod(secret, OperatorKeys.ORDER - _secretOf(absent[i]), OperatorKeys.ORDER);
            weight += absent[i] + 1;
            bitmap[absent[i] / 8] |= bytes1(uint8(1 << (absent[i] % 8)));
        }
    }

    function _secretOf(uint256 index) private pure returns (uint256) {
        return OperatorKeys.secretKey(index < MOST ? index : 0);
    }

    function _stage(uint256 first) private {
        vm.prank(owner);
        registry.stageOperators(OPERATOR_SET, operatorAddresses(first, 100));
    }

    function _registerInStorage(uint256 first, uint256 count) private {
        bytes32 pointer = vm.load(address(registry), _keySlot(operatorAddress(0)));
        uint96[] memory weights = new uint96[](count);
        for (uint256 i = 0; i < count; ++i) {
            vm.store(address(registry), _keySlot(operatorAddress(first + i)), pointer);
            weights[i] = uint96(first + i + 1);
        }
        vm.prank(owner);
        ownerStakeSource.setWeights(OPERATOR_SET, operatorAddresses(first, count), weights);
    }

    /// @dev The slot that the operator's key is read from.
    function _keySlot(address operator) private returns (bytes32) {
        vm.record();
        registry.publicKeyOf(operator);
        (bytes32[] memory reads,) = vm.accesses(address(registry));
        return reads[0];
    }
}
