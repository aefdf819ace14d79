//! The name of a run.
//!
//! It is SHA-256 of a text with the two fresh nonces in it, so that neither side nor an outsider can predict
//! or occupy it, and the third party can compute it again from OFFER. It is a derived value and no
//! statement: nobody signs it by itself.

use std::fmt::Write as _;

use semper_supporting::{
    crypto::digest::Digest,
    deal::{DealId, Xid},
    identifier,
};

use crate::message::offer::Proposal;

identifier! {
    /// 32 fresh random bytes of one side.
    Nonce, 32
}

/// What the name of a run is derived from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin<'a> {
    /// The deal.
    pub deal: DealId,
    /// The protocol with its version, `gxv/1`.
    pub proto: &'a str,
    /// The originator's nonce.
    pub nonce_o: Nonce,
    /// The responder's nonce; absent in a transfer, where nobody answers.
    pub nonce_r: Option<Nonce>,
    /// SHA-256 of the originator's certificate.
    pub cert_o: Digest,
    /// SHA-256 of the responder's certificate.
    pub cert_r: Digest,
    /// SHA-256 of the third party's certificate; absent where there is none.
    pub cert_t: Option<Digest>,
}

impl Origin<'_> {
    /// The text whose SHA-256 names the run.
    pub fn text(&self) -> String {
        let mut text = String::from("semper-xid/1\n");
        let absent = || "-".to_owned();
        for (key, value) in [
            ("deal", self.deal.to_string()),
            ("proto", self.proto.to_owned()),
            ("nonce-o", self.nonce_o.to_string()),
            ("nonce-r", self.nonce_r.map_or_else(absent, |n| n.to_string())),
            ("cert-o", self.cert_o.to_string()),
            ("cert-r", self.cert_r.to_string()),
            ("cert-t", self.cert_t.map_or_else(absent, |c| c.to_string())),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key}: {value}");
        }
        text
    }

    /// The name of the run.
    pub fn xid(&self) -> Xid {
        Xid::from_bytes(*Digest::of(self.text().as_bytes()).as_bytes())
    }
}

/// The name that follows from what an OFFER says, which must be the one it bears.
pub fn of_offer(offer: &Proposal) -> Xid {
    Origin {
        deal: offer.common.deal,
        proto: &offer.proto,
        nonce_o: offer.nonce_o,
        nonce_r: Some(offer.nonce_r),
        cert_o: offer.common.cert_o,
        cert_r: offer.common.cert_r,
        cert_t: offer.common.cert_t,
    }
    .xid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin<'static> {
        Origin {
            deal: DealId::from_bytes([1; 32]),
            proto: "gxv/1",
            nonce_o: Nonce::from_bytes([2; 32]),
            nonce_r: Some(Nonce::from_bytes([3; 32])),
            cert_o: Digest::from_bytes([4; 32]),
            cert_r: Digest::from_bytes([5; 32]),
            cert_t: Some(Digest::from_bytes([6; 32])),
        }
    }

    /// Computed with `sha256sum` over the text.
    #[test]
    fn the_name_is_the_digest_of_its_text() {
        let repeated = |byte: &str| byte.repeat(32);
        let text = format!(
            "semper-xid/1\ndeal: {}\nproto: gxv/1\nnonce-o: {}\nnonce-r: {}\ncert-o: {}\ncert-r: {}\ncert-t: {}\n",
            repeated("01"),
            repeated("02"),
            repeated("03"),
            repeated("04"),
            repeated("05"),
            repeated("06"),
        );
        assert_eq!(origin().text(), text);
        assert_eq!(
            origin().xid().to_string(),
            "3cafd45cf189fac4576ebbb1919dcd30028271b3dce07cac81b8527012e6305f"
        );
    }

    #[test]
    fn every_part_counts() {
        let other = Digest::from_bytes([9; 32]);
        let changed = [
            Origin { deal: DealId::from_bytes([9; 32]), ..origin() },
            Origin { proto: "xfer/1", ..origin() },
            Origin { nonce_o: Nonce::from_bytes([9; 32]), ..origin() },
            Origin { nonce_r: Some(Nonce::from_bytes([9; 32])), ..origin() },
            Origin { nonce_r: None, ..origin() },
            Origin { cert_o: other, ..origin() },
            Origin { cert_r: other, ..origin() },
            Origin { cert_t: Some(other), ..origin() },
            Origin { cert_t: None, ..origin() },
        ];
        for origin_changed in changed {
            assert_ne!(origin_changed.xid(), origin().xid());
        }
    }
}
