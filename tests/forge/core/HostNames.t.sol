// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, IRefusals, Intent, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";

/// @dev Errors that another base of the host declares, with other arguments than the protocol's of the same name.
abstract contract ForeignBase {
    error InvalidPolicy(address policy);
    error InvalidTaskManager();
    error QuorumNotReached();
}

/// @dev A contract that had its own names for nearly everything before it inherited PolicyClient.
contract CrowdedHost is ForeignBase, PolicyClient {
    struct PolicyClientStorage {
        uint256 terms;
    }

    event PolicyChanged(bytes32 indexed policyId, OperatorSetId operatorSet, uint16 quorum, uint48 maxLifetime);
    event TaskManagerChanged(ITaskManager taskManager);

    error InvalidSignature();
    error MalformedAuthorization();
    error PolicyNotSet();
    error WrongSender(address sender);
    error PolicyClientAlreadyInitialized();

    bytes32 private constant STORAGE_LOCATION = "host";
    uint256 internal constant LENGTH_SUFFIX = 7;
    uint256 internal constant SELECTOR_LENGTH = 9;

    address public owner = msg.sender;
    string public policy = "our policy";
    address public taskManager = address(1);
    mapping(address account => uint256) public nonces;
    uint256 public calls;

    function initialize(ITaskManager manager, Policy calldata initialPolicy) external {
        _assentInitialize(manager, initialPolicy);
    }

    function protected() external onlyAttested {
        ++calls;
    }

    function execute(Intent calldata intent, bytes calldata authorization) external returns (bytes memory) {
        return _assentExecute(intent, authorization);
    }

    function setPolicy(Policy calldata newPolicy) external {
        _setPolicy(newPolicy);
    }

    function setTaskManager(ITaskManager newTaskManager) external {
        _setTaskManager(newTaskManager);
    }

    function burnNonces(uint256 word, uint256 mask) external {
        nonces[msg.sender] = _spend(word, mask);
    }

    function checkAuthorization(Intent calldata, address caller, bytes calldata) external view returns (bytes32) {
        if (caller != owner) revert WrongSender(caller);
        return _storage();
    }

    function refuse() external pure {
        revert InvalidSignature();
    }

    function check(address account) external view returns (bool) {
        return account == owner;
    }

    function spend(uint256 amount) external {
        nonces[msg.sender] = _spend(amount, 0);
    }

    function _setPolicy(Policy memory newPolicy) internal virtual {
        if (newPolicy.policyId == 0) revert InvalidPolicy(msg.sender);
        emit PolicyChanged(newPolicy.policyId, newPolicy.operatorSet, newPolicy.quorum, newPolicy.maxLifetime);
    }

    function _setTaskManager(ITaskManager newTaskManager) internal virtual {
        taskManager = address(newTaskManager);
        emit TaskManagerChanged(newTaskManager);
    }

    function _initializePolicyClient(ITaskManager, Policy memory) internal virtual {}

    function _authorizePolicyChange() internal virtual {}

    function _executeAttested(Intent calldata, bytes calldata) internal virtual returns (bytes memory) {}

    function _requirePolicy() internal virtual {
        revert PolicyNotSet();
    }

    function _spend(uint256 word, uint256 mask) internal pure virtual returns (uint256) {
        return word ^ mask;
    }

    function _storage() internal pure virtual returns (bytes32) {
        return STORAGE_LOCATION;
    }

    function _assentAuthorizeChange() internal view override {
        require(msg.sender == owner, "only the owner");
    }
}

/// @dev PolicyClient takes no names from its host: the host's own ones keep their meaning, and both work side by side.
contract HostNamesTest is AssentTestBase {
    uint256 private constant OPERATORS = 4;

    CrowdedHost private host;
    address private agent = makeAddr("agent");

    function setUp() public {
        deployAssent(OPERATORS);
        host = new CrowdedHost();
        host.initialize(taskManager, policy());
    }

    function test_HostKeepsItsNames() public {
        assertEq(host.owner(), address(this));
        assertEq(host.policy(), "our policy");
        assertEq(host.taskManager(), address(1));
        assertEq(host.checkAuthorization(_intent(""), address(this), ""), bytes32("host"));
        host.burnNonces(5, 3);
        assertEq(host.nonces(address(this)), 6);
        vm.expectRevert(abi.encodeWithSelector(ForeignBase.InvalidPolicy.selector, address(this)));
        host.setPolicy(Policy(0, OPERATOR_SET, QUORUM, MAX_LIFETIME));
        vm.expectRevert(CrowdedHost.InvalidSignature.selector);
        host.refuse();

        vm.expectEmit(address(host));
        emit CrowdedHost.PolicyChanged(POLICY_ID, OPERATOR_SET, 5001, 1);
        host.setPolicy(Policy(POLICY_ID, OPERATOR_SET, 5001, 1));
        host.setTaskManager(ITaskManager(agent));
        assertEq(host.taskManager(), agent);
        assertEq(abi.encode(host.assentPolicy()), abi.encode(policy()), "the host changed Assent's policy");
        assertEq(address(host.assentTaskManager()), address(taskManager), "the host changed Assent's TaskManager");
    }

    function test_ProtectedCallOfTheHostPassesOnce() public {
        bytes memory data = abi.encodeCall(CrowdedHost.protected, ());
        Attestation memory attestation = attestationOf(address(host), _intent(data), 0);
        bytes memory authorization = authorize(attestation, OPERATORS, 0);
        assertEq(host.checkAssentAuthorization(attestation.intent, agent, authorization), attestation.taskId);

        (bool success,) = _call(trail(data, authorization));
        assertTrue(success);
        assertEq(host.calls(), 1);
        (bool again, bytes memory reason) = _call(trail(data, authorization));
        assertFalse(again);
        assertEq(reason, abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(host), 0));
    }

    function test_RefusalsOfTheHostAreTheProtocols() public {
        bytes memory data = abi.encodeCall(CrowdedHost.protected, ());
        (, bytes memory reason) = _call(data);
        assertEq(reason, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        Attestation memory attestation = attestationOf(address(host), _intent(data), 0);
        bytes memory forged = encode(attestation, FIRST_EPOCH, sign("forged", 0, OPERATORS), "", new bytes32[](0));
        (, reason) = _call(trail(data, forged));
        assertEq(reason, abi.encodeWithSelector(IRefusals.InvalidSignature.selector));
        CrowdedHost fresh = new CrowdedHost();
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        fresh.protected();
    }

    function test_AdministrationOfTheHostIsItsOwners() public {
        host.burnAssentNonces(0, 1);
        assertTrue(taskManager.isSpent(address(host), 0));
        vm.prank(agent);
        vm.expectRevert("only the owner");
        host.burnAssentNonces(0, 2);
    }

    function _intent(bytes memory data) private view returns (Intent memory) {
        return Intent(agent, address(host), 0, data, block.chainid);
    }

    function _call(bytes memory data) private returns (bool, bytes memory) {
        vm.prank(agent);
        return address(host).call(data);
    }
}
