// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IProposedChanges} from "./interfaces/IProposedChanges.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title ProposedChanges
/// @notice An owner whose changes need notice, and who cannot renounce.
abstract contract ProposedChanges is IProposedChanges, Ownable2Step {
    /// @notice How long a proposed change can be applied once its delay is over, in seconds.
    /// @dev Without an end, an owner could propose every change in advance, and notice would mean nothing.
    uint48 public constant CHANGE_WINDOW = 7 days;

    /// @inheritdoc IProposedChanges
    mapping(bytes32 changeHash => uint48 appliesFrom) public proposedChanges;

    /// @dev The function can be called only by the owner, and only once its calldata has been proposed for long enough.
    modifier afterNotice() {
        _checkOwner();
        _requireNotice();
        _;
    }

    /// @inheritdoc IProposedChanges
    function proposeChange(bytes calldata change) external onlyOwner {
        bytes32 changeHash = keccak256(change);
        uint48 appliesFrom = uint48(block.timestamp) + _noticePeriod();
        proposedChanges[changeHash] = appliesFrom;
        emit ChangeProposed(changeHash, change, appliesFrom);
    }

    /// @inheritdoc IProposedChanges
    function cancelChange(bytes calldata change) external onlyOwner {
        bytes32 changeHash = keccak256(change);
        if (proposedChanges[changeHash] == 0) revert ChangeNotProposed(changeHash);
        delete proposedChanges[changeHash];
        emit ChangeCanceled(changeHash);
    }

    /// @notice Reverts: the ownership can be transferred, but not renounced.
    function renounceOwnership() public pure override(Ownable) {
        revert OwnershipCannotBeRenounced();
    }

    /// @dev Uses up the proposal of this very calldata. Zero notice needs no proposal.
    function _requireNotice() internal {
        if (_noticePeriod() == 0) return;
        bytes32 changeHash = keccak256(msg.data);
        uint48 appliesFrom = proposedChanges[changeHash];
        if (appliesFrom == 0 || block.timestamp >= appliesFrom + CHANGE_WINDOW) revert ChangeNotProposed(changeHash);
        if (block.timestamp < appliesFrom) revert ChangeTooEarly(changeHash, appliesFrom);
        delete proposedChanges[changeHash];
    }

    /// @dev Returns how long before it is applied a change must be proposed, in seconds.
    function _noticePeriod() internal view virtual returns (uint48);
}
