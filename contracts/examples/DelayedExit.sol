// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title DelayedExit
/// @notice An exit for an account whose every call needs operators. If they vanish, the account announces that it
/// leaves, the only call without an authorization, and needs no authorizations after a delay.
/// @dev Anyone who holds the account's keys can announce. Monitors of the account have the delay to notice, and until
/// then only the operators decide. They can let the account cancel, or move what it owns.
abstract contract DelayedExit {
    /// @notice Emitted when an account announces that its calls need no authorization from `time` on (Unix time).
    event ExitAnnounced(address indexed account, uint256 time);
    /// @notice Emitted when an account cancels its exit: its calls need authorizations as before.
    event ExitCancelled(address indexed account);

    /// @notice The delay between the announcement of an exit and its effect.
    uint256 public constant EXIT_DELAY = 7 days;

    /// @notice The time from which an account's calls need no authorization (Unix time); zero if it has not announced
    /// an exit.
    mapping(address account => uint256 time) public exitTimes;

    /// @notice Announces that the calling account needs no authorizations after the delay.
    function announceExit() external {
        uint256 time = block.timestamp + EXIT_DELAY;
        exitTimes[msg.sender] = time;
        emit ExitAnnounced(msg.sender, time);
    }

    /// @notice Cancels the exit of the calling account, also after the delay.
    function cancelExit() external {
        _cancelExit();
    }

    /// @dev Also called at installation: a guard or hook installed again must not find an earlier exit.
    function _cancelExit() internal {
        delete exitTimes[msg.sender];
        emit ExitCancelled(msg.sender);
    }

    function _hasLeft(address account) internal view returns (bool) {
        uint256 time = exitTimes[account];
        return time != 0 && block.timestamp >= time;
    }
}
