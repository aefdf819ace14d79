//! What `sim` says of itself.

use semper_supporting::{deal::Anonymity, money::Currency};
use semper_transfer::payment::{
    SysId,
    module::{Descriptor, Finality, PaymentModel},
    negotiation::{ExchangeNeeds, Mode},
};

/// The name of the protocol.
pub const SYS: &str = "sim";
/// The brand of the system in negotiation.
pub const BRAND: &str = "sim";

pub(crate) fn descriptor() -> Descriptor {
    #[expect(clippy::expect_used, reason = "the constant is three lower-case letters")]
    let sys = SysId::new(SYS).expect("a plain name");
    Descriptor {
        sys,
        version: (1, 0),
        title: "Simulated money".into(),
        model: PaymentModel::Account,
        modes: vec![Mode::Direct],
        currencies: vec![Currency::XTS],
        exchange: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
        payer_to_payee: Anonymity::Identified,
        payer_to_bank: Anonymity::Identified,
        finality: Finality::AfterWindow,
        simulated: true,
    }
}
