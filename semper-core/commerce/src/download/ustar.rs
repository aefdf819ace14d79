//! The archive format of packages: POSIX ustar (IEEE Std 1003.1-2017, `pax`, "ustar Interchange Format"), and of
//! everything that allows only what [`write()`] writes.
//!
//! Regular files only, sorted by name, each once, owner, times and modes fixed. A header is believed by comparing
//! it with the one that would be written for its name and length, so there is one archive for a set of files.
//! The reader lends out slices of what it is given: it allocates one small list and nothing else.

use super::fault::ServiceFault;

/// The longest package, in bytes.
pub const PACKAGE_LIMIT: usize = 2 << 20;
/// The most files in one.
pub const ENTRY_LIMIT: usize = 64;
/// The longest name of a file, in bytes.
pub const NAME_LIMIT: usize = 80;

const BLOCK: usize = 512;
/// What an archive ends with: two blocks of zeros.
const END: usize = 2 * BLOCK;

/// The files of the archive in `bytes`, in order.
///
/// # Errors
/// [`ServiceFault::BadPackage`] for everything that [`write()`] would not have written. The length is looked at
/// first, and reading stops at the first thing that is wrong.
pub fn read(bytes: &[u8]) -> Result<Vec<(&str, &[u8])>, ServiceFault> {
    if bytes.len() > PACKAGE_LIMIT {
        return Err(ServiceFault::bad("longer than 2 MiB"));
    }
    let short = || ServiceFault::bad("cut off");
    let mut files: Vec<(&str, &[u8])> = Vec::new();
    let mut rest = bytes;
    loop {
        let (header, after) = rest.split_at_checked(BLOCK).ok_or_else(short)?;
        if header.first() == Some(&0) {
            break;
        }
        if files.len() == ENTRY_LIMIT {
            return Err(ServiceFault::bad("more than 64 files"));
        }
        let (name, length) = entry(header)?;
        if let Some((last, _)) = files.last()
            && *last >= name
        {
            return Err(ServiceFault::bad(if *last == name {
                "a file is in it twice"
            } else {
                "not sorted"
            }));
        }
        let (content, after) = after.split_at_checked(length).ok_or_else(short)?;
        let (padding, after) = after.split_at_checked(padding(length)).ok_or_else(short)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(ServiceFault::bad("something between two files"));
        }
        files.push((name, content));
        rest = after;
    }
    if rest.len() != END || rest.iter().any(|byte| *byte != 0) {
        return Err(ServiceFault::bad("something after its end"));
    }
    Ok(files)
}

/// The archive of `files`, whatever order they come in.
///
/// # Errors
/// [`ServiceFault::Unpackable`] for names and sizes that [`read`] would refuse.
pub fn write(files: &[(&str, &[u8])]) -> Result<Vec<u8>, ServiceFault> {
    let mut files = files.to_vec();
    files.sort_unstable();
    let mut bytes = Vec::new();
    for (name, content) in &files {
        let header = header(name, content.len())
            .ok_or_else(|| ServiceFault::unpackable(format!("{name:?} cannot be packed")))?;
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len() + padding(content.len()), 0);
    }
    bytes.resize(bytes.len() + END, 0);
    match read(&bytes) {
        Ok(_) => Ok(bytes),
        Err(fault) => Err(ServiceFault::unpackable(fault.to_string())),
    }
}

/// Whether `name` can name a file of a package.
pub fn is_name(name: &str) -> bool {
    (1..=NAME_LIMIT).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/_.-".contains(&b))
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// The name and length that a header tells.
fn entry(header: &[u8]) -> Result<(&str, usize), ServiceFault> {
    let name = header.get(..100).and_then(|field| field.split(|byte| *byte == 0).next());
    let name = name.and_then(|name| std::str::from_utf8(name).ok()).filter(|name| is_name(name));
    let name = name.ok_or_else(|| ServiceFault::bad("a name that no file of a service has"))?;
    if header.get(156) != Some(&b'0') {
        return Err(ServiceFault::bad("something that is no regular file"));
    }
    let digits = header.get(124..135).and_then(|field| std::str::from_utf8(field).ok());
    let plain = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let length = plain.and_then(|digits| usize::from_str_radix(digits, 8).ok());
    let length = length.ok_or_else(|| ServiceFault::bad("a length that is no number"))?;
    if self::header(name, length).as_ref().map(<[u8; BLOCK]>::as_slice) != Some(header) {
        return Err(ServiceFault::bad("a header with more than name and length"));
    }
    Ok((name, length))
}

/// The one header of a file.
fn header(name: &str, length: usize) -> Option<[u8; BLOCK]> {
    if !is_name(name) || length > PACKAGE_LIMIT {
        return None;
    }
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &[u8]| header.get_mut(at..at + text.len()).map(|field| field.copy_from_slice(text));
    put(0, name.as_bytes())?;
    put(100, b"0000644\0")?;
    put(108, b"0000000\0")?;
    put(116, b"0000000\0")?;
    put(124, format!("{length:011o}\0").as_bytes())?;
    put(136, b"00000000000\0")?;
    put(148, b"        ")?;
    put(156, b"0")?;
    put(257, b"ustar\x0000")?;
    put(329, b"0000000\0")?;
    put(337, b"0000000\0")?;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header.get_mut(148..156)?.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(header)
}

/// How many zeros follow a content of `length` bytes.
const fn padding(length: usize) -> usize {
    (BLOCK - length % BLOCK) % BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        write(&[("b/two.md", b"two"), ("a.toml", b""), ("b/one.md", &[b'x'; BLOCK])]).unwrap()
    }

    fn refused(change: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut bytes = archive();
        change(&mut bytes);
        read(&bytes).unwrap_err().to_string()
    }

    /// Puts the right sum into the header at `at`, as whoever forges one would.
    fn summed(bytes: &mut [u8], at: usize) {
        bytes[at + 148..at + 156].copy_from_slice(b"        ");
        let sum: u32 = bytes[at..at + BLOCK].iter().map(|b| u32::from(*b)).sum();
        bytes[at + 148..at + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    #[test]
    fn what_was_written_is_read_in_the_order_of_names() {
        let bytes = archive();
        let files = read(&bytes).unwrap();
        assert_eq!(files, [("a.toml", &b""[..]), ("b/one.md", &[b'x'; BLOCK]), ("b/two.md", b"two")]);
        assert_eq!(bytes.len(), 3 * BLOCK + BLOCK + BLOCK + END);
        assert_eq!(write(&files).unwrap(), bytes);
    }

    #[test]
    fn links_devices_and_folders_are_refused() {
        for kind in *b"\x001234567xgLK" {
            let why = refused(|bytes| {
                bytes[156] = kind;
                summed(bytes, 0);
            });
            assert!(why.contains("no regular file"), "{why}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../a", "a/../b", "/a", "a//b", "./a", "A", "a b", "a\\b", "ä", "", &"a".repeat(81)] {
            assert!(!is_name(name), "{name}");
            assert!(write(&[(name, b"")]).is_err());
        }
        let why = refused(|bytes| {
            bytes[..6].copy_from_slice(b"../aaa");
            summed(bytes, 0);
        });
        assert!(why.contains("a name that no file of a service has"), "{why}");
    }

    #[test]
    fn order_repetition_time_and_trailing_bytes_are_looked_at() {
        assert!(refused(|bytes| bytes.extend([0])).contains("after its end"));
        assert!(refused(|bytes| bytes.extend([0; BLOCK])).contains("after its end"));
        assert!(refused(|bytes| bytes.truncate(bytes.len() - 1)).contains("after its end"));
        assert!(refused(|bytes| bytes.truncate(BLOCK)).contains("cut off"));
        let later = |bytes: &mut Vec<u8>| {
            bytes[146] = b'1';
            summed(bytes, 0);
        };
        assert!(refused(later).contains("more than name and length"));
        let twice = |bytes: &mut Vec<u8>| drop(bytes.splice(..BLOCK, archive()[BLOCK..3 * BLOCK].to_vec()));
        assert!(refused(twice).contains("twice"));
        let turned = |bytes: &mut Vec<u8>| {
            let first: Vec<u8> = bytes.drain(..BLOCK).collect();
            bytes.splice(2 * BLOCK..2 * BLOCK, first);
        };
        assert!(refused(turned).contains("not sorted"));
        assert!(write(&[("a", b""), ("a", b"")]).is_err());
    }

    #[test]
    fn a_length_that_reaches_beyond_the_file_is_refused_before_anything_is_read() {
        let why = refused(|bytes| {
            bytes[124..136].copy_from_slice(b"00007777777\0");
            summed(bytes, 0);
        });
        assert!(why.contains("cut off"), "{why}");
        let why = refused(|bytes| {
            bytes[124..136].copy_from_slice(b"77777777777\0");
            summed(bytes, 0);
        });
        assert!(why.contains("more than name and length"), "{why}");
    }
}
