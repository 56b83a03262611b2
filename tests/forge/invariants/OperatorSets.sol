// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OperatorRegistry} from "../../../contracts/OperatorRegistry.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {EpochId, IRefusals, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";

/// @title Operators of two sets, and every epoch as it should be
/// @dev What is kept here is computed from what was asked for, never read from the contracts.
abstract contract OperatorSets is AssentTestBase {
    struct Operator {
        bool registered;
        uint256 secret;
        /// By operator set; 0 is no set.
        uint96[3] weights;
    }

    struct FrozenEpoch {
        uint32 operatorSet;
        uint48 validUntil;
        bool revoked;
        address table;
        bytes32 codeHash;
        uint256 totalWeight;
        uint256[] members;
        uint96[] weights;
        uint256[] secrets;
    }

    /// @dev The first ones stay and keep weight in both sets, so that there are always operators to commit.
    uint256 public constant STAYING_OPERATORS = 3;
    uint256 public constant MOST_OPERATORS = 12;

    ITaskManager public otherTaskManager;
    uint32 public epochCount;
    mapping(uint32 operatorSet => uint32 epoch) public latestEpoch;
    uint48 public gracePeriod = GRACE_PERIOD;
    Operator[] internal operators;
    mapping(uint32 epoch => FrozenEpoch) internal frozen;
    uint256 private _keysMade;

    function deployOperatorSets() internal {
        vm.warp(1_800_000_000);
        ownerStakeSource = new OwnerStakeSource(owner);
        registry = new OperatorRegistry(owner, ownerStakeSource, GRACE_PERIOD);
        taskManager = deployTaskManager();
        otherTaskManager = deployTaskManager();
        vm.startPrank(owner);
        registry.addValidator(taskManager);
        registry.addValidator(otherTaskManager);
        vm.stopPrank();
        for (uint256 i = 0; i < 5; ++i) {
            join();
            for (uint32 set = 1; set <= 2; ++set) {
                weigh(set, i, uint96(100 + 37 * i));
            }
        }
        commit(1, type(uint256).max);
        commit(2, type(uint256).max);
    }

    /* OPERATORS */

    function operatorCount() external view returns (uint256) {
        return operators.length;
    }

    function operator(uint256 index) external view returns (Operator memory) {
        return operators[index];
    }

    function join() public returns (uint256 index) {
        index = operators.length;
        operators.push();
        comeBack(index);
    }

    /// @dev With a new key: the old one can never be registered again.
    function comeBack(uint256 index) public {
        (bytes memory key, bytes memory proof) = _newKey(index);
        vm.prank(operatorAddress(index));
        registry.registerOperator(key, proof);
        operators[index].registered = true;
    }

    function rotateKey(uint256 index) public {
        (bytes memory key, bytes memory proof) = _newKey(index);
        vm.prank(operatorAddress(index));
        registry.rotateKey(key, proof);
    }

    function stepDown(uint256 index) external {
        vm.prank(operatorAddress(index));
        registry.deregisterOperator();
        operators[index].registered = false;
    }

    function weigh(uint32 operatorSet, uint256 index, uint96 weight) public {
        address[] memory addresses = operatorAddresses(index, 1);
        uint96[] memory weights = new uint96[](1);
        weights[0] = weight;
        vm.prank(owner);
        ownerStakeSource.setWeights(OperatorSetId.wrap(operatorSet), addresses, weights);
        operators[index].weights[operatorSet] = weight;
    }

    /* EPOCHS */

    function frozenEpoch(uint32 epoch) external view returns (FrozenEpoch memory) {
        return frozen[epoch];
    }

    /// @dev Commits those of the operators that have a key and weight and whose bit of `wanted` is set, or the first.
    function commit(uint32 operatorSet, uint256 wanted) public returns (uint32 epoch) {
        FrozenEpoch storage next = frozen[++epochCount];
        for (uint256 i = 0; i < operators.length; ++i) {
            Operator storage candidate = operators[i];
            uint96 weight = candidate.weights[operatorSet];
            if (!candidate.registered || weight == 0 || (i != 0 && (wanted >> i) & 1 == 0)) continue;
            next.members.push(i);
            next.weights.push(weight);
            next.secrets.push(candidate.secret);
            next.totalWeight += weight;
        }
        address[] memory addresses = new address[](next.members.length);
        for (uint256 i = 0; i < addresses.length; ++i) {
            addresses[i] = operatorAddress(next.members[i]);
        }
        vm.prank(owner);
        epoch = EpochId.unwrap(registry.commitEpoch(OperatorSetId.wrap(operatorSet), addresses));
        assertEq(epoch, epochCount, "epochs are numbered from 1");

        FrozenEpoch storage previous = frozen[latestEpoch[operatorSet]];
        uint48 end = uint48(block.timestamp) + gracePeriod;
        if (previous.validUntil > end) previous.validUntil = end;
        (next.operatorSet, next.validUntil) = (operatorSet, type(uint48).max);
        (next.table,,) = registry.epochs(EpochId.wrap(epoch));
        next.codeHash = next.table.codehash;
        latestEpoch[operatorSet] = epoch;
    }

    function revoke(uint32 epoch) external {
        vm.prank(owner);
        registry.revokeEpoch(EpochId.wrap(epoch));
        (frozen[epoch].validUntil, frozen[epoch].revoked) = (0, true);
    }

    function setGracePeriod(uint48 newGracePeriod) external {
        vm.prank(owner);
        registry.setGracePeriod(newGracePeriod);
        gracePeriod = newGracePeriod;
    }

    /// @dev One of the set's epochs that are in force. The owner commits one if there is no such epoch.
    function epochInForce(uint32 operatorSet, uint256 seed) public returns (uint32) {
        uint32 count = epochCount;
        for (uint32 i = 0; i < count; ++i) {
            uint32 epoch = uint32((seed + i) % count) + 1;
            if (frozen[epoch].operatorSet == operatorSet && isInForce(epoch)) return epoch;
        }
        return commit(operatorSet, seed);
    }

    function isInForce(uint32 epoch) public view returns (bool) {
        return block.timestamp < frozen[epoch].validUntil;
    }

    /// @dev How the contracts refuse an epoch that is not in force.
    function refusalByEpochsEnd(uint32 epoch) public view returns (bytes memory) {
        if (frozen[epoch].revoked) return abi.encodeWithSelector(IRefusals.EpochRevoked.selector, epoch);
        return abi.encodeWithSelector(IRefusals.EpochExpired.selector, epoch, frozen[epoch].validUntil);
    }

    /* WEIGHTS */

    function requiredWeight(uint32 epoch, uint256 quorum) public view returns (uint256) {
        if (quorum < 5001) quorum = 5001;
        return (frozen[epoch].totalWeight * quorum + 9999) / 10_000;
    }

    function weightWithout(uint32 epoch, uint256 absent) public view returns (uint256 weight) {
        FrozenEpoch storage epoch_ = frozen[epoch];
        weight = epoch_.totalWeight;
        for (uint256 i = 0; i < epoch_.weights.length; ++i) {
            if ((absent >> i) & 1 == 1) weight -= epoch_.weights[i];
        }
    }

    /// @dev As many of the operators of `wanted` as can be absent with the quorum still reached.
    function absentees(uint32 epoch, uint256 quorum, uint256 wanted) public view returns (uint256 absent) {
        FrozenEpoch storage epoch_ = frozen[epoch];
        uint256 spare = epoch_.totalWeight - requiredWeight(epoch, quorum);
        for (uint256 i = 0; i < epoch_.weights.length; ++i) {
            if ((wanted >> i) & 1 == 0 || epoch_.weights[i] > spare) continue;
            spare -= epoch_.weights[i];
            absent |= 1 << i;
        }
    }

    /// @dev So many that the quorum is just missed.
    function tooManyAbsentees(uint32 epoch, uint256 quorum, uint256 seed) external view returns (uint256 absent) {
        uint256 count = frozen[epoch].weights.length;
        for (uint256 i = seed % count; weightWithout(epoch, absent) >= requiredWeight(epoch, quorum); ++i) {
            absent |= 1 << (i % count);
        }
    }

    function _newKey(uint256 index) private returns (bytes memory key, bytes memory proof) {
        uint256 secret = OperatorKeys.secretKey(_keysMade++);
        operators[index].secret = secret;
        key = OperatorKeys.publicKey(secret);
        proof = OperatorKeys.proofOfPossession(secret, registry, operatorAddress(index), key);
    }
}
