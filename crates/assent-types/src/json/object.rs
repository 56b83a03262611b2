//! Objects that are only read from JSON objects.

use core::fmt;
use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
    forward_to_deserialize_any,
};

/// A deserializer that reads a struct only from an object.
///
/// What serde derives also reads a struct from an array of its fields in order, where a swapped or missing field can
/// go unnoticed.
///
/// ```
/// use assent_types::json::ObjectOnly;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Pair {
///     from: u8,
///     to: u8,
/// }
///
/// let read = |json| Pair::deserialize(ObjectOnly(&mut serde_json::Deserializer::from_str(json)));
/// assert_eq!(read(r#"{ "to": 2, "from": 1 }"#).map(|pair| (pair.from, pair.to))?, (1, 2));
/// assert!(read("[1, 2]").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
pub struct ObjectOnly<D>(
    /// The deserializer of the JSON.
    pub D,
);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, FieldsByName(visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A visitor without its `visit_seq`.
struct FieldsByName<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for FieldsByName<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object: ")?;
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(fields)
    }
}
