// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {GasTestBase} from "./GasTestBase.sol";

/// @dev A protected no-op, by the number of operators and of those who did not sign.
abstract contract GasOfProtectedCallTest is GasTestBase {
    bytes[3] private calls;

    function operatorCount() internal pure virtual returns (uint256);

    function setUp() public {
        deployAssent(operatorCount());
        deployCounter();
        for (uint256 i = 0; i < 3; ++i) {
            calls[i] = trail(noOp(i + 1).intent.data, authorize(noOp(i + 1), operatorCount(), absent(i)));
        }
    }

    function absent(uint256 index) private pure returns (uint256) {
        return [uint256(0), 1, 10][index];
    }

    function test_WithAllSigning() public {
        uint256 used = _measure(0);
        assertLe(used, 144_500, "the most that an authorization may cost");
    }

    function test_WithOneNonSigner() public {
        _measure(1);
    }

    function test_WithTenNonSigners() public {
        if (operatorCount() <= 10) return; // Ten non-signers of ten leave no signer.
        _measure(2);
    }

    /// @dev In the head: keys of earlier tables come from further accounts.
    function test_EachNonSignerCostsAtMost1150() public {
        if (operatorCount() > 100) return;
        uint256 snapshot = vm.snapshotState();
        uint256 withAll = gasOf(address(counter), calls[0]);
        vm.revertToState(snapshot);
        uint256 more = operatorCount() <= 10 ? 1 : 2;
        assertLe(gasOf(address(counter), calls[more]) - withAll, 1150 * absent(more));
    }

    function test_Calldata() public {
        uint256 extra = calls[0].length - noOp(1).intent.data.length;
        vm.snapshotValue("calldata", name(operatorCount(), "operators, 0 non-signers"), extra);
    }

    function _measure(uint256 index) private returns (uint256 used) {
        used = gasOf(address(counter), calls[index]);
        string memory operators = name(operatorCount(), "operators, ");
        vm.snapshotValue("protectedCall", string.concat(operators, name(absent(index), "non-signers")), used);
    }
}

contract GasOfProtectedCallWith10OperatorsTest is GasOfProtectedCallTest {
    function operatorCount() internal pure override returns (uint256) {
        return 10;
    }
}

contract GasOfProtectedCallWith50OperatorsTest is GasOfProtectedCallTest {
    function operatorCount() internal pure override returns (uint256) {
        return 50;
    }
}

contract GasOfProtectedCallWith100OperatorsTest is GasOfProtectedCallTest {
    function operatorCount() internal pure override returns (uint256) {
        return 100;
    }
}

contract GasOfProtectedCallWith1000OperatorsTest is GasOfProtectedCallTest {
    function operatorCount() internal pure override returns (uint256) {
        return 1000;
    }
}

/// @dev The gas paid, compared with the unavoidable costs of this design. Prices: EIP-2537 (precompiles), EIP-2929
/// (cold and warm), Yellow Paper appendix G (the rest).
contract GasFloorTest is GasTestBase {
    uint256 private constant COLD_ACCOUNT = 2600;
    uint256 private constant COLD_SLOT = 2100;
    uint256 private constant WARM_CALL = 100;

    uint256 private sum;
    bytes private call;
    bytes private unprotected;

    function setUp() public {
        deployAssent(100);
        deployCounter();
        call = trail(noOp(1).intent.data, authorize(noOp(1), 100, 0));
        unprotected = abi.encodeCall(ProtectedCounter.unprotectedNoOp, ());
    }

    function test_UnprotectedCall() public {
        vm.snapshotValue("protectedCall", "unprotected", gasOf(address(counter), unprotected));
    }

    /// @dev The longest bitmap there can be with so many operators: the last of them is absent.
    function test_CalldataOf256OperatorsIsBelow450Bytes() public {
        bytes memory bitmap = new bytes(32);
        bitmap[31] = 0x80;
        bytes memory authorization = encode(noOp(1), FIRST_EPOCH, new bytes(96), bitmap, new bytes32[](0));
        uint256 extra = trail("", authorization).length;
        vm.snapshotValue("calldata", "256 operators, the last of them absent", extra);
        assertLt(extra, 450);
    }

    function test_ProtectedCallIsWithinSixPercentOfItsFloor() public {
        uint256 paid = gasOf(address(counter), call);

        _line("a: pairing of two", 37_700 + 2 * 32_600 + WARM_CALL);
        // b_0 hashes 64 + 32 + 3 + 44 bytes, b_1 to b_4 hash 33 + 44 each.
        _line("b: hash to curve, SHA-256", (60 + 12 * 5) + 4 * (60 + 12 * 3) + 5 * WARM_CALL);
        _line("c: hash to curve, two maps and their sum", 2 * (5500 + WARM_CALL) + 375 + WARM_CALL);
        _line("d: operator table, account and 7 words", COLD_ACCOUNT + 7 * 3);
        _line("e: non-signers' additions", 0);
        _line("f: epoch's slot", COLD_SLOT);
        _line("g: nonce's word, read and written", COLD_SLOT + 2900);
        _line("h: client's two slots", 2 * COLD_SLOT);
        _line("i: accounts of client and TaskManager", 2 * COLD_ACCOUNT);
        _line("j: event", 375 + 3 * 375 + 8 * 96);

        emit log_named_uint("sum of the unavoidable prices", sum);
        emit log_named_uint("paid", paid);
        vm.snapshotValue("floor", "sum", sum);
        vm.snapshotValue("floor", "paid", paid);
        assertLe(100 * paid, 106 * sum, "more than 6 % above the floor");
    }

    function _line(string memory what, uint256 price) private {
        sum += price;
        emit log_named_uint(what, price);
        vm.snapshotValue("floor", what, price);
    }
}
