// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PolicyClient} from "../PolicyClient.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {Intent, Policy} from "../interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title TreasuryVault
/// @notice An example: a treasury from which an AI agent may spend only what operators have authorized under the
/// owner's policy. Neither the agent nor the operators can move anything without the other.
contract TreasuryVault is PolicyClient, Ownable2Step {
    using SafeERC20 for IERC20;

    /// @notice Emitted when the vault pays tokens.
    event Paid(IERC20 indexed token, address indexed recipient, uint256 amount);
    /// @notice Emitted when the agent changes.
    event AgentChanged(address agent);

    /// @notice Thrown when the caller is not the agent.
    error NotAgent(address caller);

    /// @notice The account that may request payments.
    address public agent;

    modifier onlyAgent() {
        if (msg.sender != agent) revert NotAgent(msg.sender);
        _;
    }

    /// @param owner The account that chooses policy and agent.
    /// @param initialAgent The account that may request payments.
    constructor(address owner, address initialAgent, ITaskManager taskManager, Policy memory policy) Ownable(owner) {
        _setAgent(initialAgent);
        _assentInitialize(taskManager, policy);
    }

    receive() external payable {}

    /// @notice Pays tokens. The authorization is appended to the calldata.
    function pay(IERC20 token, address recipient, uint256 amount)
        external
        onlyAgent
        onlyAttestedExactly(abi.encode(token, recipient, amount))
    {
        token.safeTransfer(recipient, amount);
        emit Paid(token, recipient, amount);
    }

    /// @notice Makes any call from the vault, such as a swap or a transfer of ether, if operators have authorized it.
    function execute(Intent calldata intent, bytes calldata authorization) external onlyAgent returns (bytes memory) {
        return _assentExecute(intent, authorization);
    }

    /// @notice Sets the agent. Only the owner may call it.
    function setAgent(address newAgent) external onlyOwner {
        _setAgent(newAgent);
    }

    function _assentAuthorizeChange() internal override onlyOwner {}

    function _setAgent(address newAgent) private {
        agent = newAgent;
        emit AgentChanged(newAgent);
    }
}
