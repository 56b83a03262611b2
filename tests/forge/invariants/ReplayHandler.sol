// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {Attestation, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {Signed} from "./Attesting.sol";
import {Handler} from "./Handler.sol";
import {World} from "./World.sol";

/// @title An attacker, the agent itself for instance, who uses what was used
contract ReplayHandler is Handler {
    constructor(World world_) Handler(world_) {
        _addAction(this.useTwice.selector);
        _addAction(this.useAgainLater.selector);
        _addAction(this.useAgainTheOtherWay.selector);
        _addAction(this.useAgainWithOtherSigners.selector);
        _addAction(this.useTheNonceForSomethingElse.selector);
        _addAction(this.readTheTaskTheOtherWay.selector);

        _addSuccess("use once");
        _addRefusal("use twice", IRefusals.AttestationAlreadySpent.selector);
        _addRefusal("use again later", IRefusals.AttestationAlreadySpent.selector);
        _addRefusal("use again later", IRefusals.AttestationExpired.selector);
        _addRefusal("use again the other way", IRefusals.AttestationAlreadySpent.selector);
        _addRefusal("use again with other signers", IRefusals.AttestationAlreadySpent.selector);
        _addRefusal("use the nonce for something else", IRefusals.AttestationAlreadySpent.selector);
        _addRefusal("make the vault call itself", TreasuryVault.NotAgent.selector);
        _addRefusal("execute a call that was made", IRefusals.AttestationAlreadySpent.selector);
    }

    /* ACTIONS */

    function useTwice(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.fresh(vault, own);
        mustPass("use once", client, signed);
        mustFail("use twice", client, signed, _alreadySpent(client, signed));
    }

    /// @dev Whatever has happened since the first use: nothing makes it valid again.
    function useAgainLater(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        if (world.usedCount() == 0) mustPass("use once", client, world.fresh(vault, own));
        Signed memory signed = world.usedAt(pick(own, "used", world.usedCount()));
        client = signed.attestation.policyClient;
        bytes memory expected = world.refusalOf(client, signed);
        assertGt(expected.length, 0, "a used authorization is valid");
        mustFail("use again later", client, signed, expected);
    }

    /// @dev The same attestation once with its signature and once as recorded, in either order.
    function useAgainTheOtherWay(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.fresh(vault, own);
        world.record(signed);
        signed.recorded = own % 3 == 0;
        mustPass("use once", client, signed);
        signed.recorded = !signed.recorded;
        mustFail("use again the other way", client, signed, _alreadySpent(client, signed));
    }

    /// @dev Other operators have signed: the bytes differ, the attestation does not.
    function useAgainWithOtherSigners(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (Attestation memory attestation, uint32 epoch) =
            world.evaluate(vault, World.Payment(pick(own, "payment", 3)), own);
        mustPass("use once", client, world.signAlone(attestation, epoch, 0));
        uint256 absent = world.absentees(epoch, world.policyOf(client).quorum, type(uint256).max);
        Signed memory signed = world.signAlone(attestation, epoch, absent);
        mustFail("use again with other signers", client, signed, _alreadySpent(client, signed));
    }

    /// @dev Operators allow something else under a nonce that is spent.
    function useTheNonceForSomethingElse(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory first = world.fresh(vault, own);
        (Attestation memory other, uint32 epoch) =
            world.evaluate(vault, World.Payment(pick(own, "payment", 3)), own + 1);
        mustPass("use once", client, first);
        other.nonce = first.attestation.nonce;
        other.taskId = world.taskIdOf(client, other.policyId, other.intent, other.nonce);
        Signed memory second = world.signAlone(other, epoch, 0);
        mustFail("use the nonce for something else", client, second, _alreadySpent(client, second));
    }

    /// @dev A call of the vault and an intent to call it are one task. As an intent it is spent, and then the vault
    /// refuses itself, which undoes the spending; as a call it can be made once.
    function readTheTaskTheOtherWay(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.freshPayment(vault, World.Payment.Trailing, own);
        (Intent memory intent, bytes memory authorization) = (signed.attestation.intent, world.authorizationOf(signed));
        bytes memory data = abi.encodeCall(TreasuryVault.execute, (intent, authorization));
        bytes memory notAgent = abi.encodeWithSelector(TreasuryVault.NotAgent.selector, client);
        mustFailCall("make the vault call itself", world.agent(), client, data, notAgent);
        mustPass("use once", client, signed);
        mustFailCall("execute a call that was made", world.agent(), client, data, _alreadySpent(client, signed));
    }

    /* PRIVATE */

    function _alreadySpent(address client, Signed memory signed) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, client, signed.attestation.nonce);
    }
}
