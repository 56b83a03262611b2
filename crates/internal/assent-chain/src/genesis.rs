//! The initial state of a chain.

use alloy::primitives::{Address, Bytes, U256, address, bytes, uint};

/// Nick Johnson's keyless deployment proxy, at the same address on every chain that carries it. Called with `salt ‖
/// creation code`, it deploys the code with CREATE2 and answers with the 20-byte address.
///
/// Source: <https://github.com/Arachnid/deterministic-deployment-proxy>.
///
/// ```
/// use alloy::primitives::{B256, bytes};
/// use assent_chain::{Message, DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
///
/// let chain = EmbeddedChain::new(31_337);
/// assert_eq!(chain.code_at(DEPLOYMENT_PROXY), DEPLOYMENT_PROXY_CODE);
///
/// // Its calldata: a salt, and the creation code. It answers with the address, which depends only on these two.
/// let creation = bytes!("6001600c60003960016000f3" "00");
/// let calldata = [B256::ZERO.as_slice(), &creation].concat();
/// let deployed = chain.transact(Message::new(DEVELOPMENT_ACCOUNTS[0], DEPLOYMENT_PROXY, calldata))?;
/// assert_eq!(deployed.output, DEPLOYMENT_PROXY.create2_from_code(B256::ZERO, creation).to_vec());
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
pub const DEPLOYMENT_PROXY: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");

/// The proxy's runtime code, as its README and every chain that carries it have it.
///
/// ```
/// use assent_chain::{DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE, EmbeddedChain};
///
/// assert_eq!(EmbeddedChain::new(1).code_at(DEPLOYMENT_PROXY), DEPLOYMENT_PROXY_CODE);
/// ```
pub const DEPLOYMENT_PROXY_CODE: Bytes = bytes!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039"
    "578182fd5b8082525050506014600cf3"
);

/// The addresses of the first ten accounts of the mnemonic `test test test test test test test test test test test
/// junk` (path `m/44'/60'/0'/0/i`), which Hardhat and anvil fund and unlock. Their keys are public: on no other
/// chain do they own anything.
///
/// ```
/// use alloy::primitives::U256;
/// use assent_chain::{DEVELOPMENT_ACCOUNTS, DEVELOPMENT_CHAIN_ID, EmbeddedChain};
///
/// let chain = EmbeddedChain::new(DEVELOPMENT_CHAIN_ID);
/// let ether = U256::from(10).pow(U256::from(18));
/// assert!(DEVELOPMENT_ACCOUNTS.iter().all(|&account| chain.balance(account) == U256::from(10_000) * ether));
/// ```
pub const DEVELOPMENT_ACCOUNTS: [Address; 10] = [
    address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
    address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
    address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
    address!("976EA74026E726554dB657fA54763abd0C3a0aa9"),
    address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
    address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
    address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"),
];

/// The chain id that development chains use by convention.
pub const DEVELOPMENT_CHAIN_ID: u64 = 31_337;

/// 10,000 ether in wei, what anvil gives each development account.
const DEVELOPMENT_BALANCE: U256 = uint!(10_000_000000000000000000_U256);

/// 2026-01-01T00:00:00Z. A fixed time, not the machine's clock, so that a run can be repeated exactly.
const DEFAULT_TIMESTAMP: u64 = 1_767_225_600;

/// The initial state of a chain: its id, its first block's time, and the accounts' balances. Complete.
///
/// The [`DEPLOYMENT_PROXY`] is present on every chain, as on anvil.
///
/// ```
/// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain, Genesis};
///
/// let genesis = Genesis { timestamp: 1_900_000_000, ..Genesis::development(1) };
/// assert_eq!(genesis.accounts.len(), DEVELOPMENT_ACCOUNTS.len());
/// assert_eq!(EmbeddedChain::with_genesis(genesis).timestamp(), 1_900_000_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The chain's id (EIP-155).
    pub chain_id: u64,
    /// Time of block 0, in seconds since the Unix epoch. Later blocks follow in steps of one second unless told
    /// otherwise; the machine's clock is never read.
    pub timestamp: u64,
    /// Accounts with their balances in wei. They are *unlocked*: `eth_sendTransaction` accepts them as senders.
    pub accounts: Vec<(Address, U256)>,
}

impl Genesis {
    /// Returns a genesis with the ten [`DEVELOPMENT_ACCOUNTS`] with 10,000 ether each, at 2026-01-01T00:00:00Z.
    pub fn development(chain_id: u64) -> Self {
        Self {
            chain_id,
            timestamp: DEFAULT_TIMESTAMP,
            accounts: DEVELOPMENT_ACCOUNTS.map(|account| (account, DEVELOPMENT_BALANCE)).to_vec(),
        }
    }
}

impl Default for Genesis {
    /// [`Genesis::development`] with [`DEVELOPMENT_CHAIN_ID`].
    fn default() -> Self {
        Self::development(DEVELOPMENT_CHAIN_ID)
    }
}
