//! What the window knows of the user's hands and of itself: focus, size, time, and what was touched.

use std::time::Duration;

use egui::{Event, Rect, Ui};
use semper_supporting::time::{Moment, Span};

use super::Prompt;
use super::attention::{Instant, Phase};

/// Size and zoom of the window, and since when they are so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Calm {
    screen: Rect,
    zoom: f32,
    since: Span,
}

/// How long size and zoom stay as they are before anything arms.
const CALM: u64 = 300;
/// How often a prompt is drawn while something runs, and while only the countdown does.
const FAST: Duration = Duration::from_millis(33);
const SLOW: Duration = Duration::from_secs(1);

/// The time of this pass by both clocks.
pub(super) fn instant(ui: &Ui, wall: Moment) -> Instant {
    let running = ui.input(|input| Duration::try_from_secs_f64(input.time)).unwrap_or_default();
    Instant { running: Span::millis(u64::try_from(running.as_millis()).unwrap_or(u64::MAX)), wall }
}

/// Whether this window has the keyboard and is not known to be hidden.
pub(super) fn in_front(ui: &Ui) -> bool {
    ui.input(|input| {
        let viewport = input.viewport();
        input.focused && viewport.minimized != Some(true) && viewport.occluded != Some(true)
    })
}

/// Whether anything was done in this window in this pass.
pub(super) fn touched(ui: &Ui) -> bool {
    ui.input(|input| {
        input.events.iter().any(|event| {
            matches!(
                event,
                Event::Key { .. }
                    | Event::MouseWheel { .. }
                    | Event::PointerButton { .. }
                    | Event::PointerMoved(_)
                    | Event::Text(_)
                    | Event::Touch { .. }
            )
        })
    })
}

/// Whether size and zoom have been as they are for a while.
pub(super) fn is_calm(ui: &Ui, calm: &mut Option<Calm>, running: Span) -> bool {
    let (screen, zoom) = (ui.ctx().content_rect(), ui.ctx().zoom_factor());
    let same = calm.filter(|calm| calm.screen == screen && (calm.zoom - zoom).abs() < f32::EPSILON);
    let now = same.unwrap_or(Calm { screen, zoom, since: running });
    *calm = Some(now);
    running.as_millis().saturating_sub(now.since.as_millis()) >= CALM
}

/// Nothing is pasted into a prompt.
pub(super) fn refuse_pastes(ui: &Ui) {
    ui.input_mut(|input| {
        input.events.retain(|event| !matches!(event, Event::Paste(_) | Event::MiddleClickPaste { .. }));
    });
}

/// Has the window drawn again as soon as something of the prompt changes by itself.
pub(super) fn repaint(ui: &Ui, phase: &Phase, data: &Prompt<'_>) {
    let runs = match phase {
        Phase::Settling | Phase::Arming { .. } | Phase::Holding { .. } | Phase::Ready => true,
        // Facts are looked at, and the window becomes calm, by the running clock.
        Phase::Blocked(_) => !data.sending,
        Phase::Done(_) => false,
    };
    ui.ctx().request_repaint_after(if runs && in_front(ui) { FAST } else { SLOW });
}
