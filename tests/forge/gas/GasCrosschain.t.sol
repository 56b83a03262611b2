// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Handover, IEpochMirror} from "../../../contracts/interfaces/IEpochMirror.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {MirrorTestBase} from "../crosschain/MirrorTestBase.sol";

/// @dev Epochs that a mirror accepts, with the transaction's 21,000 and its calldata.
contract GasOfCrosschainTest is MirrorTestBase {
    uint256 private constant MOST_MEMBERS = 100;

    function setUp() public override {
        super.setUp();
        for (uint256 i = OPERATORS; i < MOST_MEMBERS; ++i) {
            registerOperator(i, WEIGHT);
        }
        EpochId signer = commitNext(0, MOST_MEMBERS);
        accept(signer, FIRST_EPOCH, OPERATORS);
    }

    function test_Accept10() public {
        _measure(10);
    }

    function test_Accept100() public {
        assertLe(_measure(MOST_MEMBERS), 5_200_000);
    }

    /// @dev All of the 100 operators of the epoch before it sign.
    function _measure(uint256 count) private returns (uint256 used) {
        EpochId next = commitNext(0, count);
        Handover memory handover = handoverTo(next, mirror.latestEpoch(OPERATOR_SET));
        bytes memory signature = signHandover(handover, 0, MOST_MEMBERS);
        bytes memory data = abi.encodeCall(IEpochMirror.accept, (handover, tableOf(next), "", signature));
        vm.cool(address(registry));
        (address table,,,) = mirror.epochs(handover.signedBy);
        vm.cool(table);
        vm.cool(mirrorsTaskManager());
        vm.cool(address(mirror));
        // A transaction's target is warm (EIP-2929), its storage is not.
        assertNotEq(address(mirror).code.length, 0);
        uint256 before = gasleft();
        (bool success, bytes memory reason) = address(mirror).call(data);
        used = before - gasleft();
        assertTrue(success, vm.toString(reason));
        used += _intrinsic(data);
        vm.snapshotValue("crosschain", string.concat("accept", vm.toString(count)), used);
    }

    function mirrorsTaskManager() private view returns (address) {
        return address(mirror.validators()[0]);
    }

    /// @dev EIP-2028. The floor of EIP-7623 is below what is paid here.
    function _intrinsic(bytes memory data) private pure returns (uint256 gas) {
        gas = 21_000;
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }
}
