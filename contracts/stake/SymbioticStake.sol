// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMemberStake} from "../interfaces/IMemberStake.sol";
import {IMembershipSource} from "../interfaces/IMembershipSource.sol";
import {IStakeSource} from "../interfaces/IStakeSource.sol";
import {
    ISymbioticDelegator,
    ISymbioticFactory,
    ISymbioticInstantSlasher,
    ISymbioticVault
} from "../interfaces/ISymbiotic.sol";
import {CollateralWeight, ISymbioticStake, SymbioticSettings, VaultFault} from "../interfaces/ISymbioticStake.sol";
import {OperatorSetId} from "../interfaces/Protocol.sol";
import {MemberStake} from "./MemberStake.sol";
import {EnumerableSetLib} from "solady/utils/EnumerableSetLib.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibSort} from "solady/utils/LibSort.sol";

/// @title SymbioticStake
/// @notice Weighs operators by the stake that Symbiotic can slash, and decides which of them may join.
/// @dev It has no owner and holds nothing. A vault backs one operator of one network in one set: in a shared vault, an
/// operator would lose stake for what others did. A weight that it returns stays slashable for `VAULT_DURATION`.
/// @dev Warning: Symbiotic's governance can let vaults migrate to other code, and the network's account can lower
/// limits and appoint another middleware. See docs/stake.md.
contract SymbioticStake is ISymbioticStake, MemberStake {
    using EnumerableSetLib for EnumerableSetLib.AddressSet;
    using FixedPointMathLib for uint256;

    /// @dev The type of Symbiotic's delegators for one operator and one network.
    uint64 private constant OPERATOR_NETWORK_SPECIFIC = 3;
    /// @dev The type of Symbiotic's slashers without a veto.
    uint64 private constant INSTANT = 0;
    /// @dev The units of collateral that a multiplier is the weight of.
    uint256 private constant UNIT = 1e18;

    /// @notice Symbiotic's factory of vaults.
    ISymbioticFactory public immutable VAULT_FACTORY;
    /// @notice The account that is the network on Symbiotic.
    address public immutable NETWORK;
    /// @notice The account that gets what is slashed.
    address public immutable BURNER;
    /// @notice The least epoch duration of a vault, in seconds: how long a captured stake can be slashed.
    uint48 public immutable VAULT_DURATION;

    /// @inheritdoc ISymbioticStake
    mapping(address collateral => uint96) public multiplierOf;
    /// @inheritdoc ISymbioticStake
    mapping(OperatorSetId operatorSet => mapping(address operator => address)) public vaultOf;
    mapping(address vault => bool) private _isTaken;
    mapping(OperatorSetId operatorSet => EnumerableSetLib.AddressSet) private _members;

    /// @param settings The settings, which never change.
    /// @param weighed The collaterals that weigh, in ascending order.
    constructor(SymbioticSettings memory settings, CollateralWeight[] memory weighed) MemberStake(settings.members) {
        _requireContract(address(settings.vaultFactory));
        if (settings.network == address(0) || settings.burner == address(0)) revert ZeroAccount();
        // A weight is that of the second before.
        uint256 slashable = uint256(settings.vaultDuration).zeroFloorSub(1);
        if (settings.members.challengeWindow >= slashable) {
            revert ChallengeWindowTooLong(settings.members.challengeWindow, slashable);
        }
        VAULT_FACTORY = settings.vaultFactory;
        NETWORK = settings.network;
        BURNER = settings.burner;
        VAULT_DURATION = settings.vaultDuration;
        _setCollaterals(weighed);
    }

    /* JOINING AND LEAVING */

    /// @inheritdoc ISymbioticStake
    function joinSet(OperatorSetId operatorSet, address vault) external {
        address operator = msg.sender;
        if (_isMember(operatorSet, operator)) revert AlreadyMember(operatorSet, operator);
        _requireKey(operator);
        _requireFitVault(vault, operator);
        if (!_isBackedBy(operatorSet, operator, vault)) _add(operatorSet, operator, vault);
        uint256 count = _members[operatorSet].length() + 1;
        uint96 weight = _requireFit(operatorSet, operator, count, _stakeOf(operatorSet, operator));
        _members[operatorSet].add(operator);
        emit OperatorJoined(operatorSet, operator, weight);
    }

    /// @inheritdoc ISymbioticStake
    function leaveSet(OperatorSetId operatorSet) external {
        _remove(operatorSet, msg.sender);
    }

    /// @inheritdoc IMemberStake
    function eject(OperatorSetId operatorSet, address operator) external {
        _requireEjectable(operatorSet, operator, _members[operatorSet].length());
        _remove(operatorSet, operator);
    }

    /* VIEWS */

    /// @inheritdoc IMembershipSource
    function membersOf(OperatorSetId operatorSet) external view returns (address[] memory members) {
        members = _members[operatorSet].values();
        LibSort.sort(members);
    }

    /// @inheritdoc IStakeSource
    function weightsOf(OperatorSetId operatorSet, address[] calldata operators)
        external
        view
        returns (uint96[] memory weights)
    {
        uint256[] memory stakes = new uint256[](operators.length);
        for (uint256 i = 0; i < operators.length; ++i) {
            if (_isMember(operatorSet, operators[i])) stakes[i] = _stakeOf(operatorSet, operators[i]);
        }
        return _weigh(operatorSet, operators, stakes);
    }

    /// @inheritdoc IStakeSource
    /// @dev The time for which a weight stays slashable, without the challenge window: nothing that an epoch's
    /// operators sign can be used later than that.
    function slashableFor() external view returns (uint48) {
        return VAULT_DURATION - 1 - CHALLENGE_WINDOW;
    }

    /// @inheritdoc ISymbioticStake
    function subnetworkOf(OperatorSetId operatorSet) public view returns (bytes32) {
        return bytes32(uint256(uint160(NETWORK)) << 96 | OperatorSetId.unwrap(operatorSet));
    }

    /* MEMBERS */

    /// @inheritdoc MemberStake
    function _isMember(OperatorSetId operatorSet, address operator) internal view override returns (bool) {
        return _members[operatorSet].contains(operator);
    }

    function _remove(OperatorSetId operatorSet, address operator) private {
        if (!_members[operatorSet].remove(operator)) revert NotMember(operatorSet, operator);
        emit OperatorLeft(operatorSet, operator);
    }

    /* VAULTS */

    /// @dev Returns whether the vault backs the operator in the set already. Reverts if another does.
    function _isBackedBy(OperatorSetId operatorSet, address operator, address vault) private view returns (bool) {
        address known = vaultOf[operatorSet][operator];
        if (known == vault) return true;
        if (known != address(0) || _isTaken[vault]) revert UnfitVault(vault, VaultFault.AlreadyBacked);
        return false;
    }

    function _add(OperatorSetId operatorSet, address operator, address vault) private {
        vaultOf[operatorSet][operator] = vault;
        _isTaken[vault] = true;
        emit VaultAdded(operatorSet, operator, vault);
    }

    /// @dev A vault's delegator, slasher, burner, collateral and duration never change.
    function _requireFitVault(address vault, address operator) private view {
        if (!VAULT_FACTORY.isEntity(vault)) revert UnfitVault(vault, VaultFault.NotVault);
        ISymbioticVault backing = ISymbioticVault(vault);
        ISymbioticDelegator delegator = ISymbioticDelegator(backing.delegator());
        if (address(delegator) == address(0) || delegator.TYPE() != OPERATOR_NETWORK_SPECIFIC) {
            revert UnfitVault(vault, VaultFault.SharedStake);
        }
        if (delegator.network() != NETWORK) revert UnfitVault(vault, VaultFault.OtherNetwork);
        if (delegator.operator() != operator) revert UnfitVault(vault, VaultFault.OtherOperator);
        ISymbioticInstantSlasher slasher = ISymbioticInstantSlasher(backing.slasher());
        if (address(slasher) == address(0) || slasher.TYPE() != INSTANT) {
            revert UnfitVault(vault, VaultFault.NotSlashable);
        }
        if (backing.burner() != BURNER) revert UnfitVault(vault, VaultFault.OtherBurner);
        if (multiplierOf[backing.collateral()] == 0) revert UnfitVault(vault, VaultFault.OtherCollateral);
        if (backing.epochDuration() < VAULT_DURATION) revert UnfitVault(vault, VaultFault.ShortDuration);
    }

    /// @inheritdoc MemberStake
    /// @dev At the end of the second before: what happens later in this one cannot change it, and Symbiotic slashes
    /// only stake of the past.
    function _stakeOf(OperatorSetId operatorSet, address operator) internal view override returns (uint256) {
        ISymbioticVault vault = ISymbioticVault(vaultOf[operatorSet][operator]);
        uint48 timestamp = uint48(block.timestamp) - 1;
        bytes32 subnetwork = subnetworkOf(operatorSet);
        uint256 stake = ISymbioticDelegator(vault.delegator()).stakeAt(subnetwork, operator, timestamp, "");
        // An amount that overflows stops no commit.
        return stake.saturatingMul(multiplierOf[vault.collateral()]) / UNIT;
    }

    /* SETTINGS */

    function _setCollaterals(CollateralWeight[] memory weighed) private {
        if (weighed.length == 0) revert InvalidCollaterals();
        address previous = address(0);
        for (uint256 i = 0; i < weighed.length; ++i) {
            if (weighed[i].collateral <= previous || weighed[i].multiplier == 0) revert InvalidCollaterals();
            previous = weighed[i].collateral;
            multiplierOf[previous] = weighed[i].multiplier;
        }
    }
}
