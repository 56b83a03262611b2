//! The WebAssembly runtime.

use crate::{
    component::Component,
    error::{LoadError, ObserveError, StartError},
    imports, limits,
    recording::{Answers, RecordedSource, Recording, SourceRun, compare, parse_output},
    request::ObservationRequest,
    state::{State, TICK},
    world::World,
};
use alloy_primitives::B256;
use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::Duration,
};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, RegallocAlgorithm, Store, Strategy, Trap,
    component::Linker,
};

/// wasmtime's words for a call that passes more than the fuel of host calls permits. It has no type for it.
const HOSTCALL_FUEL: &str = "fuel allocated for hostcalls has been exhausted";

/// The runtime of components. One is enough for a process.
///
/// It keeps compiled components by their hash. It is not asynchronous: a component blocks its thread.
/// In an asynchronous program, call it from `tokio::task::spawn_blocking`.
pub struct Host {
    engine: Engine,
    linker: Linker<State>,
    components: Mutex<HashMap<B256, Arc<Loading>>>,
    gate: Gate,
}

/// The result of compiling a component, once it is there. Who asks for the same meanwhile waits.
type Loading = OnceLock<Result<Component, LoadError>>;

impl std::fmt::Debug for Host {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Host {
    /// Starts the runtime.
    ///
    /// # Errors
    /// If the machine does not support the runtime, or has too little address space.
    pub fn new() -> Result<Self, StartError> {
        let failed = |error: wasmtime::Error| StartError { detail: format!("{error:#}") };
        let engine = Engine::new(&config()).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        imports::add_to(&mut linker).map_err(failed)?;
        start_clock(&engine).map_err(|error| StartError { detail: error.to_string() })?;
        Ok(Self { engine, linker, components: Mutex::default(), gate: Gate::new(limits::CONCURRENT_OBSERVATIONS) })
    }

    /// Compiles a component and checks it against the world, unless that was done before.
    ///
    /// What languages with large runtimes are compiled to takes seconds.
    ///
    /// # Errors
    /// If the component is invalid, or has another world.
    pub fn load(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        let hash = Component::hash_of(bytes);
        let loading = Arc::clone(lock(&self.components).entry(hash).or_default());
        loading.get_or_init(|| Component::compile(&self.engine, &self.linker, bytes)).clone()
    }

    /// Forgets a compiled component. Observations that use it end as they would.
    pub fn unload(&self, hash: B256) {
        lock(&self.components).remove(&hash);
    }

    /// Runs a component for a request.
    ///
    /// # Errors
    /// If the component reaches a limit, traps, reports an error, asks for what is not permitted, or its output is not
    /// strict JSON. A failed observation is no data.
    pub fn observe(
        &self,
        component: &Component,
        request: &ObservationRequest,
        world: &World,
    ) -> Result<SourceRun, ObserveError> {
        self.run(component, request.to_json()?, Answers::of_world(world.clone(), request.block))
    }

    /// Repeats a recorded observation, offline and to the byte.
    ///
    /// # Errors
    /// As [`observe`](Self::observe); and if the component asks something else than the recording has, or its output
    /// differs.
    pub fn replay(&self, component: &Component, recording: &Recording) -> Result<SourceRun, ObserveError> {
        recording.check(&RecordedSource::Component(component.hash()))?;
        let answers = Answers::of_recording(recording);
        let observation = self.run(component, recording.request.clone(), answers)?;
        compare(observation, recording)
    }

    fn run(&self, component: &Component, request: String, answers: Answers) -> Result<SourceRun, ObserveError> {
        self.run_within(Allowance::FULL, component, request, answers)
    }

    fn run_within(
        &self,
        allowance: Allowance,
        component: &Component,
        request: String,
        answers: Answers,
    ) -> Result<SourceRun, ObserveError> {
        let _permit = self.gate.enter();
        let mut store = Store::new(&self.engine, State::new(answers, allowance.time));
        store.limiter(|state| state);
        store.set_hostcall_fuel(limits::HOST_CALL_BYTES);
        store.set_epoch_deadline(store.data().ticks_left());
        let result = store.set_fuel(allowance.fuel).and_then(|()| call(&mut store, component, &request));
        let fuel = allowance.fuel.saturating_sub(store.get_fuel().unwrap_or_default());

        let mut state = store.into_data();
        let output = match result {
            Ok(Ok(output)) => output,
            Ok(Err(reason)) => return Err(ObserveError::Component { reason: shorten(reason) }),
            Err(error) => return Err(state.take_failure().unwrap_or_else(|| explain(&error))),
        };
        let output = parse_output(&output)?;
        let recording = state.answers.finish(RecordedSource::Component(component.hash()), request, &output)?;
        Ok(SourceRun { output, recording, fuel })
    }
}

fn call(store: &mut Store<State>, component: &Component, request: &str) -> wasmtime::Result<Result<String, String>> {
    let instance = component.instance.instantiate(&mut *store)?;
    let observe = instance.get_typed_func::<(&str,), (Result<String, String>,)>(&mut *store, component.observe)?;
    let (result,) = observe.call(&mut *store, (request,))?;
    Ok(result)
}

/// Names the cause for which the runtime ended a run.
fn explain(error: &wasmtime::Error) -> ObserveError {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return ObserveError::OutOfFuel,
        Some(Trap::Interrupt) => return ObserveError::Deadline,
        Some(Trap::StackOverflow) => return ObserveError::StackOverflow,
        Some(trap) => return ObserveError::Trap { detail: trap.to_string() },
        None => {}
    }
    let detail = format!("{error:#}");
    if detail.contains(HOSTCALL_FUEL) { ObserveError::DataTooLong } else { ObserveError::Trap { detail } }
}

/// Cuts a component's reason, at a character.
fn shorten(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(limits::REASON_BYTES));
    reason
}

/// What one run may use.
#[derive(Clone, Copy)]
struct Allowance {
    fuel: u64,
    time: Duration,
}

impl Allowance {
    const FULL: Self = Self { fuel: limits::FUEL, time: limits::COMPUTE_TIME };
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_regalloc_algorithm(RegallocAlgorithm::Backtracking)
        // The same bits on every machine.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        // Limits.
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits::WASM_STACK_BYTES)
        .memory_reservation(u64::try_from(limits::MEMORY_BYTES).unwrap_or(u64::MAX))
        .memory_may_move(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()))
        .wasm_backtrace_max_frames(None);
    config
}

/// Every observation that computes has a slot, whatever its component needs within the limits.
fn pool() -> PoolingAllocationConfig {
    let observations = limits::CONCURRENT_OBSERVATIONS;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(observations)
        .total_core_instances(observations.saturating_mul(limits::CORE_INSTANCES))
        .total_memories(observations.saturating_mul(limits::MEMORIES))
        .total_tables(observations.saturating_mul(limits::TABLES))
        .max_core_instances_per_component(limits::CORE_INSTANCES)
        .max_memories_per_component(limits::MEMORIES)
        .max_tables_per_component(limits::TABLES)
        .max_memory_size(limits::MEMORY_BYTES)
        .table_elements(limits::TABLE_ELEMENTS);
    pool
}

/// Starts the thread that advances the epoch. It ends after the engine is dropped.
fn start_clock(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let advance = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("policy-data-epoch".to_owned()).spawn(advance).map(drop)
}

/// Lets a number of observations compute at one time.
struct Gate {
    free: Mutex<u32>,
    freed: Condvar,
}

struct Permit<'a>(&'a Gate);

impl Gate {
    const fn new(free: u32) -> Self {
        Self { free: Mutex::new(free), freed: Condvar::new() }
    }

    fn enter(&self) -> Permit<'_> {
        let free = lock(&self.free);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_sub(1);
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut free = lock(&self.0.free);
        *free = free.saturating_add(1);
        self.0.freed.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// What the probe does within an allowance.
    fn run_within(allowance: Allowance, steps: &str) -> Result<SourceRun, ObserveError> {
        let host = Host::new().unwrap();
        let component = host.load(include_bytes!("../fixtures/probe.wasm")).unwrap();
        let request = format!(r#"{{"params":{{"steps":[{steps}]}}}}"#);
        let recording = Recording {
            version: Recording::VERSION,
            source: RecordedSource::Component(component.hash()),
            request: request.clone(),
            exchanges: vec![],
            output: String::new(),
        };
        host.run_within(allowance, &component, request, Answers::of_recording(&recording))
    }

    #[test]
    fn a_loop_with_fuel_left_ends_at_the_deadline() {
        let started = Instant::now();
        let refusal =
            run_within(Allowance { fuel: u64::MAX, time: Duration::from_millis(40) }, r#"{"do":"loop"}"#).unwrap_err();
        assert_eq!(refusal, ObserveError::Deadline);
        assert!(started.elapsed() < limits::COMPUTE_TIME, "{:?}", started.elapsed());
    }

    #[test]
    fn what_ends_by_itself_has_no_deadline() {
        assert!(run_within(Allowance::FULL, r#"{"do":"count"}"#).is_ok());
    }
}
