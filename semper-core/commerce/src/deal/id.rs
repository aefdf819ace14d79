//! The name of a deal.

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    identifier,
};

identifier! {
    /// 32 fresh random bytes of one side.
    DealNonce, 32
}

/// The name of the deal of these two nonces, these terms and these keys of connections.
///
/// It is SHA-256 over `semper-deal/1`, LF, both nonces, the terms (zeros where there are none) and SHA-256 of
/// both sides' SubjectPublicKeyInfo, the client's first. Neither side can choose it, and a deal of the same
/// terms on somebody else's connection has another name.
pub fn deal_id(
    client: &DealNonce,
    server: &DealNonce,
    terms: Option<Digest>,
    client_tls: Kid,
    server_tls: Kid,
) -> DealId {
    let terms = terms.map_or([0; 32], |terms| *terms.as_bytes());
    let parts: [&[u8]; 6] = [
        b"semper-deal/1\n",
        client.as_bytes(),
        server.as_bytes(),
        &terms,
        client_tls.as_bytes(),
        server_tls.as_bytes(),
    ];
    DealId::from_bytes(*Digest::of_parts(parts).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parts: [u8; 5]) -> DealId {
        let [a, b, c, d, e] = parts;
        let terms = (c > 0).then(|| Digest::from_bytes([c; 32]));
        let (d, e) = (Kid::from_bytes([d; 32]), Kid::from_bytes([e; 32]));
        deal_id(&DealNonce::from_bytes([a; 32]), &DealNonce::from_bytes([b; 32]), terms, d, e)
    }

    /// Computed with `printf` and `sha256sum`.
    #[test]
    fn the_name_is_the_digest_of_its_parts() {
        assert_eq!(name([1, 2, 3, 4, 5]).to_string(), VECTOR);
        let mut bytes = b"semper-deal/1\n".to_vec();
        for part in 1..=5 {
            bytes.extend([part; 32]);
        }
        assert_eq!(name([1, 2, 3, 4, 5]).as_bytes(), Digest::of(&bytes).as_bytes());
    }

    const VECTOR: &str = "22ad9ca4803d07deeb2e67b7414f9b78c2e628d7993a5630b29b7d54b8158825";

    #[test]
    fn every_part_counts_and_so_does_its_place() {
        let base = [1, 2, 3, 4, 5];
        for at in 0..5 {
            let mut other = base;
            other[at] = 9;
            assert_ne!(name(other), name(base), "{at}");
        }
        assert_ne!(name([2, 1, 3, 4, 5]), name(base));
        assert_ne!(name([1, 2, 3, 5, 4]), name(base));
        assert_ne!(name([1, 2, 0, 4, 5]), name(base));
    }
}
