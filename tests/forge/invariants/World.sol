// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, Intent, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {IOwnedRegistry} from "../utils/IOwnedRegistry.sol";
import {Signed} from "./Attesting.sol";
import {Promises} from "./Promises.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title What all actors share: the contracts, the operators, and what lies around to be used
/// @dev Everything that looks like a choice is drawn from a seed, so that a failing sequence repeats.
contract World is Promises {
    enum Payment {
        Trailing,
        Ether,
        ExplicitTransfer
    }

    uint256 private constant WORDS = 3;

    /// @dev Unused authorizations, and used ones.
    bytes[] private _pending;
    bytes[] private _used;

    /// @dev How often an action ended in a refusal, or in success (none), and how many ends there were.
    mapping(bytes32 end => uint256) private _ends;
    uint256 public endCount;

    constructor() {
        deployOperatorSets();
        deployTreasury();
    }

    /* WHAT WAS REACHED */

    function reach(string memory action, bytes4 refusal) public {
        ++_ends[keccak256(abi.encode(action, refusal))];
        ++endCount;
    }

    function timesReached(string memory action, bytes4 refusal) external view returns (uint256) {
        return _ends[keccak256(abi.encode(action, refusal))];
    }

    /* CONTRACTS */

    function operatorRegistry() external view returns (IOwnedRegistry) {
        return registry;
    }

    function weights() external view returns (OwnerStakeSource) {
        return ownerStakeSource;
    }

    function manager() external view returns (ITaskManager) {
        return taskManager;
    }

    function give(uint256 vault, uint256 tokens, uint256 ethers) external {
        address client = address(vaults[vault]);
        require(token.transfer(client, tokens));
        (bool success,) = client.call{value: ethers}("");
        require(success);
        noteGiven(client, tokens, ethers);
    }

    /* ATTESTATIONS */

    /// @dev A payment that operators have allowed and that must succeed now.
    function fresh(uint256 vault, uint256 seed) external returns (Signed memory) {
        return freshPayment(vault, Payment(draw(seed, "payment") % 3), seed);
    }

    function freshPayment(uint256 vault, Payment payment, uint256 seed) public returns (Signed memory) {
        (Attestation memory attestation, uint32 epoch) = evaluate(vault, payment, seed);
        uint256 absent = absentees(epoch, policies[address(vaults[vault])].quorum, draw(seed, "absent"));
        return signAlone(attestation, epoch, absent);
    }

    /// @dev What operators are asked to sign, and an epoch of theirs that is in force. It ends with the epoch at the
    /// latest, so that it can be recorded.
    function evaluate(uint256 vault, Payment payment, uint256 seed)
        public
        returns (Attestation memory attestation, uint32 epoch)
    {
        address client = address(vaults[vault]);
        epoch = epochInForce(OperatorSetId.unwrap(policies[client].operatorSet), draw(seed, "epoch"));
        Intent memory intent = intentOf(client, payment, draw(seed, "amount") % 1000);
        attestation = attest(client, policies[client], intent, seed);
        uint48 end = frozen[epoch].expiresAt;
        if (attestation.expiration > end) attestation.expiration = end;
    }

    function attest(address client, Policy memory terms, Intent memory intent, uint256 seed)
        public
        view
        returns (Attestation memory)
    {
        uint256 nonce = unspentNonce(client, draw(seed, "nonce"));
        return Attestation({
            taskId: taskIdOf(client, terms.policyId, intent, nonce),
            policyId: terms.policyId,
            policyClient: client,
            nonce: nonce,
            issuedAt: uint48(block.timestamp),
            expiration: uint48(block.timestamp + 1 + draw(seed, "lifetime") % terms.maxLifetime),
            decision: 1,
            evidence: bytes32(draw(seed, "evidence")),
            intent: intent
        });
    }

    function intentOf(address client, Payment payment, uint256 amount) public view returns (Intent memory) {
        if (payment == Payment.Ether) return Intent(agent, recipient, amount, "", block.chainid);
        if (payment == Payment.ExplicitTransfer) {
            bytes memory transfer = abi.encodeCall(IERC20.transfer, (recipient, amount));
            return Intent(agent, address(token), 0, transfer, block.chainid);
        }
        return Intent(agent, client, 0, abi.encodeCall(TreasuryVault.pay, (token, recipient, amount)), block.chainid);
    }

    /// @dev In a few words that fill up, the last word of all among them, and beyond these where they are full.
    function unspentNonce(address client, uint256 seed) public view returns (uint256 nonce) {
        nonce = seed % 8 == 0 ? type(uint256).max - seed % 256 : draw(seed, "of a word") % (WORDS * 256);
        while (isSpent(client, nonce)) {
            unchecked {
                // A full word is left at once; behind the last nonce is the first.
                nonce = spent[client][nonce >> 8] == type(uint256).max ? ((nonce >> 8) + 1) << 8 : nonce + 1;
            }
        }
    }

    /// @dev Independent choices from one seed.
    function draw(uint256 seed, string memory choice) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, choice)));
    }

    /* WHAT LIES AROUND */

    function keepPending(Signed memory signed) external {
        _pending.push(abi.encode(signed));
    }

    function keepUsed(Signed memory signed) external {
        _used.push(abi.encode(signed));
    }

    function pendingCount() external view returns (uint256) {
        return _pending.length;
    }

    function usedCount() external view returns (uint256) {
        return _used.length;
    }

    function pendingAt(uint256 index) external view returns (Signed memory) {
        return abi.decode(_pending[index], (Signed));
    }

    function usedAt(uint256 index) external view returns (Signed memory) {
        return abi.decode(_used[index], (Signed));
    }

    function dropPending(uint256 index) external {
        _pending[index] = _pending[_pending.length - 1];
        _pending.pop();
    }
}
