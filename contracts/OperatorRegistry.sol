// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ProposedChanges} from "./ProposedChanges.sol";
import {Epoch, IAttestationValidator} from "./interfaces/IAttestationValidator.sol";
import {EpochApproval, IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {IStakeSource} from "./interfaces/IStakeSource.sol";
import {EpochId, MAX_EPOCH_LIFETIME, OperatorSetId} from "./interfaces/Protocol.sol";
import {BLS12381, G1Point, G2Point} from "./libraries/BLS12381.sol";
import {OperatorTable, TableEntry, TableHead} from "./libraries/OperatorTable.sol";
import {Precompiles} from "./libraries/Precompiles.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {Pointer} from "./types/Pointer.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {DynamicBufferLib} from "solady/utils/DynamicBufferLib.sol";
import {EIP712} from "solady/utils/EIP712.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @title OperatorRegistry
/// @notice Operators, their keys, and the epochs committed from them.
/// @dev The owner is trusted to choose the operators of an epoch, with notice. It cannot sign for them: see
/// docs/security.md.
contract OperatorRegistry is IOperatorRegistry, ProposedChanges, EIP712 {
    using DynamicBufferLib for DynamicBufferLib.DynamicBuffer;

    /// @dev An operator's key.
    struct RegisteredKey {
        /// @dev The contract whose code is the key; zero if the operator is not registered.
        address pointer;
        /// @dev When the operator disabled it (Unix time); zero if it did not.
        uint48 disabledAt;
    }

    /// @dev The operators staged for a set's next epoch.
    struct Staged {
        address[] tables;
        /// @dev When the weights of the first table were read (Unix time).
        uint48 since;
    }

    /// @dev An epoch as validators know it, and when it was committed, in the same two slots.
    struct CommittedEpoch {
        address table;
        OperatorSetId operatorSet;
        uint48 validUntil;
        uint48 expiresAt;
        uint48 committedAt;
    }

    /// @dev An epoch that is committed but not activated.
    struct PendingEpoch {
        EpochId epoch;
        uint48 activatesAt;
    }

    /// @notice The most validators. With `UPDATE_GAS`, bounds the gas of revoking an epoch.
    uint256 public constant MAX_VALIDATORS = 16;

    /// @notice The gas that a validator gets to update an epoch: ten times what a TaskManager uses.
    /// @dev Bounded so that no validator can use up the gas of a revocation.
    uint256 public constant UPDATE_GAS = 500_000;

    /// @notice The most live epochs of a set. Bounds the gas of `revokeOperatorSet`.
    uint256 public constant MAX_LIVE_EPOCHS = 32;

    /// @notice The share of the current epoch's weight that approves a pending one, in basis points.
    uint16 public constant APPROVAL_QUORUM = 6667;

    /// @notice The domain separation tag of approvals.
    /// @dev Separate from that of attestations, whose roots can be any 32 bytes. assent-verifier has the same.
    bytes public constant APPROVAL_TAG = "ASSENT_EPOCH_APPROVAL_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    /// @dev Ciphersuite tag for proofs of possession (IETF BLS signature draft, section 4.2.3): an attestation's
    /// signature is not a proof.
    bytes private constant POSSESSION_TAG = "BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
    bytes32 private constant POSSESSION_TYPEHASH = keccak256("ProofOfPossession(address operator,bytes publicKey)");
    bytes32 private constant APPROVAL_TYPEHASH =
        keccak256("EpochApproval(address registry,uint32 operatorSet,uint32 signedBy,bytes32 setHash,uint48 deadline)");

    mapping(EpochId epoch => CommittedEpoch) private _epochs;
    /// @inheritdoc IOperatorRegistry
    mapping(OperatorSetId operatorSet => EpochId epoch) public latestEpoch;
    /// @inheritdoc IOperatorRegistry
    mapping(OperatorSetId operatorSet => PendingEpoch) public pendingEpoch;
    /// @inheritdoc IOperatorRegistry
    mapping(bytes32 keyHash => bool) public isKeyUsed;
    /// @inheritdoc IOperatorRegistry
    IStakeSource public stakeSource;
    /// @inheritdoc IOperatorRegistry
    uint48 public epochLifetime;
    /// @inheritdoc IOperatorRegistry
    uint48 public activationDelay;
    /// @inheritdoc IOperatorRegistry
    uint48 public gracePeriod;
    /// @inheritdoc IOperatorRegistry
    uint32 public epochCount;

    mapping(address operator => RegisteredKey) private _keys;
    mapping(OperatorSetId operatorSet => Staged) private _staged;
    /// @dev Activated epochs, the oldest first. Those that are no longer live are removed by the next activation.
    mapping(OperatorSetId operatorSet => EpochId[]) private _activated;
    IAttestationValidator[] private _validators;

    /// @param owner The account that commits and revokes epochs.
    /// @param initialStakeSource The source of weights.
    /// @param initialEpochLifetime How long an epoch is valid at most, in seconds.
    /// @param initialActivationDelay How long an epoch is pending, in seconds.
    /// @param initialGracePeriod How long a superseded epoch stays valid, in seconds.
    constructor(
        address owner,
        IStakeSource initialStakeSource,
        uint48 initialEpochLifetime,
        uint48 initialActivationDelay,
        uint48 initialGracePeriod
    ) Ownable(owner) {
        epochLifetime = initialEpochLifetime;
        activationDelay = initialActivationDelay;
        gracePeriod = initialGracePeriod;
        emit EpochLifetimeChanged(initialEpochLifetime);
        emit ActivationDelayChanged(initialActivationDelay);
        emit GracePeriodChanged(initialGracePeriod);
        _requireDelaysWithin(initialEpochLifetime);
        _setStakeSource(initialStakeSource);
    }

    /* OPERATORS */

    /// @inheritdoc IOperatorRegistry
    function registerOperator(bytes calldata publicKey, bytes calldata proofOfPossession) external {
        if (_keys[msg.sender].pointer != address(0)) revert OperatorAlreadyRegistered(msg.sender);
        _acceptKey(publicKey, proofOfPossession);
        emit OperatorRegistered(msg.sender, publicKey);
    }

    /// @inheritdoc IOperatorRegistry
    function rotateKey(bytes calldata publicKey, bytes calldata proofOfPossession) external {
        _requireRegistered(msg.sender);
        _acceptKey(publicKey, proofOfPossession);
        emit KeyRotated(msg.sender, publicKey);
    }

    /// @inheritdoc IOperatorRegistry
    function disableKey() external {
        _requireRegistered(msg.sender);
        bytes memory publicKey = publicKeyOf(msg.sender);
        if (publicKey.length == 0) revert KeyAlreadyDisabled(msg.sender);
        _keys[msg.sender].disabledAt = uint48(block.timestamp);
        emit KeyDisabled(msg.sender, publicKey);
    }

    /// @inheritdoc IOperatorRegistry
    function deregisterOperator() external {
        _requireRegistered(msg.sender);
        delete _keys[msg.sender];
        emit OperatorDeregistered(msg.sender);
    }

    /* COMMITTING */

    /// @inheritdoc IOperatorRegistry
    function stageOperators(OperatorSetId operatorSet, address[] calldata operators) external onlyOwner {
        Staged storage staged = _staged[operatorSet];
        uint256 capacity = OperatorTable.CAPACITY;
        _requireCount(operators.length, capacity, 2 * capacity);
        if (staged.tables.length == OperatorTable.MAX_EARLIER_TABLES) {
            revert TooManyTables(OperatorTable.MAX_EARLIER_TABLES);
        }
        if (staged.tables.length == 0) staged.since = uint48(block.timestamp);

        TableHead memory head;
        (bytes memory entries, address last) = _freeze(head, operatorSet, _lastStaged(staged.tables), operators);
        _requireCount(head.operatorCount, capacity, capacity);
        address table = OperatorTable.write(head, new address[](0), entries);
        staged.tables.push(table);
        emit OperatorsStaged(operatorSet, table, last);
    }

    /// @inheritdoc IOperatorRegistry
    function discardStagedOperators(OperatorSetId operatorSet) external onlyOwner {
        _discardStaged(operatorSet);
    }

    /// @inheritdoc IOperatorRegistry
    function commitEpoch(OperatorSetId operatorSet, address[] calldata operators)
        external
        onlyOwner
        returns (EpochId epoch)
    {
        _requireNonePending(operatorSet);
        _requireCount(operators.length, 1, OperatorTable.CAPACITY);
        address[] memory staged = _staged[operatorSet].tables;
        uint48 weightsReadAt = staged.length == 0 ? uint48(block.timestamp) : _staged[operatorSet].since;
        TableHead memory head;
        (bytes memory entries,) = _freeze(head, operatorSet, _lastStaged(staged), operators);
        _requireCount(head.operatorCount, 1, OperatorTable.CAPACITY);
        for (uint256 i = 0; i < staged.length; ++i) {
            _include(head, staged[i]);
        }
        head.earlierTables = uint8(staged.length);
        delete _staged[operatorSet];

        uint48 delay = EpochId.unwrap(latestEpoch[operatorSet]) == 0 ? 0 : activationDelay;
        uint48 activatesAt = uint48(block.timestamp) + delay;
        epoch = EpochId.wrap(++epochCount);
        address table = OperatorTable.write(head, staged, entries);
        uint48 expiresAt = _expiryOf(weightsReadAt);
        _epochs[epoch] = CommittedEpoch({
            table: table, operatorSet: operatorSet, validUntil: 0, expiresAt: expiresAt, committedAt: weightsReadAt
        });
        emit EpochCommitted(epoch, operatorSet, table, head.operatorCount, head.totalWeight, activatesAt, expiresAt);
        if (delay == 0) _activate(epoch, operatorSet);
        else pendingEpoch[operatorSet] = PendingEpoch({epoch: epoch, activatesAt: activatesAt});
    }

    /* ACTIVATION */

    /// @inheritdoc IOperatorRegistry
    function activateEpoch(EpochId epoch) external {
        OperatorSetId operatorSet = _requirePending(epoch);
        uint48 activatesAt = pendingEpoch[operatorSet].activatesAt;
        if (block.timestamp < activatesAt) revert ActivationTooEarly(epoch, activatesAt);
        _activate(epoch, operatorSet);
    }

    /// @inheritdoc IOperatorRegistry
    function approveEpoch(EpochId epoch, EpochApproval calldata approval) external {
        OperatorSetId operatorSet = _requirePending(epoch);
        EpochId signedBy = latestEpoch[operatorSet];
        (uint256 signed, uint256 total) = _requireApproved(epoch, operatorSet, signedBy, approval);
        emit EpochApproved(epoch, signedBy, signed, total);
        _activate(epoch, operatorSet);
    }

    /* REVOCATION */

    /// @inheritdoc IOperatorRegistry
    function revokeEpochs(EpochId[] calldata revoked) external onlyOwner {
        for (uint256 i = 0; i < revoked.length; ++i) {
            _revoke(revoked[i]);
        }
    }

    /// @inheritdoc IOperatorRegistry
    // Validators that call back can do no more than anyone: nothing is pending, and only the owner commits.
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function revokeOperatorSet(OperatorSetId operatorSet) external onlyOwner {
        EpochId pending = pendingEpoch[operatorSet].epoch;
        if (EpochId.unwrap(pending) != 0) _revoke(pending);
        EpochId[] memory activated = _activated[operatorSet];
        delete _activated[operatorSet];
        for (uint256 i = 0; i < activated.length; ++i) {
            if (_isLive(activated[i])) _revoke(activated[i]);
        }
        if (_staged[operatorSet].tables.length != 0) _discardStaged(operatorSet);
    }

    /* VALIDATORS */

    /// @inheritdoc IOperatorRegistry
    function addValidator(IAttestationValidator validator) external afterNotice {
        if (_validators.length == MAX_VALIDATORS) revert TooManyValidators(MAX_VALIDATORS);
        (, bool isAdded) = _indexOf(validator);
        if (!_isMadeForThis(validator) || isAdded) revert InvalidValidator(validator);
        _validators.push(validator);
        emit ValidatorAdded(validator);
    }

    /// @inheritdoc IOperatorRegistry
    function removeValidator(IAttestationValidator validator) external afterNotice {
        (uint256 index, bool isAdded) = _indexOf(validator);
        if (!isAdded) revert UnknownValidator(validator);
        _validators[index] = _validators[_validators.length - 1];
        _validators.pop();
        emit ValidatorRemoved(validator);
    }

    /// @inheritdoc IOperatorRegistry
    function publishEpoch(EpochId epoch) external {
        CommittedEpoch storage published = _epochs[epoch];
        if (published.table == address(0)) revert NoSuchEpoch(epoch);
        if (_isPending(epoch, published.operatorSet)) revert EpochIsPending(epoch);
        _publish(epoch);
    }

    /* SETTINGS */

    /// @inheritdoc IOperatorRegistry
    function setEpochLifetime(uint48 newEpochLifetime) external onlyOwner {
        if (newEpochLifetime > epochLifetime) _requireNotice();
        _requireDelaysWithin(newEpochLifetime);
        _requireSlashable(newEpochLifetime, stakeSource);
        epochLifetime = newEpochLifetime;
        emit EpochLifetimeChanged(newEpochLifetime);
    }

    /// @inheritdoc IOperatorRegistry
    function setActivationDelay(uint48 newActivationDelay) external afterNotice {
        activationDelay = newActivationDelay;
        _requireDelaysWithin(epochLifetime);
        emit ActivationDelayChanged(newActivationDelay);
    }

    /// @inheritdoc IOperatorRegistry
    function setGracePeriod(uint48 newGracePeriod) external afterNotice {
        gracePeriod = newGracePeriod;
        _requireDelaysWithin(epochLifetime);
        emit GracePeriodChanged(newGracePeriod);
    }

    /// @inheritdoc IOperatorRegistry
    function setStakeSource(IStakeSource newStakeSource) external afterNotice {
        _setStakeSource(newStakeSource);
    }

    /* VIEWS */

    /// @inheritdoc IOperatorRegistry
    function epochs(EpochId epoch)
        external
        view
        returns (address table, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt)
    {
        CommittedEpoch storage stored = _epochs[epoch];
        return (stored.table, stored.operatorSet, stored.validUntil, stored.expiresAt);
    }

    /// @inheritdoc IOperatorRegistry
    function committedAt(EpochId epoch) external view returns (uint48) {
        return _epochs[epoch].committedAt;
    }

    /// @inheritdoc IOperatorRegistry
    function publicKeyOf(address operator) public view returns (bytes memory) {
        address pointer = _usableKey(operator);
        return pointer == address(0) ? bytes("") : SSTORE2.read(pointer);
    }

    /// @inheritdoc IOperatorRegistry
    function keyDisabledAt(address operator) external view returns (uint48) {
        return _keys[operator].disabledAt;
    }

    /// @inheritdoc IOperatorRegistry
    function liveEpochs(OperatorSetId operatorSet) external view returns (EpochId[] memory live) {
        live = _activated[operatorSet];
        uint256 count = 0;
        for (uint256 i = 0; i < live.length; ++i) {
            if (_isLive(live[i])) live[count++] = live[i];
        }
        // Memory-safe: shortens an array.
        assembly ("memory-safe") {
            mstore(live, count)
        }
    }

    /// @inheritdoc IOperatorRegistry
    function setHashOf(EpochId epoch) public view returns (bytes32) {
        address table = _epochs[epoch].table;
        if (table == address(0)) revert NoSuchEpoch(epoch);
        return OperatorTable.setHash(table);
    }

    /// @inheritdoc IOperatorRegistry
    function validators() external view returns (IAttestationValidator[] memory) {
        return _validators;
    }

    /// @inheritdoc IOperatorRegistry
    function stagedTables(OperatorSetId operatorSet) external view returns (address[] memory) {
        return _staged[operatorSet].tables;
    }

    /// @inheritdoc IOperatorRegistry
    function proofOfPossessionDigest(address operator, bytes calldata publicKey) public view returns (bytes32) {
        return _hashTypedData(keccak256(abi.encode(POSSESSION_TYPEHASH, operator, keccak256(publicKey))));
    }

    /// @inheritdoc IOperatorRegistry
    function epochApprovalDigest(OperatorSetId operatorSet, EpochId signedBy, bytes32 setHash, uint48 deadline)
        public
        view
        returns (bytes32)
    {
        return _hashTypedData(
            keccak256(abi.encode(APPROVAL_TYPEHASH, address(this), operatorSet, signedBy, setHash, deadline))
        );
    }

    /* KEYS */

    /// @dev Binding the proof to the caller's address stops others from registering the key. Signing at all stops a key
    /// derived from others' keys (rogue key), whose secret is unknown.
    function _acceptKey(bytes calldata publicKey, bytes calldata proofOfPossession) private {
        G2Point memory key = BLS12381.decodeG2(publicKey);
        G1Point memory proof = BLS12381.decodeG1(proofOfPossession);
        bytes memory message = bytes.concat(proofOfPossessionDigest(msg.sender, publicKey));
        if (!BLS12381.verify(message, POSSESSION_TAG, proof, key)) revert InvalidProofOfPossession();

        // After the proof, so that only a key's holder can mark it as used.
        bytes32 keyHash = keccak256(publicKey);
        if (isKeyUsed[keyHash]) revert KeyAlreadyUsed(keyHash);
        isKeyUsed[keyHash] = true;
        _keys[msg.sender] = RegisteredKey({pointer: SSTORE2.write(publicKey), disabledAt: 0});
    }

    function _requireRegistered(address operator) private view {
        if (_keys[operator].pointer == address(0)) revert OperatorNotRegistered(operator);
    }

    /// @dev Returns the contract whose code is the key that an epoch would hold, or zero.
    function _usableKey(address operator) private view returns (address) {
        RegisteredKey storage key = _keys[operator];
        return key.disabledAt == 0 ? key.pointer : address(0);
    }

    /* TABLES */

    function _requireCount(uint256 count, uint256 least, uint256 most) private pure {
        if (count < least || count > most) revert WrongOperatorCount(count, least, most);
    }

    /// @dev Encodes the entries of at most a full table and fills in `head` for only these.
    /// @param previous The operator before the first of these, or zero. Strictly ascending addresses are distinct.
    /// @return The entries, and the last operator among them or skipped.
    // slither-disable-next-line reentrancy-events
    function _freeze(TableHead memory head, OperatorSetId operatorSet, address previous, address[] calldata operators)
        private
        returns (bytes memory, address)
    {
        uint96[] memory weights = stakeSource.weightsOf(operatorSet, operators);
        if (weights.length != operators.length) revert WrongWeightCount(operators.length, weights.length);
        DynamicBufferLib.DynamicBuffer memory entries;
        for (uint256 i = 0; i < operators.length && head.operatorCount < OperatorTable.CAPACITY; ++i) {
            address operator = operators[i];
            if (operator <= previous) revert OperatorsNotAscending(previous, operator);
            previous = operator;
            address pointer = _usableKey(operator);
            if (pointer == address(0) || weights[i] == 0) {
                emit OperatorSkipped(operatorSet, operator);
                continue;
            }
            bytes memory publicKey = SSTORE2.read(pointer);
            BLS12381.addInPlace(head.negatedAggregate, BLS12381.negate(BLS12381.readG2(publicKey)));
            head.totalWeight += weights[i];
            ++head.operatorCount;
            entries.p(OperatorTable.encodeEntry(publicKey, weights[i], operator));
        }
        return (entries.data, previous);
    }

    // Truncation is meant: the head has fields of these lengths.
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @dev Adds a staged table's operators to the head of the whole set.
    function _include(TableHead memory head, address staged) private view {
        (G2Point memory negatedAggregate, uint256 totalWeight, uint256 operatorCount,) = OperatorTable.readHead(staged);
        BLS12381.addInPlace(head.negatedAggregate, negatedAggregate);
        head.totalWeight += uint96(totalWeight);
        head.operatorCount += uint16(operatorCount);
    }

    /// @dev Returns the last staged operator; zero if none is staged.
    function _lastStaged(address[] memory staged) private view returns (address) {
        if (staged.length == 0) return address(0);
        return OperatorTable.readEntry(staged[staged.length - 1], 0, OperatorTable.CAPACITY - 1).operator;
    }

    function _discardStaged(OperatorSetId operatorSet) private {
        delete _staged[operatorSet];
        emit StagedOperatorsDiscarded(operatorSet);
    }

    /* EPOCHS */

    /// @dev Returns an epoch as validators know it.
    function _stateOf(EpochId epoch) private view returns (Epoch memory) {
        CommittedEpoch storage stored = _epochs[epoch];
        return Epoch({
            table: stored.table,
            operatorSet: stored.operatorSet,
            validUntil: stored.validUntil,
            expiresAt: stored.expiresAt
        });
    }

    function _isPending(EpochId epoch, OperatorSetId operatorSet) private view returns (bool) {
        // Epochs are numbered by this contract, and zero is no epoch.
        // slither-disable-next-line incorrect-equality
        return EpochId.unwrap(epoch) != 0 && EpochId.unwrap(pendingEpoch[operatorSet].epoch) == EpochId.unwrap(epoch);
    }

    /// @dev Returns the set of a pending epoch that has not expired.
    function _requirePending(EpochId epoch) private view returns (OperatorSetId operatorSet) {
        operatorSet = _epochs[epoch].operatorSet;
        if (!_isPending(epoch, operatorSet)) revert EpochNotPending(epoch);
        uint48 expiresAt = _epochs[epoch].expiresAt;
        if (block.timestamp >= expiresAt) revert PendingEpochExpired(epoch, expiresAt);
    }

    /// @dev A pending epoch that was not activated in time does not block the next.
    function _requireNonePending(OperatorSetId operatorSet) private view {
        EpochId pending = pendingEpoch[operatorSet].epoch;
        if (EpochId.unwrap(pending) != 0 && block.timestamp < _epochs[pending].expiresAt) {
            revert EpochIsPending(pending);
        }
    }

    /// @dev Returns the end of an epoch whose weights were read at this time. The stake source may by now slash for
    /// less than when the lifetime was set.
    function _expiryOf(uint48 weightsReadAt) private view returns (uint48 expiresAt) {
        uint48 lifetime = epochLifetime;
        uint48 slashable = stakeSource.slashableFor();
        expiresAt = weightsReadAt + (slashable < lifetime ? slashable : lifetime);
        uint48 time = uint48(block.timestamp);
        _requireDelaysWithin(expiresAt > time ? expiresAt - time : 0);
    }

    // Validators that call back can do no more than anyone: nothing is pending, and only the owner commits.
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function _activate(EpochId epoch, OperatorSetId operatorSet) private {
        delete pendingEpoch[operatorSet];
        _supersede(latestEpoch[operatorSet]);
        latestEpoch[operatorSet] = epoch;
        uint48 validUntil = _epochs[epoch].expiresAt;
        _epochs[epoch].validUntil = validUntil;
        _remember(epoch, operatorSet);
        _publish(epoch);
        emit EpochActivated(epoch, operatorSet, validUntil);
    }

    /// @dev Never extends: a revoked epoch stays revoked, and none outlives its lifetime.
    // slither-disable-next-line reentrancy-events
    function _supersede(EpochId epoch) private {
        uint48 validUntil = uint48(block.timestamp) + gracePeriod;
        if (_epochs[epoch].validUntil <= validUntil) return;
        _epochs[epoch].validUntil = validUntil;
        _publish(epoch);
        emit EpochSuperseded(epoch, validUntil);
    }

    /// @dev Adds an epoch to the set's activated ones, and removes those that are no longer live.
    function _remember(EpochId epoch, OperatorSetId operatorSet) private {
        EpochId[] storage activated = _activated[operatorSet];
        uint256 count = 0;
        for (uint256 i = 0; i < activated.length; ++i) {
            EpochId earlier = activated[i];
            if (_isLive(earlier)) activated[count++] = earlier;
        }
        while (activated.length > count) activated.pop();
        if (count == MAX_LIVE_EPOCHS) revert TooManyEpochs(MAX_LIVE_EPOCHS);
        activated.push(epoch);
    }

    /// @dev Whether something signed under the epoch can still be used, by a recorded root at least.
    function _isLive(EpochId epoch) private view returns (bool) {
        return _epochs[epoch].validUntil != 0 && block.timestamp < _epochs[epoch].expiresAt;
    }

    /// @dev Validators do not know a pending epoch.
    // slither-disable-next-line reentrancy-events
    function _revoke(EpochId epoch) private {
        CommittedEpoch storage revoked = _epochs[epoch];
        if (revoked.table == address(0)) revert NoSuchEpoch(epoch);
        OperatorSetId operatorSet = revoked.operatorSet;
        if (_isPending(epoch, operatorSet)) {
            delete pendingEpoch[operatorSet];
        } else {
            revoked.validUntil = 0;
            _publish(epoch);
        }
        emit EpochRevoked(epoch);
    }

    /* APPROVAL */

    /// @dev Returns the weight that signed and the whole weight of the epoch `signedBy`.
    function _requireApproved(
        EpochId epoch,
        OperatorSetId operatorSet,
        EpochId signedBy,
        EpochApproval calldata approval
    ) private view returns (uint256 signed, uint256 total) {
        if (block.timestamp >= _epochs[signedBy].validUntil) revert NoEpochInForce(operatorSet);
        if (block.timestamp >= approval.deadline) revert ApprovalExpired(approval.deadline);
        bytes32 digest = epochApprovalDigest(operatorSet, signedBy, setHashOf(epoch), approval.deadline);

        G2Point memory negatedKey;
        (signed, total) = _signedWeight(_epochs[signedBy].table, approval.nonSigners, negatedKey);
        uint256 required = Quorum.requiredWeight(total, APPROVAL_QUORUM);
        if (signed < required) revert ApprovalQuorumNotReached(signed, required);
        G1Point memory signature = BLS12381.decodeG1(approval.signature);
        if (!BLS12381.verify(bytes.concat(digest), APPROVAL_TAG, signature, BLS12381.negate(negatedKey))) {
            revert InvalidApproval();
        }
    }

    /// @dev Writes minus the sum of the signers' keys to `negatedKey`, which must be the last memory that is allocated.
    function _signedWeight(address table, bytes calldata nonSigners, G2Point memory negatedKey)
        private
        view
        returns (uint256 signed, uint256 total)
    {
        Pointer pointer;
        assembly ("memory-safe") {
            pointer := negatedKey
        }
        return OperatorTable.signedWeight(table, nonSigners, pointer);
    }

    /* PUBLISHING */

    /// @dev A validator that reverts, or whose code is gone, must not block a revocation.
    // slither-disable-next-line calls-loop,reentrancy-events
    function _publish(EpochId epoch) private {
        Epoch memory published = _stateOf(epoch);
        for (uint256 i = 0; i < _validators.length; ++i) {
            IAttestationValidator validator = _validators[i];
            if (!_tryUpdate(validator, epoch, published)) emit ValidatorUpdateFailed(validator, epoch);
        }
    }

    /// @dev With too little gas for the validator it reverts: callers must not choose which validators they update.
    function _tryUpdate(IAttestationValidator validator, EpochId epoch, Epoch memory published) private returns (bool) {
        if (address(validator).code.length == 0) return false;
        uint256 available = gasleft();
        try validator.updateEpoch{gas: UPDATE_GAS}(epoch, published) {
            return true;
        } catch {
            // A call gets 63/64 of what is left after its own costs (EIP-150), for which 10,000 are enough.
            if (available < UPDATE_GAS * 64 / 63 + 10_000) revert Precompiles.InsufficientGas();
            return false;
        }
    }

    function _isMadeForThis(IAttestationValidator validator) private view returns (bool) {
        return address(validator).code.length != 0 && validator.OPERATOR_REGISTRY() == address(this);
    }

    function _indexOf(IAttestationValidator validator) private view returns (uint256 index, bool isAdded) {
        for (index = 0; index < _validators.length; ++index) {
            if (address(_validators[index]) == address(validator)) return (index, true);
        }
    }

    /* DELAYS */

    /// @inheritdoc ProposedChanges
    function _noticePeriod() internal view override returns (uint48) {
        return epochCount == 0 ? 0 : activationDelay;
    }

    /// @dev Otherwise commits could keep a set without an epoch in force.
    function _requireDelaysWithin(uint48 lifetime) private view {
        if (uint256(activationDelay) + gracePeriod >= lifetime) {
            revert DelaysTooLong(activationDelay, gracePeriod, lifetime);
        }
    }

    function _requireSlashable(uint48 lifetime, IStakeSource source) private view {
        uint48 longest = source.slashableFor();
        if (longest > MAX_EPOCH_LIFETIME) longest = MAX_EPOCH_LIFETIME;
        if (lifetime > longest) revert EpochLifetimeTooLong(lifetime, longest);
    }

    function _setStakeSource(IStakeSource newStakeSource) private {
        if (address(newStakeSource).code.length == 0) revert InvalidStakeSource(newStakeSource);
        _requireSlashable(epochLifetime, newStakeSource);
        stakeSource = newStakeSource;
        emit StakeSourceChanged(newStakeSource);
    }

    /// @dev EIP-712 domain: the chain's id and this contract's address are added by the base.
    function _domainNameAndVersion() internal pure override returns (string memory name, string memory version) {
        return ("Assent", "1");
    }
}
