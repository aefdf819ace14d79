//! Goods that were bought: their sealed form fetched from the shop, then opened with the key that was sold.
//!
//! ```text
//! sealed/<SHA-256 of the sealed form>.part     grows as it comes, and goes on after a cut or a restart
//! sealed/<SHA-256 of the sealed form>          whole, and hashed
//! items/<SHA-256 of the sealed form>.part      being opened; removed unless all of it opens
//! items/<SHA-256 of the content>               the goods
//! ```
//!
//! A file gets its name when all of it is right and on the disk. Memory does not grow with the goods.

mod fault;
mod file;

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use semper_supporting::{
    certificate::CertRole,
    comm::{
        address::Endpoint,
        fault::FrameError,
        frame::{Frame, Kind},
    },
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured, content::sealed_length},
    },
};
use semper_transfer::catalogue::{Answer, Question};

pub use self::fault::GoodsFault;
use self::file::{Growing, is_still, remove, remove_stray, unseal};
use super::{CallFault, Caller, QUESTION, answer};

/// The end of the names of files that are not whole.
const PART: &str = ".part";

/// Where a program keeps what it fetches and opens. Copies are the same shelf.
#[derive(Clone, Debug)]
pub struct Shelf {
    place: Arc<Path>,
    reserve: u64,
}

/// How many bytes a disk must have left beside goods that are fetched, for the archive to go on: 16 MiB.
pub const RESERVE: u64 = 16 << 20;

impl Shelf {
    /// The shelf in `folder`, which is made if there is none. What a crash left half opened is removed. Blocks.
    ///
    /// # Errors
    /// [`GoodsFault::Full`], [`GoodsFault::File`].
    pub fn at(folder: &Path) -> Result<Self, GoodsFault> {
        Self::leaving(folder, RESERVE)
    }

    /// As [`Shelf::at`], on a disk where nothing is fetched that leaves less than `reserve` bytes.
    ///
    /// # Errors
    /// As [`Shelf::at`].
    pub fn leaving(folder: &Path, reserve: u64) -> Result<Self, GoodsFault> {
        let shelf = Self { place: folder.into(), reserve };
        for folder in [shelf.folder("sealed"), shelf.folder("items")] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(GoodsFault::of(&folder))?;
        }
        let items = shelf.folder("items");
        for entry in fs::read_dir(&items).map_err(GoodsFault::of(&items))? {
            let path = entry.map_err(GoodsFault::of(&items))?.path();
            if path.to_string_lossy().ends_with(PART) {
                remove_stray(&path)?;
            }
        }
        Ok(shelf)
    }

    /// Fetches the sealed form of goods whose content has `length` bytes from the shop at `shop`; what is here
    /// already is not fetched again. Nothing is fetched where there is no [room](Shelf::room).
    ///
    /// # Errors
    /// [`GoodsFault`]; unless it [is final](GoodsFault::is_final), fetching again goes on where this stopped.
    pub async fn fetch(
        &self,
        caller: &Caller,
        shop: &Endpoint,
        sealed: Digest,
        length: u64,
    ) -> Result<(), GoodsFault> {
        let (shelf, limit) = (self.clone(), sealed_length(length));
        let begun = blocking(move || {
            let growing = shelf.begin(sealed, limit)?;
            growing.map(|growing| shelf.has_room(sealed, length).map(|()| growing)).transpose()
        });
        let Some(growing) = begun.await? else { return Ok(()) };
        let received = receive(growing, caller, shop, sealed).await;
        let shelf = self.clone();
        blocking(move || match received {
            Ok(whole) => whole.finish(sealed, &shelf.sealed(&sealed)),
            Err(fault) => {
                if fault.is_final() && !matches!(fault, GoodsFault::Call(_)) {
                    remove(&shelf.part("sealed", &sealed))?;
                }
                Err(fault)
            }
        })
        .await
    }

    /// Whether the disk has room for goods whose content has `length` bytes: for what is still to come of their sealed
    /// form, for the opened file beside it, and for the archive.
    ///
    /// # Errors
    /// [`GoodsFault::NoRoom`], [`GoodsFault::File`].
    pub async fn room(&self, sealed: Digest, length: u64) -> Result<(), GoodsFault> {
        let shelf = self.clone();
        blocking(move || shelf.has_room(sealed, length)).await
    }

    fn has_room(&self, sealed: Digest, length: u64) -> Result<(), GoodsFault> {
        let limit = sealed_length(length);
        let there = |path: PathBuf| fs::metadata(path).map_or(0, |about| about.len().min(limit));
        let come = there(self.sealed(&sealed)).max(there(self.part("sealed", &sealed)));
        let needed = (limit - come).saturating_add(length).saturating_add(self.reserve);
        let disk =
            rustix::fs::statvfs(&*self.place).map_err(|error| GoodsFault::of(&self.place)(error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < needed { Err(GoodsFault::NoRoom { needed, free }) } else { Ok(()) }
    }

    /// Opens a sealed file that was fetched, and puts the content under its own digest. Says what was measured;
    /// nothing if it does not open under this key.
    ///
    /// # Errors
    /// [`GoodsFault`]; no content is left then.
    pub async fn open(&self, key: &ContentKey, sealed: Digest) -> Result<Option<Measured>, GoodsFault> {
        let (shelf, key) = (self.clone(), key.clone());
        blocking(move || {
            let (source, part) = (shelf.sealed(&sealed), shelf.part("items", &sealed));
            unseal(&key, sealed, &source, part, &shelf.folder("items"))
        })
        .await
    }

    /// Where the opened goods with this content are; nothing if they are not here.
    pub fn item(&self, plain: &Digest) -> Option<PathBuf> {
        Some(self.folder("items").join(plain.to_string())).filter(|path| path.is_file())
    }

    /// Looks whether opened goods are still here as they were opened. Reads all of them.
    ///
    /// # Errors
    /// [`GoodsFault::Missing`], [`GoodsFault::Changed`]; [`GoodsFault::File`] if they cannot be read. Nothing is changed.
    pub async fn check_item(&self, plain: Digest) -> Result<(), GoodsFault> {
        let place = self.item(&plain).ok_or(GoodsFault::Missing(plain))?;
        blocking(move || if is_still(&place, plain)? { Ok(()) } else { Err(GoodsFault::Changed(plain)) })
            .await
    }

    /// Removes opened goods: their content is not what was agreed, or nobody wants it any more.
    ///
    /// # Errors
    /// [`GoodsFault::File`].
    pub async fn remove_item(&self, plain: Digest) -> Result<(), GoodsFault> {
        let path = self.folder("items").join(plain.to_string());
        blocking(move || remove(&path)).await
    }

    /// Removes a sealed file, and what has come of one: the deal is over. What was opened stays.
    ///
    /// # Errors
    /// [`GoodsFault::File`].
    pub async fn remove_sealed(&self, sealed: Digest) -> Result<(), GoodsFault> {
        let shelf = self.clone();
        blocking(move || {
            remove(&shelf.part("sealed", &sealed))?;
            remove(&shelf.sealed(&sealed))
        })
        .await
    }

    /// Takes up the sealed file; nothing if it is whole already.
    fn begin(&self, sealed: Digest, limit: u64) -> Result<Option<Growing>, GoodsFault> {
        let whole = self.sealed(&sealed);
        match fs::metadata(&whole) {
            Ok(about) if about.len() == limit => return Ok(None),
            // It was whole when it got its name.
            Ok(_) => remove(&whole)?,
            Err(_) => {}
        }
        Growing::take_up(self.part("sealed", &sealed), sealed, limit).map(Some)
    }

    fn sealed(&self, sealed: &Digest) -> PathBuf {
        self.folder("sealed").join(sealed.to_string())
    }

    fn part(&self, folder: &str, sealed: &Digest) -> PathBuf {
        self.folder(folder).join(format!("{sealed}{PART}"))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }
}

/// Fetches what is missing.
async fn receive(
    mut growing: Growing,
    caller: &Caller,
    shop: &Endpoint,
    sealed: Digest,
) -> Result<Growing, GoodsFault> {
    if growing.at == growing.limit {
        return Ok(growing);
    }
    let (from, agreed) = (growing.at, growing.limit);
    let question = Question::Sealed { sealed, from }.frame(QUESTION).map_err(CallFault::unsendable)?;
    let mut session = caller.call(shop, CertRole::Merchant).await?;
    session.send.send(question).await.map_err(CallFault::from)?;
    let frame = answer(&mut session, Kind::Directory).await?;
    match Answer::read(&frame.payload).map_err(CallFault::unreadable)? {
        Answer::Coming { length, .. } if length != agreed => {
            return Err(GoodsFault::Length { agreed, offered: length });
        }
        Answer::Coming { from: begin, .. } if begin == from => {}
        Answer::Refused(refusal) => return Err(GoodsFault::Refused(refusal)),
        Answer::Coming { .. }
        | Answer::Articles { .. }
        | Answer::Article(_)
        | Answer::Services(_)
        | Answer::ServicePart(_) => {
            return Err(CallFault::Unreadable(FrameError::NotCanonical).into());
        }
    }
    loop {
        let Frame { last, payload, .. } = answer(&mut session, Kind::Chunk).await?;
        growing = blocking(move || growing.add(&payload).map(|()| growing)).await?;
        match (last, growing.at == agreed) {
            (true, true) => return Ok(growing),
            (true, false) => return Err(GoodsFault::Length { agreed, offered: growing.at }),
            (false, _) => {}
        }
    }
}

/// Runs work on files where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GoodsFault> + Send + 'static,
) -> Result<T, GoodsFault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(GoodsFault::of(Path::new("."))(std::io::Error::other(error))),
    }
}
