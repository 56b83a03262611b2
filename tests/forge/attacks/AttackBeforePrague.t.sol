// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Epoch, SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {EpochId, IRefusals, Intent, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {BLS12381, G2Point} from "../../../contracts/libraries/BLS12381.sol";
import {OperatorTable, TableHead} from "../../../contracts/libraries/OperatorTable.sol";
import {Precompiles} from "../../../contracts/libraries/Precompiles.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {Test} from "forge-std/Test.sol";

/// @dev Nothing is mocked: the EVM is an older one, in which the precompiles' addresses are accounts without code.
/// Calls of those succeed and return nothing, which must never pass for an answer.
///
/// The TaskManager refuses to be deployed there. The test puts the artifact's code there all the same: the case of a
/// chain that removed the precompiles.
/// forge-config: default.evm_version = "cancun"
contract AttackBeforePragueTest is Test {
    /// @dev The points of docs/protocol.md, section "Worked example": well-formed, and of another message.
    bytes private constant SIGNATURE = hex"0a68f43bef6c0fa5c44fde07b17af91de8811e73575d7e32db318a7ca4b4d95d889307ad5ad712aeb8b67c63f38332de"
        hex"0f38bf122d4830351d8320840a748e7e2c382afe15eaaf5a64ff26181a5c78a515d20d45649442381b9a696218094d87";
    uint256 private constant NONCE = 0;
    Policy private policy = Policy(keccak256("policy"), OperatorSetId.wrap(1), 6000, 1 hours);

    address private agent = makeAddr("agent");
    ITaskManager private taskManager = ITaskManager(makeAddr("task manager"));
    ProtectedCounter private counter;
    Intent private intent;

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.etch(address(taskManager), vm.getDeployedCode("TaskManager.sol:TaskManager"));
        Epoch memory epoch = Epoch(_table(), OperatorSetId.wrap(1), type(uint48).max, type(uint48).max);
        // The artifact's registry is zero.
        vm.prank(address(0));
        taskManager.updateEpoch(EpochId.wrap(1), epoch);
        counter = new ProtectedCounter();
        counter.initialize(taskManager, policy);
        intent = Intent(agent, address(counter), 0, abi.encodeCall(ProtectedCounter.increment, (5)), block.chainid);
    }

    function test_RevertWhen_AuthorizationIsUsedOnAnEvmBeforePrague() public {
        bytes memory refusal = _attempt(abi.encodePacked(SIGNATURE, hex"0000"));
        assertEq(refusal, _missing(Precompiles.MAP_FP_TO_G1));
    }

    /// @dev Infinity is what an absent precompile's empty answer would look like, if it were read from cleared memory.
    function test_RevertWhen_InfinityIsTheSignatureOnAnEvmBeforePrague() public {
        bytes memory refusal = _attempt(abi.encodePacked(new bytes(96), hex"0000"));
        assertEq(refusal, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
    }

    /// @dev Before the precompile is missed, the instruction that finds a bitmap's bits is.
    function test_RevertWhen_AuthorizationHasNonSignersOnAnEvmBeforePrague() public {
        _attempt(abi.encodePacked(SIGNATURE, hex"010100"));
    }

    function test_RevertWhen_RootIsRecordedOnAnEvmBeforePrague() public {
        SignedRoot[] memory roots = new SignedRoot[](2);
        (roots[0], roots[1]) = (SignedRoot("root", SIGNATURE, ""), SignedRoot("another root", SIGNATURE, ""));
        vm.expectRevert(_missing(Precompiles.MAP_FP_TO_G1));
        taskManager.recordRoot(EpochId.wrap(1), roots[0]);
        vm.expectRevert(_missing(Precompiles.MAP_FP_TO_G1));
        taskManager.recordRoots(EpochId.wrap(1), roots);
        (, uint96 total,) = taskManager.recordedRoots(EpochId.wrap(1), "root");
        assertEq(total, 0);
    }

    function test_RevertWhen_KeyIsRegisteredOnAnEvmBeforePrague() public {
        bytes memory arguments = abi.encode(address(this), new OwnerStakeSource(address(this)), 7 days, 1 days, 1 days);
        IOperatorRegistry registry = IOperatorRegistry(deployCode("OperatorRegistry.sol:OperatorRegistry", arguments));
        bytes memory key = BLS12381.encode(BLS12381.generatorG2());
        vm.expectRevert(_missing(Precompiles.MAP_FP_TO_G1));
        registry.registerOperator(key, SIGNATURE);
        assertFalse(registry.isKeyUsed(keccak256(key)));
    }

    function test_RevertWhen_TaskManagerIsDeployedOnAnEvmBeforePrague() public {
        vm.expectRevert(_missing(Precompiles.G2ADD));
        deployCode("TaskManager.sol:TaskManager", abi.encode(address(this)));
    }

    /// @dev Makes the call with whatever follows an authorization's kind, and returns the revert data.
    function _attempt(bytes memory direct) private returns (bytes memory refusal) {
        bytes32 task = taskManager.taskIdOf(address(counter), policy.policyId, intent, NONCE);
        bytes memory authorization = abi.encodePacked(
            task,
            NONCE,
            uint48(block.timestamp),
            uint48(block.timestamp + 1),
            uint8(1),
            bytes32("evidence"),
            uint32(1),
            uint8(0),
            direct
        );
        bytes memory trailed = abi.encodePacked(intent.data, authorization, uint16(authorization.length));
        bool success;
        vm.prank(agent);
        (success, refusal) = address(counter).call{gas: 1_000_000}(trailed);
        assertFalse(success, "passed without precompiles");
        assertFalse(taskManager.isSpent(address(counter), NONCE));
        assertEq(counter.count(), 0);
    }

    /// @dev Two operators, of which the first has a third of the weight. Their keys are of no account.
    function _table() private returns (address) {
        G2Point memory key = BLS12381.generatorG2();
        bytes memory encoded = BLS12381.encode(key);
        bytes memory entries = bytes.concat(
            OperatorTable.encodeEntry(encoded, 1, address(1)), OperatorTable.encodeEntry(encoded, 2, address(2))
        );
        TableHead memory head = TableHead({negatedAggregate: key, totalWeight: 3, operatorCount: 2, earlierTables: 0});
        return OperatorTable.write(head, new address[](0), entries);
    }

    function _missing(address precompile) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, precompile);
    }
}

/// @dev Prague has the precompiles, and not the instruction CLZ (EIP-7939), which came with Osaka.
/// forge-config: default.evm_version = "prague"
contract AttackBeforeOsakaTest is Test {
    function test_RevertWhen_TaskManagerIsDeployedOnAnEvmBeforeOsaka() public {
        // An instruction that is not there burns all the gas it is given.
        try this.deploy{gas: 50_000_000}() {
            fail();
        } catch {}
    }

    function deploy() external {
        deployCode("TaskManager.sol:TaskManager", abi.encode(address(this)));
    }
}

/// @dev The same where all of it is there, so that the refusals above are for want of it and nothing else.
/// forge-config: default.evm_version = "osaka"
contract AttackSinceOsakaTest is Test {
    function test_TaskManagerIsDeployedOnOsaka() public {
        new AttackBeforeOsakaTest().deploy{gas: 50_000_000}();
    }
}
