// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {BLS12381, G2Point} from "../../../contracts/libraries/BLS12381.sol";
import {OperatorTable, TableEntry} from "../../../contracts/libraries/OperatorTable.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {Treasury} from "./Treasury.sol";

/// @title What must hold after every call of any caller
abstract contract Promises is Treasury {
    /// @dev Those whose words of nonces are compared: the vaults, and every other account that may have touched one.
    address public attacker = makeAddr("attacker");

    /* SPENDING */

    function assertNoNonceIsUsedTwiceOrAfterItWasBurned() external view {
        for (uint256 i = 0; i < usesSeen.length; ++i) {
            (address client, uint256 nonce) = (usesSeen[i].client, usesSeen[i].nonce);
            _same(timesUsed[client][nonce], 1, "a nonce was spent twice");
            _same((burned[client][nonce >> 8] >> (nonce & 0xff)) & 1, 0, "a burned nonce was accepted");
        }
    }

    function assertNothingIsExecutedWithoutItsAttestation() external view {
        for (uint256 i = 0; i < usesSeen.length; ++i) {
            assertTrue(allowed[usesSeen[i].taskId], "no quorum has allowed what was executed");
        }
    }

    /// @dev Word by word, both ways: nothing is spent that should not be, and nothing is forgotten.
    function assertBitmapsAgree() external view {
        address[3] memory clients = [address(vaults[0]), address(vaults[1]), attacker];
        for (uint256 i = 0; i < clients.length; ++i) {
            uint256[] storage words = wordsTouched[clients[i]];
            for (uint256 j = 0; j < words.length; ++j) {
                uint256 expected = spent[clients[i]][words[j]];
                _same(taskManager.spentNonces(clients[i], words[j]), expected, "the bitmaps differ");
                _same(otherTaskManager.spentNonces(clients[i], words[j]), 0, "spent at another TaskManager");
            }
        }
    }

    /* MONEY */

    function assertBalancesChangeOnlyByAttestedAmounts() external view {
        (uint256 tokens, uint256 ethers) = (0, 0);
        for (uint256 i = 0; i < 2; ++i) {
            address vault = address(vaults[i]);
            _same(token.balanceOf(vault), TOKENS + tokensGiven[vault] - tokensPaid[vault], "tokens of a vault");
            _same(vault.balance, ETHER + etherGiven[vault] - etherPaid[vault], "ether of a vault");
            tokens += tokensPaid[vault];
            ethers += etherPaid[vault];
        }
        _same(token.balanceOf(recipient), tokens, "tokens of the recipient");
        _same(recipient.balance, ethers, "ether of the recipient");
        _same(token.balanceOf(attacker) + attacker.balance, 0, "the attacker has got something");
    }

    function assertPoliciesAreTheOwners() external view {
        for (uint256 i = 0; i < 2; ++i) {
            _same(
                keccak256(abi.encode(vaults[i].assentPolicy())),
                keccak256(abi.encode(policies[address(vaults[i])])),
                "policy of a vault"
            );
            _same(vaults[i].agent(), agent, "agent of a vault");
            _same(vaults[i].owner(), owner, "owner of a vault");
            _same(address(vaults[i].assentTaskManager()), address(taskManager), "TaskManager of a vault");
        }
    }

    /* EPOCHS */

    /// @dev The registry's record and each TaskManager's copy, against what they should be. A revoked epoch should stay
    /// so.
    function assertEpochsAgree() external view {
        _same(registry.epochCount(), epochCount, "number of epochs");
        for (uint32 set = 1; set <= 2; ++set) {
            OperatorSetId operatorSet = OperatorSetId.wrap(set);
            _same(EpochId.unwrap(registry.latestEpoch(operatorSet)), latestEpoch[set], "latest epoch");
            (EpochId pending, uint48 activatesAt) = registry.pendingEpoch(operatorSet);
            _same(EpochId.unwrap(pending), pendingEpoch[set], "pending epoch");
            _same(activatesAt, frozen[pendingEpoch[set]].activatesAt, "activation of the pending epoch");
            _assertLive(set);
        }
        for (uint32 epoch = 0; epoch <= epochCount + 1; ++epoch) {
            FrozenEpoch storage expected = frozen[epoch];
            (address table, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt) =
                registry.epochs(EpochId.wrap(epoch));
            _same(table, expected.table, "table of an epoch");
            _same(OperatorSetId.unwrap(operatorSet), expected.operatorSet, "operator set of an epoch");
            _same(validUntil, expected.validUntil, "end of an epoch");
            _same(expiresAt, expected.expiresAt, "first end of an epoch");
            assertLe(validUntil, expiresAt, "an epoch outlives its lifetime");
            _same(table.codehash, expected.codeHash, "an epoch's table has changed");
            if (expected.revoked) _same(validUntil, 0, "a revoked epoch has come back");
            _assertCopied(taskManager, epoch);
            _assertCopied(otherTaskManager, epoch);
        }
    }

    /// @dev Tables are code, which the promise above keeps as it was, so to read them once is enough.
    function assertTotalsAreSums() external view {
        for (uint32 epoch = 1; epoch <= epochCount; ++epoch) {
            FrozenEpoch storage expected = frozen[epoch];
            (, uint256 total, uint256 count, uint256 earlier) = OperatorTable.readHead(expected.table);
            _same(count, expected.members.length, "number of operators");
            _same(total, expected.totalWeight, "total weight");
            (uint256 sumOfWeights, uint256 sumOfSecrets) = (0, 0);
            for (uint256 i = 0; i < count; ++i) {
                TableEntry memory entry = OperatorTable.readEntry(expected.table, earlier, i);
                _same(entry.operator, operatorAddress(expected.members[i]), "operator");
                _same(entry.weight, expected.weights[i], "weight");
                bytes memory key = OperatorKeys.publicKey(expected.secrets[i]);
                _same(keccak256(BLS12381.encode(entry.publicKey)), keccak256(key), "public key");
                sumOfWeights += entry.weight;
                sumOfSecrets = addmod(sumOfSecrets, expected.secrets[i], OperatorKeys.ORDER);
            }
            _same(total, sumOfWeights, "the total is not the sum of the weights");
            _assertAggregate(expected.table, sumOfSecrets);
        }
    }

    /* RECORDED ROOTS */

    function assertRecordedRootsAreWhatWasSigned() external view {
        _same(rootsSeen, recordedRoots.length, "a root was recorded that no one should have been able to record");
        for (uint256 i = 0; i < recordedRoots.length; ++i) {
            (uint32 epoch, bytes32 root) = (recordedRoots[i].epoch, recordedRoots[i].root);
            (uint96 signed, uint96 total, uint48 epochEnd) = taskManager.recordedRoots(EpochId.wrap(epoch), root);
            _same(signed, recordedWeights[epoch][root], "a recorded weight has changed");
            _same(total, frozen[epoch].totalWeight, "a recorded total has changed");
            _same(epochEnd, frozen[epoch].expiresAt, "a recorded epoch end has changed");
            assertLe(signed, signedWeights[epoch][root], "more is recorded than was signed");
        }
    }

    /// @dev What the registry would revoke with the set: everything that can still be used.
    function _assertLive(uint32 set) private view {
        EpochId[] memory live = registry.liveEpochs(OperatorSetId.wrap(set));
        uint256 count = 0;
        for (uint32 epoch = 1; epoch <= epochCount; ++epoch) {
            FrozenEpoch storage expected = frozen[epoch];
            if (expected.operatorSet != set || expected.validUntil == 0) continue;
            if (block.timestamp >= expected.expiresAt) continue;
            assertLt(count, live.length, "an epoch that can be used is not live");
            _same(EpochId.unwrap(live[count++]), epoch, "live epoch");
        }
        _same(live.length, count, "number of live epochs");
    }

    /// @dev A validator knows no epoch that was not activated.
    function _assertCopied(ITaskManager validator, uint32 epoch) private view {
        (address table, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt) =
            validator.epochs(EpochId.wrap(epoch));
        FrozenEpoch storage expected = frozen[epoch];
        bool known = expected.known;
        _same(table, known ? expected.table : address(0), "copied table");
        _same(OperatorSetId.unwrap(operatorSet), known ? expected.operatorSet : 0, "copied operator set");
        _same(validUntil, known ? expected.validUntil : 0, "copied end");
        _same(expiresAt, known ? expected.expiresAt : 0, "copied first end");
    }

    function _assertAggregate(address table, uint256 sumOfSecrets) private view {
        (G2Point memory negated,,,) = OperatorTable.readHead(table);
        bytes memory expected = OperatorKeys.publicKey(OperatorKeys.ORDER - sumOfSecrets);
        _same(keccak256(BLS12381.encode(negated)), keccak256(expected), "the aggregate key is not the sum of the keys");
    }

    /// @dev forge's assertion is a call, which thousands of comparisons would feel.
    function _same(uint256 actual, uint256 expected, string memory what) private pure {
        if (actual != expected) assertEq(actual, expected, what);
    }

    function _same(address actual, address expected, string memory what) private pure {
        if (actual != expected) assertEq(actual, expected, what);
    }

    function _same(bytes32 actual, bytes32 expected, string memory what) private pure {
        if (actual != expected) assertEq(actual, expected, what);
    }
}
