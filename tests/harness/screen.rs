//! The wallet's window as a person meets it: the real program on a screen in memory, with hands, eyes and its log.
//!
//! Every change of view is a line of the program's log, so nothing waits by sleeping: whoever looks reads on until
//! the line is there.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

use crate::{
    daemon::{PATIENCE, STARTING},
    failure::{Failure, Result},
    programs::WALLET,
};

/// What to install where a screen is missing.
pub const MISSING: &str = "skipped: Xvfb is not installed (apt-get install xvfb xdotool imagemagick)";

/// The size of the screen, which is that of the window at first.
const SIZE: &str = "1120x760x24";
/// A picture with fewer colours shows nothing.
const COLOURS: u32 = 16;
/// How much of the log is told when something does not come.
const TOLD: usize = 40;

/// A screen in memory, on a number that nobody else has.
#[derive(Debug)]
pub struct Screen {
    name: String,
    _server: Child,
}

/// The program with its window.
#[derive(Debug)]
pub struct Window {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    seen: VecDeque<String>,
}

impl Screen {
    /// Opens one; nothing where no server for it is installed.
    ///
    /// # Errors
    /// [`Failure`] if the server does not start.
    pub async fn open() -> Result<Option<Self>> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset"]);
        command.args(["+extension", "GLX", "+render"]).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = match spawn(&mut command).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let output = server.stdout.take().ok_or_else(|| Failure::new("the screen has no number"))?;
        let mut number = String::new();
        // The server writes its number when it is ready.
        timeout(PATIENCE, BufReader::new(output).read_line(&mut number)).await??;
        Ok(Some(Self { name: format!(":{}", number.trim()), _server: server }))
    }

    async fn tool(&self, name: &str, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(name);
        command.args(arguments).env("DISPLAY", &self.name).stdin(Stdio::null());
        let output = output(&mut command).await?;
        if !output.status.success() {
            return Err(Failure::of(name, format!("{arguments:?}: {output:?}")));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Moves the hands: keys and the mouse, in the words of `xdotool`.
    ///
    /// # Errors
    /// [`Failure`] with what the tool said.
    pub async fn hands(&self, arguments: &[&str]) -> Result<()> {
        self.tool("xdotool", arguments).await.map(drop)
    }

    /// Presses a key, as `ctrl+7`.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn press(&self, key: &str) -> Result<()> {
        self.hands(&["key", key]).await
    }

    /// Moves the pointer to a place of the screen, in pixels.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn point(&self, (x, y): (u16, u16)) -> Result<()> {
        self.hands(&["mousemove", "--sync", &x.to_string(), &y.to_string()]).await
    }

    /// Clicks there.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn click(&self, at: (u16, u16)) -> Result<()> {
        self.point(at).await?;
        self.hands(&["click", "1"]).await
    }

    /// Turns the wheel down there, so many times.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn scroll(&self, at: (u16, u16), times: u8) -> Result<()> {
        self.point(at).await?;
        self.hands(&["click", "--repeat", &times.to_string(), "--delay", "60", "5"]).await
    }

    /// Presses the first button there, and keeps it down.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn press_down(&self, at: (u16, u16)) -> Result<()> {
        self.point(at).await?;
        self.hands(&["mousedown", "1"]).await
    }

    /// Lets go of the first button.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn let_go(&self) -> Result<()> {
        self.hands(&["mouseup", "1"]).await
    }

    /// Types without Enter.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn type_text(&self, text: &str) -> Result<()> {
        self.hands(&["type", "--delay", "5", text]).await
    }

    /// Types a line.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn type_and_enter(&self, text: &str) -> Result<()> {
        self.hands(&["type", "--delay", "5", text]).await?;
        self.press("Return").await
    }

    /// Photographs the screen, and makes sure that there is something on it.
    ///
    /// # Errors
    /// [`Failure`] where the picture is empty.
    pub async fn photograph(&self, folder: &Path, name: &str) -> Result<()> {
        fs::create_dir_all(folder)?;
        let path = folder.join(name).display().to_string();
        self.tool("import", &["-window", "root", &path]).await?;
        let said = self.tool("identify", &["-format", "%k", &path]).await?;
        let colours: u32 = said.trim().parse().map_err(|_| Failure::of("no count of colours", &said))?;
        if colours > COLOURS { Ok(()) } else { Err(Failure::of(name, format!("has {colours} colours only"))) }
    }
}

/// Where photographs go: into the folder that `SEMPER_PHOTOGRAPHS` names, for whoever wants to look at them, else
/// into `home`.
pub fn album(home: &Path) -> PathBuf {
    std::env::var_os("SEMPER_PHOTOGRAPHS").map_or_else(|| home.to_owned(), PathBuf::from)
}

impl Window {
    /// Starts the program on the wallet in `profile`, with the screen at hand.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be started.
    pub async fn start(screen: &Screen, profile: &Path) -> Result<Self> {
        let mut command = program(profile)?;
        command.env("DISPLAY", &screen.name).env("RUST_LOG", "info").stdout(Stdio::piped());
        let mut child = spawn(&mut command).await?;
        let output = child.stdout.take().ok_or_else(|| Failure::new("the window has no log"))?;
        let (tell, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines, seen: VecDeque::new() })
    }

    /// Starts it, waits for the door, and gives it the keyboard.
    ///
    /// # Errors
    /// As [`Window::start`] and [`Window::wait_for`].
    pub async fn at_the_door(screen: &Screen, profile: &Path) -> Result<Self> {
        let mut window = Self::start(screen, profile).await?;
        window.wait_for_view("door/ready").await?;
        window.focus(screen).await?;
        Ok(window)
    }

    /// Reads on until a line of its log holds all of `words`; gives the line.
    ///
    /// # Errors
    /// [`Failure`] with its log if none comes.
    pub async fn wait_for(&mut self, words: &[&str]) -> Result<String> {
        loop {
            let Ok(Some(line)) = timeout(PATIENCE, self.lines.recv()).await else {
                let last: Vec<&String> = self.seen.iter().rev().take(TOLD).rev().collect();
                return Err(Failure::of("the window's log", format!("{words:?} never came: {last:#?}")));
            };
            self.seen.push_back(line.clone());
            if words.iter().all(|word| line.contains(word)) {
                return Ok(line);
            }
        }
    }

    /// Waits until this view is on the screen.
    ///
    /// # Errors
    /// As [`Window::wait_for`].
    pub async fn wait_for_view(&mut self, view: &str) -> Result<()> {
        self.wait_for(&[&format!("view=\"{view}\"")]).await.map(drop)
    }

    /// Waits until so many sales are shown as open, of which so many ask something.
    ///
    /// # Errors
    /// As [`Window::wait_for`].
    pub async fn wait_for_sales(&mut self, open: usize, asking: usize) -> Result<()> {
        self.wait_for(&[&format!("open={open} asking={asking}")]).await.map(drop)
    }

    /// Waits until so many questions wait for the person.
    ///
    /// # Errors
    /// As [`Window::wait_for`].
    pub async fn wait_for_questions(&mut self, waiting: usize) -> Result<()> {
        self.wait_for(&[&format!("waiting={waiting}")]).await.map(drop)
    }

    /// What it holds in memory, in kB.
    ///
    /// # Errors
    /// [`Failure`] if it does not run.
    pub fn resident(&self) -> Result<u64> {
        let id = self.child.id().ok_or_else(|| Failure::new("the window is closed"))?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let number = line.trim().trim_end_matches(" kB").parse();
        number.map_err(|_| Failure::of("no size in memory", line))
    }

    /// Gives it the keyboard once it is there.
    ///
    /// # Errors
    /// As [`Screen::hands`].
    pub async fn focus(&self, screen: &Screen) -> Result<()> {
        let words = ["search", "--sync", "--onlyvisible", "--name", "^TINGUIN$"];
        let found = screen.tool("xdotool", &words).await?;
        let window = found.lines().next().ok_or_else(|| Failure::new("no window"))?;
        screen.hands(&["windowfocus", "--sync", window]).await
    }

    /// Closes it by its key, and waits until the program has ended well.
    ///
    /// # Errors
    /// [`Failure`] if it does not end, or says that it failed.
    pub async fn close(mut self, screen: &Screen) -> Result<()> {
        screen.press("ctrl+q").await?;
        let status = timeout(PATIENCE, self.child.wait()).await??;
        if status.success() { Ok(()) } else { Err(Failure::of("the window ended with", status)) }
    }
}

/// The wallet's program on this folder, without the display and session of whoever runs the tests.
///
/// # Errors
/// [`Failure`] if it is not built.
pub fn program(profile: &Path) -> Result<Command> {
    let mut command = Command::new(WALLET.path()?);
    command.arg("--profile").arg(profile).stdin(Stdio::null()).kill_on_drop(true);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "EGUI_INSPECTION"] {
        command.env_remove(name);
    }
    Ok(command)
}

/// Makes a wallet by the program, as its owner would.
///
/// # Errors
/// [`Failure`] with what it said.
pub async fn init(profile: &Path, password: &str) -> Result<()> {
    let mut command = program(profile)?;
    command.args(["init", "--words", "amber lighthouse", "--hue", "6"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = spawn(&mut command).await?;
    let mut input = child.stdin.take().ok_or_else(|| Failure::new("nobody reads the password"))?;
    input.write_all(format!("{password}\n").as_bytes()).await?;
    drop(input);
    let output = timeout(PATIENCE, child.wait_with_output()).await??;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(Failure::of("the wallet was not made", said)) }
}

/// Runs a program to its end.
///
/// # Errors
/// [`Failure`] if it cannot be run or does not end.
pub async fn output(command: &mut Command) -> Result<Output> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = spawn(command).await?;
    Ok(timeout(PATIENCE, child.wait_with_output()).await??)
}

async fn spawn(command: &mut Command) -> std::io::Result<Child> {
    let _alone = STARTING.write().await;
    command.spawn()
}
