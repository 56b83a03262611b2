// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator} from "./IAttestationValidator.sol";
import {IStakeSource} from "./IStakeSource.sol";

/// @title Operators, their keys, and the epochs that freeze them
/// @notice Operators register one BLS key each. The registry's owner freezes operator sets into epochs and retires them.
/// @dev A public key is a point of G2 in 192 bytes, a proof of possession one of G1 in 96 (docs/protocol.md). A malformed
/// one reverts with the errors of `BLS12381`.
interface IOperatorRegistry {
    /// @notice A key entered the registry.
    event OperatorRegistered(address indexed operator, bytes publicKey);
    /// @notice An operator replaced its key. Epochs committed before keep the old one.
    event KeyRotated(address indexed operator, bytes publicKey);
    /// @notice An operator left. Epochs committed before keep it.
    event OperatorDeregistered(address indexed operator);
    /// @notice A full table was written that the next epoch of the set will begin with.
    event OperatorsStaged(uint32 indexed operatorSet, address table);
    /// @notice The tables staged for the next epoch of the set were given up.
    event StagedOperatorsDiscarded(uint32 indexed operatorSet);
    /// @notice An operator set was frozen into an epoch.
    event EpochCommitted(
        uint32 indexed epoch, uint32 indexed operatorSet, address table, uint256 operatorCount, uint256 totalWeight
    );
    /// @notice An epoch is good until `validUntil` (Unix time) and no longer.
    event EpochSuperseded(uint32 indexed epoch, uint48 validUntil);
    /// @notice An epoch was retired at once.
    event EpochRetiredByOwner(uint32 indexed epoch);
    /// @notice A validator hears of epochs from now on.
    event ValidatorAdded(IAttestationValidator indexed validator);
    /// @notice The grace period, in seconds, of epochs that are superseded from now on.
    event GracePeriodChanged(uint48 gracePeriod);
    /// @notice Weights of epochs from now on come from here.
    event StakeSourceChanged(IStakeSource stakeSource);

    /// @notice The operator has a key already; `rotateKey` replaces it.
    error OperatorAlreadyRegistered(address operator);
    /// @notice The operator has no key.
    error OperatorNotRegistered(address operator);
    /// @notice A key can be registered once, ever.
    error KeyAlreadyUsed(bytes32 keyHash);
    /// @notice The proof of possession is not the key's signature for this operator, chain and registry.
    error InvalidProofOfPossession();
    /// @notice The operators do not stand in strictly ascending order of their addresses.
    error OperatorsNotAscending(address previous, address next);
    /// @notice The operator has no weight in the set.
    error OperatorWithoutWeight(uint32 operatorSet, address operator);
    /// @notice The number of operators is not one that this call takes.
    error WrongOperatorCount(uint256 count, uint256 least, uint256 most);
    /// @notice No more tables fit into one epoch.
    error TooManyTables(uint256 most);
    /// @notice There is no such epoch.
    error NoSuchEpoch(uint32 epoch);
    /// @notice The validator is not a contract that was made for this registry, or was added before.
    error InvalidValidator(IAttestationValidator validator);
    /// @notice No more validators can be added.
    error TooManyValidators(uint256 most);
    /// @notice The grace period is longer than `MAX_GRACE_PERIOD`, in seconds.
    error GracePeriodTooLong(uint48 gracePeriod, uint48 longest);
    /// @notice The stake source is not a contract.
    error InvalidStakeSource(IStakeSource stakeSource);

    /// @notice Registers the caller with a key that it has proved to hold.
    /// @param publicKey A key that was never registered here.
    /// @param proofOfPossession The key's signature of `proofOfPossessionDigest(caller, publicKey)`.
    function registerOperator(bytes calldata publicKey, bytes calldata proofOfPossession) external;

    /// @notice Replaces the caller's key, for epochs to come.
    function rotateKey(bytes calldata publicKey, bytes calldata proofOfPossession) external;

    /// @notice Removes the caller, from epochs to come.
    function deregisterOperator() external;

    /// @notice Freezes the first operators of a set that is too large for one table. Owner only.
    /// @dev Call it for each 100 operators in turn, then `commitEpoch` with the last 1 to 100. Keys and weights are taken as
    /// they are at this call.
    /// @param operators Exactly 100, in ascending order, above those staged before.
    function stageOperators(uint32 operatorSet, address[] calldata operators) external;

    /// @notice Gives up what was staged for the set's next epoch. Owner only.
    function discardStagedOperators(uint32 operatorSet) external;

    /// @notice Freezes a set into a new epoch and lets the set's present one end after the grace period. Owner only.
    /// @dev Costs about 60,000 gas an operator; above 100 operators see `stageOperators`.
    /// @param operatorSet The operator set.
    /// @param operators 1 to 100 registered operators with weight in the set, in ascending order, above those staged.
    /// @return epoch The new epoch's number.
    function commitEpoch(uint32 operatorSet, address[] calldata operators) external returns (uint32 epoch);

    /// @notice Ends an epoch at once, for cause: nothing it signed is good any more. Owner only.
    function retireEpoch(uint32 epoch) external;

    /// @notice Adds a validator, which hears of every change of an epoch from now on, within the same transaction. Owner only.
    /// @dev Nothing takes it off again: it would keep epochs in force that are retired afterwards. Epochs committed before
    /// reach it through `publishEpoch`.
    /// @param validator One made for this registry.
    function addValidator(IAttestationValidator validator) external;

    /// @notice Tells every validator the state of an epoch once more. Anybody may.
    function publishEpoch(uint32 epoch) external;

    /// @notice Sets for how long a superseded epoch stays good. Owner only.
    /// @param gracePeriod Seconds, at most `MAX_GRACE_PERIOD`.
    function setGracePeriod(uint48 gracePeriod) external;

    /// @notice Sets where weights come from. Owner only.
    function setStakeSource(IStakeSource stakeSource) external;

    /// @notice An epoch: the head of its operator table, its operator set, and the first second (Unix time) at which it is
    /// no longer good. All zero when there is no such epoch; `validUntil` alone is zero when it was retired for cause.
    function epochs(uint32 epoch) external view returns (address table, uint32 operatorSet, uint48 validUntil);

    /// @notice The number of the newest epoch of any set; zero before the first.
    function epochCount() external view returns (uint32);

    /// @notice The newest epoch of a set; zero before the first.
    function latestEpoch(uint32 operatorSet) external view returns (uint32);

    /// @notice The validators that hear of epochs.
    function validators() external view returns (IAttestationValidator[] memory);

    /// @notice The tables staged for the set's next epoch.
    function stagedTables(uint32 operatorSet) external view returns (address[] memory);

    /// @notice An operator's key; empty if it is not registered.
    function publicKeyOf(address operator) external view returns (bytes memory);

    /// @notice Whether a key, by its keccak256, was ever registered.
    function isKeyUsed(bytes32 keyHash) external view returns (bool);

    /// @notice What a proof of possession signs: an EIP-712 digest bound to operator, key, chain and registry.
    function proofOfPossessionDigest(address operator, bytes calldata publicKey) external view returns (bytes32);

    /// @notice For how long a superseded epoch stays good, in seconds.
    function gracePeriod() external view returns (uint48);

    /// @notice Where weights come from.
    function stakeSource() external view returns (IStakeSource);
}
