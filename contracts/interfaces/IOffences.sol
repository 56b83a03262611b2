// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "./Protocol.sol";

/// @title IFault
/// @notice Proves that operators of an epoch did what none of them may do.
interface IFault {
    /// @notice Verifies a proof, and returns whose it is. Reverts if it proves nothing.
    /// @param proof What the fault's page says.
    /// @return epoch The epoch whose operators did it.
    /// @return deed What they did: the same for every proof of the same deed, in whatever epoch.
    /// @return nonSigners Bitmap of the epoch's operators that did not do it, as in an authorization.
    function prove(bytes calldata proof) external view returns (EpochId epoch, bytes32 deed, bytes memory nonSigners);
}

/// @notice A fault, and what it costs.
struct FaultTerms {
    IFault fault;
    /// @dev The share of the stake that an operator has in the set, of 1e18, which it loses.
    uint64 wad;
}

/// @notice An offence that was proved.
struct RecordedOffence {
    /// @dev The epoch whose operators did it.
    EpochId epoch;
    /// @dev The share that each of them loses, of 1e18; zero if there is no such record.
    uint64 wad;
    /// @dev The account that recorded it.
    address reporter;
    /// @dev What they did, together with its fault.
    bytes32 deed;
    /// @dev The offence: the deed, together with the epoch.
    bytes32 id;
    /// @dev Bitmap of the operators that did not do it, without zero bytes at its end.
    bytes nonSigners;
}

/// @notice The punishment of an operator for an offence.
struct Punishment {
    /// @dev The account that recorded what the operator was punished for; zero if it was not punished.
    address reporter;
    /// @dev The epoch in which the operator did it.
    EpochId epoch;
    /// @dev When the operator's stake was slashed for it (Unix time). Zero before, and if it was too late for any stake
    /// to be certain.
    uint48 slashedAt;
}

/// @title IOffences
/// @notice Records proved offences, and punishes those who did them.
interface IOffences {
    /// @notice Emitted when an offence is proved.
    event OffenceRecorded(
        bytes32 indexed record, IFault indexed fault, EpochId indexed epoch, bytes32 id, address reporter
    );
    /// @notice Emitted when an operator is punished for an offence.
    event OperatorPunished(bytes32 indexed record, OperatorSetId indexed operatorSet, address indexed operator);

    /// @notice Thrown when the fault is not punished here.
    error UnknownFault(IFault fault);
    /// @notice Thrown when the epoch ended too long ago, or does not exist (zero).
    error TooLate(EpochId epoch, uint256 end);
    /// @notice Thrown when the same was recorded before.
    error AlreadyRecorded(bytes32 record);
    /// @notice Thrown when there is no such record.
    error NoSuchRecord(bytes32 record);
    /// @notice Thrown when all of the operators were punished for the offence before.
    /// @dev Or for the same deed in another epoch, if what was slashed then backed this epoch, too.
    error AlreadyPunished(bytes32 id);
    /// @notice Thrown when the operator did not do it, or the epoch has no operator with that index.
    error NotOffender(bytes32 record, uint256 index);
    /// @notice Thrown at deployment when there are no faults, or one has no code or costs nothing or more than all.
    error InvalidFaults();
    /// @notice Thrown at deployment when the windows take as long as stake can be slashed after an epoch's end, in
    /// seconds. No time would be left to punish.
    error WindowsTooLong(uint256 windows, uint48 slashableFor);

    /// @notice Records an offence. Anyone may call it, until the challenge window after the epoch's end is over.
    /// @dev Warning: the caller is the reporter, and anyone who sees the proof before can be it instead. Another record
    /// of the same offence may punish its operators first, unless `report` does both.
    /// @return record The record's number.
    function recordOffence(IFault fault, bytes calldata proof) external returns (bytes32 record);

    /// @notice Records an offence and punishes operators for it, as `recordOffence` and `punish`. Anyone may call it.
    /// @param fault The fault.
    /// @param proof What the fault's page says.
    /// @param indices The operators' indices in the epoch: as many as fit in a transaction.
    /// @return record The record's number.
    function report(IFault fault, bytes calldata proof, uint256[] calldata indices) external returns (bytes32 record);

    /// @notice Punishes operators for a recorded offence, each once. Anyone may call it.
    /// @dev Skips those that were punished before, so that no one stops a batch by punishing one of it. Reverts if it
    /// would skip all.
    /// @param record The record.
    /// @param indices The operators' indices in the epoch: as many as fit in a transaction.
    function punish(bytes32 record, uint256[] calldata indices) external;

    /// @notice Returns a recorded offence.
    function offenceOf(bytes32 record) external view returns (RecordedOffence memory);

    /// @notice Returns whether an operator was punished for an offence.
    function isPunished(bytes32 id, address operator) external view returns (bool);

    /// @notice Returns an operator's punishment for an offence. All is zero if it was not punished for it.
    function punishmentOf(bytes32 id, address operator) external view returns (Punishment memory);

    /// @notice Returns the registry whose epochs' operators are punished.
    function OPERATOR_REGISTRY() external view returns (IOperatorRegistry);

    /// @notice Returns the faults and what they cost.
    function faults() external view returns (FaultTerms[] memory);
}
