//! Precompiles at other prices than today's.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use revm::{
    context::{Cfg, ContextTr},
    handler::{EthPrecompiles, PrecompileProvider, precompile_output_to_interpreter_result},
    interpreter::{CallInputs, InterpreterResult},
    primitives::{AddressSet, hardfork::SpecId},
};

/// The price in gas of a call, from what the same call costs today.
pub(crate) type Price = fn(u64) -> u64;

/// Ethereum's precompiles, some of them at other prices.
#[derive(Debug)]
pub(crate) struct PricedPrecompiles<'a> {
    ethereum: EthPrecompiles,
    prices: &'a BTreeMap<Address, Price>,
}

impl<'a> PricedPrecompiles<'a> {
    pub(crate) fn new(spec: SpecId, prices: &'a BTreeMap<Address, Price>) -> Self {
        Self { ethereum: EthPrecompiles::new(spec), prices }
    }
}

impl<C: ContextTr<Cfg: Cfg<Spec = SpecId>>> PrecompileProvider<C> for PricedPrecompiles<'_> {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        PrecompileProvider::<C>::set_spec(&mut self.ethereum, spec)
    }

    fn run(&mut self, context: &mut C, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        let address = &inputs.bytecode_address;
        let (Some(price), Some(precompile)) = (self.prices.get(address), self.ethereum.precompiles.get(address)) else {
            return self.ethereum.run(context, inputs);
        };
        // With gas to spare: only the new price decides whether there is enough.
        let mut output = precompile
            .execute(&inputs.input.as_bytes(context), u64::MAX, inputs.reservoir)
            .map_err(|error| error.to_string())?;
        output.gas_used = price(output.gas_used);
        Ok(Some(precompile_output_to_interpreter_result(output, inputs.gas_limit)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        self.ethereum.warm_addresses()
    }

    fn contains(&self, address: &Address) -> bool {
        self.ethereum.contains(address)
    }
}
