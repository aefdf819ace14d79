//! The operator's commands to a daemon that runs.
//!
//! A running daemon holds its archive; commands reach it over the socket `control` in its folder, which only
//! its owner can open: a line of JSON each way, one command a connection.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
};

/// The longest command in bytes.
const COMMAND: u64 = 64 << 10;

/// What a command came to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Done {
    /// Whether it was done.
    pub good: bool,
    /// What is shown.
    pub text: String,
}

/// Where the socket of a daemon is.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("control")
}

/// The socket of a daemon that runs: from now on commands wait there to be taken.
#[derive(Debug)]
pub struct Commands(UnixListener);

impl Commands {
    /// Makes the socket in `folder`, within a runtime.
    ///
    /// # Errors
    /// Those of the system.
    pub fn await_in(folder: &Path) -> io::Result<Self> {
        let path = socket(folder);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        UnixListener::bind(&path).map(Self)
    }

    /// Takes commands, one after the other, until the task is dropped.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn take<C, F>(self, execute: impl Fn(C) -> F + Send + Sync) -> io::Result<()>
    where
        C: DeserializeOwned + Send,
        F: Future<Output = Done> + Send,
    {
        loop {
            let (stream, _) = self.0.accept().await?;
            if let Err(error) = attend(stream, &execute).await {
                tracing::warn!(%error, "a command was cut short");
            }
        }
    }
}

async fn attend<C, F>(stream: UnixStream, execute: &(impl Fn(C) -> F + Send + Sync)) -> io::Result<()>
where
    C: DeserializeOwned + Send,
    F: Future<Output = Done> + Send,
{
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(COMMAND)).read_line(&mut line).await?;
    let done = match serde_json::from_str::<C>(&line) {
        Ok(command) => execute(command).await,
        Err(error) => Done { good: false, text: format!("not a command: {error}") },
    };
    write.write_all(&line_of(&done)?).await
}

/// Has a command done by the daemon that runs in `folder`; nothing if none does.
///
/// # Errors
/// Those of the system, when the daemon was reached and did not answer.
pub async fn send<C: Serialize>(folder: &Path, command: &C) -> io::Result<Option<Done>> {
    let Ok(stream) = UnixStream::connect(socket(folder)).await else { return Ok(None) };
    let (read, mut write) = stream.into_split();
    write.write_all(&line_of(command)?).await?;
    let mut answer = String::new();
    BufReader::new(read).read_line(&mut answer).await?;
    serde_json::from_str(&answer).map(Some).map_err(io::Error::other)
}

fn line_of(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_is_answered_by_the_daemon_that_runs_and_by_nobody_else() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(send(place.path(), &"list").await.unwrap(), None);
        let commands = Commands::await_in(place.path()).unwrap();
        // Whoever comes before the daemon finds time for commands waits, and is not told that nobody is there.
        let early = UnixStream::connect(socket(place.path())).await.unwrap();
        let work = |command: String| async move { Done { good: true, text: format!("{command}: done") } };
        let running = tokio::spawn(commands.take(work));
        drop(early);
        let answer = send(place.path(), &"list").await.unwrap();
        assert_eq!(answer, Some(Done { good: true, text: "list: done".into() }));
        let refused = send(place.path(), &7).await.unwrap().unwrap();
        assert!(!refused.good && refused.text.starts_with("not a command"), "{}", refused.text);
        running.abort();
    }
}
