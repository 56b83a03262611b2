// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ExampleToken} from "../../contracts/examples/ExampleToken.sol";
import {TreasuryVault} from "../../contracts/examples/TreasuryVault.sol";
import {Attestation, Intent} from "../../contracts/interfaces/Protocol.sol";
import {AssentTest} from "./AssentTest.sol";

/// @dev An agent and an attacker who use, reuse, bend and mix up authorizations at random.
contract VaultUser is AssentTest {
    uint256 private constant OPERATORS = 5;

    ExampleToken public token;
    TreasuryVault public vault;
    address private recipient = makeAddr("recipient");

    /// @dev What was attested and went through, by this contract's own account.
    uint256 public paid;
    mapping(uint256 nonce => uint256) public uses;
    uint256 public mostUses;
    uint256 public refused;
    bytes[] private seen;
    uint256[] private amounts;
    uint256[] private nonces;

    constructor() {
        deployAssent(OPERATORS);
        token = new ExampleToken(1_000_000);
        vault = new TreasuryVault(owner, address(this), taskManager, policy());
        require(token.transfer(address(vault), 1_000_000));
    }

    function payAsAttested(uint256 amount, uint256 nonce) external {
        (amount, nonce) = (amount % 1000, nonce % 300);
        _use(_attestedPayment(amount, nonce, true), amount, nonce);
    }

    function payAsDenied(uint256 amount, uint256 nonce) external {
        (amount, nonce) = (amount % 1000, nonce % 300);
        _expectRefused(_attestedPayment(amount, nonce, false));
    }

    function replay(uint256 index) external {
        if (seen.length == 0) return;
        index %= seen.length;
        _use(seen[index], amounts[index], nonces[index]);
    }

    function bend(uint256 index, uint256 offset, bytes1 change) external {
        if (seen.length == 0 || change == 0) return;
        bytes memory bent = seen[index % seen.length];
        // Within the arguments and the authorization; another selector is another function.
        bent[4 + offset % (bent.length - 4)] ^= change;
        _expectRefused(bent);
    }

    function burn(uint256 nonce) external {
        nonce %= 300;
        vm.prank(owner);
        vault.burnNonces(nonce >> 8, 1 << (nonce & 0xff));
    }

    function wait_(uint256 time) external {
        skip(time % 5 minutes);
    }

    function _use(bytes memory call, uint256 amount, uint256 nonce) private {
        seen.push(call);
        amounts.push(amount);
        nonces.push(nonce);
        (bool success,) = address(vault).call(call);
        if (!success) {
            ++refused;
            return;
        }
        paid += amount;
        if (++uses[nonce] > mostUses) mostUses = uses[nonce];
    }

    function _expectRefused(bytes memory call) private {
        (bool success,) = address(vault).call(call);
        require(!success, "went through");
        ++refused;
    }

    function _attestedPayment(uint256 amount, uint256 nonce, bool allow) private view returns (bytes memory) {
        bytes memory call = abi.encodeCall(TreasuryVault.pay, (token, recipient, amount));
        Intent memory intent = Intent(address(this), address(vault), 0, call, block.chainid);
        Attestation memory attestation = attestationOf(address(vault), intent, nonce);
        attestation.decision = allow ? 1 : 0;
        return trail(call, authorize(attestation, OPERATORS, 0));
    }
}

/// forge-config: default.invariant.runs = 16
/// forge-config: default.invariant.depth = 48
/// forge-config: default.invariant.fail-on-revert = true
contract InvariantsTest is AssentTest {
    VaultUser private user;

    function setUp() public {
        vm.warp(1_800_000_000);
        user = new VaultUser();
        bytes4[] memory actions = new bytes4[](6);
        actions[0] = VaultUser.payAsAttested.selector;
        actions[1] = VaultUser.payAsDenied.selector;
        actions[2] = VaultUser.replay.selector;
        actions[3] = VaultUser.bend.selector;
        actions[4] = VaultUser.burn.selector;
        actions[5] = VaultUser.wait_.selector;
        targetSelector(FuzzSelector(address(user), actions));
        targetContract(address(user));
    }

    function invariant_NoNonceIsSpentTwice() public view {
        assertLe(user.mostUses(), 1);
    }

    function invariant_VaultLosesExactlyWhatWasAttested() public view {
        assertEq(user.token().balanceOf(address(user.vault())), 1_000_000 - user.paid());
    }
}
