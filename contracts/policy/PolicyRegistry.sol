// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPolicyRegistry} from "../interfaces/IPolicyRegistry.sol";
import {PolicyEvidence} from "./PolicyEvidence.sol";

/// @title PolicyRegistry
/// @notice Emits which policies exist and where they can be fetched. It has no owner and no storage.
contract PolicyRegistry is IPolicyRegistry {
    /// @inheritdoc IPolicyRegistry
    function publish(bytes32 rules, bytes32 parameters, string calldata uri) external returns (bytes32 policyId) {
        policyId = PolicyEvidence.policyId(rules, parameters);
        emit PolicyPublished(policyId, rules, parameters, msg.sender, uri);
    }
}
