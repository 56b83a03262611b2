// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IAdmission} from "../../contracts/interfaces/IAdmission.sol";
import {MemberTerms} from "../../contracts/interfaces/IMemberStake.sol";
import {IOperatorRegistry} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {OperatorSetId} from "../../contracts/interfaces/Protocol.sol";
import {MemberStake} from "../../contracts/stake/MemberStake.sol";
import {SymbolicTestBase} from "./SymbolicTestBase.sol";

/// @title WeightsProof
/// @notice No operator weighs more than its slashable stake does, for any stakes and any members.
/// @dev About `MemberStake`, from which both stake sources have it. What stake weighs, a product and a quotient, is the
/// sources' own, and tested on the contracts of EigenLayer and Symbiotic.
contract WeightsProof is SymbolicTestBase {
    uint96 private constant MIN_WEIGHT = 100e18;
    uint96 private constant MAX_WEIGHT = 10_000e18;
    uint256 private constant OPERATORS = 3;

    KeyRegistry private registry;
    AnyMemberStake private source;
    address[] private operators;
    uint256[] private stakes;

    function setUp() public {
        registry = new KeyRegistry();
        source = new AnyMemberStake(_terms(10_000));
        for (uint160 i = 0; i < OPERATORS; ++i) {
            operators.push(address(0x1000 + i));
            stakes.push(svm.createUint256("stake"));
            source.setMember(operators[i], svm.createBool("member"));
        }
    }

    function check_NoWeightIsMoreThanTheSlashableStake() public view {
        uint96[] memory weights = source.weigh(operators, stakes);
        assert(weights.length == OPERATORS);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            assert(weights[i] <= stakes[i] && weights[i] <= MAX_WEIGHT);
        }
    }

    function check_OnlyMembersWithTheLeastStakeWeigh() public view {
        uint96[] memory weights = source.weigh(operators, stakes);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            assert((weights[i] != 0) == (source.isMember(operators[i]) && stakes[i] >= MIN_WEIGHT));
        }
    }

    function reach_AWeight() public view {
        assert(source.weigh(operators, stakes)[OPERATORS - 1] == 0);
    }

    /// @dev With a largest share other than the whole, the weights are lowered afterwards (`ShareCap`).
    function _terms(uint16 maxShare) private view returns (MemberTerms memory) {
        return MemberTerms({
            operatorRegistry: IOperatorRegistry(address(registry)),
            admission: IAdmission(address(0)),
            minWeight: MIN_WEIGHT,
            maxWeight: MAX_WEIGHT,
            maxMembers: 100,
            maxShare: maxShare,
            challengeWindow: 6 days
        });
    }
}

/// @dev Weighs any stake of any members.
contract AnyMemberStake is MemberStake {
    mapping(address operator => bool) public isMember;

    constructor(MemberTerms memory terms) MemberStake(terms) {}

    function setMember(address operator, bool isMember_) external {
        isMember[operator] = isMember_;
    }

    function weigh(address[] calldata operators, uint256[] calldata stakes) external view returns (uint96[] memory) {
        return _weigh(OperatorSetId.wrap(1), operators, stakes);
    }

    function weightsOf(OperatorSetId, address[] calldata) external pure returns (uint96[] memory) {}
    function membersOf(OperatorSetId) external pure returns (address[] memory) {}
    function slashableFor() external pure returns (uint48) {}
    function eject(OperatorSetId, address) external {}

    function _isMember(OperatorSetId, address operator) internal view override returns (bool) {
        return isMember[operator];
    }

    function _stakeOf(OperatorSetId, address) internal pure override returns (uint256) {}
}

/// @dev Every operator has a key.
contract KeyRegistry {
    function publicKeyOf(address) external pure returns (bytes memory) {
        return hex"01";
    }
}
