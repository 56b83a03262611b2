//! Components that have the world `assent:policy-data@1.0.0`.

use crate::{error::LoadError, imports, limits, state::State};
use alloy_primitives::B256;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use wasmtime::{
    Engine,
    component::{
        ComponentExportIndex, InstancePre, Linker,
        types::{ComponentFunc, ComponentInstance, ComponentItem, Type},
    },
};

/// The export of the world.
const OBSERVE: (&str, &str) = ("observe", "func(request: string) -> result<string, string>");

/// A compiled component, checked against the world. Clones share the code.
///
/// Only [`Host::load`](crate::Host::load) makes one.
#[derive(Clone)]
pub struct Component {
    hash: B256,
    pub(crate) instance: Arc<InstancePre<State>>,
    pub(crate) observe: ComponentExportIndex,
}

impl std::fmt::Debug for Component {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Component").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl Component {
    /// Returns the SHA-256 of the component's bytes.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Returns the SHA-256 by which a component is known.
    pub fn hash_of(bytes: &[u8]) -> B256 {
        B256::new(Sha256::digest(bytes).into())
    }

    /// Compiles a component.
    pub(crate) fn compile(engine: &Engine, linker: &Linker<State>, bytes: &[u8]) -> Result<Self, LoadError> {
        if bytes.len() > limits::COMPONENT_BYTES {
            return Err(LoadError::TooLong { length: bytes.len() });
        }
        let invalid = |error: wasmtime::Error| LoadError::Invalid { detail: format!("{error:#}") };
        let component = wasmtime::component::Component::from_binary(engine, bytes).map_err(invalid)?;
        let ty = component.component_type();
        for (name, import) in ty.imports(engine) {
            check_import(engine, name, &import.ty)?;
        }
        let (name, expected) = OBSERVE;
        match ty.get_export(engine, name).map(|export| export.ty) {
            Some(ComponentItem::ComponentFunc(function)) => check_type(name, &function, expected)?,
            _ => return Err(LoadError::NoObserve),
        }
        let observe = component.get_export_index(None, name).ok_or(LoadError::NoObserve)?;
        let instance = linker.instantiate_pre(&component).map_err(invalid)?;
        Ok(Self { hash: Self::hash_of(bytes), instance: Arc::new(instance), observe })
    }
}

fn check_import(engine: &Engine, name: &str, import: &ComponentItem) -> Result<(), LoadError> {
    let functions =
        imports::INTERFACES.iter().find(|(interface, _)| *interface == name).map(|(_, functions)| functions);
    let (Some(functions), ComponentItem::ComponentInstance(instance)) = (functions, import) else {
        return Err(LoadError::Import { name: name.to_owned() });
    };
    for (function, ty) in functions_of(engine, instance) {
        let Some((_, expected)) = functions.iter().find(|(provided, _)| *provided == function) else {
            return Err(LoadError::Import { name: format!("{name}#{function}") });
        };
        check_type(&format!("{name}#{function}"), &ty, expected)?;
    }
    Ok(())
}

fn functions_of(engine: &Engine, instance: &ComponentInstance) -> Vec<(String, ComponentFunc)> {
    let function = |(name, export): (&str, wasmtime::component::types::ComponentExtern<'_>)| match export.ty {
        ComponentItem::ComponentFunc(ty) => Some((name.to_owned(), ty)),
        _ => None,
    };
    instance.exports(engine).filter_map(function).collect()
}

fn check_type(name: &str, function: &ComponentFunc, expected: &'static str) -> Result<(), LoadError> {
    let found = describe_function(function);
    if found == expected {
        return Ok(());
    }
    Err(LoadError::Type { name: name.to_owned(), found, expected })
}

/// Writes a function's type as WIT does, with records and enums in place of their names.
fn describe_function(function: &ComponentFunc) -> String {
    let kind = if function.async_() { "async func" } else { "func" };
    let parameters = list(function.params().map(|(name, ty)| format!("{name}: {}", describe(&ty))));
    let results = list(function.results().map(|ty| describe(&ty)));
    format!("{kind}({parameters}) -> {results}")
}

fn describe(ty: &Type) -> String {
    let optional = |ty: Option<Type>| ty.map_or_else(|| "_".to_owned(), |ty| describe(&ty));
    match ty {
        Type::String => "string".to_owned(),
        Type::U16 => "u16".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::List(ty) => format!("list<{}>", describe(&ty.ty())),
        Type::Option(ty) => format!("option<{}>", describe(&ty.ty())),
        Type::Result(ty) => format!("result<{}, {}>", optional(ty.ok()), optional(ty.err())),
        Type::Enum(ty) => format!("enum {{ {} }}", list(ty.names().map(str::to_owned))),
        Type::Record(ty) => {
            let fields = ty.fields().map(|field| format!("{}: {}", field.name, describe(&field.ty)));
            format!("record {{ {} }}", list(fields))
        }
        // The world has no other types.
        _ => "another type".to_owned(),
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
