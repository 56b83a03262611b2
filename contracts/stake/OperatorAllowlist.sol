// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IAdmission} from "../interfaces/IAdmission.sol";
import {IOperatorAllowlist} from "../interfaces/IOperatorAllowlist.sol";
import {OperatorSetId} from "../interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title OperatorAllowlist
/// @notice Operators that an owner admits, with where and with whom they declare to run.
/// @dev Nothing verifies what an operator declares.
contract OperatorAllowlist is IOperatorAllowlist, Ownable2Step {
    /// @dev What an operator declares. An admitted one declares a region.
    struct Declaration {
        string region;
        string provider;
    }

    /// @inheritdoc IOperatorAllowlist
    mapping(OperatorSetId operatorSet => mapping(address operator => Declaration)) public declarationOf;

    /// @param owner The account that admits operators.
    constructor(address owner) Ownable(owner) {}

    /// @inheritdoc IOperatorAllowlist
    function admit(OperatorSetId operatorSet, address operator, string calldata region, string calldata provider)
        external
        onlyOwner
    {
        if (bytes(region).length == 0 || bytes(provider).length == 0) revert DeclarationMissing();
        declarationOf[operatorSet][operator] = Declaration(region, provider);
        emit OperatorAdmitted(operatorSet, operator, region, provider);
    }

    /// @inheritdoc IOperatorAllowlist
    function exclude(OperatorSetId operatorSet, address operator) external onlyOwner {
        if (!isAdmitted(operatorSet, operator)) revert OperatorNotAdmitted(operatorSet, operator);
        delete declarationOf[operatorSet][operator];
        emit OperatorExcluded(operatorSet, operator);
    }

    /// @inheritdoc IAdmission
    function isAdmitted(OperatorSetId operatorSet, address operator) public view returns (bool) {
        return bytes(declarationOf[operatorSet][operator].region).length != 0;
    }
}
