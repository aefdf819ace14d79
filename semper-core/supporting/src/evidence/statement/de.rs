//! The reader: a cursor over the lines, driven by the type that is expected.

use std::fmt;

use serde::de::{self, DeserializeOwned, IntoDeserializer as _, Visitor, value::StrDeserializer};

use super::{
    StatementError,
    text::{Lines, is_segment},
};

/// Reads a value of type `T` and demands that every line was used.
pub(super) fn read<T: DeserializeOwned>(lines: &Lines<'_>) -> Result<T, StatementError> {
    let mut reader = Reader { pairs: &lines.pairs, next: 0, path: String::new() };
    let value = T::deserialize(&mut reader).map_err(|error| match error {
        StatementError::Form { line: 0, what } => StatementError::form(reader.number(), what),
        other => other,
    })?;
    match lines.pairs.get(reader.next) {
        None => Ok(value),
        Some((key, _)) => {
            Err(StatementError::form(reader.number(), format!("{key} has no place in this type")))
        }
    }
}

struct Reader<'a> {
    pairs: &'a [(&'a str, &'a str)],
    next: usize,
    path: String,
}

impl<'a> Reader<'a> {
    /// The number of the line the cursor stands at, the first line being the form and type.
    fn number(&self) -> usize {
        self.next + 2
    }

    fn error(&self, what: impl fmt::Display) -> StatementError {
        StatementError::form(self.number(), format!("{}: {what}", self.path))
    }

    fn peek(&self) -> Option<(&'a str, &'a str)> {
        self.pairs.get(self.next).copied()
    }

    /// The value of the next line, which must have the present path as its key.
    fn line(&mut self) -> Result<&'a str, StatementError> {
        match self.peek() {
            Some((key, value)) if key == self.path => {
                self.next += 1;
                Ok(value)
            }
            Some((key, _)) => Err(self.error(format!("expected here, found {key}"))),
            None => Err(self.error("missing")),
        }
    }

    /// Takes a line that says that nothing is there.
    fn absent(&mut self) -> bool {
        let absent = self.peek() == Some((self.path.as_str(), "-"));
        self.next += usize::from(absent);
        absent
    }

    fn number_in<T: std::str::FromStr>(&mut self) -> Result<T, StatementError> {
        let line = self.number();
        let value = self.line()?;
        value
            .parse()
            .map_err(|_| StatementError::form(line, format!("{}: not a number that fits", self.path)))
    }

    /// The part of the next key below the present path.
    fn below(&self) -> Option<&'a str> {
        let (key, _) = self.peek()?;
        if self.path.is_empty() { Some(key) } else { key.strip_prefix(self.path.as_str())?.strip_prefix('/') }
    }

    fn descend<V: de::DeserializeSeed<'a>>(
        &mut self,
        segment: &str,
        seed: V,
    ) -> Result<V::Value, StatementError> {
        let length = self.path.len();
        if !segment.is_empty() {
            if length > 0 {
                self.path.push('/');
            }
            self.path.push_str(segment);
        }
        let line = self.number();
        let value = seed.deserialize(&mut *self).map_err(|error| at(line, &self.path, error))?;
        self.path.truncate(length);
        Ok(value)
    }
}

impl de::Error for StatementError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::form(0, message.to_string())
    }
}

macro_rules! numbers {
    ($($method:ident => $visit:ident),*) => { $(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, StatementError> {
            visitor.$visit(self.number_in()?)
        }
    )* };
}

macro_rules! refused {
    ($($method:ident),*) => { $(
        fn $method<V: Visitor<'a>>(self, _: V) -> Result<V::Value, StatementError> {
            Err(self.error("a kind of value that no statement carries"))
        }
    )* };
}

impl<'a> de::Deserializer<'a> for &mut Reader<'a> {
    type Error = StatementError;

    numbers!(
        deserialize_u8 => visit_u8, deserialize_u16 => visit_u16, deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64, deserialize_i8 => visit_i8, deserialize_i16 => visit_i16,
        deserialize_i32 => visit_i32, deserialize_i64 => visit_i64
    );

    refused!(
        deserialize_any,
        deserialize_f32,
        deserialize_f64,
        deserialize_char,
        deserialize_bytes,
        deserialize_byte_buf,
        deserialize_unit,
        deserialize_ignored_any
    );

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, StatementError> {
        let line = self.number();
        match self.line()? {
            "yes" => visitor.visit_bool(true),
            "no" => visitor.visit_bool(false),
            _ => Err(StatementError::form(line, format!("{}: neither yes nor no", self.path))),
        }
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, StatementError> {
        let line = self.number();
        let value = self.line()?;
        visitor.visit_borrowed_str(value).map_err(|error| at(line, &self.path, error))
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, StatementError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, StatementError> {
        if self.absent() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, StatementError> {
        Err(self.error("a kind of value that no statement carries"))
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, StatementError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, StatementError> {
        let next = if self.absent() { None } else { Some(0) };
        visitor.visit_seq(List { reader: self, next })
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, StatementError> {
        visitor.visit_seq(List { reader: self, next: Some(0) })
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, StatementError> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, StatementError> {
        let more = !self.absent();
        visitor.visit_map(Paths { reader: self, more, key: "" })
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StatementError> {
        visitor.visit_map(Fields { reader: self, fields: fields.iter(), key: "" })
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StatementError> {
        let line = self.number();
        let variant = self.line()?;
        if !is_segment(variant) {
            return Err(StatementError::form(line, format!("{}: not one of the choices", self.path)));
        }
        visitor.visit_enum(Variant { reader: self, variant, line })
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, StatementError> {
        self.deserialize_str(visitor)
    }
}

fn at(line: usize, path: &str, error: StatementError) -> StatementError {
    match error {
        StatementError::Form { line: 0, what } => StatementError::form(line, format!("{path}: {what}")),
        other => other,
    }
}

struct List<'r, 'a> {
    reader: &'r mut Reader<'a>,
    next: Option<usize>,
}

impl<'a> de::SeqAccess<'a> for List<'_, 'a> {
    type Error = StatementError;

    fn next_element_seed<T: de::DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, StatementError> {
        let Some(index) = self.next else { return Ok(None) };
        let segment = index.to_string();
        if self.reader.below().and_then(|rest| rest.split('/').next()) != Some(segment.as_str()) {
            return Ok(None);
        }
        self.next = Some(index + 1);
        self.reader.descend(&segment, seed).map(Some)
    }
}

struct Fields<'r, 'a> {
    reader: &'r mut Reader<'a>,
    fields: std::slice::Iter<'static, &'static str>,
    key: &'static str,
}

impl<'a> de::MapAccess<'a> for Fields<'_, 'a> {
    type Error = StatementError;

    fn next_key_seed<K: de::DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, StatementError> {
        let Some(key) = self.fields.next() else { return Ok(None) };
        self.key = key;
        let name: StrDeserializer<'_, StatementError> = (*key).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, StatementError> {
        self.reader.descend(&self.key.replace('_', "-"), seed)
    }
}

/// A map whose keys are paths of decimal segments.
struct Paths<'r, 'a> {
    reader: &'r mut Reader<'a>,
    more: bool,
    key: &'a str,
}

impl<'a> de::MapAccess<'a> for Paths<'_, 'a> {
    type Error = StatementError;

    fn next_key_seed<K: de::DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, StatementError> {
        let Some(rest) = self.reader.below().filter(|_| self.more) else { return Ok(None) };
        let mut length = 0;
        for segment in rest.split('/').take_while(|segment| segment.bytes().all(|b| b.is_ascii_digit())) {
            length += segment.len() + usize::from(length > 0);
        }
        let Some(key) = rest.get(..length).filter(|key| !key.is_empty()) else { return Ok(None) };
        self.key = key;
        let name: StrDeserializer<'_, StatementError> = key.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, StatementError> {
        let line = self.reader.next;
        let value = self.reader.descend(self.key, seed)?;
        // A value without lines, such as a list whose indices were read as part of the path, would stand here
        // again and again.
        if self.reader.next == line {
            return Err(self.reader.error("an entry without lines"));
        }
        Ok(value)
    }
}

struct Variant<'r, 'a> {
    reader: &'r mut Reader<'a>,
    variant: &'a str,
    line: usize,
}

impl<'r, 'a> de::EnumAccess<'a> for Variant<'r, 'a> {
    type Error = StatementError;
    type Variant = &'r mut Reader<'a>;

    fn variant_seed<V: de::DeserializeSeed<'a>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), StatementError> {
        let name: StrDeserializer<'_, StatementError> = self.variant.into_deserializer();
        let value = seed.deserialize(name).map_err(|error| at(self.line, &self.reader.path, error))?;
        Ok((value, self.reader))
    }
}

impl<'a> de::VariantAccess<'a> for &mut Reader<'a> {
    type Error = StatementError;

    fn unit_variant(self) -> Result<(), StatementError> {
        Ok(())
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, StatementError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'a>>(self, length: usize, visitor: V) -> Result<V::Value, StatementError> {
        de::Deserializer::deserialize_tuple(self, length, visitor)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StatementError> {
        de::Deserializer::deserialize_struct(self, "", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::super::{Bytes, Statement, StatementError, from_bytes, lines, to_bytes, type_of};
    use crate::{crypto::digest::Digest, time::Moment};

    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    struct Common {
        xid: Option<Digest>,
        at: Moment,
    }

    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        Plain,
        WithFields { title: String, length: u64 },
    }

    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    struct Leaf {
        kind: String,
        size: Option<u32>,
    }

    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    struct Sample {
        #[serde(rename = "")]
        common: Common,
        a_list: Vec<String>,
        leaves: BTreeMap<String, Leaf>,
        choice: Choice,
        perhaps: Option<Leaf>,
        blob: Option<Bytes>,
        agreed: bool,
    }

    impl Statement for Sample {
        const TYPE: &'static str = "x/test/sample";
    }

    fn sample() -> Sample {
        Sample {
            common: Common { xid: None, at: Moment::from_seconds(1_772_359_200) },
            a_list: vec!["one".into(), "two: three".into()],
            leaves: BTreeMap::from([
                ("0".into(), Leaf { kind: "data".into(), size: Some(7) }),
                ("0/2".into(), Leaf { kind: "money".into(), size: None }),
            ]),
            choice: Choice::WithFields { title: "Farbe, Einführung".into(), length: 3 },
            perhaps: None,
            blob: Some(Bytes(vec![1; 70])),
            agreed: true,
        }
    }

    const TEXT: &str = "semper-statement/1 x/test/sample\n\
        xid: -\n\
        at: 2026-03-01T10:00:00Z\n\
        a-list/0: one\n\
        a-list/1: two: three\n\
        leaves/0/kind: data\n\
        leaves/0/size: 7\n\
        leaves/0/2/kind: money\n\
        leaves/0/2/size: -\n\
        choice: with-fields\n\
        choice/title: Farbe, Einführung\n\
        choice/length: 3\n\
        perhaps: -\n\
        blob: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==\n\
        agreed: yes\n";

    #[test]
    fn a_struct_is_written_as_its_lines_and_read_back() {
        let bytes = to_bytes(&sample()).unwrap();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), TEXT);
        assert_eq!(from_bytes::<Sample>(&bytes), Ok(sample()));
        assert_eq!(type_of(&bytes).as_deref(), Ok("x/test/sample"));
        assert_eq!(lines(&bytes).unwrap()[2], ("a-list/0".into(), "one".into()));
    }

    #[test]
    fn empty_lists_and_maps_and_present_optionals_have_one_form() {
        let mut value = sample();
        value.a_list.clear();
        value.leaves.clear();
        value.perhaps = Some(Leaf { kind: "x".into(), size: None });
        value.choice = Choice::Plain;
        let bytes = to_bytes(&value).unwrap();
        assert!(
            String::from_utf8_lossy(&bytes)
                .contains("a-list: -\nleaves: -\nchoice: plain\nperhaps/kind: x\n")
        );
        assert_eq!(from_bytes::<Sample>(&bytes), Ok(value));
    }

    #[test]
    fn lists_below_a_path_are_refused_and_not_read_for_ever() {
        #[derive(Debug, Deserialize, PartialEq, Serialize)]
        struct Ambiguous {
            leaves: BTreeMap<String, Vec<String>>,
        }
        impl Statement for Ambiguous {
            const TYPE: &'static str = "x/test/ambiguous";
        }
        let text = b"semper-statement/1 x/test/ambiguous\nleaves/0/0: one\n";
        assert!(matches!(from_bytes::<Ambiguous>(text), Err(StatementError::Form { line: 2, .. })));
    }

    #[test]
    fn a_text_the_writer_would_not_have_written_is_refused_with_its_line() {
        for (from, to, line) in [
            ("xid: -\n", "xid: -\r\n", 2),
            ("xid: -\n", "xid:  -\n", 2),
            ("agreed: yes\n", "agreed: true\n", 15),
            ("agreed: yes\n", "agreed: yes\nmore: 1\n", 16),
            ("agreed: yes\n", "agreed: yes\nagreed: yes\n", 16),
            ("agreed: yes\n", "", 15),
            ("choice/length: 3\n", "choice/length: 03\n", 12),
            ("leaves/0/size: 7\n", "leaves/0/size: 4294967296\n", 7),
            ("a-list/1:", "a-list/2:", 5),
            ("choice: with-fields\n", "choice: other\n", 10),
            ("Einführung", "Einfu\u{308}hrung", 0),
            ("Einführung", "Einführung\u{202e}", 11),
            ("x/test/sample\n", "x/test/sample \n", 1),
            ("at: 2026-03-01T10:00:00Z", "at: 2026-03-01T10:00:00.0Z", 3),
            ("perhaps: -\n", "perhaps: -\n\n", 14),
        ] {
            let changed = TEXT.replacen(from, to, 1);
            assert_ne!(changed, TEXT, "{from}");
            match from_bytes::<Sample>(changed.as_bytes()) {
                Err(StatementError::Form { line: got, .. }) => assert_eq!(got, line, "{to:?}"),
                other => panic!("{to:?}: {other:?}"),
            }
        }
        assert!(from_bytes::<Sample>(&[b"\xef\xbb\xbf", TEXT.as_bytes()].concat()).is_err());
    }

    #[test]
    fn another_type_is_refused_by_name() {
        let other = TEXT.replacen("x/test/sample", "x/test/other", 1);
        assert_eq!(
            from_bytes::<Sample>(other.as_bytes()),
            Err(StatementError::Type { expected: "x/test/sample", got: "x/test/other".into() })
        );
    }

    #[test]
    fn what_no_statement_carries_is_not_written() {
        for text in ["", "-", " a", "a\n", "a\u{200f}", "e\u{301}", "\u{feff}"] {
            let mut value = sample();
            value.choice = Choice::WithFields { title: text.into(), length: 0 };
            assert!(to_bytes(&value).is_err(), "{text:?}");
        }
        let mut value = sample();
        value.common.at = Moment::from_millis(1);
        assert!(to_bytes(&value).is_err());
        value = sample();
        value.a_list = vec!["x".repeat(4096)];
        assert!(to_bytes(&value).is_err());
    }

    proptest! {
        #[test]
        fn one_changed_byte_is_refused_or_another_value(at in 0..TEXT.len(), byte in 0_u8..=255) {
            let mut bytes = TEXT.as_bytes().to_vec();
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            if let Ok(value) = from_bytes::<Sample>(&bytes) {
                prop_assert_ne!(&value, &sample());
                prop_assert_eq!(to_bytes(&value), Ok(bytes));
            }
        }

        #[test]
        fn whatever_arrives_is_refused_or_written_back_alike(text in "(semper-statement/1 x/test/sample\n)?([a-z/0-9]{1,8}: .{0,9}\n){0,12}") {
            if let Ok(value) = from_bytes::<Sample>(text.as_bytes()) {
                prop_assert_eq!(to_bytes(&value), Ok(text.into_bytes()));
            }
        }
    }
}
