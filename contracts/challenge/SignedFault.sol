// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {EpochSignature} from "../crosschain/EpochSignature.sol";
import {IFault} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";

/// @title SignedFault
/// @notice Proves a fault by an aggregate signature of an epoch's operators, whatever weight signed.
abstract contract SignedFault is IFault {
    /// @notice The registry whose epochs sign.
    IOperatorRegistry public immutable OPERATOR_REGISTRY;

    constructor(IOperatorRegistry operatorRegistry) {
        OPERATOR_REGISTRY = operatorRegistry;
    }

    /// @notice Reverts unless those operators of a table signed that are not in the bitmap.
    function requireSigned(address table, bytes32 digest, bytes calldata nonSigners, bytes calldata signature)
        external
        view
    {
        EpochSignature.requireSigned(table, 0, digest, _tag(), nonSigners, signature);
    }

    /// @dev Returns the head of an epoch's operator table, and the operator set.
    function _tableOf(EpochId epoch) internal view returns (address table, OperatorSetId operatorSet) {
        (table, operatorSet,,) = OPERATOR_REGISTRY.epochs(epoch);
        if (table == address(0)) revert IOperatorRegistry.NoSuchEpoch(epoch);
    }

    /// @dev Returns the domain separation tag under which operators sign.
    function _tag() internal pure virtual returns (bytes memory);
}
