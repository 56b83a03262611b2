// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochApproval} from "../../../contracts/interfaces/IOperatorRegistry.sol";
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
        /// Its key is disabled: epochs skip it until it rotates.
        bool disabled;
        uint256 secret;
        /// By operator set; 0 is no set.
        uint96[3] weights;
    }

    struct FrozenEpoch {
        uint32 operatorSet;
        uint48 validUntil;
        uint48 expiresAt;
        /// Zero once it is activated or revoked.
        uint48 activatesAt;
        bool known;
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
    mapping(uint32 operatorSet => uint32 epoch) public pendingEpoch;
    /// @dev Shorter than most attestations' lifetimes, so that some outlive the epoch that a next one supersedes.
    uint48 public gracePeriod = 10 minutes;
    Operator[] internal operators;
    mapping(uint32 epoch => FrozenEpoch) internal frozen;
    uint256 private _keysMade;

    function activationDelay() internal pure override returns (uint48) {
        return 1 days;
    }

    function deployOperatorSets() internal {
        vm.warp(1_800_000_000);
        ownerStakeSource = new OwnerStakeSource(owner);
        registry = deployRegistry();
        taskManager = deployTaskManager();
        otherTaskManager = deployTaskManager();
        vm.startPrank(owner);
        registry.setGracePeriod(gracePeriod);
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
        (operators[index].registered, operators[index].disabled) = (true, false);
    }

    function rotateKey(uint256 index) public {
        (bytes memory key, bytes memory proof) = _newKey(index);
        vm.prank(operatorAddress(index));
        registry.rotateKey(key, proof);
        operators[index].disabled = false;
    }

    function disableKey(uint256 index) external {
        vm.prank(operatorAddress(index));
        registry.disableKey();
        operators[index].disabled = true;
    }

    function stepDown(uint256 index) external {
        vm.prank(operatorAddress(index));
        registry.deregisterOperator();
        (operators[index].registered, operators[index].disabled) = (false, false);
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

    /// @dev Names those of the operators whose bit of `wanted` is set, and the first. Of them, the registry is to skip
    /// those without a key or weight. The epoch is pending, unless it is the set's first.
    function commit(uint32 operatorSet, uint256 wanted) public returns (uint32 epoch) {
        endPending(operatorSet);
        FrozenEpoch storage next = frozen[++epochCount];
        uint256 count = 0;
        address[] memory addresses = operatorAddresses(0, operators.length);
        for (uint256 i = 0; i < operators.length; ++i) {
            if (i != 0 && (wanted >> i) & 1 == 0) continue;
            addresses[count++] = operatorAddress(i);
            Operator storage candidate = operators[i];
            uint96 weight = candidate.weights[operatorSet];
            if (!candidate.registered || candidate.disabled || weight == 0) continue;
            next.members.push(i);
            next.weights.push(weight);
            next.secrets.push(candidate.secret);
            next.totalWeight += weight;
        }
        assembly {
            mstore(addresses, count)
        }
        vm.prank(owner);
        epoch = EpochId.unwrap(registry.commitEpoch(OperatorSetId.wrap(operatorSet), addresses));
        assertEq(epoch, epochCount, "epochs are numbered from 1");

        (next.operatorSet, next.expiresAt) = (operatorSet, uint48(block.timestamp) + EPOCH_LIFETIME);
        (next.table,,,) = registry.epochs(EpochId.wrap(epoch));
        next.codeHash = next.table.codehash;
        if (latestEpoch[operatorSet] == 0) return _noteActivated(epoch);
        frozen[pendingEpoch[operatorSet]].activatesAt = 0;
        next.activatesAt = uint48(block.timestamp) + activationDelay();
        pendingEpoch[operatorSet] = epoch;
    }

    /// @dev In force at once, if the set's latest epoch is in force to approve it.
    function commitApproved(uint32 operatorSet, uint256 wanted) external returns (uint32 epoch) {
        epoch = commit(operatorSet, wanted);
        if (pendingEpoch[operatorSet] == epoch && isInForce(latestEpoch[operatorSet])) approve(epoch);
    }

    /// @dev By a passer-by. The epoch must be pending, and its delay over.
    function activate(uint32 epoch) public {
        registry.activateEpoch(EpochId.wrap(epoch));
        _noteActivated(epoch);
    }

    /// @dev By all operators of the set's latest epoch, which must be in force.
    function approve(uint32 epoch) public {
        FrozenEpoch storage signing = frozen[latestEpoch[frozen[epoch].operatorSet]];
        uint256 sum = 0;
        for (uint256 i = 0; i < signing.secrets.length; ++i) {
            sum = addmod(sum, signing.secrets[i], OperatorKeys.ORDER);
        }
        registry.approveEpoch(EpochId.wrap(epoch), approvalBy(sum, epoch));
        _noteActivated(epoch);
    }

    /// @dev Signed with any secret.
    function approvalBy(uint256 secret, uint32 epoch) public view returns (EpochApproval memory) {
        uint32 set = frozen[epoch].operatorSet;
        uint48 deadline = uint48(block.timestamp) + 1;
        bytes32 digest = registry.epochApprovalDigest(
            OperatorSetId.wrap(set), EpochId.wrap(latestEpoch[set]), registry.setHashOf(EpochId.wrap(epoch)), deadline
        );
        bytes memory signature = OperatorKeys.sign(secret, bytes.concat(digest), OperatorKeys.EPOCH_APPROVAL_TAG);
        return EpochApproval(deadline, signature, "");
    }

    /// @dev Validators learn even of an epoch that was revoked while it was pending.
    function publish(uint32 epoch) external {
        registry.publishEpoch(EpochId.wrap(epoch));
        frozen[epoch].known = true;
    }

    function revoke(uint32 epoch) public {
        vm.prank(owner);
        registry.revokeEpochs(only(EpochId.wrap(epoch)));
        _noteRevoked(epoch);
    }

    function revokeSet(uint32 operatorSet) external {
        vm.prank(owner);
        registry.revokeOperatorSet(OperatorSetId.wrap(operatorSet));
        for (uint32 epoch = 1; epoch <= epochCount; ++epoch) {
            if (frozen[epoch].operatorSet != operatorSet) continue;
            bool isLive = frozen[epoch].known && block.timestamp < frozen[epoch].expiresAt;
            if (isLive || pendingEpoch[operatorSet] == epoch) _noteRevoked(epoch);
        }
    }

    /// @dev After notice, which takes a day.
    function setGracePeriod(uint48 newGracePeriod) external {
        bytes memory change = abi.encodeCall(registry.setGracePeriod, (newGracePeriod));
        vm.prank(owner);
        registry.proposeChange(change);
        skip(activationDelay());
        vm.prank(owner);
        registry.setGracePeriod(newGracePeriod);
        gracePeriod = newGracePeriod;
    }

    /// @dev What has ended may have to be replaced, which can take a day. So this comes before anything is signed.
    function keepEpochsInForce() external {
        for (uint32 i = 0; i < 6; ++i) {
            epochInForce(1 + i % 2, 0);
        }
    }

    /// @dev One of the set's epochs that are in force. Otherwise the pending one comes into force, or one that the
    /// owner commits.
    function epochInForce(uint32 operatorSet, uint256 seed) public returns (uint32) {
        uint32 count = epochCount;
        for (uint32 i = 0; i < count; ++i) {
            uint32 epoch = uint32((seed + i) % count) + 1;
            if (frozen[epoch].operatorSet == operatorSet && isInForce(epoch)) return epoch;
        }
        uint32 next = pendingEpoch[operatorSet];
        if (next == 0 || block.timestamp >= frozen[next].expiresAt) next = commit(operatorSet, seed);
        if (block.timestamp < frozen[next].activatesAt) vm.warp(frozen[next].activatesAt);
        activate(next);
        return next;
    }

    /// @dev The set's latest epoch, replaced if it is not in force.
    function latestInForce(uint32 operatorSet) external returns (uint32 epoch) {
        epoch = latestEpoch[operatorSet];
        if (isInForce(epoch)) return epoch;
        epoch = commit(operatorSet, type(uint256).max);
        vm.warp(frozen[epoch].activatesAt);
        activate(epoch);
    }

    function isInForce(uint32 epoch) public view returns (bool) {
        return block.timestamp < frozen[epoch].validUntil;
    }

    /// @dev How the contracts refuse an epoch that is not in force.
    function refusalByEpochsEnd(uint32 epoch) public view returns (bytes memory) {
        FrozenEpoch storage ended = frozen[epoch];
        if (!ended.known) return abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, epoch);
        return ended.revoked
            ? abi.encodeWithSelector(IRefusals.EpochRevoked.selector, epoch)
            : abi.encodeWithSelector(IRefusals.EpochExpired.selector, epoch, ended.validUntil);
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

    /// @dev A set has one pending epoch: the one there is is activated, approved or revoked.
    function endPending(uint32 operatorSet) public {
        uint32 pending = pendingEpoch[operatorSet];
        if (pending == 0) return;
        if (block.timestamp >= frozen[pending].expiresAt) {
            // It blocks no other.
            return;
        } else if (block.timestamp >= frozen[pending].activatesAt) {
            activate(pending);
        } else if (isInForce(latestEpoch[operatorSet])) {
            approve(pending);
        } else {
            revoke(pending);
        }
    }

    function _noteActivated(uint32 epoch) private returns (uint32) {
        FrozenEpoch storage next = frozen[epoch];
        FrozenEpoch storage previous = frozen[latestEpoch[next.operatorSet]];
        uint48 end = uint48(block.timestamp) + gracePeriod;
        if (previous.validUntil > end) previous.validUntil = end;
        (next.validUntil, next.known, next.activatesAt) = (next.expiresAt, true, 0);
        latestEpoch[next.operatorSet] = epoch;
        pendingEpoch[next.operatorSet] = 0;
        return epoch;
    }

    function _noteRevoked(uint32 epoch) private {
        FrozenEpoch storage revoked = frozen[epoch];
        (revoked.validUntil, revoked.activatesAt, revoked.revoked) = (0, 0, true);
        if (pendingEpoch[revoked.operatorSet] == epoch) pendingEpoch[revoked.operatorSet] = 0;
    }

    function _newKey(uint256 index) private returns (bytes memory key, bytes memory proof) {
        uint256 secret = OperatorKeys.secretKey(_keysMade++);
        operators[index].secret = secret;
        key = OperatorKeys.publicKey(secret);
        proof = OperatorKeys.proofOfPossession(secret, registry, operatorAddress(index), key);
    }
}
