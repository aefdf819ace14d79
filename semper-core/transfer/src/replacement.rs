//! What holds for the replacement of any item: the same binding, a permit, a decision to complete.

use semper_supporting::crypto::digest::Digest;

use crate::{
    description::Description,
    fault::Mismatch,
    property::{Binding, GenGrade, GenerationPermit, Replacement},
};

/// Checks what every replacement rests on, and gives the hash of the decision.
///
/// # Errors
/// [`Mismatch::Binding`], [`Mismatch::Permit`], [`Mismatch::Decision`].
pub(crate) fn rests_on(
    description: &Description,
    permit: &GenerationPermit,
    replacement: &Replacement,
    binding: &Binding,
) -> Result<Digest, Mismatch> {
    let hash = description.hash().map_err(|_| Mismatch::Binding)?;
    if replacement.binding != *binding || binding.description != hash {
        return Err(Mismatch::Binding);
    }
    if permit.grade == GenGrade::None || permit.grade != replacement.grade || permit.description != hash {
        return Err(Mismatch::Permit);
    }
    let decided = replacement.decided.as_ref().ok_or(Mismatch::Decision)?;
    let of_this_run = decided.xid == binding.xid && Some(decided.agreement) == binding.agreement;
    if of_this_run && decided.completed { Ok(decided.decision) } else { Err(Mismatch::Decision) }
}
