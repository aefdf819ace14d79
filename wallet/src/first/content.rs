//! The whole content of the window: the first start while there is one, else door and inside.

use egui::{Context, Ui, ViewportCommand};
use semper_tinguin::{texts::Texts, theme::Theme, views::first::welcome::Welcome, window::WindowCommand};
use tokio::sync::{mpsc, watch};

use super::{FirstOrder, FirstStage, form::Form, steps::Steps};
use crate::{
    bridge::{Link, Order, Stage},
    profile::DoorPlate,
    shell::{Shell, ZOOM, zoom},
};

/// What the window shows.
#[derive(Debug)]
pub struct Content {
    orders: mpsc::Sender<Order>,
    stage: watch::Receiver<Stage>,
    theme: Theme,
    texts: Texts,
    /// What stands at the door, once that is known.
    plate: Option<DoorPlate>,
    /// Until the shell has it.
    link: Option<Link>,
    shell: Option<Shell>,
    steps: Option<Steps>,
    form: Option<Form>,
    /// The view that was drawn last, and the one that was announced last.
    drawn: &'static str,
    announced: &'static str,
}

impl Content {
    /// The content of a window on a wallet with this plate, or of one in which a wallet is to be made.
    pub fn new(link: Link, plate: Option<DoorPlate>, welcome: Welcome, theme: Theme) -> Self {
        let (orders, stage) = (link.orders.clone(), link.stage.clone());
        let steps = plate.is_none().then(|| Steps::new(welcome));
        let (texts, link) = (Texts::english(), Some(link));
        let (shell, form, drawn, announced) = (None, None, "", "");
        Self { orders, stage, theme, texts, plate, link, shell, steps, form, drawn, announced }
    }

    /// Takes in what came from the other side. Called before each drawing, and while the window is hidden.
    pub fn logic(&mut self, ctx: &Context) {
        let stage = self.stage.borrow_and_update().clone();
        match stage {
            Stage::First(FirstStage::Registering(registering)) => {
                // What was typed in the steps before is erased.
                if let Some(plate) = self.steps.as_ref().and_then(Steps::plate) {
                    self.plate = Some(plate);
                }
                self.steps = None;
                let hue = self.plate.as_ref().map_or(0, |plate| plate.hue);
                let form = self.form.get_or_insert_with(|| Form::new(ctx, registering.emblem, hue));
                form.hear(*registering);
            }
            Stage::First(stage) => {
                if let Some(steps) = &mut self.steps {
                    steps.hear(&stage);
                }
            }
            Stage::Door(_) | Stage::Open { .. } => {
                if let Some(plate) = self.steps.take().as_ref().and_then(Steps::plate) {
                    self.plate = Some(plate);
                }
                self.form = None;
                if let Some(plate) = &self.plate
                    && let Some(link) = self.link.take()
                {
                    self.shell = Some(Shell::new(link, plate.clone(), self.theme, Texts::english()));
                }
            }
        }
        if let Some(shell) = &mut self.shell {
            shell.logic(ctx);
        }
    }

    /// Draws, and acts on what the user did.
    pub fn ui(&mut self, ui: &mut Ui) {
        self.announce();
        let (theme, texts) = (&self.theme, &self.texts);
        let (view, order) = match (&mut self.form, &mut self.steps, &mut self.shell) {
            (Some(form), ..) => form.ui(ui, theme, texts),
            (None, Some(steps), _) => steps.ui(ui, theme, texts),
            (None, None, Some(shell)) => {
                (self.drawn, self.announced) = ("", "");
                return shell.ui(ui);
            }
            (None, None, None) => return,
        };
        if let Some(order) = order {
            self.order(order);
        }
        match semper_tinguin::window::shortcut(ui) {
            Some(WindowCommand::Quit) => ui.ctx().send_viewport_cmd(ViewportCommand::Close),
            Some(WindowCommand::ZoomIn) => zoom(ui.ctx(), |now| now.saturating_add(ZOOM.2)),
            Some(WindowCommand::ZoomOut) => zoom(ui.ctx(), |now| now.saturating_sub(ZOOM.2)),
            Some(WindowCommand::ZoomReset) => zoom(ui.ctx(), |_| 100),
            _ => {}
        }
        self.drawn = view;
        if self.drawn != self.announced {
            ui.ctx().request_repaint();
        }
    }

    fn order(&self, order: FirstOrder) {
        if self.orders.try_send(Order::First(order)).is_err() {
            tracing::warn!("the wallet is busy; an order was dropped");
        }
    }

    /// One line for operators and tests whenever another view stands in the window, as in the shell.
    fn announce(&mut self) {
        if self.drawn != self.announced {
            self.announced = self.drawn;
            tracing::info!(view = self.announced, "the window shows another view");
        }
    }
}
