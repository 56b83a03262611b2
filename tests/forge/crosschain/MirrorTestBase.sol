// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochMirror} from "../../../contracts/crosschain/EpochMirror.sol";
import {Handover, MirrorSettings} from "../../../contracts/interfaces/IEpochMirror.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";

/// @title MirrorTestBase
/// @notice Two chains: a registry on the first, and on the second its mirror with an unchanged TaskManager.
/// @dev `onAway` goes to the second chain: `taskManager` and `counter` are those of it from then on.
abstract contract MirrorTestBase is EpochTestBase {
    uint256 internal constant AWAY_CHAIN = 10;
    uint48 internal constant NOTICE = 3 days;

    /// @dev What a test uses on a chain.
    struct ChainOfTest {
        ITaskManager taskManager;
        ProtectedCounter counter;
    }

    ChainOfTest private _home;
    ChainOfTest private _away;
    uint256 internal homeChain;
    address internal mirrorsOwner = makeAddr("mirror's owner");
    address internal guardian = makeAddr("guardian");
    EpochMirror internal mirror;

    /// @dev The mirror begins with the registry's first epoch.
    function setUp() public virtual override {
        super.setUp();
        homeChain = block.chainid;
        mirror = deployMirror();
        vm.chainId(AWAY_CHAIN);
        ITaskManager awayTaskManager = ITaskManager(deployCode("TaskManager.sol:TaskManager", abi.encode(mirror)));
        ProtectedCounter awayCounter = new ProtectedCounter();
        awayCounter.initialize(awayTaskManager, policy());
        vm.deal(address(awayCounter), 100 ether);
        vm.prank(mirrorsOwner);
        mirror.addValidator(awayTaskManager);
        setGenesis(mirror, FIRST_EPOCH);
        vm.chainId(homeChain);
        (_away.taskManager, _away.counter) = (awayTaskManager, awayCounter);
        (_home.taskManager, _home.counter) = (taskManager, counter);
    }

    function onAway() internal {
        vm.chainId(AWAY_CHAIN);
        (taskManager, counter) = (_away.taskManager, _away.counter);
    }

    function onHome() internal {
        vm.chainId(homeChain);
        (taskManager, counter) = (_home.taskManager, _home.counter);
    }

    function mirrorSettings() internal view returns (MirrorSettings memory) {
        return MirrorSettings({
            homeChain: homeChain,
            homeRegistry: address(registry),
            quorum: QUORUM,
            haltQuorum: 5000,
            gracePeriod: GRACE_PERIOD,
            notice: NOTICE,
            guardian: guardian
        });
    }

    function deployMirror() internal returns (EpochMirror) {
        return new EpochMirror(mirrorsOwner, mirrorSettings());
    }

    /// @dev As the mirror's owner, from the registry's record.
    function setGenesis(EpochMirror of_, EpochId epoch) internal {
        bytes memory table = tableOf(epoch);
        uint48 expiresAt = expiresAtOf(epoch);
        vm.prank(mirrorsOwner);
        of_.setGenesis(OPERATOR_SET, epoch, expiresAt, table);
    }

    function proposeAndWait(bytes memory change) internal {
        vm.prank(mirrorsOwner);
        mirror.proposeChange(change);
        skip(NOTICE);
    }

    /// @dev Commits operators `first` to `first + count - 1` at home, and activates the epoch a day later.
    function commitNext(uint256 first, uint256 count) internal returns (EpochId epoch) {
        epoch = commit(first, count);
        skip(activationDelay());
        registry.activateEpoch(epoch);
    }

    /* HANDOVERS */

    /// @dev The true one.
    function handoverTo(EpochId epoch, EpochId signedBy) internal view returns (Handover memory) {
        return Handover({
            homeChain: homeChain,
            homeRegistry: address(registry),
            operatorSet: OPERATOR_SET,
            signedBy: signedBy,
            epoch: epoch,
            committedAt: registry.committedAt(epoch),
            expiresAt: expiresAtOf(epoch),
            contentHash: hashOf(tableOf(epoch))
        });
    }

    /// @dev Accepts the true handover, signed by operators 0 to `signers - 1`: all of the epoch's.
    function accept(EpochId epoch, EpochId signedBy, uint256 signers) internal {
        Handover memory handover = handoverTo(epoch, signedBy);
        mirror.accept(handover, tableOf(epoch), "", signHandover(handover, 0, signers));
    }

    /// @dev Operators `first` to `end - 1`.
    function signHandover(Handover memory handover, uint256 first, uint256 end) internal view returns (bytes memory) {
        return signUnder(mirror.handoverDigest(handover), first, end, mirror.EPOCH_TAG());
    }

    /// @dev The registry's table. Earlier tables are the registry's, too.
    function tableOf(EpochId epoch) internal view returns (bytes memory) {
        (address table,,,) = registry.epochs(epoch);
        return slice(table.code, 1, table.code.length);
    }

    /// @dev The registry's earlier tables of an epoch.
    function earlierTablesOf(EpochId epoch) internal view returns (address[] memory tables) {
        (address table,,,) = registry.epochs(epoch);
        (,,, uint256 count) = OperatorTable.readHead(table);
        tables = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            tables[i] = OperatorTable.earlierTable(table, i);
        }
    }

    function entriesOf(address table) internal view returns (bytes memory) {
        return slice(table.code, 208, table.code.length);
    }

    /// @dev Another computation than the contract's.
    function hashOf(bytes memory table) internal view returns (bytes32) {
        bytes memory hashes;
        uint256 end = 207;
        for (uint256 i = 0; i < uint8(table[206]); ++i) {
            hashes = bytes.concat(hashes, keccak256(entriesOf(address(bytes20(slice(table, end, end + 20))))));
            end += 20;
        }
        bytes32 last = keccak256(slice(table, end, table.length));
        return keccak256(bytes.concat(slice(table, 0, 207), hashes, last));
    }

    function slice(bytes memory data, uint256 start, uint256 end) internal pure returns (bytes memory part) {
        part = new bytes(end - start);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = data[start + i];
        }
    }
}
