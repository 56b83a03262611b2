// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ProposedChanges} from "../ProposedChanges.sol";
import {EpochSignature} from "../crosschain/EpochSignature.sol";
import {IEpochKeeper, KeeperSettings} from "../interfaces/IEpochKeeper.sol";
import {IMembershipSource} from "../interfaces/IMembershipSource.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";
import {BLS12381} from "../libraries/BLS12381.sol";
import {OperatorTable, TableEntry} from "../libraries/OperatorTable.sol";
import {Quorum} from "../libraries/Quorum.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title EpochKeeper
/// @notice Owns an operator registry, so that no one chooses the operators: anyone commits all members of a set.
/// @dev The registry's stake source must know its members (`IMembershipSource`).
/// @dev Warning: The owner can replace the stake source, and so the operators, after its notice and the registry's.
contract EpochKeeper is IEpochKeeper, ProposedChanges {
    /// @notice The most commits of a set in an epoch's lifetime, unless operators are lost.
    uint256 public constant COMMITS_PER_LIFETIME = 16;
    /// @notice The most commits of a set in an epoch's lifetime: as many as the registry holds live epochs of a set.
    uint256 public constant MAX_COMMITS_PER_LIFETIME = 32;
    /// @notice The domain separation tag of what an epoch's operators sign to revoke it.
    bytes public constant EPOCH_TAG = EpochSignature.TAG;

    /// @inheritdoc IEpochKeeper
    IOperatorRegistry public immutable OPERATOR_REGISTRY;
    /// @notice How long before it is applied the owner proposes a change, in seconds.
    uint48 public immutable NOTICE;
    /// @notice The least time from one commit of a set to the next, in seconds.
    uint48 public immutable INTERVAL;
    /// @notice The share of an epoch's weight that revokes it, in basis points.
    uint16 public immutable HALT_QUORUM;
    /// @notice The least number of operators of an epoch.
    uint16 public immutable MIN_OPERATORS;

    /// @inheritdoc IEpochKeeper
    mapping(OperatorSetId operatorSet => uint48) public lastCommit;
    /// @inheritdoc IEpochKeeper
    address public guardian;

    /// @param owner The account that proposes changes.
    /// @param settings The settings; only the guardian can change.
    constructor(address owner, KeeperSettings memory settings) Ownable(owner) {
        _requireValid(settings);
        OPERATOR_REGISTRY = settings.operatorRegistry;
        NOTICE = settings.notice;
        INTERVAL = settings.interval;
        HALT_QUORUM = settings.haltQuorum;
        MIN_OPERATORS = settings.minOperators;
        _setGuardian(settings.guardian);
    }

    /// @inheritdoc IEpochKeeper
    function acceptRegistry() external {
        _requireSuccession(OPERATOR_REGISTRY, INTERVAL);
        Ownable2Step(address(OPERATOR_REGISTRY)).acceptOwnership();
    }

    /* COMMITTING */

    /// @inheritdoc IEpochKeeper
    function commit(OperatorSetId operatorSet) external returns (EpochId epoch) {
        _requireFrom(operatorSet, nextCommit(operatorSet));
        return _commit(operatorSet);
    }

    /// @inheritdoc IEpochKeeper
    function commitEarly(OperatorSetId operatorSet, uint256 index) external returns (EpochId epoch) {
        _requireFrom(operatorSet, nextEarlyCommit(operatorSet));
        EpochId current = OPERATOR_REGISTRY.latestEpoch(operatorSet);
        if (!_isLost(operatorSet, current, index)) revert NothingLost(current, index);
        return _commit(operatorSet);
    }

    /* REVOCATION */

    /// @inheritdoc IEpochKeeper
    // The registry's validators that call back can do no more than anyone.
    // slither-disable-next-line reentrancy-events
    function revoke(EpochId epoch, bytes calldata nonSigners, bytes calldata signature) external {
        address table = _tableOf(epoch);
        (uint256 signed, uint256 total) =
            EpochSignature.requireSigned(table, HALT_QUORUM, revocationDigest(epoch), EPOCH_TAG, nonSigners, signature);
        EpochId[] memory revoked = new EpochId[](1);
        revoked[0] = epoch;
        emit EpochHalted(epoch, signed, total);
        OPERATOR_REGISTRY.revokeEpochs(revoked);
    }

    /// @inheritdoc IEpochKeeper
    function guardianRevoke(EpochId[] calldata epochs) external {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        emit GuardianRevoked(epochs);
        OPERATOR_REGISTRY.revokeEpochs(epochs);
    }

    /* OWNER */

    /// @inheritdoc IEpochKeeper
    function setGuardian(address newGuardian) external afterNotice {
        _setGuardian(newGuardian);
    }

    /// @inheritdoc IEpochKeeper
    function changeRegistry(bytes calldata change) external afterNotice {
        _requirePermitted(change);
        emit RegistryChanged(change);
        Address.functionCall(address(OPERATOR_REGISTRY), change);
        _requireSuccession(OPERATOR_REGISTRY, INTERVAL);
    }

    /// @inheritdoc IEpochKeeper
    function proposeToRegistry(bytes calldata change) external onlyOwner {
        _requirePermitted(change);
        OPERATOR_REGISTRY.proposeChange(change);
    }

    /// @inheritdoc IEpochKeeper
    function cancelAtRegistry(bytes calldata change) external onlyOwner {
        OPERATOR_REGISTRY.cancelChange(change);
    }

    /* VIEWS */

    /// @inheritdoc IEpochKeeper
    function nextCommit(OperatorSetId operatorSet) public view returns (uint256) {
        return _next(operatorSet, FixedPointMathLib.max(INTERVAL, _spacing(COMMITS_PER_LIFETIME)));
    }

    /// @inheritdoc IEpochKeeper
    function nextEarlyCommit(OperatorSetId operatorSet) public view returns (uint256) {
        return _next(operatorSet, _spacing(MAX_COMMITS_PER_LIFETIME));
    }

    /// @inheritdoc IEpochKeeper
    function committedAt(EpochId epoch) external view returns (uint48) {
        return OPERATOR_REGISTRY.committedAt(epoch);
    }

    /// @inheritdoc IEpochKeeper
    function revocationDigest(EpochId epoch) public view returns (bytes32) {
        return EpochSignature.revocationDigest(block.chainid, address(OPERATOR_REGISTRY), epoch);
    }

    /* TIMES */

    function _requireFrom(OperatorSetId operatorSet, uint256 from) private view {
        if (block.timestamp < from) revert CommitTooEarly(operatorSet, from);
    }

    /// @dev A set without an epoch in force need not wait: it authorizes nothing until the next.
    function _next(OperatorSetId operatorSet, uint256 spacing) private view returns (uint256) {
        uint256 last = lastCommit[operatorSet];
        (,, uint48 validUntil,) = OPERATOR_REGISTRY.epochs(OPERATOR_REGISTRY.latestEpoch(operatorSet));
        return block.timestamp < validUntil ? last + spacing : last;
    }

    /// @dev Returns the time between so many commits in a lifetime. Without it, callers could fill the registry's list
    /// of live epochs, and the next would have to wait until one expires.
    function _spacing(uint256 commits) private view returns (uint256) {
        return FixedPointMathLib.divUp(OPERATOR_REGISTRY.epochLifetime(), commits);
    }

    /* MEMBERS */

    // The registry and its stake source are trusted not to call back.
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function _commit(OperatorSetId operatorSet) private returns (EpochId epoch) {
        lastCommit[operatorSet] = uint48(block.timestamp);
        // An earlier owner may have staged operators that are not members.
        if (OPERATOR_REGISTRY.stagedTables(operatorSet).length != 0) {
            OPERATOR_REGISTRY.discardStagedOperators(operatorSet);
        }
        address[] memory members = _source().membersOf(operatorSet);
        epoch = OPERATOR_REGISTRY.commitEpoch(operatorSet, members);
        (,, uint256 count,) = OperatorTable.readHead(_tableOf(epoch));
        if (count < MIN_OPERATORS) revert TooFewOperators(count, MIN_OPERATORS);
        emit MembersCommitted(epoch, operatorSet, msg.sender);
    }

    /// @dev Returns whether an operator of an epoch lost its weight, or no longer uses its key there.
    function _isLost(OperatorSetId operatorSet, EpochId epoch, uint256 index) private view returns (bool) {
        address table = _tableOf(epoch);
        (,, uint256 count, uint256 earlierTables) = OperatorTable.readHead(table);
        if (index >= count) revert NoSuchOperator(epoch, index);
        TableEntry memory entry = OperatorTable.readEntry(table, earlierTables, index);
        bytes memory key = OPERATOR_REGISTRY.publicKeyOf(entry.operator);
        if (keccak256(key) != keccak256(BLS12381.encode(entry.publicKey))) return true;
        address[] memory operators = new address[](1);
        operators[0] = entry.operator;
        return _source().weightsOf(operatorSet, operators)[0] == 0;
    }

    function _source() private view returns (IMembershipSource) {
        return IMembershipSource(address(OPERATOR_REGISTRY.stakeSource()));
    }

    function _tableOf(EpochId epoch) private view returns (address table) {
        (table,,,) = OPERATOR_REGISTRY.epochs(epoch);
        if (table == address(0)) revert IOperatorRegistry.NoSuchEpoch(epoch);
    }

    /* SETTINGS */

    function _setGuardian(address newGuardian) private {
        // Zero is no guardian.
        // slither-disable-next-line missing-zero-check
        guardian = newGuardian;
        emit GuardianChanged(newGuardian);
    }

    /// @dev What the owner may do, and with notice only. It commits and revokes nothing.
    function _requirePermitted(bytes calldata change) private pure {
        // Less than four bytes are padded, and are no setter.
        // forge-lint: disable-next-line(unsafe-typecast)
        bytes4 selector = bytes4(change);
        if (
            selector != IOperatorRegistry.setStakeSource.selector && selector != IOperatorRegistry.addValidator.selector
                && selector != IOperatorRegistry.removeValidator.selector
                && selector != IOperatorRegistry.setEpochLifetime.selector
                && selector != IOperatorRegistry.setActivationDelay.selector
                && selector != IOperatorRegistry.setGracePeriod.selector
                && selector != Ownable.transferOwnership.selector
        ) revert ForbiddenChange(selector);
    }

    /// @inheritdoc ProposedChanges
    function _noticePeriod() internal view override returns (uint48) {
        return NOTICE;
    }

    function _requireValid(KeeperSettings memory settings) private view {
        IOperatorRegistry registry = settings.operatorRegistry;
        if (
            address(registry).code.length == 0 || settings.notice == 0 || !Quorum.isShare(settings.haltQuorum)
                || settings.minOperators == 0 || settings.minOperators > OperatorTable.CAPACITY
        ) revert InvalidKeeperSettings();
        _requireSuccession(registry, settings.interval);
    }

    /// @dev An epoch must be able to follow another in time.
    function _requireSuccession(IOperatorRegistry registry, uint48 interval) private view {
        if (uint256(interval) + registry.activationDelay() >= registry.epochLifetime()) {
            revert InvalidKeeperSettings();
        }
    }
}
