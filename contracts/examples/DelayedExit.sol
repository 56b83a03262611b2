// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title DelayedExit
/// @notice A way out for an account whose every call needs operators. Should they vanish, the account announces that it
/// leaves, which is the only call without an authorization, and is free after a delay.
/// @dev Anyone who holds the account's keys can announce. Monitors of the account have the delay to notice, and until
/// then only the operators decide: they can let the account cancel, or move what it owns.
abstract contract DelayedExit {
    /// @notice The account's calls will need no authorization from `time` on (Unix time).
    event ExitAnnounced(address indexed account, uint256 time);
    /// @notice The account's calls need authorizations as before.
    event ExitCancelled(address indexed account);

    /// @notice How long an exit is announced before it takes effect.
    uint256 public constant EXIT_DELAY = 7 days;

    /// @notice When an account's calls need no authorization any more (Unix time); zero if it has not announced that.
    mapping(address account => uint256 time) public exitTimes;

    /// @notice The calling account will need no authorizations after the delay.
    function announceExit() external {
        uint256 time = block.timestamp + EXIT_DELAY;
        exitTimes[msg.sender] = time;
        emit ExitAnnounced(msg.sender, time);
    }

    /// @notice The calling account stays, or comes back.
    function cancelExit() external {
        _cancelExit();
    }

    /// @dev A guard or hook that is installed anew must not find an exit of the time before.
    function _cancelExit() internal {
        delete exitTimes[msg.sender];
        emit ExitCancelled(msg.sender);
    }

    function _hasLeft(address account) internal view returns (bool) {
        uint256 time = exitTimes[account];
        return time != 0 && block.timestamp >= time;
    }
}
