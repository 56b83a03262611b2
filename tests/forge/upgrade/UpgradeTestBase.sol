// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {AttestedCall} from "../../../contracts/interfaces/ITaskManager.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, IRefusals, Intent, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestKit} from "../../../contracts/testing/AssentTestKit.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";

/// @notice What both vaults of the story have, before and after.
interface IVault {
    function initialize(address owner, string calldata name) external;
    function deposit() external payable;
    function approve(address spender, uint256 amount) external;
    function withdraw(address payable recipient, uint256 amount) external;
    function balanceOf(address account) external view returns (uint256);
    function allowance(address account, address spender) external view returns (uint256);
    function owner() external view returns (address);
    function name() external view returns (string memory);
    function initializePolicy(ITaskManager taskManager, Policy calldata policy) external;
}

/// @title docs/upgrade.md, step by step, for a live vault behind any proxy
/// @dev The number in a test's name is the step's.
abstract contract UpgradeTestBase is AssentTestKit {
    address internal constant ALICE = address(0xA11CE);
    address internal constant BOB = address(0xB0B);

    /// @dev Of `assent.storage.PolicyClient`, by ERC-7201.
    bytes32 private constant NAMESPACE = 0x775bcae047544c0ff1bf72751e7823236a3ff3789295e7d770bca6883ef01b00;

    address internal owner = makeAddr("owner");
    address internal stranger = makeAddr("stranger");
    /// @dev The proxy.
    IVault internal vault;
    /// @dev The implementation that knows nothing of Assent.
    address internal earlier;
    /// @dev The implementation that inherits `PolicyClient`.
    address internal later;
    /// @dev Every slot that the vault's life so far has written.
    bytes32[] private _slots;
    mapping(bytes32 slot => bytes32) private _values;

    /// @dev Implementations, and a proxy before the first one, owned by `owner` and initialised.
    function deployVault() internal virtual;

    /// @dev One transaction of the owner.
    function upgrade(address implementation, bytes memory call) internal virtual;

    /// @dev Where the contract counts its initialisations: the upgrade's own initialisation changes it.
    function versionSlot() internal pure virtual returns (bytes32);

    function alreadyInitialized() internal pure virtual returns (bytes4);

    function setUp() public {
        vm.record();
        deployVault();
        _live();
        (, bytes32[] memory written) = vm.accesses(address(vault));
        for (uint256 i = 0; i < written.length; ++i) {
            _slots.push(written[i]);
            _values[written[i]] = vm.load(address(vault), written[i]);
        }
        deployAssent();
    }

    /* 2: THE NEW IMPLEMENTATION */

    function test_2_ImplementationByItselfIsOfNoUse() public {
        vm.expectRevert(alreadyInitialized());
        IVault(later).initializePolicy(taskManager, assentPolicy());
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        IVault(later).withdraw(payable(stranger), 0);
    }

    function test_2_NamespaceOfTheClientIsEmptyBeforeTheUpgrade() public view {
        assertEq(vm.load(address(vault), NAMESPACE), 0);
        assertEq(vm.load(address(vault), bytes32(uint256(NAMESPACE) + 1)), 0);
    }

    /* 3: A REHEARSAL ON THE LIVE CHAIN */

    function test_3_AuthorizationsCanBeCheckedBeforeTheUpgrade() public {
        Intent memory withdrawal = _withdrawal();
        bytes memory authorization = authorize(_attestedBeforeTheUpgrade(withdrawal));
        AttestedCall memory call = AttestedCall({
            caller: withdrawal.from,
            from: withdrawal.from,
            to: withdrawal.to,
            value: withdrawal.value,
            dataHash: keccak256(withdrawal.data),
            chainId: withdrawal.chainId
        });
        taskManager.check(address(vault), call, assentPolicy(), 0, authorization);

        upgrade(later, _initialization());
        callAttested(withdrawal, authorization);
        assertEq(vault.balanceOf(ALICE), 9 ether);
    }

    /// @dev Callers can be ready first: what follows the arguments is ignored.
    function test_3_CallersCanSendAuthorizationsBeforeTheUpgrade() public {
        callAttested(_withdrawal(), authorize(_attestedBeforeTheUpgrade(_withdrawal())));
        assertEq(vault.balanceOf(ALICE), 9 ether);
    }

    /* 4: UPGRADE AND INITIALISATION IN ONE TRANSACTION */

    function test_4_StorageIsIntact() public {
        upgrade(later, _initialization());
        _assertStorageIsIntact();
        assertEq(vault.balanceOf(ALICE), 10 ether);
        assertEq(vault.balanceOf(BOB), 5 ether);
        assertEq(vault.allowance(BOB, ALICE), 7 ether);
        assertEq(vault.owner(), owner);
        assertEq(vault.name(), "Savings of everybody, with a name that is longer than a slot");
        assertEq(address(vault).balance, 15 ether);
    }

    function test_4_RevertWhen_InitialisationIsFrontRun() public {
        vm.prank(stranger);
        vm.expectRevert();
        vault.initializePolicy(taskManager, _strangersPolicy());
        upgrade(later, _initialization());
        vm.prank(stranger);
        vm.expectRevert(alreadyInitialized());
        vault.initializePolicy(taskManager, _strangersPolicy());
        _assertPolicyIsTheOwners();
    }

    function test_4_RevertWhen_InitialisationIsRepeatedByTheOwner() public {
        upgrade(later, _initialization());
        vm.prank(owner);
        vm.expectRevert(alreadyInitialized());
        vault.initializePolicy(taskManager, assentPolicy());
    }

    function test_4_RevertWhen_PolicyIsWorthNothing() public {
        Policy memory worthless = assentPolicy();
        worthless.quorum = 5000;
        bytes memory call = abi.encodeCall(IVault.initializePolicy, (taskManager, worthless));
        vm.expectRevert();
        this.upgradeExternally(later, call);
        _assertStorageIsIntact();
        _assertImplementationIs(earlier);
    }

    function test_4_ForgottenInitialisationRefusesEveryCall() public {
        upgrade(later, "");
        Intent memory withdrawal = _withdrawal();
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        vm.prank(ALICE);
        vault.withdraw(payable(ALICE), 1 ether);
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        callAttested(withdrawal, new bytes(206));
        _assertStorageIsIntact();
    }

    /// @dev What the window of a forgotten initialisation costs, and what fixes it.
    function test_4_ForgottenInitialisationIsMendedByTheOwnerWhateverAStrangerDid() public {
        upgrade(later, "");
        vm.prank(stranger);
        vault.initializePolicy(taskManager, _strangersPolicy());
        vm.startPrank(owner);
        IPolicyClient(address(vault)).setAssentTaskManager(taskManager);
        IPolicyClient(address(vault)).setAssentPolicy(assentPolicy());
        vm.stopPrank();
        _assertPolicyIsTheOwners();
        _assertWithdrawalPasses();
    }

    /* 5: WHAT TO SEE AFTERWARDS */

    function test_5_WithdrawalsNeedAnAuthorizationAndDepositsDoNot() public {
        upgrade(later, _initialization());
        _assertPolicyIsTheOwners();
        vm.prank(ALICE);
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        vault.withdraw(payable(ALICE), 1 ether);
        _assertWithdrawalPasses();
        vm.deal(ALICE, 1 ether);
        vm.prank(ALICE);
        vault.deposit{value: 1 ether}();
    }

    /// @dev Only the withdrawer's funds move, and another account cannot use the authorization.
    function test_5_RevertWhen_AnotherUsesTheAuthorization() public {
        upgrade(later, _initialization());
        Intent memory withdrawal = _withdrawal();
        bytes memory authorization = attest(withdrawal);
        withdrawal.from = BOB;
        vm.expectPartialRevert(IRefusals.WrongTask.selector);
        callAttested(withdrawal, authorization);
    }

    /* 6: THE WAY BACK */

    function test_6_BackToTheEarlierCodeStorageIsIntactAndWithdrawalsAreFree() public {
        upgrade(later, _initialization());
        _assertWithdrawalPasses();
        upgrade(earlier, "");
        vm.prank(ALICE);
        vault.withdraw(payable(ALICE), 1 ether);
        assertEq(vault.balanceOf(ALICE), 8 ether);
        assertEq(vault.balanceOf(BOB), 5 ether);
        assertEq(vault.allowance(BOB, ALICE), 7 ether);
    }

    function test_6_ForwardAgainThePolicyIsRememberedAndSpentAuthorizationsStaySpent() public {
        upgrade(later, _initialization());
        Intent memory withdrawal = _withdrawal();
        bytes memory authorization = attest(withdrawal);
        callAttested(withdrawal, authorization);
        upgrade(earlier, "");
        upgrade(later, "");
        _assertPolicyIsTheOwners();
        vm.expectRevert(abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, vault, 0));
        callAttested(withdrawal, authorization);
        _assertWithdrawalPasses();
    }

    function test_6_RevertWhen_ForwardAgainWithAnotherInitialisation() public {
        upgrade(later, _initialization());
        upgrade(earlier, "");
        bytes memory call = _initialization();
        vm.expectRevert();
        this.upgradeExternally(later, call);
    }

    /// @dev Short of going back: pending attestations are void from now on, and nothing passes until operators attest
    /// again.
    function test_6_NewPolicyIdVoidsWhatIsUnderWay() public {
        upgrade(later, _initialization());
        Intent memory withdrawal = _withdrawal();
        bytes memory authorization = attest(withdrawal);
        Policy memory next = assentPolicy();
        next.policyId = keccak256("the next policy");
        vm.prank(owner);
        IPolicyClient(address(vault)).setAssentPolicy(next);
        vm.expectPartialRevert(IRefusals.WrongTask.selector);
        callAttested(withdrawal, authorization);
    }

    /// @dev In a separate call, so that a revert can be expected.
    function upgradeExternally(address implementation, bytes memory call) external {
        upgrade(implementation, call);
    }

    /* PRIVATE */

    /// @dev What users did before attestations.
    function _live() private {
        vm.deal(ALICE, 10 ether);
        vm.deal(BOB, 6 ether);
        vm.prank(ALICE);
        vault.deposit{value: 10 ether}();
        vm.startPrank(BOB);
        vault.deposit{value: 6 ether}();
        vault.withdraw(payable(BOB), 1 ether);
        vault.approve(ALICE, 7 ether);
        vm.stopPrank();
    }

    function _initialization() private view returns (bytes memory) {
        return abi.encodeCall(IVault.initializePolicy, (taskManager, assentPolicy()));
    }

    function _strangersPolicy() private pure returns (Policy memory strangers) {
        strangers = assentPolicy();
        strangers.operatorSet = OperatorSetId.wrap(666);
    }

    function _withdrawal() private view returns (Intent memory) {
        return intentOf(ALICE, address(vault), 0, abi.encodeCall(IVault.withdraw, (payable(ALICE), 1 ether)));
    }

    /// @dev The kit would ask a client for its policy, and the vault is not one yet.
    function _attestedBeforeTheUpgrade(Intent memory intent) private view returns (Attestation memory) {
        return attestationOf(intent, intent.to, assentPolicy(), 0);
    }

    function _assertWithdrawalPasses() private {
        uint256 before = vault.balanceOf(ALICE);
        callAttested(_withdrawal(), attest(_withdrawal()));
        assertEq(vault.balanceOf(ALICE), before - 1 ether);
    }

    function _assertPolicyIsTheOwners() private view {
        assertEq(abi.encode(IPolicyClient(address(vault)).assentPolicy()), abi.encode(assentPolicy()));
        assertEq(address(IPolicyClient(address(vault)).assentTaskManager()), address(taskManager));
    }

    function _assertStorageIsIntact() private view {
        assertGt(_slots.length, 10, "the vault has not lived");
        for (uint256 i = 0; i < _slots.length; ++i) {
            bytes32 slot = _slots[i];
            if (slot == ERC1967Utils.IMPLEMENTATION_SLOT || slot == versionSlot()) continue;
            assertEq(vm.load(address(vault), slot), _values[slot], vm.toString(slot));
        }
    }

    function _assertImplementationIs(address implementation) private view {
        assertEq(address(uint160(uint256(vm.load(address(vault), ERC1967Utils.IMPLEMENTATION_SLOT)))), implementation);
    }
}
