// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Evidence} from "../../../contracts/policy/Evidence.sol";
import {EvidenceOpening, PolicyEvidence, RESULT_HEIGHT} from "../../../contracts/policy/PolicyEvidence.sol";

/// @dev Calls the library from outside, so that its reverts can be expected and its gas measured.
contract PolicyEvidenceCaller {
    function open(Evidence calldata evidence, bytes32 firstLeaf, bytes32[RESULT_HEIGHT] calldata siblings)
        external
        pure
        returns (EvidenceOpening memory)
    {
        return PolicyEvidence.open(evidence, firstLeaf, siblings);
    }
}
