//! Making a wallet: everything in a folder beside the final one, which takes its name in one step.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use semper_archive_sqlite::{Options, SqliteArchive};
use semper_host::{
    chance::{self, NoChance},
    keyring::Keyring,
};
use semper_supporting::{
    access::Subject,
    archive::{
        ArchiveId, Batch, Store as _,
        header::{Cost, Fresh, Header, MasterKey, Subkey},
    },
    crypto::keys::KeyPurpose,
};

use super::{DOOR, DoorPlate, HEADER, Profile};
use crate::{
    fault::WalletFault,
    password::Password,
    wallet::{archive_key, keep_emblem, schema},
};

/// The longest that a computer may take for the cheapest derivation to be given the usual one, which costs
/// four times as much.
const QUICK_MS: u64 = 500;

impl Profile {
    /// Makes a new wallet here, with an archive, its key file, the key that signs the heads of its journal,
    /// a picture, and what stands at the door. Takes some seconds, by intention.
    ///
    /// # Errors
    /// [`WalletFault::PasswordShort`] and [`WalletFault::PasswordWeak`]; [`WalletFault::Exists`] if the
    /// folder is in use. Nothing is left behind then.
    pub async fn create(&self, door: &DoorPlate, password: &Password) -> Result<(), WalletFault> {
        let free = match fs::read_dir(&self.path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(WalletFault::system(&self.path, error)),
        };
        if !free {
            return Err(WalletFault::Exists(self.path.clone()));
        }
        password.check_new(&door.words)?;
        let place = Staging::beside(&self.path)?;
        fill(&place.0, door, password).await?;
        // A folder takes the place of an empty one, never of one that has something in it.
        fs::rename(&place.0, &self.path).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => WalletFault::Exists(self.path.clone()),
            _ => WalletFault::system(&self.path, error),
        })?;
        sync(self.path.parent().unwrap_or(Path::new("/")))
    }
}

/// A folder that is removed with everything in it, unless it was given its name.
struct Staging(PathBuf);

impl Staging {
    fn beside(path: &Path) -> Result<Self, WalletFault> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".new-{}", data_encoding::HEXLOWER.encode(&chance::random::<8>()?)));
        let place = PathBuf::from(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&place)
            .map_err(|error| WalletFault::system(&place, error))?;
        Ok(Self(place))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, place = %self.0.display(), "an unfinished wallet was left behind");
            }
            _ => {}
        }
    }
}

async fn fill(place: &Path, door: &DoorPlate, password: &Password) -> Result<(), WalletFault> {
    let master = MasterKey::from_random(chance::secret::<32>()?);
    let options = Options { key: Some(archive_key(&master)?), ..Options::default() };
    let archive = SqliteArchive::open(place, schema(), options)?;
    let header = header(archive.opened().id, &master, password)?;
    write(&place.join(HEADER), &header.to_bytes()?)?;
    let keys = Keyring::load(&archive, master.subkey(Subkey::Keys)?).await?;
    keys.generate(&archive, &Subject::User, KeyPurpose::Journal, chance::now()).await?;
    let batch = Batch::new().row(keep_emblem(chance::random::<32>()?));
    for committed in archive.commit(vec![batch]).await {
        committed?;
    }
    drop(archive);
    let text = toml::to_string(door).map_err(|_| WalletFault::Door(place.join(DOOR)))?;
    write(&place.join(DOOR), text.as_bytes())?;
    sync(place)
}

/// Makes the key file, with the usual cost unless this computer is slow.
fn header(id: ArchiveId, master: &MasterKey, password: &Password) -> Result<Header, WalletFault> {
    let fresh = || Ok::<_, NoChance>(Fresh { salt: chance::random()?, nonce: chance::random()? });
    let before = chance::now();
    let cheapest = Header::create(id, master, password.expose(), Cost::LEAST, fresh()?)?;
    if chance::now().since(before).as_millis() > QUICK_MS {
        return Ok(cheapest);
    }
    Ok(Header::create(id, master, password.expose(), Cost::USUAL, fresh()?)?)
}

/// Writes a new file that its owner alone can read, down to the disk.
fn write(path: &Path, bytes: &[u8]) -> Result<(), WalletFault> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|error| WalletFault::system(path, error))
}

/// Writes the names in a folder down to the disk.
fn sync(folder: &Path) -> Result<(), WalletFault> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| WalletFault::system(folder, error))
}
