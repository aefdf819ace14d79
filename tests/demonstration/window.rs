//! The wallet's real window: on a screen in memory, where it is photographed, or on the screen of whoever runs
//! the demonstration.

use std::{
    path::Path,
    process::{Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use semper_tests::{Failure, Result, daemon::PATIENCE, programs::WALLET, shopper::PASSWORD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

use crate::report::Picture;

/// Fewer colours than this have no letters and no frame among them.
const FEWEST_COLOURS: u32 = 16;
/// The variables by which a program finds a screen.
const SCREENS: [&str; 3] = ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"];

/// What is photographed: the view as the program's log names it, its name, the file.
const DOOR: (&str, &str, &str) = ("door/ready", "the door", "s07-door.png");
const HOME: (&str, &str, &str) = ("home", "home", "s08-home.png");
const LOG: (&str, &str, &str) = ("log", "the live log", "s25-log.png");

/// The files of the photographs.
pub(crate) const PICTURES: [&str; 3] = [DOOR.2, HOME.2, LOG.2];

/// A screen in memory, on a number that nobody else has.
#[derive(Debug)]
pub(crate) struct Screen {
    name: String,
    server: Child,
}

impl Screen {
    /// Opens it; the server chooses the number, and says it when it is ready.
    ///
    /// # Errors
    /// [`Failure`] if there is no such server.
    pub(crate) async fn open() -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1120x760x24", "-nolisten", "tcp", "-noreset"]);
        command.args(["+extension", "GLX", "+render"]).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server =
            command.spawn().map_err(|why| Failure::of("Xvfb (`cargo xtask setup` installs it)", why))?;
        let out = server.stdout.take().ok_or_else(|| Failure::new("Xvfb says nothing"))?;
        let mut number = String::new();
        timeout(PATIENCE, BufReader::new(out).read_line(&mut number)).await??;
        match number.trim() {
            "" => Err(Failure::new("Xvfb ended before it was ready")),
            number => Ok(Self { name: format!(":{number}"), server }),
        }
    }

    /// Ends it in an orderly way: the number is free again.
    ///
    /// # Errors
    /// [`Failure`] if it does not end.
    pub(crate) async fn end(mut self) -> Result<()> {
        let id = self.server.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            kill_process(id, Signal::TERM)?;
        }
        timeout(PATIENCE, self.server.wait()).await??;
        Ok(())
    }

    /// Runs a tool on this screen with a line on its standard input; gives what it printed.
    async fn tool(&self, name: &str, arguments: &[&str], line: &str) -> Result<String> {
        let mut command = Command::new(name);
        command.args(arguments).env("DISPLAY", &self.name).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|why| Failure::of(name, why))?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(line.as_bytes()).await?;
        }
        let Output { status, stdout, stderr } = timeout(PATIENCE, child.wait_with_output()).await??;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        Err(Failure::of(name, String::from_utf8_lossy(&stderr)))
    }

    /// Gives the keyboard to the wallet's window once it is there.
    async fn focus(&self) -> Result<()> {
        let words = ["search", "--sync", "--onlyvisible", "--name", "^TINGUIN$"];
        let found = self.tool("xdotool", &words, "").await?;
        let window = found.lines().next().ok_or_else(|| Failure::new("the window has no name"))?;
        self.tool("xdotool", &["windowfocus", "--sync", window], "").await.map(drop)
    }

    /// Photographs the screen as soon as it has changed since `before` and stands still; gives what its points
    /// amount to, and the number of its colours.
    async fn photograph(&self, file: &Path, before: &str) -> Result<(String, u32)> {
        let path = file.to_str().ok_or_else(|| Failure::of("no plain path", file.display()))?;
        let still = async {
            let mut last = String::new();
            loop {
                self.tool("import", &["-window", "root", path], "").await?;
                let seen = self.tool("identify", &["-format", "%# %k", path], "").await?;
                let (points, colours) = seen.split_once(' ').unwrap_or_default();
                let colours = colours.trim().parse().unwrap_or_default();
                if points != before && points == last && colours > FEWEST_COLOURS {
                    return Ok((last, colours));
                }
                last = points.to_owned();
            }
        };
        let never = || Failure::of("nothing is shown that stands still", file.display());
        timeout(PATIENCE, still).await.map_err(|_| never())?
    }
}

/// Photographs the wallet of `profile` at its door, at home and in its live log, as somebody who types the
/// password sees it.
///
/// # Errors
/// [`Failure`] if a view does not come.
pub(crate) async fn photograph(screen: &Screen, profile: &Path, folder: &Path) -> Result<Vec<Picture>> {
    let mut wallet = Wallet::open(profile, Some(&screen.name))?;
    let mut pictures = Vec::new();
    let mut before = String::new();
    for (view, name, file) in [DOOR, HOME, LOG] {
        wallet.shows(view).await?;
        if view == DOOR.0 {
            screen.focus().await?;
        }
        let path = folder.join(file);
        let (points, colours) = screen.photograph(&path, &before).await?;
        before = points;
        pictures.push(Picture { view: name, file: path.display().to_string(), colours });
        match view {
            view if view == DOOR.0 => {
                screen.tool("xdotool", &["type", "--delay", "5", "--file", "-"], PASSWORD).await?;
                screen.tool("xdotool", &["key", "Return"], "").await?;
            }
            view if view == HOME.0 => drop(screen.tool("xdotool", &["key", "ctrl+7"], "").await?),
            _ => drop(screen.tool("xdotool", &["key", "ctrl+q"], "").await?),
        }
    }
    timeout(PATIENCE, wallet.closed()).await??;
    Ok(pictures)
}

/// The wallet's program with its window.
#[derive(Debug)]
pub(crate) struct Wallet {
    program: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Wallet {
    /// Opens the window on a screen, or on that of whoever runs this.
    ///
    /// # Errors
    /// [`Failure`] if the program cannot be run.
    pub(crate) fn open(profile: &Path, screen: Option<&str>) -> Result<Self> {
        let mut command = Command::new(WALLET.path()?);
        command.arg("--profile").arg(profile).env("RUST_LOG", "info").kill_on_drop(true);
        if let Some(screen) = screen {
            for name in SCREENS {
                command.env_remove(name);
            }
            command.env("DISPLAY", screen);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut program = command.spawn()?;
        let (tell, lines) = mpsc::unbounded_channel();
        if let Some(out) = program.stdout.take() {
            tokio::spawn(read(out, tell));
        }
        Ok(Self { program, lines })
    }

    /// Waits until it shows a view: every change of view is a line of its log.
    async fn shows(&mut self, view: &str) -> Result<()> {
        let named = format!("view=\"{view}\"");
        loop {
            let line = timeout(PATIENCE, self.lines.recv()).await;
            match line.map_err(|_| Failure::of("the wallet does not show", view))? {
                Some(line) if line.contains(&named) => return Ok(()),
                Some(_) => {}
                None => return Err(Failure::of("the wallet ended before it showed", view)),
            }
        }
    }

    /// Waits until it has been closed.
    ///
    /// # Errors
    /// [`Failure`] if it failed.
    pub(crate) async fn closed(&mut self) -> Result<()> {
        let status = self.program.wait().await?;
        if status.success() { Ok(()) } else { Err(Failure::of("the wallet's window", status)) }
    }
}

async fn read(from: impl AsyncRead + Unpin, tell: mpsc::UnboundedSender<String>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // Whoever no longer listens still wants the pipe empty.
        let _ = tell.send(line);
    }
}

/// Whether there is a screen to leave a window open on.
pub(crate) fn has_screen() -> bool {
    SCREENS.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
