// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Epoch, IAttestationValidator, SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";

/// @title FaultyValidator
/// @notice A validator that accepts no epoch, until it is repaired.
contract FaultyValidator is IAttestationValidator {
    enum Fault {
        Reverts,
        TakesAllGas,
        ReturnsALot,
        /// None, but an update costs 400,000 gas.
        NeedsMuchGas,
        None
    }

    address public immutable OPERATOR_REGISTRY;
    uint256 public updates;
    uint256 public gasOfUpdate;
    Fault private _fault;

    constructor(IOperatorRegistry registry, Fault fault) {
        OPERATOR_REGISTRY = address(registry);
        _fault = fault;
    }

    function repair() external {
        _fault = Fault.None;
    }

    function updateEpoch(EpochId, Epoch calldata) external {
        uint256 gas = gasleft();
        if (_fault == Fault.Reverts) revert("a fault");
        if (_fault == Fault.TakesAllGas) {
            assembly {
                invalid()
            }
        }
        if (_fault == Fault.ReturnsALot) {
            assembly {
                revert(0, 100000)
            }
        }
        if (_fault == Fault.NeedsMuchGas) {
            uint256 start = gasleft();
            while (start - gasleft() < 400_000) {}
        }
        if (_fault == Fault.None) gasOfUpdate = gas;
        ++updates;
    }

    function recordRoot(EpochId, SignedRoot calldata) external pure {
        revert("no root");
    }

    function recordRoots(EpochId, SignedRoot[] calldata) external pure {
        revert("no root");
    }

    function epochs(EpochId) external pure returns (address, OperatorSetId, uint48, uint48) {
        return (address(0), OperatorSetId.wrap(0), 0, 0);
    }

    function recordedRoots(EpochId, bytes32) external pure returns (uint96, uint96, uint48) {
        return (0, 0, 0);
    }
}
