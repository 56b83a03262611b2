// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAdmission} from "./IAdmission.sol";
import {OperatorSetId} from "./Protocol.sol";

/// @title IOperatorAllowlist
/// @notice Operators that an owner admits, with where and with whom they declare to run.
interface IOperatorAllowlist is IAdmission {
    /// @notice Emitted when an operator is admitted to a set, or declares anew. `region` and `provider` are what it
    /// declares.
    event OperatorAdmitted(OperatorSetId indexed operatorSet, address indexed operator, string region, string provider);
    /// @notice Emitted when an operator is no longer admitted.
    event OperatorExcluded(OperatorSetId indexed operatorSet, address indexed operator);

    /// @notice Thrown when region or provider is empty.
    error DeclarationMissing();
    /// @notice Thrown when the operator is not admitted.
    error OperatorNotAdmitted(OperatorSetId operatorSet, address operator);

    /// @notice Admits an operator. Only the owner may call it.
    /// @param operatorSet The operator set.
    /// @param operator The operator.
    /// @param region Where it declares to run.
    /// @param provider With which provider it declares to run.
    function admit(OperatorSetId operatorSet, address operator, string calldata region, string calldata provider)
        external;

    /// @notice Ends an operator's admission: anyone can then eject it. Only the owner may call it.
    function exclude(OperatorSetId operatorSet, address operator) external;

    /// @notice Returns what an operator declared; empty if it is not admitted.
    function declarationOf(OperatorSetId operatorSet, address operator)
        external
        view
        returns (string memory region, string memory provider);
}
