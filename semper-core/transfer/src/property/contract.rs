//! What a manager of items offers to a party of an exchange, and what to the third party.

use semper_supporting::deal::DealContext;

use super::{
    Accepted, Answer, BadPermit, Begun, Binding, Capabilities, Certificates, GenGrade, Generated,
    GenerationPermit, Got, Look, Observation, Permitted, Props, Record, Replacement, ThirdPartyKeys, TooLate,
    Transfer,
};
use crate::{
    description::Description,
    fault::{ItemFault, Mismatch},
    item::{Item, Kind},
};

/// The party's side of an item kind: what every manager offers to the exchange layer.
///
/// All calls are pure: time and chance are arguments, effects are results.
pub trait ExchangeEnabled {
    /// The kind of item it handles.
    fn kind(&self) -> Kind;

    /// What the mechanisms at hand offer for an item, best first; none if it cannot be exchanged fairly.
    fn props(&self, description: &Description, third_party: &Capabilities, deal: &DealContext) -> Vec<Props>;

    /// Makes the permit for `item`. The same arguments give the same bytes.
    ///
    /// # Errors
    /// [`ItemFault`] if the item is not the one the binding describes.
    fn make_permit(
        &self,
        item: &Item,
        description: &Description,
        binding: &Binding,
        third_party: &ThirdPartyKeys,
        random: &[u8; 64],
    ) -> Result<Permitted, ItemFault>;

    /// Says which grade the receiver may rely on, given the permit and what came beside it.
    ///
    /// # Errors
    /// [`ItemFault`] if it may rely on none.
    fn check_permit(
        &self,
        description: &Description,
        permitted: &Permitted,
        binding: &Binding,
        third_party: &ThirdPartyKeys,
        certificates: &dyn Certificates,
    ) -> Result<GenGrade, ItemFault>;

    /// Begins the transfer. The same binding gives the same bytes, and never a second payment.
    ///
    /// # Errors
    /// [`ItemFault`] if the item is not the one the binding describes.
    fn start_transfer(
        &self,
        item: &Item,
        description: &Description,
        binding: &Binding,
    ) -> Result<Transfer, ItemFault>;

    /// Compares what was received with its description.
    ///
    /// # Errors
    /// [`Mismatch`] naming the first difference.
    fn verify_received(
        &self,
        description: &Description,
        got: &Got,
        binding: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch>;

    /// Compares a replacement with the description and the permit it must rest on.
    ///
    /// # Errors
    /// [`Mismatch`]; a replacement without a decision that completes this run is void.
    fn verify_replacement(
        &self,
        description: &Description,
        permit: &GenerationPermit,
        replacement: &Replacement,
        binding: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch>;
}

/// The third party's side of an item kind.
///
/// Each call that may need an authority has two halves: the first says what to ask, the second reads the
/// signed answer. All halves are pure and may be repeated.
pub trait TtpItem {
    /// The kind of item it handles.
    fn kind(&self) -> Kind;

    /// Finds out whether the transfer happened.
    fn observe(&self, binding: &Binding, description: &Description, look: Look) -> Begun<Observation>;

    /// Reads an authority's answer to [`TtpItem::observe`].
    ///
    /// # Errors
    /// [`ItemFault`] if the answer is not the authority's, or about something else.
    fn observed(
        &self,
        binding: &Binding,
        description: &Description,
        look: Look,
        answer: &Answer,
    ) -> Result<Observation, ItemFault>;

    /// Compares what a party hands to the third party for the other one. What it answers with
    /// [`Observation::Deposited`] the third party holds, and has promised to hand over on completion.
    ///
    /// # Errors
    /// [`Mismatch`] naming the first difference; nothing is deposited then.
    fn deposit(
        &self,
        binding: &Binding,
        description: &Description,
        got: &Got,
        certificates: &dyn Certificates,
    ) -> Result<Observation, Mismatch>;

    /// Makes the replacement a permit allows. To be called only once the run is to be completed.
    fn generate(
        &self,
        binding: &Binding,
        description: &Description,
        permitted: &Permitted,
        certificates: &dyn Certificates,
    ) -> Begun<Result<Generated, BadPermit>>;

    /// Reads an authority's answer to [`TtpItem::generate`].
    ///
    /// # Errors
    /// [`ItemFault`] if the answer is not the authority's, or about something else.
    fn generated(
        &self,
        binding: &Binding,
        description: &Description,
        answer: &Answer,
    ) -> Result<Result<Generated, BadPermit>, ItemFault>;

    /// Undoes the transfer.
    fn revoke(&self, binding: &Binding, description: &Description) -> Begun<Result<Record, TooLate>>;

    /// Reads an authority's answer to [`TtpItem::revoke`].
    ///
    /// # Errors
    /// [`ItemFault`] if the answer is not the authority's, or about something else.
    fn revoked(
        &self,
        binding: &Binding,
        description: &Description,
        answer: &Answer,
    ) -> Result<Result<Record, TooLate>, ItemFault>;
}
