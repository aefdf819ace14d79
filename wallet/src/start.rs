//! Opens the window: one native window on OpenGL, with a task runtime beside it.

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, OnceLock},
};

use eframe::{App, CreationContext, Frame, NativeOptions};
use egui::{Context, Ui, ViewportBuilder};
use semper_host::chance;
use semper_supporting::time::Moment;
use semper_tinguin::{
    theme::Theme,
    views::{door::DoorState, first::welcome::Welcome},
};
use tokio::runtime::Runtime;

use crate::{
    bridge::{Keeper, Link, Stage, at_the_door, bridge_at},
    fault::{WalletFault, WindowFault},
    first::{Content, FirstStage, languages},
    profile::{DoorPlate, Profile},
};

/// The name by which the desktop knows the window.
const APP_ID: &str = "eu.semper.wallet";
/// What stands in the title bar of the desktop.
const TITLE: &str = "TINGUIN";
/// The size of the window at first, and at least, in logical pixels.
const SIZE: [f32; 2] = [1120.0, 760.0];
const LEAST: [f32; 2] = [800.0, 600.0];

/// Opens the window on `profile` and returns when it is closed and the archive too. Where there is no wallet, one is
/// made in the window. `started` is when the program began.
///
/// # Errors
/// [`WalletFault`] where a wallet can be neither opened nor made; [`WalletFault::Window`] where no window can be
/// opened, and [`WalletFault::Missing`] if there is no wallet either.
pub fn open(profile: &Profile, runtime: &Runtime, started: Moment) -> Result<(), WalletFault> {
    crate::harden::refuse_inspection()?;
    let plate = match profile.door() {
        Ok(plate) => Some(plate),
        Err(WalletFault::Missing(_)) => None,
        Err(fault) => return Err(fault),
    };
    let unwritable = match (&plate, profile.can_be_made()) {
        (None, Err(fault @ WalletFault::Exists(_))) => return Err(fault),
        (None, Err(_)) => Some(profile.path().display().to_string()),
        (None, Ok(())) | (Some(_), _) => None,
    };
    let welcome = Welcome {
        languages: languages(),
        can_restore: false,
        unwritable,
        is_x11: set("DISPLAY") && !set("WAYLAND_DISPLAY"),
    };
    let lock = if plate.is_some() { profile.window_lock()? } else { None };
    let is_new = plate.is_none();
    let first = match (&lock, profile.header()) {
        _ if is_new => Stage::First(FirstStage::Before),
        (None, _) => Stage::Door(DoorState::SecondInstance),
        (Some(_), Ok(_)) => Stage::Door(DoorState::Ready),
        (Some(_), Err(fault)) => Stage::Door(at_the_door(&fault)),
    };
    // The context of the window exists only once the window does; until then there is nobody to wake.
    let window: Arc<OnceLock<Context>> = Arc::new(OnceLock::new());
    let woken = Arc::clone(&window);
    let wake = move || {
        if let Some(ctx) = woken.get() {
            ctx.request_repaint();
        }
    };
    let (link, keeper) = bridge_at(profile.clone(), first, wake);
    let keeping = runtime.spawn(Keeper::run(keeper));
    let outcome = run(link, plate, welcome, window, started);
    // The window is gone, and with it the last sender of orders: the keeper closes the archive and ends.
    if runtime.block_on(keeping).is_err() {
        tracing::error!("the archive was not closed in an orderly way");
    }
    match outcome {
        Err(WindowFault::NoDisplay) if is_new => Err(WalletFault::Missing(profile.path().to_owned())),
        other => Ok(other?),
    }
}

/// Whether a variable of the environment has a value.
fn set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn run(
    link: Link,
    plate: Option<DoorPlate>,
    welcome: Welcome,
    window: Arc<OnceLock<Context>>,
    started: Moment,
) -> Result<(), WindowFault> {
    let viewport = ViewportBuilder::default()
        .with_title(TITLE)
        .with_app_id(APP_ID)
        .with_inner_size(SIZE)
        .with_min_inner_size(LEAST)
        .with_transparent(false)
        .with_drag_and_drop(false);
    let options = NativeOptions { viewport, ..NativeOptions::default() };
    let create = move |creation: &CreationContext<'_>| {
        let ctx = &creation.egui_ctx;
        let theme = match ctx.system_theme() {
            Some(egui::Theme::Light) => Theme::LIGHT,
            Some(egui::Theme::Dark) | None => Theme::DARK,
        };
        theme.install(ctx);
        let _ = window.set(ctx.clone());
        let content = Content::new(link, plate, welcome, theme);
        Ok(Box::new(Program { content, started: Some(started) }) as Box<dyn App>)
    };
    // A library that cannot be loaded makes the window system panic; its message would be no sentence.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|info| tracing::debug!("{info}")));
    let opened =
        panic::catch_unwind(AssertUnwindSafe(|| eframe::run_native(TITLE, options, Box::new(create))));
    panic::set_hook(hook);
    match opened {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(of_error(&error)),
        Err(payload) => Err(of_panic(payload.as_ref())),
    }
}

/// The program as the window's library calls it.
struct Program {
    content: Content,
    /// Until the first frame: when the program began.
    started: Option<Moment>,
}

impl App for Program {
    fn logic(&mut self, ctx: &Context, _: &mut Frame) {
        self.content.logic(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        self.content.ui(ui);
        if let Some(started) = self.started.take() {
            let milliseconds = chance::now().since(started).as_millis();
            tracing::info!(milliseconds, "the first frame was drawn");
        }
    }
}

fn of_error(error: &eframe::Error) -> WindowFault {
    tracing::debug!(%error, "no window");
    match error {
        eframe::Error::WinitEventLoop(_) => WindowFault::NoDisplay,
        eframe::Error::NoGlutinConfigs(..) | eframe::Error::Glutin(_) | eframe::Error::OpenGL(_) => {
            WindowFault::NoGl
        }
        other => WindowFault::Failed(other.to_string()),
    }
}

/// Libraries that are loaded when the window opens, and the packages of Debian that have them.
const LIBRARIES: [(&str, &str); 8] = [
    ("xkbcommon-x11", "libxkbcommon-x11-0"),
    ("xkbcommon", "libxkbcommon0"),
    ("wayland-egl", "libwayland-egl1"),
    ("wayland-client", "libwayland-client0"),
    ("X11-xcb", "libx11-xcb1"),
    ("Xcursor", "libxcursor1"),
    ("Xi", "libxi6"),
    ("EGL", "libegl1"),
];

fn of_panic(payload: &(dyn Any + Send)) -> WindowFault {
    let said = payload.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
    match LIBRARIES.iter().find(|(library, _)| said.contains(library)) {
        Some((_, package)) => WindowFault::NoLibrary { package },
        None => WindowFault::Failed(said.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named_by_its_package() {
        let of = |said: &str| of_panic(&said.to_owned());
        let missing = "Library libxkbcommon-x11.so could not be loaded.";
        assert_eq!(of(missing), WindowFault::NoLibrary { package: "libxkbcommon-x11-0" });
        assert_eq!(
            of("libwayland-egl.so.1: cannot open"),
            WindowFault::NoLibrary { package: "libwayland-egl1" }
        );
        assert_eq!(of_panic(&"out of cheese"), WindowFault::Failed("out of cheese".into()));
    }
}
