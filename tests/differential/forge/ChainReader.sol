// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochId, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {ClientTestBase} from "../../forge/utils/ClientTestBase.sol";
import {IVerifierOracle} from "../oracle/IVerifierOracle.sol";
import {AuthorizationBytes} from "./AuthorizationBytes.sol";

/// @dev Cases, and the operator tables that their epochs name, each once.
struct Question {
    IVerifierOracle.OperatorTables[] tables;
    address[] heads;
    IVerifierOracle.Case[] cases;
    uint256 caseCount;
}

/// @title What the verifier must be told, read from the chain
abstract contract ChainReader is ClientTestBase {
    using AuthorizationBytes for bytes;

    function policyInForce() internal view virtual returns (Policy memory) {
        return counter.assentPolicy();
    }

    function issuanceFloorInForce() internal view virtual returns (uint48) {
        return counter.assentIssuanceFloor();
    }

    /// @dev All that the contracts would see of a call now.
    function addCase(
        Question memory asked,
        address caller,
        bytes32 root,
        bytes memory authorization,
        IVerifierOracle.Call memory call
    ) internal view {
        uint32 last = registry.epochCount();
        IVerifierOracle.Circumstances memory circumstances = IVerifierOracle.Circumstances({
            chainId: block.chainid,
            taskManager: address(counter.assentTaskManager()),
            policyClient: address(counter),
            policy: abi.encode(policyInForce()),
            issuanceFloor: issuanceFloorInForce(),
            caller: caller,
            timestamp: uint64(block.timestamp),
            epochs: _epochs(last, asked),
            recordedRoots: _recordedRoots(last, root),
            spentWords: _spentWords(authorization.nonceOf())
        });
        asked.cases[asked.caseCount++] = IVerifierOracle.Case(circumstances, call);
    }

    function question(uint256 mostCases) internal pure returns (Question memory empty) {
        empty.cases = new IVerifierOracle.Case[](mostCases);
    }

    /// @dev The cases that were added, and no more.
    function casesOf(Question memory asked) internal pure returns (IVerifierOracle.Case[] memory cases) {
        cases = new IVerifierOracle.Case[](asked.caseCount);
        for (uint256 i = 0; i < cases.length; ++i) {
            cases[i] = asked.cases[i];
        }
    }

    /// @dev Those that the TaskManager knows, up to `last`.
    function _epochs(uint32 last, Question memory asked) private view returns (IVerifierOracle.Epoch[] memory known) {
        known = new IVerifierOracle.Epoch[](last);
        for (uint32 number = 1; number <= last; ++number) {
            (address head, OperatorSetId operatorSet, uint48 validUntil,) = taskManager.epochs(EpochId.wrap(number));
            known[number - 1] =
                IVerifierOracle.Epoch(number, OperatorSetId.unwrap(operatorSet), validUntil, _tablesOf(head, asked));
        }
    }

    /// @dev What is recorded of a root, under each epoch up to `last`.
    function _recordedRoots(uint32 last, bytes32 root)
        private
        view
        returns (IVerifierOracle.RecordedRoot[] memory recorded)
    {
        recorded = new IVerifierOracle.RecordedRoot[](last);
        for (uint32 number = 1; number <= last; ++number) {
            (uint96 signed, uint96 total, uint48 epochEnd) = taskManager.recordedRoots(EpochId.wrap(number), root);
            recorded[number - 1] = IVerifierOracle.RecordedRoot(number, root, signed, total, epochEnd);
        }
    }

    function _spentWords(uint256 nonce) private view returns (IVerifierOracle.SpentWord[] memory words) {
        words = new IVerifierOracle.SpentWord[](1);
        uint256 mask = taskManager.spentNonces(address(counter), nonce >> 8);
        words[0] = IVerifierOracle.SpentWord(address(counter), nonce >> 8, mask);
    }

    function _tablesOf(address head, Question memory asked) private view returns (uint256 index) {
        for (; index < asked.heads.length; ++index) {
            if (asked.heads[index] == head) return index;
        }
        address[] memory heads = new address[](index + 1);
        IVerifierOracle.OperatorTables[] memory tables = new IVerifierOracle.OperatorTables[](index + 1);
        for (uint256 i = 0; i < index; ++i) {
            (heads[i], tables[i]) = (asked.heads[i], asked.tables[i]);
        }
        (heads[index], tables[index]) = (head, _read(head));
        (asked.heads, asked.tables) = (heads, tables);
    }

    function _read(address head) private view returns (IVerifierOracle.OperatorTables memory tables) {
        tables.head = head.code;
        tables.earlier = new bytes[](uint8(head.code[207])); // docs/protocol.md, "Operator tables"
        for (uint256 i = 0; i < tables.earlier.length; ++i) {
            tables.earlier[i] = OperatorTable.earlierTable(head, i).code;
        }
    }
}
