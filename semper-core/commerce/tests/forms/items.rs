//! What parties sign for each other inside a deal.

use semper_transfer::statement::{
    Accepted, Confirmation, Contract, Dispatch, InDeal, ItemType, Lines, Notice, Offer, Order, Other,
    Receipt, Refusal, Salt,
};

use super::{
    Form,
    parts::{AT, UNTIL, deal, hash, signer},
};

pub(crate) fn forms() -> Vec<Form> {
    let forms = vec![
        Form::of(&Accepted(lines(ItemType::Accepted))),
        Form::of(&Confirmation(lines(ItemType::Confirmation))),
        Form::of(&Contract(lines(ItemType::Contract))),
        Form::of(&Dispatch(lines(ItemType::Dispatch))),
        Form::of(&Notice(lines(ItemType::Notice))),
        Form::of(&Offer(lines(ItemType::Offer))),
        Form::of(&Order(lines(ItemType::Order))),
        Form::of(&Receipt(lines(ItemType::Receipt))),
        Form::of(&Refusal(lines(ItemType::Refusal))),
        Form::of(&Other(lines(ItemType::Other))),
    ];
    assert_eq!(forms.len(), ItemType::ALL.len());
    forms
}

fn lines(kind: ItemType) -> Lines {
    let binds = matches!(kind, ItemType::Offer | ItemType::Order | ItemType::Contract);
    Lines {
        in_deal: InDeal {
            deal: Some(deal()),
            terms_sha256: Some(hash("terms")),
            conf: Some(hash("configuration")),
            seq: 7,
            at: AT,
            signer: signer(),
            cert: hash("certificate"),
            salt: Some(Salt::from_bytes([2; 16])),
        },
        item: format!("sale.{}", kind.as_str()),
        form_sha256: vec![hash("form")],
        over: vec![hash("one statement"), hash("another statement")],
        binds,
        until: binds.then_some(UNTIL),
        text_sha256: Some(hash("shown")),
        locale: Some("en".into()),
        facts_profile: Some("sale/1".into()),
    }
}
