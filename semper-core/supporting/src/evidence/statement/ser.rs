//! The writer: any plain struct becomes lines.

use std::{collections::BTreeSet, fmt};

use serde::{Serialize, ser};

use super::{
    FORM, LINE_LIMIT, StatementError,
    text::{is_plain, is_segment},
};

/// Writes a statement of type `kind`.
pub(super) fn write<T: Serialize>(kind: &str, value: &T) -> Result<String, StatementError> {
    let mut writer = Writer { text: format!("{FORM} {kind}\n"), path: String::new(), keys: BTreeSet::new() };
    value.serialize(Cell { writer: &mut writer, optional: false })?;
    Ok(writer.text)
}

struct Writer {
    text: String,
    path: String,
    keys: BTreeSet<String>,
}

impl Writer {
    fn line(&mut self, value: &str) -> Result<(), StatementError> {
        if self.path.is_empty() {
            return Err(StatementError::Unwritable("a statement is a struct".into()));
        }
        if self.path.len() + 2 + value.len() > LINE_LIMIT {
            return Err(self.unwritable(&format!("longer than {LINE_LIMIT} bytes")));
        }
        if !self.keys.insert(self.path.clone()) {
            return Err(self.unwritable("a key stands once"));
        }
        self.text.extend([self.path.as_str(), ": ", value, "\n"]);
        Ok(())
    }

    fn unwritable(&self, what: &str) -> StatementError {
        StatementError::Unwritable(format!("{}: {what}", self.path))
    }

    /// Writes `value` below the present path.
    fn below<T: Serialize + ?Sized>(&mut self, segment: &str, value: &T) -> Result<(), StatementError> {
        let length = self.path.len();
        if !segment.is_empty() {
            if !segment.split('/').all(is_segment) {
                return Err(self.unwritable(&format!("{segment:?} is no key")));
            }
            if length > 0 {
                self.path.push('/');
            }
            self.path.push_str(segment);
        }
        value.serialize(Cell { writer: self, optional: false })?;
        self.path.truncate(length);
        Ok(())
    }
}

/// The place of one value.
struct Cell<'w> {
    writer: &'w mut Writer,
    /// Inside an optional, where `-` already means absence.
    optional: bool,
}

impl<'w> Cell<'w> {
    fn number(self, number: impl fmt::Display) -> Result<(), StatementError> {
        self.writer.line(&number.to_string())
    }

    fn refuse<R>(&self, what: &str) -> Result<R, StatementError> {
        Err(self.writer.unwritable(what))
    }

    fn list(self, length: Option<usize>) -> Result<List<'w>, StatementError> {
        match (length, self.optional) {
            (None, _) => self.refuse("a list whose length is not known"),
            (Some(0), true) => self.refuse("an optional list is not empty"),
            (Some(0), false) => {
                self.writer.line("-")?;
                Ok(List { writer: self.writer, next: 0 })
            }
            (Some(_), _) => Ok(List { writer: self.writer, next: 0 }),
        }
    }
}

struct List<'w> {
    writer: &'w mut Writer,
    next: usize,
}

struct Fields<'w> {
    writer: &'w mut Writer,
    key: String,
}

impl ser::Error for StatementError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Unwritable(message.to_string())
    }
}

impl<'w> ser::Serializer for Cell<'w> {
    type Ok = ();
    type Error = StatementError;
    type SerializeSeq = List<'w>;
    type SerializeTuple = List<'w>;
    type SerializeTupleStruct = List<'w>;
    type SerializeTupleVariant = List<'w>;
    type SerializeMap = Fields<'w>;
    type SerializeStruct = Fields<'w>;
    type SerializeStructVariant = Fields<'w>;

    fn serialize_bool(self, v: bool) -> Result<(), StatementError> {
        self.writer.line(if v { "yes" } else { "no" })
    }

    fn serialize_i8(self, v: i8) -> Result<(), StatementError> {
        self.serialize_i64(v.into())
    }

    fn serialize_i16(self, v: i16) -> Result<(), StatementError> {
        self.serialize_i64(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<(), StatementError> {
        self.serialize_i64(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<(), StatementError> {
        if v < 0 { self.refuse("a number below zero") } else { self.number(v) }
    }

    fn serialize_u8(self, v: u8) -> Result<(), StatementError> {
        self.number(v)
    }

    fn serialize_u16(self, v: u16) -> Result<(), StatementError> {
        self.number(v)
    }

    fn serialize_u32(self, v: u32) -> Result<(), StatementError> {
        self.number(v)
    }

    fn serialize_u64(self, v: u64) -> Result<(), StatementError> {
        self.number(v)
    }

    fn serialize_f32(self, _: f32) -> Result<(), StatementError> {
        self.refuse("a number with a point")
    }

    fn serialize_f64(self, _: f64) -> Result<(), StatementError> {
        self.refuse("a number with a point")
    }

    fn serialize_char(self, _: char) -> Result<(), StatementError> {
        self.refuse("a single character")
    }

    fn serialize_str(self, v: &str) -> Result<(), StatementError> {
        if v == "-" || !is_plain(v) {
            return self.refuse("a text that no statement carries (empty, \"-\", or hidden characters)");
        }
        self.writer.line(v)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), StatementError> {
        self.refuse("raw bytes")
    }

    fn serialize_none(self) -> Result<(), StatementError> {
        if self.optional { self.refuse("an optional inside an optional") } else { self.writer.line("-") }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), StatementError> {
        value.serialize(Cell { writer: self.writer, optional: true })
    }

    fn serialize_unit(self) -> Result<(), StatementError> {
        self.refuse("nothing")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), StatementError> {
        self.refuse("nothing")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), StatementError> {
        if !is_segment(variant) {
            return self.refuse(&format!("{variant:?} is no word of a statement"));
        }
        self.writer.line(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), StatementError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), StatementError> {
        Cell { writer: &mut *self.writer, optional: false }.serialize_unit_variant(name, index, variant)?;
        value.serialize(Cell { writer: self.writer, optional: false })
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<List<'w>, StatementError> {
        self.list(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<List<'w>, StatementError> {
        self.list(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<List<'w>, StatementError> {
        self.list(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'w>, StatementError> {
        Cell { writer: &mut *self.writer, optional: false }.serialize_unit_variant(name, index, variant)?;
        Ok(List { writer: self.writer, next: 0 })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Fields<'w>, StatementError> {
        self.list(length).map(|list| Fields { writer: list.writer, key: String::new() })
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Fields<'w>, StatementError> {
        if fields == 0 {
            return self.refuse("a struct without fields");
        }
        Ok(Fields { writer: self.writer, key: String::new() })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields<'w>, StatementError> {
        Cell { writer: &mut *self.writer, optional: false }.serialize_unit_variant(name, index, variant)?;
        Ok(Fields { writer: self.writer, key: String::new() })
    }
}

macro_rules! list {
    ($($trait:ident :: $method:ident),*) => { $(
        impl ser::$trait for List<'_> {
            type Ok = ();
            type Error = StatementError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), StatementError> {
                self.writer.below(&self.next.to_string(), value)?;
                self.next += 1;
                Ok(())
            }

            fn end(self) -> Result<(), StatementError> {
                Ok(())
            }
        }
    )* };
}

list!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($trait:ident),*) => { $(
        impl ser::$trait for Fields<'_> {
            type Ok = ();
            type Error = StatementError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), StatementError> {
                self.writer.below(&key.replace('_', "-"), value)
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), StatementError> {
                Err(self.writer.unwritable(&format!("{key} is left out, and every line stands always")))
            }

            fn end(self) -> Result<(), StatementError> {
                Ok(())
            }
        }
    )* };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = StatementError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), StatementError> {
        let mut writer = Writer { text: String::new(), path: "k".into(), keys: BTreeSet::new() };
        key.serialize(Cell { writer: &mut writer, optional: false })?;
        self.key = writer.text.strip_prefix("k: ").unwrap_or_default().trim_end().to_owned();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), StatementError> {
        let key = std::mem::take(&mut self.key);
        if !key.split('/').all(|segment| !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit())) {
            return Err(self.writer.unwritable("the key of a map is a path of numbers"));
        }
        self.writer.below(&key, value)
    }

    fn end(self) -> Result<(), StatementError> {
        Ok(())
    }
}
