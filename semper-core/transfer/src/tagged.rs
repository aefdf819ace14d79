//! Values written as a line `kind: …` and, at the same level, the lines of that kind.
//!
//! A derived enum would put the lines of its variant one level below the word. Here the word is a line like
//! the others, so that a leaf reads `give-o/0/kind: data`, `give-o/0/title: …`.

/// Implements `Serialize` and `Deserialize` for an enum whose variants each wrap one struct and are named
/// like the variants of the enum of kinds.
macro_rules! tagged {
    ($vis:vis $name:ident, $kind:ident { $($variant:ident($body:ty)),* $(,)? }) => {
        impl $name {
            /// Its kind, the first of its lines.
            $vis fn kind(&self) -> $kind {
                match self { $( Self::$variant(_) => $kind::$variant ),* }
            }
        }

        $( impl From<$body> for $name {
            fn from(body: $body) -> Self {
                Self::$variant(body)
            }
        } )*

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeStruct as _;
                let mut lines = serializer.serialize_struct(stringify!($name), 2)?;
                lines.serialize_field("kind", &self.kind())?;
                match self { $( Self::$variant(body) => lines.serialize_field("", body)? ),* }
                lines.end()
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Body($kind);

                impl<'de> ::serde::de::DeserializeSeed<'de> for Body {
                    type Value = $name;

                    fn deserialize<D: ::serde::Deserializer<'de>>(self, deserializer: D) -> Result<$name, D::Error> {
                        use ::serde::Deserialize as _;
                        match self.0 {
                            $( $kind::$variant => <$body>::deserialize(deserializer).map($name::$variant) ),*
                        }
                    }
                }

                struct Whole;

                impl<'de> ::serde::de::Visitor<'de> for Whole {
                    type Value = $name;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str("a kind and its lines")
                    }

                    fn visit_seq<A: ::serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        use ::serde::de::Error as _;
                        let kind = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                        seq.next_element_seed(Body(kind))?.ok_or_else(|| A::Error::invalid_length(1, &self))
                    }

                    fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        use ::serde::de::Error as _;
                        if map.next_key::<String>()?.as_deref() != Some("kind") {
                            return Err(A::Error::missing_field("kind"));
                        }
                        let kind = map.next_value()?;
                        if map.next_key::<String>()?.as_deref() != Some("") {
                            return Err(A::Error::missing_field("the lines of its kind"));
                        }
                        map.next_value_seed(Body(kind))
                    }
                }

                deserializer.deserialize_struct(stringify!($name), &["kind", ""], Whole)
            }
        }
    };
}

pub(crate) use tagged;
