//! Sealed goods as files: written once, whole, under the name of their own digest.
//!
//! ```text
//! goods/<sha-256 of the sealed form>     the goods of one article
//! goods/.part-<random>                   one that is being sealed
//! ```
//!
//! A file gets its name only when all of it is on the disk, and the archive's row comes after the name. Until
//! the row is there, whoever seals holds a lock on the file; a file without a row and without a lock was left
//! by a crash and is removed when the daemon starts.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use semper_host::chance::{self, NoChance};
use semper_supporting::crypto::{
    digest::Digest,
    seal::{BadSeal, CHUNK, ContentKey, Measured, SEALED_CHUNK, Sealer, content::sealed_length},
};

/// How the name of an unfinished file begins.
const PART: &str = ".part-";

/// The folder of sealed goods.
#[derive(Clone, Debug)]
pub struct Goods {
    folder: PathBuf,
}

/// Goods that are sealed and on the disk. Their file is locked until this is dropped.
#[derive(Debug)]
pub struct Placed {
    /// What was sealed.
    pub measured: Measured,
    path: PathBuf,
    _lock: File,
}

/// A file that belongs to nobody who is at work. It is locked until this is dropped.
#[derive(Debug)]
pub struct Stray {
    path: PathBuf,
    _lock: File,
}

/// Why goods were not sealed. Nothing is left of them then.
#[derive(Debug, thiserror::Error)]
pub enum GoodsError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is a directory, a device or a pipe.
    #[error("{0} is not a file")]
    NotAFile(PathBuf),
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(PathBuf),
    /// It has changed meanwhile.
    #[error("{0} has changed while it was read")]
    Changed(PathBuf),
    /// It does not fit.
    #[error("the disk has {free} free, and {needed} are needed for the sealed form")]
    Space {
        /// How much is needed.
        needed: Size,
        /// How much there is.
        free: Size,
    },
    /// The disk became full.
    #[error("the disk is full")]
    Full,
    /// The goods cannot be written.
    #[error("{path} cannot be written: {error}")]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is larger than can be sealed.
    #[error("it cannot be sealed: {0}")]
    Seal(#[from] BadSeal),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// A number of bytes as people read it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Size(pub u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.into_iter().find(|(power, _)| self.0 >> power > 0) {
            Some((power, unit)) => {
                let tenths = (u128::from(self.0) * 10) >> power;
                write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
            }
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// What went wrong while content was sealed from a reader to a writer.
#[derive(Debug)]
enum Broken {
    Read(io::Error),
    Write(io::Error),
    Seal(BadSeal),
}

/// Seals everything that `from` gives to `to`, one chunk at a time; `done` is told how many bytes were sealed.
fn seal(
    mut from: impl Read,
    mut to: impl Write,
    key: &ContentKey,
    done: &mut dyn FnMut(u64),
) -> Result<Measured, Broken> {
    let mut sealer = Sealer::new(key);
    let (mut chunk, mut next) =
        (Vec::with_capacity(SEALED_CHUNK + 64), Vec::with_capacity(SEALED_CHUNK + 64));
    let mut total = 0_u64;
    fill(&mut from, &mut next).map_err(Broken::Read)?;
    loop {
        std::mem::swap(&mut chunk, &mut next);
        next.clear();
        fill(&mut from, &mut next).map_err(Broken::Read)?;
        let last = next.is_empty();
        total = total.saturating_add(chunk.len() as u64);
        sealer.seal(&mut chunk, last).map_err(Broken::Seal)?;
        to.write_all(&chunk).map_err(Broken::Write)?;
        done(total);
        if last {
            return sealer.finish().map_err(Broken::Seal);
        }
    }
}

fn fill(from: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<()> {
    from.take(CHUNK as u64).read_to_end(buffer).map(drop)
}

impl Goods {
    /// The goods in the daemon's folder.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.join("goods") }
    }

    /// Where the goods of this digest are.
    pub fn path(&self, sealed: &Digest) -> PathBuf {
        self.folder.join(sealed.to_string())
    }

    /// Seals `file` under `key`, which has sealed nothing before, and puts it in its place. Blocks, in constant
    /// memory; `progress` is told how many bytes of how many were sealed.
    ///
    /// # Errors
    /// [`GoodsError`]; nothing is left on the disk.
    pub fn place(
        &self,
        file: &Path,
        key: &ContentKey,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Placed, GoodsError> {
        let unreadable = |error| GoodsError::Unreadable { path: file.to_owned(), error };
        // Only what is a file is opened: opening a pipe would wait for somebody to write.
        let about = fs::metadata(file).map_err(unreadable)?;
        if !about.is_file() {
            return Err(GoodsError::NotAFile(file.to_owned()));
        }
        let source = File::open(file).map_err(unreadable)?;
        let length = about.len();
        if length == 0 {
            return Err(GoodsError::Empty(file.to_owned()));
        }
        self.clear();
        self.has_room(sealed_length(length))?;
        let mut part = self.part()?;
        let measured = seal(source, &part.file, key, &mut |done| progress(done, length));
        let measured = measured.map_err(|broken| match broken {
            Broken::Read(error) => unreadable(error),
            Broken::Write(error) => unwritable(&part.path, error),
            Broken::Seal(error) => error.into(),
        })?;
        if measured.length != length {
            return Err(GoodsError::Changed(file.to_owned()));
        }
        let path = self.path(&measured.sealed);
        part.file.sync_all().map_err(|error| unwritable(&path, error))?;
        fs::rename(&part.path, &path).map_err(|error| unwritable(&path, error))?;
        // From here on it is this file that is removed if something fails.
        part.path.clone_from(&path);
        self.sync().map_err(|error| unwritable(&self.folder, error))?;
        let lock = part.keep().map_err(|error| unwritable(&path, error))?;
        Ok(Placed { measured, path, _lock: lock })
    }

    /// Removes the goods of this digest; it is no fault if there are none.
    ///
    /// # Errors
    /// Those of the system.
    pub fn remove(&self, sealed: &Digest) -> io::Result<()> {
        match fs::remove_file(self.path(sealed)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.sync(),
        }
    }

    /// Whether the goods of this digest are there, `length` bytes long.
    pub fn has(&self, sealed: &Digest, length: u64) -> bool {
        fs::metadata(self.path(sealed)).is_ok_and(|about| about.is_file() && about.len() == length)
    }

    /// The files in the folder: their paths, and the digests of those that are finished.
    ///
    /// # Errors
    /// Those of the system.
    pub fn files(&self) -> io::Result<Vec<(PathBuf, Option<Digest>)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let sealed = Digest::parse(name).ok();
            if sealed.is_some() || name.starts_with(PART) {
                found.push((path, sealed));
            }
        }
        Ok(found)
    }

    /// Takes the lock of a file, unless somebody is at work on it.
    ///
    /// # Errors
    /// Those of the system.
    pub fn claim(&self, path: PathBuf) -> io::Result<Option<Stray>> {
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Stray { path, _lock: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Removes what interrupted sealing has left. Nobody's row names it.
    fn clear(&self) {
        let unfinished = self.files().unwrap_or_default().into_iter().filter(|(_, sealed)| sealed.is_none());
        for (path, _) in unfinished {
            let removed = self.claim(path).and_then(|stray| stray.map_or(Ok(()), Stray::remove));
            if let Err(error) = removed {
                tracing::warn!(%error, "left-over goods could not be removed");
            }
        }
    }

    fn has_room(&self, needed: u64) -> Result<(), GoodsError> {
        let failed = |error| GoodsError::Unwritable { path: self.folder.clone(), error };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        let disk = rustix::fs::statvfs(&self.folder).map_err(|error| failed(error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < needed {
            return Err(GoodsError::Space { needed: Size(needed), free: Size(free) });
        }
        Ok(())
    }

    fn part(&self) -> Result<Part, GoodsError> {
        let name = Digest::of(&chance::random::<32>()?);
        let path = self.folder.join(format!("{PART}{name}"));
        let made = File::options().write(true).create_new(true).mode(0o600).open(&path);
        let file = made.map_err(|error| unwritable(&path, error))?;
        let part = Part { path, file, keep: false };
        match part.file.try_lock() {
            Ok(()) => Ok(part),
            Err(error) => Err(unwritable(&part.path, error.into())),
        }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

impl Placed {
    /// Removes the goods: their row could not be kept.
    pub fn discard(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "goods without a row could not be removed");
        }
    }
}

impl Stray {
    /// Removes the file.
    ///
    /// # Errors
    /// Those of the system.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// A file that is removed again unless it is kept.
struct Part {
    path: PathBuf,
    file: File,
    keep: bool,
}

impl Part {
    /// Keeps the file, and gives its lock.
    fn keep(mut self) -> io::Result<File> {
        let lock = self.file.try_clone()?;
        self.keep = true;
        Ok(lock)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn unwritable(path: &Path, error: io::Error) -> GoodsError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => GoodsError::Full,
        _ => GoodsError::Unwritable { path: path.to_owned(), error },
    }
}

#[cfg(test)]
mod tests {
    use semper_supporting::crypto::seal::content::open_whole;

    use super::*;

    fn key() -> ContentKey {
        ContentKey::from_bytes([7; 32])
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn goods_of_every_shape_lie_under_their_digest_and_open_again() {
        let place = tempfile::tempdir().unwrap();
        let goods = Goods::of(place.path());
        for length in [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let file = place.path().join("file");
            fs::write(&file, content(length)).unwrap();
            let mut told = 0;
            let placed = goods.place(&file, &key(), &mut |done, total| {
                assert!(done > told && total == length as u64);
                told = done;
            });
            let measured = placed.unwrap().measured;
            assert_eq!(told, length as u64);
            let sealed = fs::read(goods.path(&measured.sealed)).unwrap();
            assert!(goods.has(&measured.sealed, sealed.len() as u64));
            assert_eq!(Digest::of(&sealed), measured.sealed);
            assert_eq!(open_whole(&key(), &sealed).unwrap(), (content(length), measured));
        }
    }

    #[test]
    fn what_is_no_good_file_is_named_and_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let goods = Goods::of(place.path());
        let refused = |path: &Path| goods.place(path, &key(), &mut |_, _| {}).unwrap_err().to_string();
        let (absent, empty) = (place.path().join("absent"), place.path().join("empty"));
        fs::write(&empty, "").unwrap();
        assert_eq!(
            refused(&absent),
            format!("{} cannot be read: No such file or directory (os error 2)", absent.display())
        );
        assert_eq!(refused(&empty), format!("{} is empty", empty.display()));
        assert_eq!(refused(place.path()), format!("{} is not a file", place.path().display()));
        assert!(goods.files().unwrap().is_empty());
    }

    /// A disk that takes `left` bytes more.
    struct Small {
        left: usize,
    }

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.left < bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.left -= bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_disk_that_becomes_full_is_named_so() {
        let whole = content(2 * CHUNK);
        let Err(Broken::Write(error)) = seal(&*whole, Small { left: SEALED_CHUNK }, &key(), &mut |_| {})
        else {
            panic!("it did not fit")
        };
        assert_eq!(unwritable(Path::new("goods"), error).to_string(), "the disk is full");
        let space = GoodsError::Space { needed: Size(5 << 30), free: Size(3_600_000_000) };
        assert_eq!(
            space.to_string(),
            "the disk has 3.3 GiB free, and 5.0 GiB are needed for the sealed form"
        );
    }

    #[test]
    fn a_file_is_nobodys_only_once_its_lock_is_gone() {
        let place = tempfile::tempdir().unwrap();
        let goods = Goods::of(place.path());
        let file = place.path().join("file");
        fs::write(&file, "content").unwrap();
        let placed = goods.place(&file, &key(), &mut |_, _| {}).unwrap();
        let part = goods.part().unwrap();
        goods.clear();
        let files = goods.files().unwrap();
        assert_eq!(files.len(), 2);
        let claim = |path: &Path| goods.claim(path.to_owned()).unwrap();
        assert!(files.iter().all(|(path, _)| claim(path).is_none()));
        let sealed = placed.measured.sealed;
        drop(placed);
        assert!(files.contains(&(goods.path(&sealed), Some(sealed))));
        claim(&goods.path(&sealed)).unwrap().remove().unwrap();
        assert!(claim(&part.path).is_none());
        let path = part.path.clone();
        drop(part);
        fs::write(&path, "left by a crash").unwrap();
        goods.clear();
        assert!(!path.exists() && goods.files().unwrap().is_empty());
    }
}
