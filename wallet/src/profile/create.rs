//! Making a wallet: everything in a folder beside the final one, which takes its name in one step.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use semper_archive_sqlite::{Options, SqliteArchive};
use semper_host::{
    chance::{self, NoChance, Source},
    keyring::Keyring,
};
use semper_supporting::{
    access::Subject,
    archive::{
        ArchiveId, Batch, Store as _,
        header::{Cost, Fresh, Header, MasterKey, Subkey},
    },
    comm::address::Surroundings,
};

use super::{DOOR, DoorPlate, FIRST_START, HEADER, Profile};
use crate::{
    fault::WalletFault,
    password::Password,
    pin::Pin,
    places::Places,
    staging::Staging,
    wallet::{PURPOSES, archive_key, keep_emblem, schema},
};

/// The longest that a computer may take for the cheapest derivation to be given the usual one, which costs
/// four times as much.
const QUICK_MS: u64 = 500;

/// What the owner of a new wallet has chosen in its window. It is never printed.
pub struct Choice {
    /// The PIN.
    pub pin: Pin,
    /// What the picture is drawn from.
    pub emblem: [u8; 32],
    /// Whether addresses inside the own network are called.
    pub surroundings: Surroundings,
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Choice(…)")
    }
}

impl Profile {
    /// Refuses a folder in which no wallet can be made.
    ///
    /// # Errors
    /// [`WalletFault::Exists`], [`WalletFault::System`].
    pub fn can_be_made(&self) -> Result<(), WalletFault> {
        Staging::beside(&self.path).map(drop)
    }

    /// Makes a new wallet here, with an archive, its key file, the keys of a person,
    /// a picture, and what stands at the door. All its secrets are made from `source`. Takes some seconds, by
    /// intention.
    ///
    /// # Errors
    /// [`WalletFault::PasswordShort`] and [`WalletFault::PasswordWeak`]; [`WalletFault::Exists`] if the
    /// folder is in use. Nothing is left behind then.
    pub async fn create(
        &self,
        door: &DoorPlate,
        password: &Password,
        source: &mut Source,
    ) -> Result<(), WalletFault> {
        self.make(door, password, source, None).await
    }

    /// Makes a new wallet as [`Profile::create`] does, with what its owner has chosen. Its first start is not over
    /// before [`Profile::end_first_start`].
    ///
    /// # Errors
    /// As [`Profile::create`]; [`WalletFault::Pin`] for a PIN that is too easy.
    pub async fn set_up(
        &self,
        door: &DoorPlate,
        password: &Password,
        source: &mut Source,
        choice: Choice,
    ) -> Result<(), WalletFault> {
        self.make(door, password, source, Some(choice)).await
    }

    async fn make(
        &self,
        door: &DoorPlate,
        password: &Password,
        source: &mut Source,
        choice: Option<Choice>,
    ) -> Result<(), WalletFault> {
        let place = Staging::beside(&self.path)?;
        password.check_new(&door.words)?;
        fill(place.path(), door, password, source, choice).await?;
        place.settle(&self.path)
    }
}

async fn fill(
    place: &Path,
    door: &DoorPlate,
    password: &Password,
    source: &mut Source,
    choice: Option<Choice>,
) -> Result<(), WalletFault> {
    let master = MasterKey::from_random(source.secret::<32>()?);
    let options = Options { key: Some(archive_key(&master)?), ..Options::default() };
    let archive = SqliteArchive::open(place, schema(), options)?;
    let header = header(archive.opened().id, &master, password)?;
    write(&place.join(HEADER), &header.to_bytes()?)?;
    let keys = Keyring::load(&archive, master.subkey(Subkey::Keys)?).await?;
    for purpose in PURPOSES {
        keys.generate(&archive, &Subject::User, purpose, chance::now()).await?;
    }
    let mut emblem = *source.secret::<32>()?;
    let mut batch = Batch::new();
    if let Some(Choice { pin, emblem: chosen, surroundings }) = choice {
        emblem = chosen;
        batch = batch.row(pin.first().await?);
        Places { surroundings, ..Places::default() }.keep(&archive).await?;
        write(&place.join(FIRST_START), b"")?;
    }
    let batch = batch.row(keep_emblem(emblem));
    for committed in archive.commit(vec![batch]).await {
        committed?;
    }
    drop(archive);
    let text = toml::to_string(door).map_err(|_| WalletFault::Door(place.join(DOOR)))?;
    write(&place.join(DOOR), text.as_bytes())
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
