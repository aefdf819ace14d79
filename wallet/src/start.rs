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
use semper_tinguin::{texts::Texts, theme::Theme, views::door::DoorState};
use tokio::runtime::Runtime;

use crate::{
    bridge::{Keeper, Link, at_the_door, bridge},
    fault::{WalletFault, WindowFault},
    profile::{DoorPlate, Profile},
    shell::Shell,
};

/// The name by which the desktop knows the window.
const APP_ID: &str = "eu.semper.wallet";
/// What stands in the title bar of the desktop.
const TITLE: &str = "TINGUIN";
/// The size of the window at first, and at least, in logical pixels.
const SIZE: [f32; 2] = [1120.0, 760.0];
const LEAST: [f32; 2] = [800.0, 600.0];

/// Opens the window on `profile` and returns when it is closed and the archive too. `started` is when the
/// program began.
///
/// # Errors
/// [`WalletFault::Missing`] and others where there is no wallet to open; [`WalletFault::Window`] where no
/// window can be opened.
pub fn open(profile: &Profile, runtime: &Runtime, started: Moment) -> Result<(), WalletFault> {
    crate::harden::refuse_inspection()?;
    let plate = profile.door()?;
    let lock = profile.window_lock()?;
    let first = match (&lock, profile.header()) {
        (None, _) => DoorState::SecondInstance,
        (Some(_), Ok(_)) => DoorState::Ready,
        (Some(_), Err(fault)) => at_the_door(&fault),
    };
    // The context of the window exists only once the window does; until then there is nobody to wake.
    let window: Arc<OnceLock<Context>> = Arc::new(OnceLock::new());
    let woken = Arc::clone(&window);
    let wake = move || {
        if let Some(ctx) = woken.get() {
            ctx.request_repaint();
        }
    };
    let (link, keeper) = bridge(profile.clone(), first, wake);
    let keeping = runtime.spawn(Keeper::run(keeper));
    let outcome = run(link, plate, window, started);
    // The window is gone, and with it the last sender of orders: the keeper closes the archive and ends.
    if runtime.block_on(keeping).is_err() {
        tracing::error!("the archive was not closed in an orderly way");
    }
    Ok(outcome?)
}

fn run(
    link: Link,
    plate: DoorPlate,
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
        let shell = Shell::new(link, plate, theme, Texts::english());
        Ok(Box::new(Program { shell, started: Some(started) }) as Box<dyn App>)
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
    shell: Shell,
    /// Until the first frame: when the program began.
    started: Option<Moment>,
}

impl App for Program {
    fn logic(&mut self, ctx: &Context, _: &mut Frame) {
        self.shell.logic(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        self.shell.ui(ui);
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
