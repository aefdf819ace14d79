//! Identifiers of the payment service, and the values derived for them.

use semper_supporting::{crypto::digest::Digest, deal::DealId, identifier};

pub use crate::item::{BadSysId, PayRef, SysId};

identifier! {
    /// One run of a payment operation at one party.
    TxId, 16
}

identifier! {
    /// A purse: one installed instance of a payment system.
    PurseId, 16
}

identifier! {
    /// One message of a payment protocol; the key under which a repeat finds its stored answer.
    MsgId, 16
}

identifier! {
    /// An account at a bank.
    AccountId, 16
}

/// What every derived value of the payment service begins with.
const PREFIX: &[u8] = b"SEMPER-PAY/1\0";

/// A derived value: SHA-256 over the prefix, the tag's length in 2 bytes and the tag, then each part's
/// length in 4 bytes and the part, so that no two lists of parts give the same bytes.
pub fn derive(tag: &str, parts: &[&[u8]]) -> Digest {
    let mut bytes = PREFIX.to_vec();
    bytes.extend(u16::try_from(tag.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(tag.bytes());
    for part in parts {
        bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    Digest::of(&bytes)
}

impl PayRef {
    /// The reference of payment number `n` of `deal`, negotiated by the messages `negotiation` hashes.
    pub fn of(deal: &DealId, negotiation: &Digest, n: u32) -> Self {
        let parts: [&[u8]; 3] = [deal.as_bytes(), negotiation.as_bytes(), &n.to_be_bytes()];
        Self::from_bytes(*derive("pay.ref", &parts).as_bytes())
    }
}

impl AccountId {
    /// The account a bank opens in answer to the request `request`: the same request, the same account.
    pub fn of(request: &Digest) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] =
            *derive("acct", &[request.as_bytes()]).as_bytes();
        Self::from_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_values_follow_the_printed_vector() {
        assert_eq!(
            derive("test", &[b"abc", b""]).to_string(),
            "0be10774b91813c4ced41707cbead6aeeaaf72ccecd2c8f8c88a1f12fe991c71"
        );
        assert_ne!(derive("t", &[b"ab", b"c"]), derive("t", &[b"a", b"bc"]));
    }

    #[test]
    fn another_deal_negotiation_or_number_is_another_reference() {
        let (deal, negotiation) = (DealId::from_bytes([1; 32]), Digest::of(b"n"));
        let reference = PayRef::of(&deal, &negotiation, 0);
        assert_ne!(reference, PayRef::of(&deal, &negotiation, 1));
        assert_ne!(reference, PayRef::of(&deal, &Digest::of(b"m"), 0));
        assert_ne!(reference, PayRef::of(&DealId::from_bytes([2; 32]), &negotiation, 0));
    }

    #[test]
    fn names_of_systems_are_plain() {
        assert!(SysId::new("sim").is_ok() && SysId::new("ikp1").is_ok());
        for name in ["", "s", "Sim", "s m", "-sim", &"x".repeat(33)] {
            assert_eq!(SysId::new(name), Err(BadSysId), "{name}");
        }
    }
}
