//! The two files goods pass through on their way: the sealed form that grows, and the content that is opened.
//! Everything here blocks.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use semper_supporting::crypto::{
    digest::Digest,
    seal::{ContentKey, Measured, Opener, SEALED_CHUNK},
};
use sha2::{Digest as _, Sha256};

use super::GoodsFault;

/// How many bytes are read at once for a digest.
const READ: usize = 64 << 10;

/// A sealed file that is not whole yet. It stays where it is when this is dropped.
pub(super) struct Growing {
    path: PathBuf,
    file: File,
    hash: Sha256,
    /// How many bytes are there.
    pub(super) at: u64,
    /// How many bytes the whole has.
    pub(super) limit: u64,
    /// Whether some of it was here before.
    resumed: bool,
}

impl Growing {
    /// Takes the file up where it stands; more than the whole has is thrown away.
    pub(super) fn take_up(path: PathBuf, sealed: Digest, limit: u64) -> Result<Self, GoodsFault> {
        let file = lock(&path, sealed)?;
        let mut growing = Self { path, file, hash: Sha256::new(), at: 0, limit, resumed: false };
        let recalled = growing.recall();
        recalled.map_err(GoodsFault::of(&growing.path))?;
        Ok(growing)
    }

    fn recall(&mut self) -> io::Result<()> {
        if self.file.metadata()?.len() > self.limit {
            self.file.set_len(0)?;
        }
        self.at = hash(&self.file, &mut self.hash)?;
        self.resumed = self.at > 0;
        Ok(())
    }

    /// Adds what came, within the limit.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), GoodsFault> {
        let offered = self.at.saturating_add(bytes.len() as u64);
        if offered > self.limit {
            return Err(GoodsFault::Length { agreed: self.limit, offered });
        }
        self.file.write_all(bytes).map_err(GoodsFault::of(&self.path))?;
        self.hash.update(bytes);
        self.at = offered;
        Ok(())
    }

    /// Puts the whole file in its place if it is what it should be, and removes it otherwise.
    pub(super) fn finish(self, sealed: Digest, place: &Path) -> Result<(), GoodsFault> {
        let found = Digest::from_bytes(self.hash.finalize().into());
        if found != sealed {
            remove(&self.path)?;
            // What was here from before may have suffered from a crash of this machine.
            return Err(if self.resumed { GoodsFault::Damaged(sealed) } else { GoodsFault::Other { found } });
        }
        put(&self.file, &self.path, place)
    }
}

/// The file at `path`, made if there is none, with its lock.
fn lock(path: &Path, sealed: Digest) -> Result<File, GoodsFault> {
    let failed = || GoodsFault::of(path);
    let opened = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = opened.map_err(failed())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(GoodsFault::AtWork(sealed)),
        Err(TryLockError::Error(error)) => return Err(failed()(error)),
    }
    // Whoever had the lock may have put the file in its place meanwhile, or thrown it away.
    let ours = file.metadata().map_err(failed())?;
    match fs::metadata(path) {
        Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(file),
        _ => Err(GoodsFault::AtWork(sealed)),
    }
}

/// Hashes a file from where it stands to its end, and gives the number of bytes.
fn hash(mut file: &File, into: &mut Sha256) -> io::Result<u64> {
    let (mut buffer, mut total) = (vec![0; READ], 0_u64);
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        into.update(buffer.get(..count).unwrap_or_default());
        total = total.saturating_add(count as u64);
    }
}

/// Makes a file durable and gives it its name.
fn put(file: &File, from: &Path, to: &Path) -> Result<(), GoodsFault> {
    file.sync_all().map_err(GoodsFault::of(from))?;
    fs::rename(from, to).map_err(GoodsFault::of(to))?;
    to.parent().map_or(Ok(()), sync)
}

fn sync(folder: &Path) -> Result<(), GoodsFault> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(GoodsFault::of(folder))
}

/// Removes a file; it is no fault if there is none.
pub(super) fn remove(path: &Path) -> Result<(), GoodsFault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GoodsFault::of(path)(error)),
        _ => Ok(()),
    }
}

/// Removes a file that nobody is at work on.
pub(super) fn remove_stray(path: &Path) -> Result<(), GoodsFault> {
    let file = File::open(path).map_err(GoodsFault::of(path))?;
    match file.try_lock() {
        Ok(()) => remove(path),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(GoodsFault::of(path)(error)),
    }
}

/// A file that is removed again unless it was put in its place.
struct Unverified {
    path: PathBuf,
    file: File,
}

impl Drop for Unverified {
    fn drop(&mut self) {
        // Once it was put in its place there is none.
        if let Err(error) = remove(&self.path) {
            tracing::warn!(%error, "a file that was not opened whole could not be removed");
        }
    }
}

/// Opens the sealed file `source` chunk by chunk by way of `part`, and puts the content under its digest in
/// `items`. Nothing if it does not open under this key.
pub(super) fn unseal(
    key: &ContentKey,
    sealed: Digest,
    source: &Path,
    part: PathBuf,
    items: &Path,
) -> Result<Option<Measured>, GoodsFault> {
    let from = match File::open(source) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(GoodsFault::Absent(sealed)),
        from => from.map_err(GoodsFault::of(source))?,
    };
    let length = from.metadata().map_err(GoodsFault::of(source))?.len();
    let file = lock(&part, sealed)?;
    let part = Unverified { path: part, file };
    part.file.set_len(0).map_err(GoodsFault::of(&part.path))?;
    let opened = open(&from, length, &part.file, key).map_err(|broken| match broken {
        Broken::Read(error) => GoodsFault::of(source)(error),
        Broken::Write(error) => GoodsFault::of(&part.path)(error),
    })?;
    match opened {
        Some(measured) if measured.sealed == sealed => {
            put(&part.file, &part.path, &items.join(measured.plain.to_string()))?;
            Ok(Some(measured))
        }
        // Whether the key is wrong can be said of the right file only.
        None if is_still(source, sealed)? => Ok(None),
        Some(_) | None => {
            remove(source)?;
            Err(GoodsFault::Damaged(sealed))
        }
    }
}

/// Whether the content of the file still has this digest.
pub(super) fn is_still(source: &Path, sealed: Digest) -> Result<bool, GoodsFault> {
    let mut into = Sha256::new();
    let read = File::open(source).and_then(|file| hash(&file, &mut into));
    read.map_err(GoodsFault::of(source))?;
    Ok(Digest::from_bytes(into.finalize().into()) == sealed)
}

/// What went wrong while sealed content was opened from a reader to a writer.
#[derive(Debug)]
enum Broken {
    Read(io::Error),
    Write(io::Error),
}

/// Opens `length` bytes of `from` into `to`, one chunk at a time; nothing if they do not open under this key.
fn open(
    mut from: impl Read,
    length: u64,
    mut to: impl Write,
    key: &ContentKey,
) -> Result<Option<Measured>, Broken> {
    let mut opener = Opener::new(key);
    let mut chunk = Vec::with_capacity(SEALED_CHUNK);
    let mut left = length;
    loop {
        let next = left.min(SEALED_CHUNK as u64);
        left = left.saturating_sub(next);
        chunk.clear();
        (&mut from).take(next).read_to_end(&mut chunk).map_err(Broken::Read)?;
        if opener.open(&mut chunk, left == 0).is_err() {
            return Ok(None);
        }
        to.write_all(&chunk).map_err(Broken::Write)?;
        if left == 0 {
            return Ok(opener.finish().ok());
        }
    }
}
