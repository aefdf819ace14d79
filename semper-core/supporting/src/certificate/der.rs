//! The few pieces of DER (X.690) that are written here: what the profile allows has one encoding each, and what
//! was received is compared with it, since parsers take more than one.

/// A value of `tag` with this content.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length.iter().skip_while(|byte| **byte == 0);
    let mut out = vec![tag];
    match significant.clone().count() {
        0 => out.push(0),
        1 if content.len() < 0x80 => out.extend(significant),
        count => {
            out.extend(u8::try_from(count).map(|count| 0x80 | count));
            out.extend(significant);
        }
    }
    out.extend_from_slice(content);
    out
}

/// The first value of `der`, as tag and content, and what follows it. Long lengths only where they are needed.
pub(super) fn next(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, length, rest) = match der {
        [tag, length, rest @ ..] if *length < 0x80 => (tag, usize::from(*length), rest),
        [tag, 0x81, length, rest @ ..] if *length >= 0x80 => (tag, usize::from(*length), rest),
        [tag, 0x82, high, low, rest @ ..] if *high > 0 => {
            (tag, usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length).map(|(content, after)| (*tag, content, after))
}

/// The content of a value of `tag`, if `der` is exactly that value.
pub(super) fn content(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (found, content, rest) = next(der)?;
    (found == tag && rest.is_empty()).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_one_form() {
        for length in [0, 1, 127, 128, 255, 256, 4096] {
            let der = value(0x04, &vec![7; length]);
            assert_eq!(content(&der, 0x04), Some(vec![7; length].as_slice()));
            assert_eq!(content(&der, 0x05), None);
            assert_eq!(content(&[der.as_slice(), &[0]].concat(), 0x04), None);
        }
        assert_eq!(value(0x04, &[0; 127])[..2], [4, 127]);
        assert_eq!(value(0x04, &[0; 128])[..3], [4, 0x81, 128]);
        assert_eq!(value(0x04, &[0; 300])[..4], [4, 0x82, 1, 44]);
        assert_eq!(content(&[4, 0x81, 1, 7], 4), None);
        assert_eq!(content(&[], 4), None);
    }
}
