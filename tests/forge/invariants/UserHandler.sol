// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, IRefusals, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {Signed} from "./Attesting.sol";
import {Handler} from "./Handler.sol";
import {World} from "./World.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";

/// @title The agent, who uses what operators signed, in every way there is; and time
contract UserHandler is Handler {
    constructor(World world_) Handler(world_) {
        _addAction(this.pay.selector);
        _addAction(this.payOneOfABatch.selector);
        _addAction(this.payUnderARecordedRoot.selector);
        _addAction(this.payUnderRootsRecordedTogether.selector);
        _addAction(this.usePending.selector);
        _addAction(this.payMoreThanThereIs.selector);
        _addAction(this.give.selector);
        _addAction(this.wait_.selector);

        _addSuccess("pay");
        _addSuccess("pay one of a batch");
        _addSuccess("pay under a recorded root");
        _addSuccess("pay under roots recorded together");
        _addRefusal("pay under roots recorded together", IRefusals.AttestationAlreadySpent.selector);
        _addSuccess("use what is pending");
        _addRefusal("use what is pending", IRefusals.AttestationExpired.selector);
        _addRefusal("use what is pending", IRefusals.AttestationVoided.selector);
        _addRefusal("use what is pending", IRefusals.EpochExpired.selector);
        _addRefusal("use what is pending", IRefusals.EpochRevoked.selector);
        _addRefusal("use what is pending", IRefusals.RootNotRecorded.selector);
        _addRefusal("pay more than there is", IERC20Errors.ERC20InsufficientBalance.selector);
        _addRefusal("pay more than there is", Errors.InsufficientBalance.selector);
        _addSuccess("give");
        _addSuccess("wait");
    }

    /* ACTIONS */

    function pay(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        mustPass("pay", client, world.fresh(vault, own));
    }

    /// @dev The others under the root are left for later.
    function payOneOfABatch(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        mustPass("pay one of a batch", client, _batch(vault, own));
    }

    function payUnderARecordedRoot(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = _batch(vault, own);
        world.record(signed);
        signed.recorded = true;
        mustPass("pay under a recorded root", client, signed);
    }

    function payUnderRootsRecordedTogether(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed[] memory signed = new Signed[](3);
        for (uint256 i = 0; i < signed.length; ++i) {
            // The third is now and then the second once more.
            uint256 ofThis = uint256(keccak256(abi.encode(own, own % 4 == 0 && i == 2 ? 1 : i)));
            signed[i] = _ofEpoch(vault, ofThis, i == 0 ? 0 : signed[0].epoch);
        }
        world.recordMany(signed);
        for (uint256 i = 0; i < signed.length; ++i) {
            signed[i].recorded = true;
            perform("pay under roots recorded together", client, signed[i]);
        }
    }

    /// @dev Whatever has happened in the meantime: it ends as the protocol says. What outlives its epoch is mostly used
    /// at the epoch's end: in the last second, or the first after it.
    function usePending(uint256 seed) external reachesAnEnd {
        (uint256 vault,, uint256 own) = start(seed);
        if (world.pendingCount() == 0) _batch(vault, own);
        uint256 index = _outlivingItsEpoch(pick(own, "pending", world.pendingCount()));
        Signed memory signed = world.pendingAt(index);
        world.dropPending(index);
        uint48 end = world.frozenEpoch(signed.epoch).validUntil;
        if (_outlives(signed, end) && end > block.timestamp) vm.warp(end - pick(own, "before", 2));
        perform("use what is pending", signed.attestation.policyClient, signed);
    }

    /// @dev The payment fails after the nonce was marked, which must undo that.
    function payMoreThanThereIs(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        World.Payment payment = World.Payment(pick(own, "payment", 3));
        (Attestation memory attestation, uint32 epoch) = world.evaluate(vault, payment, own);
        attestation.intent = world.intentOf(client, payment, 1e30);
        attestation.taskId = world.taskIdOf(client, attestation.policyId, attestation.intent, attestation.nonce);
        perform("pay more than there is", client, world.signAlone(attestation, epoch, 0));
    }

    function give(uint256 seed) external reachesAnEnd {
        (uint256 vault,, uint256 own) = start(seed);
        world.give(vault, pick(own, "tokens", 1000), pick(own, "ether", 1000));
        world.reach("give", 0);
    }

    /// @dev By minutes, hours or days, or to the last second or first after it of an attestation or an epoch.
    function wait_(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint256 time =
            block.timestamp + pick(own, "time", [uint256(10 minutes), 2 hours, 2 days][pick(own, "scale", 3)]);
        uint256 edge = 0;
        if (pick(own, "edge", 3) == 0) {
            edge = world.frozenEpoch(uint32(1 + pick(own, "epoch", world.epochCount()))).validUntil;
        } else if (world.pendingCount() != 0) {
            edge = world.pendingAt(pick(own, "pending", world.pendingCount())).attestation.expiration;
        }
        edge -= edge == 0 ? 0 : pick(own, "before", 2);
        if (edge > block.timestamp && edge != type(uint48).max && edge != type(uint48).max - 1) time = edge;
        vm.warp(time);
        world.reach("wait", 0);
    }

    /* PRIVATE */

    /// @dev The first of the pending ones from this on that outlives its epoch; otherwise this.
    function _outlivingItsEpoch(uint256 index) private view returns (uint256) {
        uint256 count = world.pendingCount();
        for (uint256 i = index; i < index + count; ++i) {
            Signed memory signed = world.pendingAt(i % count);
            if (_outlives(signed, world.frozenEpoch(signed.epoch).validUntil)) return i % count;
        }
        return index;
    }

    /// @dev Whether it is or will be refused only because its epoch has ended. A revoked one ends at zero.
    function _outlives(Signed memory signed, uint48 end) private view returns (bool) {
        uint48 expiration = signed.attestation.expiration;
        return end != 0 && expiration > end && expiration > block.timestamp;
    }

    /// @dev Two to five payments under one root, one of them denied if there are more. The first is returned, the
    /// others are left for later, to be offered with their signature or as recorded.
    function _batch(uint256 vault, uint256 seed) private returns (Signed memory first) {
        address client = address(world.vaults(vault));
        Policy memory terms = world.policyOf(client);
        Attestation[] memory batch = new Attestation[](2 + pick(seed, "size", 4));
        uint32 epoch = 0;
        for (uint256 i = 0; i < batch.length; ++i) {
            uint256 ofThis = uint256(keccak256(abi.encode(seed, i)));
            World.Payment payment = World.Payment(pick(ofThis, "payment", 3));
            uint32 inForce;
            (batch[i], inForce) = world.evaluate(vault, payment, ofThis);
            if (i == 0) epoch = inForce;
            // What is left for later may outlive its epoch.
            else batch[i] = world.attest(client, terms, batch[i].intent, ofThis);
            if (i == 2) batch[i].decision = 0;
        }
        Signed[] memory signed =
            world.signTogether(batch, epoch, world.absentees(epoch, terms.quorum, pick(seed, "absent", 2 ** 12)));
        for (uint256 i = 1; i < signed.length; ++i) {
            signed[i].recorded = pick(seed, "recorded", 2) == 1;
            world.keepPending(signed[i]);
        }
        return signed[0];
    }

    /// @dev Signed as its own root, by operators of this epoch unless it is 0.
    function _ofEpoch(uint256 vault, uint256 seed, uint32 epoch) private returns (Signed memory) {
        (Attestation memory attestation, uint32 inForce) =
            world.evaluate(vault, World.Payment(pick(seed, "payment", 3)), seed);
        if (epoch == 0) epoch = inForce;
        uint16 quorum = world.policyOf(attestation.policyClient).quorum;
        return world.signAlone(attestation, epoch, world.absentees(epoch, quorum, pick(seed, "absent", 2 ** 12)));
    }
}
