// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestedCall} from "../../../contracts/interfaces/ITaskManager.sol";
import {Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../../forge/utils/ClientTestBase.sol";
import {ProtectedCounter} from "../../forge/utils/ProtectedCounter.sol";
import {IVerifierOracle} from "../oracle/IVerifierOracle.sol";
import {Dice} from "./Dice.sol";
import {Attempt} from "./DifferentialWorld.sol";
import {EveryRefusal} from "./EveryRefusal.sol";
import {VerificationDifferentialTestBase} from "./VerificationDifferentialTestBase.sol";

/// @dev The authorization follows the calldata of a function of the client.
contract TrailingVerificationDifferentialTest is EveryRefusal, TrailingPath {
    using Dice for Dice.Cup;

    function setUp() public override(ClientTestBase, VerificationDifferentialTestBase) {
        super.setUp();
    }

    function randomIntent(Dice.Cup memory dice) internal view override returns (Intent memory) {
        bytes memory call = abi.encodeCall(ProtectedCounter.increment, (dice.roll()));
        // The function takes no notice of what follows its argument; the attestation does.
        if (dice.oneIn(2)) call = bytes.concat(call, dice.randomBytes(dice.below(200)));
        return Intent(agent, address(counter), dice.below(1 ether), call, block.chainid);
    }

    /// @dev Only who calls, with what value and which calldata: the client fills in the rest.
    function mutateIntent(Attempt memory attempted, Dice.Cup memory dice) internal override {
        Intent memory intent = attempted.intent;
        uint256 field = dice.below(3);
        if (field == 0) (intent.from, attempted.caller) = (stranger, stranger);
        if (field == 1) intent.value = dice.below(1 ether);
        // Of the arguments; another selector is another function.
        if (field == 2) intent.data[4 + dice.below(intent.data.length - 4)] ^= bytes1(uint8(1 << dice.below(8)));
        vm.deal(stranger, 1 ether);
    }

    function callOf(Attempt memory attempted) internal view override returns (IVerifierOracle.Call memory call) {
        call.isTrailing = true;
        call.value = attempted.intent.value;
        call.data = trail(attempted.intent.data, attempted.authorization);
    }

    /// @dev Where the call is made is where it is.
    function prepare(Attempt memory attempted) internal view override {
        (attempted.intent.to, attempted.intent.chainId) = (address(counter), block.chainid);
    }

    /// @dev The client itself fills in the chain and the sender.
    function unreachable() internal pure override returns (string[] memory none) {
        none = new string[](2);
        (none[0], none[1]) = ("WrongChain(uint256,uint256)", "WrongSender(address,address)");
    }
}

/// @dev The client executes an intent that it is handed.
contract ExplicitVerificationDifferentialTest is EveryRefusal, ExplicitPath {
    function setUp() public override(ClientTestBase, VerificationDifferentialTestBase) {
        super.setUp();
    }
}

/// @dev The TaskManager itself is asked, under policies that no client could have.
contract ManagerVerificationDifferentialTest is EveryRefusal {
    using Dice for Dice.Cup;

    Policy private demanded = policy();
    uint48 private floor;

    function protectedCall() internal pure override returns (Intent memory intent) {}

    function demand(Policy memory newPolicy) internal override {
        demanded = newPolicy;
    }

    function forgetPolicy(Dice.Cup memory dice) internal override {
        demanded.quorum = uint16(dice.roll());
        demanded.maxLifetime = uint48(dice.oneIn(2) ? dice.roll() : 0);
    }

    function policyInForce() internal view override returns (Policy memory) {
        return demanded;
    }

    function voidAttestations(uint48 newFloor) internal override {
        floor = newFloor;
    }

    function issuanceFloorInForce() internal view override returns (uint48) {
        return floor;
    }

    function attempt(Intent memory intent, address caller, bytes memory authorization)
        internal
        override
        returns (bytes memory refusal)
    {
        AttestedCall memory call =
            AttestedCall(caller, intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId);
        bytes memory viewRefusal;
        try taskManager.check(address(counter), call, demanded, floor, authorization) returns (bytes32 taskId) {
            assertEq(taskId, bytes32(authorization), "the view names another task");
        } catch (bytes memory reason) {
            viewRefusal = reason;
        }
        vm.prank(address(counter));
        try taskManager.spend(call, demanded, floor, authorization) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
        assertEq(viewRefusal, refusal, "the view disagrees with the call");
    }

    /// @dev Only a client can be without a policy.
    function unreachable() internal pure override returns (string[] memory none) {
        none = new string[](1);
        none[0] = "PolicyNotSet()";
    }
}

/// @dev Operators beyond the first table, and as many in the first as one holds.
contract LargeSetVerificationDifferentialTest is VerificationDifferentialTestBase, ExplicitPath {
    function setUp() public override(ClientTestBase, VerificationDifferentialTestBase) {
        super.setUp();
    }

    function operatorCount(uint32 epoch) internal pure override returns (uint256) {
        return epoch == SUPERSEDED ? OPERATORS : epoch == FOREIGN ? 100 : 103;
    }
}
