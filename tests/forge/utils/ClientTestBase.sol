// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestBase} from "./AssentTestBase.sol";
import {ProtectedCounter} from "./ProtectedCounter.sol";
import {Recorder} from "./Recorder.sol";

/// @title A protected client, a call to attest, and what becomes of it
/// @dev One of the two paths below says how the call is made. Every attempt also asks `checkAuthorization` beforehand
/// and fails the test unless it answers what the call then answers, to the byte.
abstract contract ClientTestBase is AssentTestBase {
    uint256 internal constant OPERATORS = 7;
    uint256 internal constant NONCE = 3;

    address internal agent = makeAddr("agent");
    address internal stranger = makeAddr("stranger");
    ProtectedCounter internal counter;
    Recorder internal recorder;

    function setUp() public virtual {
        deployAssent(OPERATORS);
        recorder = new Recorder();
        counter = new ProtectedCounter();
        counter.initialize(taskManager, policy());
        vm.deal(agent, 100 ether);
        vm.deal(address(counter), 100 ether);
    }

    /// @dev A call by `agent` that succeeds only with an authorization.
    function protectedCall() internal view virtual returns (Intent memory);

    /// @dev Makes the call and returns the revert data, empty if it succeeded.
    function attempt(Intent memory intent, address caller, bytes memory authorization)
        internal
        virtual
        returns (bytes memory refusal);

    function attest(Intent memory intent) internal view returns (Attestation memory) {
        return attestationOf(address(counter), intent, NONCE);
    }

    /// @dev Signed by all.
    function authorize(Attestation memory attestation) internal view returns (bytes memory) {
        return authorize(attestation, OPERATORS, 0);
    }

    function attempt(Attestation memory attestation) internal returns (bytes memory refusal) {
        return attempt(attestation.intent, agent, authorize(attestation));
    }

    function assertPasses(Intent memory intent, bytes memory authorization) internal {
        assertEq(attempt(intent, agent, authorization), "", "a valid authorization was refused");
    }

    function assertRefused(Intent memory intent, bytes memory authorization, bytes memory expected) internal {
        assertEq(attempt(intent, agent, authorization), expected);
    }

    /// @dev Fails the test if the unmodified call is refused. Leaves no trace.
    modifier whereUnmodifiedPasses() {
        uint256 snapshot = vm.snapshotState();
        assertEq(attempt(attest(protectedCall())), "", "the unmodified call was refused");
        vm.revertToState(snapshot);
        _;
    }

    function askView(Intent memory intent, address caller, bytes memory authorization)
        internal
        view
        returns (bytes memory refusal)
    {
        try counter.checkAssentAuthorization(intent, caller, authorization) returns (bytes32 taskId) {
            assertEq(taskId, bytes32(authorization), "the view names another task");
        } catch (bytes memory reason) {
            return reason;
        }
    }
}

/// @dev The authorization follows the calldata of a function of the client.
abstract contract TrailingPath is ClientTestBase {
    function protectedCall() internal view override returns (Intent memory) {
        return Intent({
            from: agent,
            to: address(counter),
            value: 1 ether,
            data: abi.encodeCall(ProtectedCounter.increment, (5)),
            chainId: block.chainid
        });
    }

    function attempt(Intent memory intent, address caller, bytes memory authorization)
        internal
        override
        returns (bytes memory refusal)
    {
        bytes memory viewRefusal = askView(intent, caller, authorization);
        vm.prank(caller);
        (bool success, bytes memory returned) =
            address(counter).call{value: intent.value}(trail(intent.data, authorization));
        if (!success) refusal = returned;
        assertEq(viewRefusal, refusal, "the view disagrees with the call");
    }
}

/// @dev The client executes an intent that it is handed.
abstract contract ExplicitPath is ClientTestBase {
    function protectedCall() internal view override returns (Intent memory) {
        return
            Intent({
                from: agent, to: address(recorder), value: 1 ether, data: "any call at all", chainId: block.chainid
            });
    }

    function attempt(Intent memory intent, address caller, bytes memory authorization)
        internal
        override
        returns (bytes memory refusal)
    {
        bytes memory viewRefusal = askView(intent, caller, authorization);
        vm.prank(caller);
        try counter.execute(intent, authorization) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
        assertEq(viewRefusal, refusal, "the view disagrees with the call");
    }
}
