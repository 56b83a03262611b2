// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, EpochId, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {ExplicitPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";

/// @dev Uses gas, and remembers that it was enough.
contract Worker {
    uint256 public done;

    function work() public {
        for (uint256 i = 0; i < 100; ++i) {
            assembly ("memory-safe") {
                sstore(add(1000, i), add(sload(add(1000, i)), 1))
            }
        }
        ++done;
    }

    /// @dev Takes a failure of its work as nothing out of the ordinary.
    function tryToWork() external {
        try this.work() {} catch {}
    }
}

/// @dev Gas withheld, and gas wasted.
contract AttackGasTest is ExplicitPath {
    Worker private worker;

    function setUp() public override {
        super.setUp();
        worker = new Worker();
    }

    /* THE 63/64 RULE */

    /// @dev The target gets 63/64 of what is left: whatever the caller gives, the nonce is spent with the call or not
    /// at all.
    function test_NoAmountOfGasSpendsTheNonceWithoutTheCall() public {
        (Intent memory intent, bytes memory authorization) = _toWorker(abi.encodeCall(Worker.work, ()));
        (uint256 executed, uint256 refused) = (0, 0);
        for (uint256 gas_ = 150_000; gas_ < 2_700_000; gas_ += 13_337) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(agent);
            try counter.execute{gas: gas_}(intent, authorization) {
                ++executed;
            } catch {
                ++refused;
            }
            assertEq(taskManager.isSpent(address(counter), NONCE), worker.done() == 1);
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(executed, 0, "never enough gas");
        assertGt(refused, 0, "never too little gas");
    }

    /// @dev Documented: gas is not attested. A target that continues when one of its own calls fails can be forced to
    /// do so. The account that calls the client can do it, which is the intent's `from`.
    function test_TargetThatSwallowsWantOfGasIsSpentWithoutItsWork() public {
        (Intent memory intent, bytes memory authorization) = _toWorker(abi.encodeCall(Worker.tryToWork, ()));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.WrongSender.selector, stranger, agent));
        counter.execute{gas: 700_000}(intent, authorization);

        vm.prank(agent);
        counter.execute{gas: 700_000}(intent, authorization);
        assertTrue(taskManager.isSpent(address(counter), NONCE));
        assertEq(worker.done(), 0);
    }

    /* HUGE INPUT */

    /// @dev The first operator that is not in the epoch ends the walk through the bitmap.
    function test_RevertWhen_BitmapIsHugeForLittleGas() public {
        bytes memory all = new bytes(255);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = 0xff;
        }
        bytes memory last = new bytes(255);
        last[254] = 0x80;
        bytes[2] memory bitmaps = [all, last];
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, OPERATORS);
        for (uint256 i = 0; i < bitmaps.length; ++i) {
            bytes memory authorization = encode(attestation, FIRST_EPOCH, signature, bitmaps[i], new bytes32[](0));
            vm.prank(agent);
            uint256 before = gasleft();
            try counter.execute(attestation.intent, authorization) {
                fail();
            } catch (bytes memory reason) {
                assertLt(before - gasleft(), 60_000);
                assertEq(reason, abi.encodeWithSelector(IRefusals.NonSignerOutOfRange.selector));
            }
        }
    }

    /// @dev Several tables: each absent operator costs its price and no more.
    function test_RevertWhen_HundredsAreAbsentForBoundedGas() public {
        uint256 operators = 300;
        for (uint256 i = OPERATORS; i < operators; ++i) {
            registerOperator(i, WEIGHT);
        }
        EpochId epoch = commitEpoch(0, operators);
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = encode(attestation, epoch, new bytes(96), firstBits(operators), new bytes32[](0));
        vm.prank(agent);
        uint256 before = gasleft();
        try counter.execute(attestation.intent, authorization) {
            fail();
        } catch (bytes memory reason) {
            assertLt(before - gasleft(), 80_000 + operators * 1500);
            assertEq(reason, abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 0, 20_001));
        }
    }

    /// @dev To refuse calldata costs less than the least a transaction pays for it, 10 gas for each zero byte
    /// (EIP-7623).
    function test_RevertWhen_CalldataIsHugeForLessThanItsOwnPrice() public {
        uint256[3] memory lengths = [uint256(10_000), 50_000, 120_000];
        for (uint256 i = 0; i < lengths.length; ++i) {
            // As ordinary calldata, as an authorization, and as both, none of it valid.
            bytes memory ordinary = trail(bytes.concat(ProtectedCounter.increment.selector, new bytes(lengths[i])), "");
            bytes memory trailing = trail(
                abi.encodeCall(ProtectedCounter.increment, (1)), new bytes(lengths[i] > 65_535 ? 65_535 : lengths[i])
            );
            _assertCheaplyRefused(ordinary);
            _assertCheaplyRefused(trailing);
        }
    }

    function _assertCheaplyRefused(bytes memory data) private {
        vm.prank(agent);
        uint256 before = gasleft();
        (bool success, bytes memory reason) = address(counter).call(data);
        uint256 used = before - gasleft();
        assertFalse(success);
        assertEq(reason, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        assertLt(used, 10 * data.length);
    }

    function _toWorker(bytes memory data) private view returns (Intent memory intent, bytes memory authorization) {
        intent = Intent(agent, address(worker), 0, data, block.chainid);
        authorization = authorize(attest(intent));
    }
}
