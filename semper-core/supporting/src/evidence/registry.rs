//! Every type of statement there is, in one list: a type stands for one meaning, across all protocols and
//! roles, or a signature made for one purpose could be used for another.

/// All types, sorted. A statement whose type is not here cannot be released: the test of each layer walks
/// its own types through [`is_registered`].
pub const TYPES: &[&str] = &[
    "a/record",
    "accepted",
    "act/destroy-key",
    "act/generate-key",
    "attribute",
    "certificate-request",
    "confirmation",
    "contract",
    "d/anchor",
    "deal-accept",
    "deal-close",
    "deal-open",
    "deal-propose",
    "deal-resume",
    "dispatch",
    "dossier",
    "evaluation-revocations",
    "journal-head",
    "notice",
    "offer",
    "order",
    "pay/acct",
    "pay/award",
    "pay/balance",
    "pay/close",
    "pay/declined",
    "pay/descriptor",
    "pay/freeze",
    "pay/inspect",
    "pay/load",
    "pay/look",
    "pay/neg-c",
    "pay/neg-p",
    "pay/neg-r",
    "pay/neg-s",
    "pay/open",
    "pay/pay",
    "pay/query",
    "pay/tx-statement",
    "pay/unload",
    "receipt",
    "refusal",
    "revoke-own",
    "service-evaluation",
    "service-terms",
    "statement",
    "t/abort",
    "t/affidavit",
    "t/caps",
    "t/decision",
    "t/escrow-cert",
    "t/head",
    "t/not-yet",
    "t/pending",
    "t/receipt",
    "t/reject",
    "t/replacement",
    "t/resolve",
    "t/status",
    "timestamp",
    "x/escrow",
    "x/gxv/accept",
    "x/gxv/close",
    "x/gxv/decline",
    "x/gxv/item",
    "x/gxv/moved",
    "x/gxv/offer",
    "x/neg/answer",
    "x/neg/propose",
    "x/xfer/close",
    "x/xfer/message",
];

/// Whether `kind` is a type of statement.
pub fn is_registered(kind: &str) -> bool {
    TYPES.binary_search(&kind).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_is_double_and_all_are_sorted() {
        assert!(TYPES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(is_registered("x/gxv/offer") && !is_registered("x/gxv"));
    }
}
