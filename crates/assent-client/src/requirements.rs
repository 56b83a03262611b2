//! What the contracts need of a chain, checked before anything is sent.

use crate::{AssentClient, ClientError};
use alloy::{
    network::TransactionBuilder,
    primitives::{Address, Bytes},
    providers::Provider,
    rpc::types::TransactionRequest,
};

/// A precompile that the contracts call, with the length of an input of points at infinity, and of its output.
struct Precompile {
    name: &'static str,
    address: u8,
    input: usize,
    output: usize,
}

/// The precompiles of EIP-2537 that the contracts call.
const PRECOMPILES: [Precompile; 5] = [
    Precompile {
        name: "the precompile G1ADD at 0x0b (EIP-2537, of the Prague upgrade)",
        address: 0x0b,
        input: 256,
        output: 128,
    },
    Precompile {
        name: "the precompile G1MSM at 0x0c (EIP-2537, of the Prague upgrade)",
        address: 0x0c,
        input: 160,
        output: 128,
    },
    Precompile {
        name: "the precompile G2ADD at 0x0d (EIP-2537, of the Prague upgrade)",
        address: 0x0d,
        input: 512,
        output: 256,
    },
    Precompile {
        name: "the precompile PAIRING at 0x0f (EIP-2537, of the Prague upgrade)",
        address: 0x0f,
        input: 384,
        output: 32,
    },
    Precompile {
        name: "the precompile MAP_FP_TO_G1 at 0x10 (EIP-2537, of the Prague upgrade)",
        address: 0x10,
        input: 64,
        output: 128,
    },
];

/// The newest instruction that the contracts use, as init code that executes it on zero.
const INSTRUCTION: (&str, [u8; 8]) =
    ("the instruction CLZ (EIP-7939, of the Osaka upgrade)", [0x5f, 0x1e, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
/// The same init code without the instruction.
const WITHOUT_INSTRUCTION: [u8; 7] = [0x5f, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];

impl<P: Provider> AssentClient<P> {
    /// Checks that the chain has the precompiles and instructions that the contracts use.
    ///
    /// ```
    /// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
    /// # use fixture::Fixture;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), fixture::Failure> {
    /// # let fixture = Fixture::new().await?;
    /// # let client = &fixture.client;
    /// client.require_supported_chain().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError::ChainNotSupported`] with what is missing; [`ClientError::Transport`].
    pub async fn require_supported_chain(&self) -> Result<(), ClientError> {
        for Precompile { name, address, input, output } in PRECOMPILES {
            let request =
                TransactionRequest::default().with_to(Address::with_last_byte(address)).with_input(vec![0; input]);
            // Where there is no precompile, the answer of the empty account is empty.
            let answer = self.provider.call(request).await.map_err(ClientError::Transport)?;
            if answer.len() != output {
                return Err(self.not_supported(name).await?);
            }
        }
        let (name, executes) = INSTRUCTION;
        // A node that executes no init code in a call leaves the question open.
        if !self.executes(&executes).await? && self.executes(&WITHOUT_INSTRUCTION).await? {
            return Err(self.not_supported(name).await?);
        }
        Ok(())
    }

    async fn executes(&self, init_code: &[u8]) -> Result<bool, ClientError> {
        let request = TransactionRequest::default().with_deploy_code(Bytes::copy_from_slice(init_code));
        match self.provider.call(request).await {
            Ok(answer) => Ok(answer.len() == 32),
            Err(error) if error.is_error_resp() => Ok(false),
            Err(error) => Err(ClientError::Transport(error)),
        }
    }

    async fn not_supported(&self, missing: &'static str) -> Result<ClientError, ClientError> {
        Ok(ClientError::ChainNotSupported { chain_id: self.chain_id().await?, missing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assent_contracts::{OperatorRegistry, OwnerStakeSource, TaskManager};

    const CLZ: u8 = 0x1e;

    /// Returns whether an instruction is in code.
    fn has_instruction(code: &[u8], instruction: u8) -> bool {
        let mut at = 0;
        while let Some(&byte) = code.get(at) {
            if byte == instruction {
                return true;
            }
            // PUSH1 to PUSH32 are followed by their data.
            at += 1 + usize::from(byte.checked_sub(0x5f).filter(|length| *length <= 32).unwrap_or_default());
        }
        false
    }

    #[test]
    fn the_instruction_that_is_checked_is_in_the_contracts() {
        let codes = [
            &TaskManager::DEPLOYED_BYTECODE,
            &OperatorRegistry::DEPLOYED_BYTECODE,
            &OwnerStakeSource::DEPLOYED_BYTECODE,
        ];
        assert!(codes.iter().any(|code| has_instruction(code, CLZ)));
        assert!(INSTRUCTION.1.contains(&CLZ) && !WITHOUT_INSTRUCTION.contains(&CLZ));
        assert!(!has_instruction(&[0x60, CLZ, 0, 0], CLZ), "data of a PUSH is no instruction");
    }
}
