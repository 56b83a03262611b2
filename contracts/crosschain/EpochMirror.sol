// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ProposedChanges} from "../ProposedChanges.sol";
import {Epoch, IAttestationValidator} from "../interfaces/IAttestationValidator.sol";
import {EpochContent, Handover, IEpochMirror, MirrorSettings} from "../interfaces/IEpochMirror.sol";
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
/// @dev It asks no bridge and no owner: an epoch is accepted only if a quorum of an unexpired epoch signed it, and a
/// false signature can be proved on the registry's chain, where the signers have their stake.
/// @dev Warning: The owner can choose operators by `setGenesis`, after notice.
contract EpochMirror is IEpochMirror, ProposedChanges {
    /// @notice The most validators, as of the registry.
    uint256 public constant MAX_VALIDATORS = 16;
    /// @notice The gas that a validator gets to update an epoch, as of the registry.
    uint256 public constant UPDATE_GAS = 500_000;
    /// @dev Offset of the number of operators in a head.
    uint256 private constant HEAD_COUNT = 204;
    /// @dev Offset of the number of earlier tables in a head.
    uint256 private constant HEAD_TABLES = 206;

    /// @notice The domain separation tag of handovers and revocations.
    bytes public constant EPOCH_TAG = EpochSignature.TAG;

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
            settings.homeRegistry == address(0) || !Quorum.isAcceptable(settings.quorum) || settings.haltQuorum == 0
                || settings.haltQuorum > Quorum.WHOLE || settings.gracePeriod >= MAX_EPOCH_LIFETIME
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
        EpochContent calldata content,
        bytes calldata nonSigners,
        bytes calldata signature
    ) external {
        _requireHome(handover);
        EpochId signedBy = latestEpoch[handover.operatorSet];
        address signers = _requireSigner(handover.signedBy, signedBy);
        _requireNext(handover.epoch, signedBy, handover.expiresAt);
        EpochSignature.requireSigned(signers, QUORUM, EpochHandover.digest(handover), EPOCH_TAG, nonSigners, signature);
        bytes memory code = _encode(content);
        bytes32 actual = EpochHandover.contentHash(content.head, content.earlierTables, code);
        if (actual != handover.contentHash) revert WrongContent(handover.contentHash, actual);

        address table = _store(handover.operatorSet, handover.epoch, handover.expiresAt, code);
        _supersede(signedBy);
        emit EpochAccepted(handover.epoch, signedBy, handover.operatorSet, table);
        _publish(handover.epoch);
    }

    /// @inheritdoc IEpochMirror
    function storeTable(bytes calldata entries) external returns (address table) {
        if (entries.length != EpochHandover.ENTRY_LENGTH * OperatorTable.CAPACITY) revert MalformedContent();
        table = SSTORE2.write(abi.encodePacked(new bytes(EpochHandover.HEAD_LENGTH), entries));
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
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function guardianRevoke(EpochId[] calldata revoked) external {
        if (GUARDIAN == address(0) || msg.sender != GUARDIAN) revert NotGuardian(msg.sender);
        for (uint256 i = 0; i < revoked.length; ++i) {
            _tableOf(revoked[i]);
            _revoke(revoked[i]);
        }
    }

    /* OWNER */

    /// @inheritdoc IEpochMirror
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function setGenesis(OperatorSetId operatorSet, EpochId epoch, uint48 expiresAt, EpochContent calldata content)
        external
        onlyOwner
    {
        EpochId latest = latestEpoch[operatorSet];
        if (EpochId.unwrap(latest) != 0) _requireNotice();
        _requireNext(epoch, latest, expiresAt);
        address table = _store(operatorSet, epoch, expiresAt, _encode(content));
        _hasEpoch = true;
        _supersede(latest);
        emit GenesisSet(epoch, operatorSet, table);
        _publish(epoch);
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
        _publish(epoch);
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
        uint48 validUntil = epochs[latest].validUntil;
        if (block.timestamp >= validUntil) revert SignerExpired(latest, validUntil);
        return epochs[latest].table;
    }

    function _requireNext(EpochId epoch, EpochId latest, uint48 expiresAt) private view {
        if (EpochId.unwrap(epoch) <= EpochId.unwrap(latest) || epochs[epoch].table != address(0)) {
            revert NotLater(epoch, latest);
        }
        // It was committed before, and no lifetime is longer.
        if (block.timestamp >= expiresAt || expiresAt > block.timestamp + MAX_EPOCH_LIFETIME) {
            revert InvalidExpiry(epoch, expiresAt);
        }
    }

    /// @dev Returns the last table's code. Reverts unless the head describes tables of at least one operator, which are
    /// here.
    function _encode(EpochContent calldata content) private view returns (bytes memory) {
        uint256 entries = content.entries.length / EpochHandover.ENTRY_LENGTH;
        uint256 earlier = content.earlierTables.length;
        if (
            content.head.length != EpochHandover.HEAD_LENGTH
                || content.entries.length != entries * EpochHandover.ENTRY_LENGTH || entries == 0
                || entries > OperatorTable.CAPACITY || earlier > OperatorTable.MAX_EARLIER_TABLES
                || uint8(content.head[HEAD_TABLES]) != earlier
                || uint16(bytes2(content.head[HEAD_COUNT:HEAD_TABLES])) != entries + OperatorTable.CAPACITY * earlier
        ) revert MalformedContent();
        bytes memory addresses;
        for (uint256 i = 0; i < earlier; ++i) {
            if (!isStored[content.earlierTables[i]]) revert UnknownTable(content.earlierTables[i]);
            addresses = abi.encodePacked(addresses, content.earlierTables[i]);
        }
        return abi.encodePacked(content.head, addresses, content.entries);
    }

    function _tableOf(EpochId epoch) private view returns (address table) {
        table = epochs[epoch].table;
        if (table == address(0)) revert IOperatorRegistry.NoSuchEpoch(epoch);
    }

    /* EPOCHS */

    function _store(OperatorSetId operatorSet, EpochId epoch, uint48 expiresAt, bytes memory code)
        private
        returns (address table)
    {
        table = SSTORE2.write(code);
        epochs[epoch] = Epoch({table: table, operatorSet: operatorSet, validUntil: expiresAt, expiresAt: expiresAt});
        latestEpoch[operatorSet] = epoch;
    }

    /// @dev Never extends: a revoked epoch stays revoked.
    // slither-disable-next-line reentrancy-events
    function _supersede(EpochId epoch) private {
        uint48 validUntil = uint48(block.timestamp) + GRACE_PERIOD;
        if (epochs[epoch].validUntil <= validUntil) return;
        epochs[epoch].validUntil = validUntil;
        emit IOperatorRegistry.EpochSuperseded(epoch, validUntil);
        _publish(epoch);
    }

    // slither-disable-next-line reentrancy-events
    function _revoke(EpochId epoch) private {
        epochs[epoch].validUntil = 0;
        emit IOperatorRegistry.EpochRevoked(epoch);
        _publish(epoch);
    }

    /// @dev A validator that reverts, or whose code is gone, must not block a revocation.
    // slither-disable-next-line calls-loop,reentrancy-events
    function _publish(EpochId epoch) private {
        Epoch memory published = epochs[epoch];
        for (uint256 i = 0; i < _validators.length; ++i) {
            IAttestationValidator validator = _validators[i];
            if (!_tryUpdate(validator, epoch, published)) {
                emit IOperatorRegistry.ValidatorUpdateFailed(validator, epoch);
            }
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
