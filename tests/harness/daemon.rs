//! One daemon as a process: started, told to stop, killed; what it says is kept.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{Notify, RwLock, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    doom::Doom,
    failure::{Failure, Result},
    programs::{DOOMED, Program},
};

/// How long anything may take before the trial counts as hanging.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Held for writing while a process is started, and for reading while this process has an archive open: a
/// child has the locks of its parent's files until it has become its own program.
pub(crate) static STARTING: RwLock<()> = RwLock::const_new(());

/// A daemon with its folder: at most one process at a time.
pub struct Daemon {
    name: &'static str,
    program: Program,
    folder: PathBuf,
    log: Log,
    process: Option<Running>,
}

struct Running {
    child: Child,
    input: Option<ChildStdin>,
    reading: Vec<JoinHandle<()>>,
}

/// What a command said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Said {
    /// Its exit code; absent if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote on standard output.
    pub out: String,
    /// What it wrote on standard error.
    pub err: String,
}

/// Everything a process has written, line by line.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Lines>);

#[derive(Debug, Default)]
struct Lines {
    text: Mutex<String>,
    more: Notify,
}

impl Daemon {
    /// A daemon that is to live in `folder`.
    pub fn new(name: &'static str, program: Program, folder: impl Into<PathBuf>) -> Self {
        Self { name, program, folder: folder.into(), log: Log::default(), process: None }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it has written so far, over all its processes.
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// Runs a command of its program on its folder, to the end.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be run or does not end.
    pub async fn command(&self, arguments: &[&str]) -> Result<Said> {
        let mut command = Command::new(self.program.path()?);
        command.arg("--dir").arg(&self.folder).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = spawn(&mut command).await?;
        let output = timeout(PATIENCE, child.wait_with_output()).await;
        let output = output.map_err(|_| Failure::of(self.name, format!("{arguments:?} does not end")))??;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) })
    }

    /// Runs a command that has to succeed; gives what it printed.
    ///
    /// # Errors
    /// [`Failure`] with what it said otherwise.
    pub async fn done(&self, arguments: &[&str]) -> Result<String> {
        let said = self.command(arguments).await?;
        if said.code == Some(0) {
            return Ok(said.out);
        }
        let words = format!("{}{}", said.out, said.err);
        Err(Failure::of(self.name, format!("{arguments:?} gave {:?}: {}", said.code, words.trim_end())))
    }

    /// Starts it and waits until it takes calls.
    ///
    /// # Errors
    /// [`Failure`] with its log if it ends instead.
    pub async fn start(&mut self) -> Result<()> {
        self.start_by(self.program, &[]).await
    }

    /// As [`Daemon::start`], run by a program of the tests that ends at a moment it is told of; it is told of none
    /// yet.
    ///
    /// # Errors
    /// As [`Daemon::start`].
    pub async fn start_doomed(&mut self) -> Result<()> {
        self.start_by(DOOMED, &[]).await
    }

    /// As [`Daemon::start`], run by a program of the tests in place of its own, with these words more.
    ///
    /// # Errors
    /// As [`Daemon::start`].
    pub async fn start_by(&mut self, program: Program, words: &[&str]) -> Result<()> {
        if self.process.is_some() {
            return Err(Failure::of(self.name, "runs already"));
        }
        let mut command = Command::new(program.path()?);
        command
            .arg("--dir")
            .arg(&self.folder)
            .arg("run")
            .args(words)
            .env("RUST_LOG", "info,semper_ttp_daemon=debug,semper_merchant_daemon=debug");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = spawn(&mut command).await?;
        let (tell, ready) = oneshot::channel();
        let mut reading = Vec::new();
        if let Some(out) = child.stdout.take() {
            reading.push(tokio::spawn(read(out, self.name, self.log.clone(), Some(tell))));
        }
        if let Some(err) = child.stderr.take() {
            reading.push(tokio::spawn(read(err, self.name, self.log.clone(), None)));
        }
        let input = child.stdin.take();
        self.process = Some(Running { child, input, reading });
        match timeout(PATIENCE, ready).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Failure::of(self.name, "ended before it was ready")),
            Err(_) => Err(Failure::of(self.name, "does not get ready")),
        }
    }

    /// Whether its process was started and not waited for since.
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// The id of its process, if it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().and_then(|running| running.child.id())
    }

    /// How many connections it has taken, over all its processes: handshakes that succeeded.
    pub fn connections(&self) -> usize {
        self.log.count(&["connection taken"])
    }

    /// Asks it to end, as an operator's system does, and waits until it has; gives its exit code.
    ///
    /// # Errors
    /// [`Failure`] if it does not run or does not end.
    pub async fn stop(&mut self) -> Result<Option<i32>> {
        self.end(Signal::TERM).await
    }

    /// Kills it where it stands, as a power cut would.
    ///
    /// # Errors
    /// [`Failure`] if it does not run.
    pub async fn kill(&mut self) -> Result<()> {
        self.end(Signal::KILL).await.map(drop)
    }

    /// Kills it and starts it again.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn crash(&mut self) -> Result<()> {
        self.kill().await?;
        self.start().await
    }

    /// Tells a process that was started doomed when to end, counted from now on.
    ///
    /// # Errors
    /// [`Failure`] if it does not hear.
    pub async fn doom(&mut self, doom: Doom) -> Result<()> {
        let told = ["doomed ", &doom.to_string()];
        let before = self.log.count(&told);
        self.tell(&doom.to_string()).await?;
        self.log.reach(&told, before + 1).await
    }

    /// Spares a process that was started doomed, and asks how many transactions it has written since it was told
    /// its doom; nothing if it is gone already.
    ///
    /// # Errors
    /// [`Failure`] if it does not say.
    pub async fn spare(&mut self) -> Result<Option<u64>> {
        let (log, before) = (self.log.clone(), self.log.count(&["spared after "]));
        if self.tell("spare").await.is_err() {
            return self.gone().await.map(|()| None);
        }
        tokio::select! {
            said = log.reach(&["spared after "], before + 1) => said?,
            gone = self.gone() => return gone.map(|()| None),
        }
        let text = log.text();
        let last = text.lines().filter_map(|line| line.split_once("spared after ")).next_back();
        let count = last.and_then(|(_, count)| count.parse().ok());
        count.map(Some).ok_or_else(|| Failure::of(self.name, "does not say how much it has written"))
    }

    async fn tell(&mut self, line: &str) -> Result<()> {
        let input = self.process.as_mut().and_then(|running| running.input.as_mut());
        let input = input.ok_or_else(|| Failure::of(self.name, "does not listen"))?;
        Ok(input.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// Waits until its process is gone, as long as that takes. [`Daemon::ended`] then says how it ended.
    ///
    /// # Errors
    /// [`Failure`] if it does not run.
    pub async fn gone(&mut self) -> Result<()> {
        let running = self.process.as_mut().ok_or_else(|| Failure::of(self.name, "does not run"))?;
        Ok(running.child.wait().await.map(drop)?)
    }

    /// Sends it a signal and does not wait.
    ///
    /// # Errors
    /// [`Failure`] if it does not run.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id = id.ok_or_else(|| Failure::of(self.name, "does not run"))?;
        Ok(kill_process(id, signal)?)
    }

    /// Waits until it has ended by itself or by a signal sent before.
    ///
    /// # Errors
    /// [`Failure`] if it does not run or does not end.
    pub async fn ended(&mut self) -> Result<Option<i32>> {
        let mut running = self.process.take().ok_or_else(|| Failure::of(self.name, "does not run"))?;
        let status = timeout(PATIENCE, running.child.wait()).await;
        let status = status.map_err(|_| Failure::of(self.name, "does not end"))??;
        for reading in running.reading {
            // Its pipes are closed by now: everything it has said is read.
            let _ = timeout(PATIENCE, reading).await;
        }
        Ok(status.code())
    }

    async fn end(&mut self, signal: Signal) -> Result<Option<i32>> {
        self.signal(signal)?;
        self.ended().await
    }
}

impl Log {
    fn add(&self, name: &str, line: &str) {
        let mut text = self.0.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&format!("{name}: {line}\n"));
        drop(text);
        self.0.more.notify_waiters();
    }

    /// Waits until at least `count` of its lines hold all of `words`.
    ///
    /// # Errors
    /// [`Failure`] if that does not come.
    pub async fn reach(&self, words: &[&str], count: usize) -> Result<()> {
        let reached = async {
            loop {
                let more = self.0.more.notified();
                if self.count(words) >= count {
                    return;
                }
                more.await;
            }
        };
        let missing = || Failure::new(format!("the log does not come to {count} lines with {words:?}"));
        timeout(PATIENCE, reached).await.map_err(|_| missing())
    }

    /// What is in it.
    pub fn text(&self) -> String {
        self.0.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many of its lines hold all of `words`.
    pub fn count(&self, words: &[&str]) -> usize {
        self.text().lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }
}

impl fmt::Debug for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.name, self.folder.display())
    }
}

async fn spawn(command: &mut Command) -> Result<Child> {
    let _alone = STARTING.write().await;
    Ok(command.spawn()?)
}

async fn read(from: impl AsyncRead + Unpin, name: &str, log: Log, mut ready: Option<oneshot::Sender<()>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.add(name, &line);
        if line.starts_with("ready ")
            && let Some(tell) = ready.take()
        {
            let _ = tell.send(());
        }
    }
}
