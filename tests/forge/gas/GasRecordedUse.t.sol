// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator, SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Attestation} from "../../../contracts/interfaces/Protocol.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {GasTestBase} from "./GasTestBase.sol";

/// @dev Carries a root and calls under it in one transaction, as a bundler does.
contract Bundle {
    function run(address[] calldata targets, bytes[] calldata calls) external {
        for (uint256 i = 0; i < targets.length; ++i) {
            (bool success,) = targets[i].call(calls[i]);
            require(success, "a call failed");
        }
    }
}

/// @dev Roots that are verified once, and uses under them.
contract GasOfRecordedUseTest is GasTestBase {
    uint256 private constant OPERATORS = 100;

    mapping(uint256 size => bytes call) private uses;
    mapping(uint256 count => SignedRoot[]) private fresh;
    Bundle private bundle;
    bytes private bundled;
    bytes private direct;

    function setUp() public {
        deployAssent(OPERATORS);
        deployCounter();
        direct = trail(noOp(255).intent.data, authorize(noOp(255), OPERATORS, 0));
        for (uint256 size = 1; size <= 1024; size *= 4) {
            _prepareUse(size);
        }
        for (uint256 count = 1; count <= 16; count *= 2) {
            for (uint256 i = 0; i < count; ++i) {
                fresh[count].push(_signed(keccak256(abi.encode(count, i))));
            }
        }
        _prepareBundle();
    }

    function test_UseInABatchOf1() public {
        _measureUse(1);
    }

    function test_UseInABatchOf4() public {
        _measureUse(4);
    }

    function test_UseInABatchOf16() public {
        _measureUse(16);
    }

    function test_UseInABatchOf64() public {
        _measureUse(64);
    }

    function test_UseInABatchOf256() public {
        assertLe(_measureUse(256), 25_900, "the most that a use under a recorded root may cost");
    }

    function test_UseInABatchOf1024() public {
        _measureUse(1024);
    }

    function test_RecordRoot() public {
        bytes memory data = abi.encodeCall(IAttestationValidator.recordRoot, (FIRST_EPOCH, fresh[1][0]));
        vm.snapshotValue("batch", "recordRoot", gasOf(address(taskManager), data));
    }

    function test_RecordTwoRoots() public {
        _measureRoots(2);
    }

    function test_RecordFourRoots() public {
        _measureRoots(4);
    }

    function test_RecordSixteenRoots() public {
        _measureRoots(16);
    }

    function test_SixteenAttestationsInOneTransaction() public {
        uint256 used = gasOf(address(bundle), bundled);
        vm.snapshotValue("batch", "16 attestations in one transaction", used);
        // Both of these are cold in the tests above; here they are warm, and so lower than what the bound allows.
        uint256 one = gasOf(address(counter), direct);
        uint256 use = gasOf(address(counter), uses[16]);
        assertLt(used, 2 * one + 16 * use, "16 attestations cost more than two, and 16 uses");
    }

    function test_Calldata() public {
        uint256 extra = uses[256].length - noOp(1).intent.data.length;
        vm.snapshotValue("calldata", "recorded root, batch of 256", extra);
    }

    function _measureUse(uint256 size) private returns (uint256 used) {
        used = gasOf(address(counter), uses[size]);
        vm.snapshotValue("recordedUse", string.concat("batch of ", vm.toString(size)), used);
    }

    function _measureRoots(uint256 count) private {
        bytes memory data = abi.encodeCall(IAttestationValidator.recordRoots, (FIRST_EPOCH, fresh[count]));
        vm.snapshotValue(
            "batch", string.concat("recordRoots of ", vm.toString(count)), gasOf(address(taskManager), data)
        );
    }

    /// @dev Nonces of the batches: word 1 and on, of which the first nonce is burned, so that no word is zero.
    function _prepareUse(uint256 size) private {
        (Attestation[] memory batch, bytes32[] memory leaves) = _batch(size, 256 * size + 1);
        counter.burnAssentNonces(size, 1);
        taskManager.recordRoot(FIRST_EPOCH, _signed(MerkleTree.rootOf(leaves)));
        uses[size] = _use(batch[0], leaves, 0);
    }

    function _prepareBundle() private {
        bundle = new Bundle();
        address[] memory targets = new address[](17);
        bytes[] memory calls = new bytes[](17);
        (Attestation[] memory batch, bytes32[] memory leaves) = _batch(16, 17 * 256 + 1);
        counter.burnAssentNonces(17, 1);
        for (uint256 i = 0; i < 16; ++i) {
            batch[i].intent.from = address(bundle);
            batch[i].taskId = taskManager.taskIdOf(address(counter), POLICY_ID, batch[i].intent, batch[i].nonce);
            leaves[i] = taskManager.digestOf(batch[i]);
        }
        targets[0] = address(taskManager);
        SignedRoot memory signedRoot = _signed(MerkleTree.rootOf(leaves));
        calls[0] = abi.encodeCall(IAttestationValidator.recordRoot, (FIRST_EPOCH, signedRoot));
        for (uint256 i = 0; i < 16; ++i) {
            (targets[i + 1], calls[i + 1]) = (address(counter), _use(batch[i], leaves, i));
        }
        bundled = abi.encodeCall(Bundle.run, (targets, calls));
    }

    function _batch(uint256 size, uint256 firstNonce)
        private
        view
        returns (Attestation[] memory batch, bytes32[] memory leaves)
    {
        batch = new Attestation[](size);
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            batch[i] = noOp(firstNonce + i);
            leaves[i] = taskManager.digestOf(batch[i]);
        }
    }

    function _use(Attestation memory attestation, bytes32[] memory leaves, uint256 index)
        private
        pure
        returns (bytes memory)
    {
        return
            trail(attestation.intent.data, encodeRecorded(attestation, FIRST_EPOCH, MerkleTree.proofOf(leaves, index)));
    }

    function _signed(bytes32 root) private view returns (SignedRoot memory) {
        return SignedRoot({root: root, signature: sign(root, 0, OPERATORS), nonSigners: ""});
    }
}
