// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ProposedChanges} from "../ProposedChanges.sol";
import {Epoch, IAttestationValidator} from "../interfaces/IAttestationValidator.sol";
import {Handover, IEpochMirror, MirrorSettings, SignedByOperators} from "../interfaces/IEpochMirror.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId, MAX_EPOCH_LIFETIME, OperatorSetId} from "../interfaces/Protocol.sol";
import {OperatorTable} from "../libraries/OperatorTable.sol";
import {Precompiles} from "../libraries/Precompiles.sol";
import {Quorum} from "../libraries/Quorum.sol";
import {EpochHandover} from "./EpochHandover.sol";
import {EpochSignature} from "./EpochSignature.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @title EpochMirror
/// @notice Holds the epochs of a registry on another chain. Each epoch's operators hand over to the next.
/// @dev It asks no bridge and no owner: an epoch is accepted only if a quorum of an unexpired epoch signed it. A false
/// signature can be proved on the registry's chain, where the signers have their stake.
/// @dev Warning: The owner can choose operators by `setGenesis`, after notice.
contract EpochMirror is IEpochMirror, ProposedChanges {
    /// @notice The most validators, as of the registry.
    uint256 public constant MAX_VALIDATORS = 16;
    /// @notice The gas that a validator gets to update an epoch, as of the registry.
    uint256 public constant UPDATE_GAS = 500_000;
    /// @notice The domain separation tag of handovers and revocations.
    bytes public constant EPOCH_TAG = EpochSignature.TAG;

    /// @dev The `validUntil` of an epoch that was revoked before it was here. In the slot of `table`, which is read
    /// for each handover: a mark elsewhere would cost 2,100 gas more.
    uint48 private constant _REVOKED_AHEAD = 1;

    /// @notice The chain of the registry.
    uint256 public immutable HOME_CHAIN;
    /// @notice The registry whose epochs are mirrored.
    address public immutable HOME_REGISTRY;
    /// @notice The share of an epoch's weight that hands over to the next, in basis points.
    uint16 public immutable QUORUM;
    /// @notice The share of an epoch's weight that revokes it, in basis points.
    uint16 public immutable HALT_QUORUM;
    /// @notice How long a superseded epoch stays valid, in seconds.
    uint48 public immutable GRACE_PERIOD;
    /// @notice How long before it is applied the owner proposes a change, in seconds.
    uint48 public immutable NOTICE;
    /// @notice The account that may revoke epochs; zero if no account may.
    address public immutable GUARDIAN;

    /// @inheritdoc IEpochMirror
    mapping(EpochId epoch => Epoch) public epochs;
    /// @inheritdoc IEpochMirror
    mapping(OperatorSetId operatorSet => EpochId epoch) public latestEpoch;
    /// @notice Whether a table was stored here.
    mapping(address table => bool) public isStored;
    IAttestationValidator[] private _validators;
    bool private _hasEpoch;

    /// @param owner The account that adds validators and sets the first epochs.
    /// @param settings The settings, which never change.
    constructor(address owner, MirrorSettings memory settings) Ownable(owner) {
        if (
            settings.homeRegistry == address(0) || !Quorum.isAcceptable(settings.quorum)
                || !Quorum.isShare(settings.haltQuorum) || settings.gracePeriod >= MAX_EPOCH_LIFETIME
                || settings.notice == 0
        ) revert InvalidMirrorSettings();
        HOME_CHAIN = settings.homeChain;
        HOME_REGISTRY = settings.homeRegistry;
        QUORUM = settings.quorum;
        HALT_QUORUM = settings.haltQuorum;
        GRACE_PERIOD = settings.gracePeriod;
        NOTICE = settings.notice;
        GUARDIAN = settings.guardian;
    }

    /* HANDOVER */

    /// @inheritdoc IEpochMirror
    // Validators that call back can do no more than anyone.
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function accept(
        Handover calldata handover,
        bytes calldata table,
        bytes calldata nonSigners,
        bytes calldata signature
    ) external {
        bytes memory code = _requireHandover(handover, table, nonSigners, signature);
        Epoch memory next = _store(handover.operatorSet, handover.epoch, handover.expiresAt, code);
        _supersede(handover.signedBy);
        emit EpochAccepted(handover.epoch, handover.signedBy, handover.operatorSet, next.table);
        _publish(handover.epoch, next);
    }

    /// @inheritdoc IEpochMirror
    function storeTable(bytes calldata entries) external returns (address table) {
        if (entries.length != OperatorTable.ENTRY_LENGTH * OperatorTable.CAPACITY) revert MalformedTable();
        table = SSTORE2.write(abi.encodePacked(new bytes(OperatorTable.HEAD_LENGTH), entries));
        isStored[table] = true;
        emit TableStored(table, keccak256(entries));
    }

    /* REVOCATION */

    /// @inheritdoc IEpochMirror
    function revoke(EpochId epoch, bytes calldata nonSigners, bytes calldata signature) external {
        (uint256 signed, uint256 total) = EpochSignature.requireSigned(
            _tableOf(epoch), HALT_QUORUM, revocationDigest(epoch), EPOCH_TAG, nonSigners, signature
        );
        emit EpochHalted(epoch, signed, total);
        _revoke(epoch);
    }

    /// @inheritdoc IEpochMirror
    function revokeAhead(
        Handover calldata handover,
        bytes calldata table,
        SignedByOperators calldata handedOver,
        SignedByOperators calldata revoked
    ) external {
        bytes memory code = _requireHandover(handover, table, handedOver.nonSigners, handedOver.signature);
        // Signers are read from a table's code.
        (uint256 signed, uint256 total) = EpochSignature.requireSigned(
            SSTORE2.write(code),
            HALT_QUORUM,
            revocationDigest(handover.epoch),
            EPOCH_TAG,
            revoked.nonSigners,
            revoked.signature
        );
        emit EpochHalted(handover.epoch, signed, total);
        _revoke(handover.epoch);
    }

    /// @inheritdoc IEpochMirror
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function guardianRevoke(EpochId[] calldata revoked) external {
        if (GUARDIAN == address(0) || msg.sender != GUARDIAN) revert NotGuardian(msg.sender);
        for (uint256 i = 0; i < revoked.length; ++i) {
            _revoke(revoked[i]);
        }
    }

    /* OWNER */

    /// @inheritdoc IEpochMirror
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function setGenesis(OperatorSetId operatorSet, EpochId epoch, uint48 expiresAt, bytes calldata table)
        external
        afterNotice
    {
        EpochId latest = latestEpoch[operatorSet];
        _requireNext(epoch, latest);
        _requireEnd(epoch, block.timestamp, expiresAt);
        bytes memory code = table;
        _requireWellFormed(code);
        Epoch memory next = _store(operatorSet, epoch, expiresAt, code);
        _hasEpoch = true;
        _supersede(latest);
        emit GenesisSet(epoch, operatorSet, next.table);
        _publish(epoch, next);
    }

    /// @inheritdoc IEpochMirror
    function addValidator(IAttestationValidator validator) external afterNotice {
        (, bool isAdded) = _indexOf(validator);
        if (_validators.length == MAX_VALIDATORS) revert IOperatorRegistry.TooManyValidators(MAX_VALIDATORS);
        if (isAdded || address(validator).code.length == 0 || validator.OPERATOR_REGISTRY() != address(this)) {
            revert IOperatorRegistry.InvalidValidator(validator);
        }
        _validators.push(validator);
        emit IOperatorRegistry.ValidatorAdded(validator);
    }

    /// @inheritdoc IEpochMirror
    function removeValidator(IAttestationValidator validator) external afterNotice {
        (uint256 index, bool isAdded) = _indexOf(validator);
        if (!isAdded) revert IOperatorRegistry.UnknownValidator(validator);
        _validators[index] = _validators[_validators.length - 1];
        _validators.pop();
        emit IOperatorRegistry.ValidatorRemoved(validator);
    }

    /// @inheritdoc IEpochMirror
    function publishEpoch(EpochId epoch) external {
        _tableOf(epoch);
        _publish(epoch, epochs[epoch]);
    }

    /* VIEWS */

    /// @inheritdoc IEpochMirror
    function setHashOf(EpochId epoch) external view returns (bytes32) {
        return OperatorTable.setHash(_tableOf(epoch));
    }

    /// @inheritdoc IEpochMirror
    function validators() external view returns (IAttestationValidator[] memory) {
        return _validators;
    }

    /// @inheritdoc IEpochMirror
    function handoverDigest(Handover calldata handover) external pure returns (bytes32) {
        return EpochHandover.digest(handover);
    }

    /// @inheritdoc IEpochMirror
    function revocationDigest(EpochId epoch) public view returns (bytes32) {
        return EpochSignature.revocationDigest(HOME_CHAIN, HOME_REGISTRY, epoch);
    }

    /* CHECKS */

    /// @dev Returns the table's bytes.
    function _requireHandover(
        Handover calldata handover,
        bytes calldata table,
        bytes calldata nonSigners,
        bytes calldata signature
    ) private view returns (bytes memory code) {
        _requireHome(handover);
        EpochId signedBy = latestEpoch[handover.operatorSet];
        address signers = _requireSigner(handover.signedBy, signedBy);
        _requireNext(handover.epoch, signedBy);
        if (handover.committedAt > block.timestamp) revert CommittedLater(handover.epoch, handover.committedAt);
        _requireEnd(handover.epoch, handover.committedAt, handover.expiresAt);
        bytes32 digest = EpochHandover.digest(handover);
        EpochSignature.requireSigned(signers, QUORUM, digest, EPOCH_TAG, nonSigners, signature);
        code = table;
        _requireWellFormed(code);
        bytes32 actual = EpochHandover.contentHash(code);
        if (actual != handover.contentHash) revert WrongContent(handover.contentHash, actual);
    }

    function _requireHome(Handover calldata handover) private view {
        if (handover.homeChain != HOME_CHAIN || handover.homeRegistry != HOME_REGISTRY) {
            revert WrongHome(handover.homeChain, handover.homeRegistry);
        }
    }

    /// @dev Returns the table of the epoch that signed.
    function _requireSigner(EpochId signedBy, EpochId latest) private view returns (address) {
        if (EpochId.unwrap(latest) == 0 || EpochId.unwrap(signedBy) != EpochId.unwrap(latest)) {
            revert WrongSigner(signedBy, latest);
        }
        Epoch storage signer = epochs[latest];
        if (block.timestamp >= signer.validUntil) revert SignerExpired(latest, signer.validUntil);
        return signer.table;
    }

    function _requireNext(EpochId epoch, EpochId latest) private view {
        Epoch storage known = epochs[epoch];
        if (EpochId.unwrap(epoch) <= EpochId.unwrap(latest) || known.table != address(0)) {
            revert NotLater(epoch, latest);
        }
        if (known.validUntil != 0) revert EpochWasRevoked(epoch);
    }

    /// @dev No lifetime is longer.
    function _requireEnd(EpochId epoch, uint256 committedAt, uint48 expiresAt) private view {
        if (block.timestamp >= expiresAt || expiresAt > committedAt + MAX_EPOCH_LIFETIME) {
            revert InvalidExpiry(epoch, expiresAt);
        }
    }

    /// @dev Reverts unless the bytes are a table of at least one operator, and the earlier tables are here.
    function _requireWellFormed(bytes memory table) private view {
        if (table.length < OperatorTable.HEAD_LENGTH) revert MalformedTable();
        (uint256 operatorCount, uint256 earlierTables) = EpochHandover.countsOf(table);
        uint256 first = OperatorTable.CAPACITY * earlierTables;
        uint256 head = OperatorTable.HEAD_LENGTH + OperatorTable.ADDRESS_LENGTH * earlierTables;
        if (
            earlierTables > OperatorTable.MAX_EARLIER_TABLES || operatorCount <= first
                || operatorCount > first + OperatorTable.CAPACITY
                || table.length != head + OperatorTable.ENTRY_LENGTH * (operatorCount - first)
        ) revert MalformedTable();
        for (uint256 i = 0; i < earlierTables; ++i) {
            address earlier = EpochHandover.earlierTable(table, i);
            if (!isStored[earlier]) revert UnknownTable(earlier);
        }
    }

    function _tableOf(EpochId epoch) private view returns (address table) {
        table = epochs[epoch].table;
        if (table == address(0)) revert IOperatorRegistry.NoSuchEpoch(epoch);
    }

    /* EPOCHS */

    function _store(OperatorSetId operatorSet, EpochId epoch, uint48 expiresAt, bytes memory code)
        private
        returns (Epoch memory stored)
    {
        stored.table = SSTORE2.write(code);
        (stored.operatorSet, stored.validUntil, stored.expiresAt) = (operatorSet, expiresAt, expiresAt);
        epochs[epoch] = stored;
        latestEpoch[operatorSet] = epoch;
    }

    /// @dev Never extends: a revoked epoch stays revoked. Emits nothing: the event of the next epoch says it.
    // slither-disable-next-line reentrancy-events
    function _supersede(EpochId number) private {
        uint48 validUntil = uint48(block.timestamp) + GRACE_PERIOD;
        Epoch memory epoch = epochs[number];
        if (epoch.validUntil <= validUntil) return;
        epoch.validUntil = validUntil;
        epochs[number].validUntil = validUntil;
        _publish(number, epoch);
    }

    // slither-disable-next-line reentrancy-events
    function _revoke(EpochId epoch) private {
        Epoch storage revoked = epochs[epoch];
        bool isHere = revoked.table != address(0);
        revoked.validUntil = isHere ? 0 : _REVOKED_AHEAD;
        emit IOperatorRegistry.EpochRevoked(epoch);
        // Validators do not know an epoch that is not here.
        if (isHere) _publish(epoch, revoked);
    }

    /// @dev A validator that reverts, or whose code is gone, must not block a revocation.
    // slither-disable-next-line calls-loop,reentrancy-events
    function _publish(EpochId number, Epoch memory epoch) private {
        for (uint256 i = 0; i < _validators.length; ++i) {
            IAttestationValidator validator = _validators[i];
            if (!_tryUpdate(validator, number, epoch)) {
                emit IOperatorRegistry.ValidatorUpdateFailed(validator, number);
            }
        }
    }

    /// @dev With too little gas for the validator it reverts: callers must not choose which validators they update.
    function _tryUpdate(IAttestationValidator validator, EpochId number, Epoch memory epoch) private returns (bool) {
        if (address(validator).code.length == 0) return false;
        uint256 available = gasleft();
        try validator.updateEpoch{gas: UPDATE_GAS}(number, epoch) {
            return true;
        } catch {
            // A call gets 63/64 of what is left after its own costs (EIP-150), for which 10,000 are enough.
            if (available < UPDATE_GAS * 64 / 63 + 10_000) revert Precompiles.InsufficientGas();
            return false;
        }
    }

    function _indexOf(IAttestationValidator validator) private view returns (uint256 index, bool isAdded) {
        for (index = 0; index < _validators.length; ++index) {
            if (address(_validators[index]) == address(validator)) return (index, true);
        }
    }

    /// @inheritdoc ProposedChanges
    function _noticePeriod() internal view override returns (uint48) {
        return _hasEpoch ? NOTICE : 0;
    }
}
