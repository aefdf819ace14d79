//! The real program in a real window, on a screen of its own: `init`, the door, home, the log, the lock.
//!
//! Every change of view is a line of the program's log, so nothing here sleeps: the test reads on until the
//! line is there. A watchdog ends a program that stays silent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so, and how long the first frame took")]

mod business;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

const PASSWORD: &str = "seven grey herons by the canal";
/// How long the program may take for one change of view; far more than it needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program of the test that ends with it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A screen in memory, on a number nobody else has.
struct Screen {
    name: String,
    _server: Running,
}

impl Screen {
    /// Opens it; the server chooses the number, and writes it when it is ready.
    fn open() -> Option<Self> {
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1120x760x24", "-nolisten", "tcp", "-noreset"])
            .args(["+extension", "GLX", "+render"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut server = match server {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            other => Running(other.unwrap()),
        };
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Some(Self { name: format!(":{}", number.trim()), _server: server })
    }

    fn tool(&self, name: &str, arguments: &[&str]) -> String {
        let output = Command::new(name).args(arguments).env("DISPLAY", &self.name).output().unwrap();
        assert!(output.status.success(), "{name} {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn hands(&self, arguments: &[&str]) {
        self.tool("xdotool", arguments);
    }

    /// Types a line.
    fn type_and_enter(&self, text: &str) {
        self.hands(&["type", "--delay", "5", text]);
        self.hands(&["key", "Return"]);
    }

    /// Photographs the screen, and makes sure that there is something on it.
    fn photograph(&self, folder: &Path, name: &str) {
        let path = folder.join(name);
        let path = path.to_str().unwrap();
        self.tool("import", &["-window", "root", path]);
        let colours: u32 = self.tool("identify", &["-format", "%k", path]).trim().parse().unwrap();
        assert!(colours > 16, "{name} has {colours} colours only");
    }
}

/// The wallet's program with its window, and the lines of its log.
struct Wallet {
    program: Running,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Wallet {
    fn start(screen: &Screen, profile: &str) -> Self {
        let mut child = program(&["--profile", profile])
            .env("DISPLAY", &screen.name)
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = read_on(child.stdout.take().unwrap());
        Self { program: Running(child), lines, seen: Vec::new() }
    }

    /// What the program holds in memory, in kB.
    fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Reads on until a line of the log contains this.
    fn wait_for(&mut self, part: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(_) => panic!("{part:?} never came; the log: {:#?}", self.seen),
            }
        }
    }

    fn wait_for_view(&mut self, view: &str) {
        self.wait_for(&format!("view=\"{view}\""));
    }

    /// Gives the keyboard to the window once it is there.
    fn focus(&self, screen: &Screen) {
        let found = screen.tool("xdotool", &["search", "--sync", "--onlyvisible", "--name", "^TINGUIN$"]);
        let window = found.lines().next().unwrap().to_owned();
        screen.hands(&["windowfocus", "--sync", &window]);
    }
}

fn read_on(output: ChildStdout) -> Receiver<String> {
    let (send, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The program without the display, the session and the language of whoever runs the tests.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_semper-wallet"));
    command.args(arguments).stdin(Stdio::null());
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "EGUI_INSPECTION"] {
        command.env_remove(name);
    }
    command
}

fn init(profile: &str) {
    let mut child = program(&["init", "--profile", profile, "--words", "amber lighthouse", "--hue", "6"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_door_opens_to_the_right_password_only_and_locks_again() {
    let Some(screen) = Screen::open() else {
        println!("skipped: Xvfb is not installed (apt-get install xvfb xdotool imagemagick)");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let profile = home.path().join("wallet");
    let profile = profile.to_str().unwrap();
    init(profile);
    business::write(profile, PASSWORD);

    // Photographs stay where somebody wants to look at them.
    let photographs = std::env::var_os("SEMPER_PHOTOGRAPHS").map_or(home.path().to_owned(), Into::into);
    fs::create_dir_all(&photographs).unwrap();
    let mut wallet = Wallet::start(&screen, profile);
    println!("{}", wallet.wait_for("the first frame was drawn"));
    wallet.wait_for_view("door/ready");
    wallet.focus(&screen);
    screen.photograph(&photographs, "s07.png");

    screen.type_and_enter("not the password");
    wallet.wait_for_view("door/wrong");
    screen.photograph(&photographs, "s07-wrong.png");
    screen.type_and_enter(PASSWORD);
    wallet.wait_for_view("home");
    screen.photograph(&photographs, "s08.png");
    screen.hands(&["key", "ctrl+7"]);
    wallet.wait_for_view("log");
    screen.photograph(&photographs, "s25.png");
    println!("{} kB resident", wallet.resident());

    // A second window on the same wallet opens to nobody.
    let mut second = Wallet::start(&screen, profile);
    second.wait_for_view("door/second");
    drop(second);

    wallet.focus(&screen);
    screen.hands(&["key", "ctrl+shift+l"]);
    wallet.wait_for_view("door/ready");
    screen.type_and_enter(PASSWORD);
    wallet.wait_for_view("home");
    screen.hands(&["key", "ctrl+q"]);
    assert!(wallet.program.0.wait().unwrap().success());
}

#[test]
fn without_a_screen_one_sentence_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let profile = home.path().join("wallet");
    let profile = profile.to_str().unwrap();
    let said = |command: &mut Command| {
        let output = command.stderr(Stdio::piped()).stdout(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = said(&mut program(&["--profile", profile]));
    assert!(code == Some(1) && text.contains("semper-wallet init"), "{text}");
    init(profile);
    let (code, text) = said(&mut program(&["--profile", profile]));
    assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
    assert!(text.contains("apt-get install xvfb"), "{text}");
    let (code, text) = said(program(&["--profile", profile]).env("EGUI_INSPECTION", "1"));
    assert!(code == Some(1) && text.starts_with("EGUI_INSPECTION is set"), "{text}");
}
